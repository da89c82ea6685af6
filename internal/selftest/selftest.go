package selftest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/hello-world-co-op/handoff/internal/privacy"
)

// Config says where the halves are and who signs in. URLs are base URLs without
// a trailing slash; each includes a gateway's prefix.
type Config struct {
	DAOURL, FOSURL string
	Email          string
	Password       privacy.Secret
	EntryProduct   string
	// Bound begins the journey at the FOS half, as DAO_START_URLS allows: its token is
	// good in this browser only. With HANDOFF_UNBOUND=refuse no other arrives.
	Bound bool
}

// Step is one stage, how long it took, and why it failed if it did.
type Step struct {
	Name   string
	Took   time.Duration
	Detail string
	Err    error
}

type stage struct {
	name string
	do   func(context.Context) (detail string, err error)
}

// Run performs the hand-off and reports each step as it is done, the one that fails
// too. The error names that stage and the problem's code; it holds no token, no email.
func Run(ctx context.Context, config Config, report func(Step)) error {
	client, err := newBrowser()
	if err != nil {
		return err
	}
	run := &runner{config: config, client: client}
	defer client.CloseIdleConnections()
	for _, stage := range run.stages() {
		begun := time.Now()
		detail, err := stage.do(ctx)
		report(Step{Name: stage.name, Took: time.Since(begun), Detail: detail, Err: err})
		if err != nil {
			run.leave(ctx)
			return fmt.Errorf("%s: %w", stage.name, err)
		}
	}
	return nil
}

type runner struct {
	config    Config
	client    *http.Client
	csrf      string
	challenge string
	target    string
	token     string
	handoffID string
	userID    string
}

func (r *runner) stages() []stage {
	all := []stage{{"sign in at the DAO half", r.signIn}, {"fetch a csrf token", r.fetchCSRF}}
	if r.config.Bound {
		all = append(all, stage{"begin the journey at the FOS half", r.begin})
	}
	return append(all, []stage{
		{"mint a token", r.mint},
		{"arrive at the FOS half", r.arrive},
		{"ask who is signed in", r.me},
		{"use the token again and be refused", r.replay},
		{"sign out of both halves", r.signOut},
	}...)
}

// leave takes back what a probe that fails has begun: one that runs every minute would
// leave a session behind each time.
func (r *runner) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	_, _ = r.call(ctx, r.leaveFOS(), nil) // the stage that failed says what is wrong
	_, _ = r.call(ctx, r.leaveDAO(), nil)
}

func (r *runner) call(ctx context.Context, q request, into any) (heard, error) {
	return call(ctx, r.client, q, into)
}

func (r *runner) signIn(ctx context.Context) (string, error) {
	_, err := r.call(ctx, request{
		method: http.MethodPost, url: r.config.DAOURL + "/api/auth/login", want: []int{http.StatusOK},
		body: map[string]string{"email": r.config.Email, "password": r.config.Password.Reveal()},
	}, nil)
	return "", err
}

func (r *runner) fetchCSRF(ctx context.Context) (string, error) {
	var answer struct {
		Token string `json:"csrf_token"`
	}
	_, err := r.call(ctx, request{
		method: http.MethodGet, url: r.config.DAOURL + "/api/auth/csrf-token", want: []int{http.StatusOK},
	}, &answer)
	r.csrf = answer.Token
	return "", err
}

// begin takes from the address that the browser is sent to what its page would hand to
// mint. The page itself is not asked for.
func (r *runner) begin(ctx context.Context) (string, error) {
	was, err := r.call(ctx, request{
		method: http.MethodGet, want: []int{http.StatusSeeOther},
		url: r.config.FOSURL + "/api/v1/auth/cross-domain/start?entry_product=" + url.QueryEscape(r.config.EntryProduct),
	}, nil)
	if err != nil {
		return "", err
	}
	page, err := url.Parse(was.location)
	if err != nil {
		return "", errors.New("the browser is sent to no address")
	}
	r.challenge, r.target = page.Query().Get("challenge"), page.Query().Get("target_domain")
	if r.challenge == "" {
		return "", errors.New("the page at " + page.Host + " is told no challenge")
	}
	return "by way of " + page.Host, nil
}

