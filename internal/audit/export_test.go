package audit

// OneAtATime makes all wait for one statement, however slow this machine is.
func (l *Log) OneAtATime() { l.rows.OneAtATime() }
