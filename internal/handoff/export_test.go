package handoff

// OneAtATime makes all wait for one statement of a kind, however slow this machine is.
func (d *DAOStore) OneAtATime() {
	d.mints.OneAtATime()
	d.redeems.OneAtATime()
}

// OneAtATime does the same.
func (f *FOSStore) OneAtATime() {
	f.arrivals.OneAtATime()
	f.newcomers.OneAtATime()
}
