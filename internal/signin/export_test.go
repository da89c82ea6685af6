package signin

// OneAtATime makes all wait for one statement of a kind, however slow this machine is.
func (d *DAOStore) OneAtATime() { d.rotations.OneAtATime() }

// OneAtATime does the same.
func (f *FOSStore) OneAtATime() { f.refreshes.OneAtATime() }
