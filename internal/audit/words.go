package audit

// Events are all events. This and the lists below are for whoever has to know that a set
// is closed: that of a metric's label, say.
func Events() []Event {
	return []Event{
		HandoffMinted, HandoffExchanged, HandoffReplayed, HandoffRefused, HandoffPending, HandoffDeclined,
		HandoffEnded, SessionCreated, SessionRefreshed, ReuseDetected, SessionEnded, SessionElevated, StepUpFailed,
		UserCreated, UserLinked, UserReclaimed, LoginFailed, AccountSeeded,
		DatabaseRestored,
	}
}

// Outcomes are both outcomes.
func Outcomes() []Outcome { return []Outcome{Success, Failure} }

// Reasons are all reasons, with none.
func Reasons() []Reason {
	return []Reason{
		NoReason, TokenUnknown, TokenExpired, TokenUsed, TokenWrongTarget, TokenBindingFailed, SignInTooOld,
		SourceEnded, TargetEnded, SealBroken, Resurrected, EmailUnverified, AccountInactive, IdentityConflict,
		InvalidCredentials, SecondFactor, ByPassword, ByHandoff, ByLogout, ByLogoutAll, ByUser, ByDisplacement,
		ByReplacement, ByRestore, ByReplay, Rotated, Converged, ConvergedLate,
	}
}

// Losses are all losses.
func Losses() []Loss { return []Loss{Unavailable, Refused} }
