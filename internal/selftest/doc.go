// Package selftest performs one hand-off against a running deployment, as a
// browser would, over HTTP and nothing else: sign in, mint, arrive, ask who is
// signed in, use the token in another browser and be refused, sign out on both halves.
// The halves may be two hosts, behind HTTPS and prefixes; the journey may begin at
// either. It needs a member that exists for this purpose, and leaves that member, a user and
// audit rows behind, no session.
//
// It serves operators (server selftest), the demonstration (make run) and probes
// that want more than a port.
package selftest
