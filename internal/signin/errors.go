package signin

import "errors"

// ErrNotYours: there is no such session among the user's own. Whether it is
// somebody else's, nobody is told.
var ErrNotYours = errors.New("no such session of this user")
