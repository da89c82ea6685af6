package pages

import (
	"bytes"
	"mime"
	"net/http"
	"regexp"
	"slices"
)

const (
	// landingPath is where people arrive.
	landingPath = "/cross-domain"
	// maxForm bounds a posted form in bytes: a token and its name need 70.
	maxForm = 1 << 10
	// working is where a posted token goes into the document: into an attribute, from
	// which the first script takes it.
	working = `data-state="working"`
)

// landing is the landing page for a token that a form on another site posts. It only
// hands the token to the page's own script: it exchanges nothing, sets no cookie and reads
// none. (A post from another site carries no Lax cookie; who is signed in here is asked by
// the script, from this origin.)
type landing struct{ before, after []byte }

func newLanding(document []byte) *landing {
	before, after, found := bytes.Cut(document, []byte(working))
	if !found || bytes.Contains(after, []byte(working)) {
		panic("pages: the landing page has no place for a token, or two")
	}
	return &landing{before, after}
}

func (l *landing) serve(w http.ResponseWriter, r *http.Request) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/x-www-form-urlencoded" {
		http.Error(w, http.StatusText(http.StatusUnsupportedMediaType), http.StatusUnsupportedMediaType)
		return
	}
	place := []byte(working + ` data-token="` + postedToken(w, r) + `"`)
	serveDocument(w, r, slices.Concat(l.before, place, l.after))
}

var tokenShape = regexp.MustCompile(`^[0-9a-f]{64}$`)

// postedToken is the token of a form that has this one field once, "" for anything else:
// the page then says that the link is incomplete. Nothing but a token's 64 characters is
// ever put into the document, or it would be a way to write into it.
func postedToken(w http.ResponseWriter, r *http.Request) string {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil || len(r.PostForm) != 1 || len(r.PostForm["token"]) != 1 {
		return ""
	}
	return tokenShape.FindString(r.PostForm.Get("token"))
}
