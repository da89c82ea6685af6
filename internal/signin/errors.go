package signin

import "errors"

// errChanged: the account was changed while its password was checked.
var errChanged = errors.New("account was changed meanwhile")

// ErrNotYours: there is no such session among the user's own. Whether it is
// somebody else's, nobody is told.
var ErrNotYours = errors.New("no such session of this user")
