package datastore

import "context"

// Watch sees the commands that are sent to a store. It is told of one before it is sent, by
// a name of few ("query", "GET"), never by its text or arguments: those hold what is nobody's
// business. It may return another context for the command, and a function to be called with
// how it ended: nil also where the store said no, since it has answered. A nil Watch sees
// nothing.
type Watch func(ctx context.Context, command string) (context.Context, func(err error))