func (r *runner) mint(ctx context.Context) (string, error) {
	var answer struct {
		Token     string `json:"token"`
		HandoffID string `json:"handoff_id"`
	}
	body := map[string]string{"entry_product": r.config.EntryProduct}
	if r.config.Bound {
		body["challenge"], body["target_domain"] = r.challenge, r.target
	}
	_, err := r.call(ctx, request{
		method: http.MethodPost, url: r.config.DAOURL + "/api/staging_token/mint", want: []int{http.StatusOK},
		headers: map[string]string{"X-CSRF-Token": r.csrf}, body: body,
	}, &answer)
	r.token, r.handoffID = answer.Token, answer.HandoffID
	return "hand-off " + word(answer.HandoffID), err
}

func (r *runner) arrival(want ...int) request {
	return request{
		method: http.MethodPost, url: r.config.FOSURL + "/api/v1/auth/cross-domain-login", want: want,
		headers: requestedWith, body: map[string]string{"token": r.token},
	}
}

var requestedWith = map[string]string{"X-Requested-With": "selftest"}

type userAnswer struct {
	User struct {
		ID   string `json:"id"`
		Role string `json:"role"`
	} `json:"user"`
	HandoffID string `json:"handoff_id"`
}

// arrive says yes where the person is asked (HANDOFF_UNBOUND=confirm).
func (r *runner) arrive(ctx context.Context) (string, error) {
	var answer userAnswer
	was, err := r.call(ctx, r.arrival(http.StatusOK, http.StatusAccepted), &answer)
	if err != nil {
		return "", err
	}
	if answer.HandoffID != r.handoffID {
		return "", errors.New("another hand-off arrived than was minted")
	}
	asked := ""
	if was.status == http.StatusAccepted {
		asked = ", after being asked"
		if _, err := r.call(ctx, request{
			method: http.MethodPost, url: r.config.FOSURL + "/api/v1/auth/cross-domain/confirm", want: []int{http.StatusOK},
			headers: requestedWith, body: map[string]string{"handoff_id": r.handoffID},
		}, &answer); err != nil {
			return "", fmt.Errorf("say yes: %w", err)
		}
	}
	r.userID = answer.User.ID
	return "user " + word(answer.User.ID) + " as " + word(answer.User.Role) + asked, nil
}

func (r *runner) me(ctx context.Context) (string, error) {
	var answer userAnswer
	_, err := r.call(ctx, request{method: http.MethodGet, url: r.config.FOSURL + "/api/v1/auth/me", want: []int{http.StatusOK}}, &answer)
	if err == nil && answer.User.ID != r.userID {
		err = errors.New("another user is signed in than arrived")
	}
	return "user " + word(answer.User.ID), err
}

// replay shows the token in another browser, as somebody with a copy of the link would.
// In the same one a bound token leads to the same session again.
func (r *runner) replay(ctx context.Context) (string, error) {
	other, err := newBrowser()
	if err != nil {
		return "", err
	}
	defer other.CloseIdleConnections()
	var answer struct{ Code, Reason string }
	if _, err := call(ctx, other, r.arrival(http.StatusUnauthorized), &answer); err != nil {
		return "", err
	}
	if answer.Code != "handoff_invalid" || answer.Reason != "used" {
		return "", fmt.Errorf("refused with %s (%s), want handoff_invalid (used)", word(answer.Code), word(answer.Reason))
	}
	return answer.Code + " (" + answer.Reason + ")", nil
}

func (r *runner) signOut(ctx context.Context) (string, error) {
	if _, err := r.call(ctx, r.leaveFOS(), nil); err != nil {
		return "", err
	}
	_, err := r.call(ctx, r.leaveDAO(), nil)
	return "", err
}

func (r *runner) leaveFOS() request {
	return request{
		method: http.MethodPost, url: r.config.FOSURL + "/api/v1/auth/logout", want: []int{http.StatusNoContent}, headers: requestedWith,
	}
}

func (r *runner) leaveDAO() request {
	return request{
		method: http.MethodPost, url: r.config.DAOURL + "/api/auth/logout", want: []int{http.StatusOK},
		headers: map[string]string{"X-CSRF-Token": r.csrf},
	}
}
