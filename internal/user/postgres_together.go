package user

// KnownSQL joins the user u, and the link l, of somebody who arrives as they did before: the
// arguments @dao_subject and @ic_principal are the arrival's Subject and [Arrival.OwnPrincipal].
// Whoever it finds, [Decide] would let in as [Entered], with nothing to be added: row 1 of
// section 5, without its refusals. It is for a statement that does all in one; whom it does not find,
// [Resolve] does. Both rows have to be locked, or a reclaim could go on beside it.
const KnownSQL = `public.identity_link l ON l.provider = 'dao' AND l.subject = @dao_subject
	JOIN public.users u ON u.id = l.user_id AND u.status = 'ACTIVE'
	 AND (@ic_principal IS NULL OR EXISTS (SELECT FROM public.ic_identity_link i WHERE i.principal = @ic_principal AND i.user_id = u.id))`

// StrangerSQL is true of somebody who arrives and of whom there is nothing here: row 4 of
// section 5. Besides those of [KnownSQL] it has the argument
// @person_canonical. (None is called as a column is, which would be meant in a subquery.) Whoever comes to
// be known meanwhile makes [CreateSQL] fail, by a unique key, or wait until it is known
// whether they do.
const StrangerSQL = `NOT EXISTS (SELECT FROM public.identity_link l WHERE l.provider = 'dao' AND l.subject = @dao_subject)
	AND NOT EXISTS (SELECT FROM public.ic_identity_link i WHERE i.principal = @ic_principal)
	AND NOT EXISTS (SELECT FROM public.users e WHERE e.email_canonical = @person_canonical)`

// CreateSQL are the steps of a larger statement that do with all of from, whose user_id is
// new, what [Resolve] does for [Created]; created has their [Columns]. Further arguments are
// @person_email, @person_verified, @person_name and @now.
func CreateSQL(from string) string {
	return `created AS (
	INSERT INTO public.users AS u (id, email, email_canonical, email_verified, display_name, role, status, created_at, updated_at)
	SELECT user_id, @person_email, @person_canonical, @person_verified, @person_name, 'member', 'ACTIVE', @now, @now FROM ` + from + `
	RETURNING ` + Columns + `
), linked AS (
	INSERT INTO public.identity_link (provider, subject, user_id, created_at)
	SELECT 'dao', @dao_subject, user_id, @now FROM ` + from + `
), principals AS (
	INSERT INTO public.ic_identity_link (principal, user_id, created_at)
	SELECT @ic_principal, user_id, @now FROM ` + from + ` WHERE @ic_principal IS NOT NULL
)`
}
