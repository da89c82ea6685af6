// Package pages serves the two small sites on which a person can watch a
// hand-off happen: Think Tank, where they are signed in already (DAO half), and
// FounderyOS, where they arrive (FOS half). They are for development, and they
// are the reference for the real front ends: what these pages do in which order,
// and why, is what a front end of any size has to do too.
//
// # The concept
//
// A page here is a file. The handlers read no query and no cookie, call no use
// case and hold no store, so a GET or HEAD of the landing page, by a person, a
// mail scanner or a link preview, cannot use up a token: only the script's POST
// can. The one body that is read is a form with a token that another site's form
// posts to the landing page: it comes back in the page, for the script. All decisions are the API's; the scripts turn its answers
// into words.
//
// The landing page (/cross-domain) keeps this order:
//
//  1. A blocking script, the first thing the document loads, takes the token
//     from the query, the fragment or the document and replaces the address and its history entry. Nothing
//     that could copy an address has run by then.
//  2. It makes a random arrival key, keeps it in sessionStorage under a digest
//     of the token, and sends it as Idempotency-Key, so that a double click, a
//     second try or a lost answer converges on one session (invariant I8). The
//     token itself is never stored.
//  3. It posts token and key to its own origin and shows who is signed in, or
//     what went wrong and the way back. The post outlives its page (keepalive):
//     after a reload there is no token to post again, so the reloaded page waits
//     for what is under way instead.
//
// # What holds it
//
// The content security policy admits nothing but the site's own files: no inline
// script or style, no other origin, no frame, and no string ever becomes markup
// (Trusted Types, where the browser has them). Documents are not stored by any
// cache and send no Referer, since the address they were opened under may carry
// a token for as long as the script has not run.
//
// # Limits
//
// Replacing the address clears the tab's own history ("back", reload, the
// address that scripts ask for). It does not clear what the browser wrote down
// when the navigation began: Chromium keeps the full address in the profile's
// history file and in the navigation entry's original URL, and for scripts, as
// long as the document lives, in the name of the navigation's entry in the
// performance timeline and in navigation.activation. A front end that reports
// either (most measuring libraries report the first) has to cut the query off.
// Nor does it clear a proxy's log. Those copies are of a token that is spent, or
// expired after 60 s; that a spent token is no weapon is invariant I8, not this
// package's doing.
//
// Without JavaScript nobody is signed in and the token stays in the address bar
// until it expires; the page says so. The pages refresh
// sessions where a call needs it, and not before.
//
// This package never sees a credential, sets no cookie, and has no notion of
// environments: whoever mounts it decides that this is development.
package pages
