package outage

import "errors"

// Redis classifies an error of go-redis other than redis.Nil, which the caller
// understands itself. Every one of them is an outage: this service sends fixed
// commands on keys of its own, so that what Redis refuses it refuses for reasons
// of its state (LOADING, OOM, READONLY, CLUSTERDOWN, MASTERDOWN). It returns nil
// for nil.
func Redis(err error) error {
	if err == nil {
		return nil
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	return New("redis", err)
}
