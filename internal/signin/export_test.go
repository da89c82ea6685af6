package signin

import "time"

// OneAtATime makes all wait for one statement of a kind, however slow this machine is.
func (d *DAOStore) OneAtATime() { d.rotations.Patience = time.Hour }

// OneAtATime does the same.
func (f *FOSStore) OneAtATime() { f.refreshes.Patience = time.Hour }
