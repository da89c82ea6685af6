// Package config turns the process environment into one resolved [Config], or
// into the list of everything that is wrong with it.
//
// # Raw, then resolved
//
// The raw structs (raw.go) mirror the environment: one field per variable, with
// its name, default, help and example in tags, so that [Variables], the faults
// and .env.example cannot disagree with what is read. A second step resolves
// them: defaults that depend on the environment, lists, keys, URLs, and the
// rules that hold between variables. Nobody outside sees a raw value. The idea
// is that of jub0bs/cors (Config and internalConfig) and of dex
// (cmd/dex/config.go).
//
// # All faults at once, and none of them quotes a value
//
// An operator who fixes one fault per restart needs ten restarts. [Load] reports
// every [Fault], one a line, as "VARIABLE: problem (example: ...)".
//
// No fault quotes what was configured, not even for variables that hold no
// secret: people paste tokens into the wrong variable, and what a start-up error
// prints ends in a log that many can read. Whoever set the value can look it up.
// Errors of net/url, strconv and the file system quote their input, so their
// texts never come through here. For the same reason a path in an X_FILE
// variable is not quoted: putting the secret itself there is the usual mistake.
//
// # Secrets
//
// Every variable whose raw type is privacy.Secret can come as a file instead:
// X_FILE is a path to at most 64 KiB, whose trailing line breaks are dropped.
// The type is the mark, so that a new secret cannot forget it. Printing a
// [Config], or encoding it as JSON, shows "[redacted]" in their place.
//
// # Refused and warned about
//
// What is unsafe anywhere is refused anywhere: wildcard origins, trusting every
// proxy, one value for two secrets, short keys. What is bearable on a developer's
// machine only (plain HTTP, guessable keys, cookies without Secure) is refused in
// production and, unless the text at the rule says otherwise, in staging. What is
// legal but risky is listed by [Config.Warnings].
//
// # Limits
//
// The package reads the environment and secret files, and nothing else: it opens
// no connection and resolves no name. It checks that a database or Redis URL
// parses, has the right scheme and names an address; the options behind the "?"
// are for the drivers to judge, which are not imported here. It cannot measure
// entropy: it refuses keys that are evidently not random, and nobody can do more
// from one sample. It never changes the environment, never makes up a missing
// secret (invariant I3: without a service token the exchange answers 503), and
// never logs.
package config
