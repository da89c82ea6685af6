package pages

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"time"
)

//go:embed web
var files embed.FS

// Config holds what the pages cannot know from their own address.
type Config struct {
	// ThinkTankURL and FounderyOSURL are the absolute base URLs (http or https)
	// of the two sites, used for the links from one to the other and for nothing
	// else. Links within a site are relative, so that a site answers under any
	// host name that reaches it. A URL of another scheme becomes a dead link.
	ThinkTankURL, FounderyOSURL string
	// StartURL is where a journey begins at FounderyOS, "" where none can.
	StartURL string
}

// ThinkTank serves the site on which a member signs in and opens FounderyOS:
// GET and HEAD of / and of /assets/.... Every other path is 404, every other
// method 405.
func ThinkTank(c Config) http.Handler {
	return newSite(c, "thinktank", map[string]string{"/": "index.html"})
}

// FounderyOS serves the site on which they arrive: GET and HEAD of / (who is
// signed in), of /cross-domain (the landing page; the query is not looked at)
// and of /assets/.... A form post of /cross-domain (response_mode "form_post") is the
// same page with the posted token in it. Every other path is 404, every other method 405.
func FounderyOS(c Config) http.Handler {
	s := newSite(c, "founderyos", map[string]string{
		"/":         "index.html",
		landingPath: "cross-domain.html",
	})
	s.landing = newLanding(s.documents[landingPath])
	return s
}

// contentTypes lists every kind of file that may be served. It is a closed list
// in the code, because the registry of package mime differs between machines and
// a script of the wrong type is not run under nosniff.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// asset is one embedded file, ready to be served.
type asset struct {
	contentType, etag string
	content           []byte
}

// site is one of the two: its documents and assets by request path, both
// complete before the first request.
type site struct {
	documents map[string][]byte
	assets    map[string]asset
	landing   *landing // nil on the site where nobody lands
}

// newSite renders the documents of the folder and collects its assets and the
// common ones. All of it comes from the binary, so a fault here is a fault of
// the build: it panics at start, and every test of the package fails.
func newSite(c Config, folder string, documents map[string]string) *site {
	s := &site{documents: map[string][]byte{}, assets: map[string]asset{}}
	for route, name := range documents {
		s.documents[route] = render(c, path.Join("web", folder, name))
	}
	for _, from := range []string{"web/common", path.Join("web", folder)} {
		s.collect(from)
	}
	return s
}

// collect takes the folder's files of a known content type; documents are not
// assets and are left out by that.
func (s *site) collect(folder string) {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		panic(fmt.Sprintf("pages: read %s: %v", folder, err))
	}
	for _, entry := range entries {
		contentType, known := contentTypes[path.Ext(entry.Name())]
		if !known {
			continue
		}
		content, err := fs.ReadFile(files, path.Join(folder, entry.Name()))
		if err != nil {
			panic(fmt.Sprintf("pages: read %s: %v", entry.Name(), err))
		}
		digest := sha256.Sum256(content)
		s.assets["/assets/"+entry.Name()] = asset{
			contentType: contentType,
			etag:        `"` + hex.EncodeToString(digest[:16]) + `"`,
			content:     content,
		}
	}
}

// ServeHTTP answers from memory. It looks at the method and the path only: the
// query of the landing page is a credential and none of the server's business.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	document, isDocument := s.documents[r.URL.Path]
	file, isAsset := s.assets[r.URL.Path]
	switch {
	case r.URL.Path == landingPath && s.landing != nil && r.Method == http.MethodPost:
		s.landing.serve(w, r)
	case !isDocument && !isAsset:
		http.NotFound(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", s.allowed(r.URL.Path))
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	case isDocument:
		serveDocument(w, r, document)
	default:
		serveAsset(w, r, file)
	}
}

func (s *site) allowed(path string) string {
	if path == landingPath && s.landing != nil {
		return "GET, HEAD, POST"
	}
	return "GET, HEAD"
}

func serveDocument(w http.ResponseWriter, r *http.Request, document []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(document)))
	if r.Method == http.MethodHead {
		return
	}
	// A person who closed the tab is nobody's error; there is no one to tell.
	_, _ = w.Write(document) //nolint:gosec // of what is posted only 64 hexadecimal digits are ever in it
}

func serveAsset(w http.ResponseWriter, r *http.Request, file asset) {
	w.Header().Set("Content-Type", file.contentType)
	w.Header().Set("Etag", file.etag)
	// Kept, but asked about each time: script and document are always of the
	// same build, and an unchanged file costs a 304.
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file.content))
}
