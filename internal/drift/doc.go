// Package drift compares the names of the variables that a live environment has with
// those that its manifest gives it.
//
// Somebody sets a variable by hand one night, and the next rollout keeps it (server-side
// apply does not touch what it does not own) or loses it. Either way the manifest no
// longer says what runs. [Compare] finds what is there only, what is missing, and what
// has a value of its own, or one from elsewhere, where the manifest refers to a Secret or
// ConfigMap.
//
// # Names only
//
// Values are never read: of a Kubernetes object the field "value" is not decoded, and of
// a line NAME=value what follows the "=" is dropped as the line is read. So nothing that
// this package returns, errors included, can hold one.
//
// # Two forms
//
// [Read] takes either what "kubectl ... -o json" prints (one object, a List, or several
// objects one after the other), or lines with a name each, as "env", a .env file or
// "docker inspect" have them. The two sides of a comparison must have the same form.
// Lines have a "=" all or none: else one of them may be the rest of a value.
//
// # Limits
//
// Only what keeps running is compared: Deployments, StatefulSets and DaemonSets. Jobs
// come and go. Names behind envFrom cannot be seen, so that envFrom itself is reported.
// That a Secret has the key that a variable refers to is Kubernetes' to check: without it
// no container starts.
package drift
