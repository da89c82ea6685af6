package handoff

import "time"

// OneAtATime makes all wait for one statement of a kind, however slow this machine is.
func (d *DAOStore) OneAtATime() { d.mints.Patience, d.redeems.Patience = time.Hour, time.Hour }

// OneAtATime does the same.
func (f *FOSStore) OneAtATime() { f.arrivals.Patience, f.newcomers.Patience = time.Hour, time.Hour }
