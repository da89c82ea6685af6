package apidoc

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed web
var web embed.FS

// policy is the content security policy of the pages (CSP Level 3). The viewer is a
// large program that others wrote, on the origin whose cookies sign people in: it may
// load and ask nothing elsewhere, and be framed by nobody. It makes markup out of the
// description, which is ours, so that there are no Trusted Types; what it draws has
// style attributes and images in data: addresses.
var policy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self' 'unsafe-inline'",
	"img-src 'self' data:",
	"connect-src 'self'",
	"form-action 'none'",
	"base-uri 'none'",
	"frame-ancestors 'none'",
}, "; ")

// Config is one half's.
type Config struct {
	// Description names its server by where it is itself, below the last of the folders.
	Description []byte
	// Folders are where there is a page: "" and "/api/v1".
	Folders []string
	// Pages are its names in every folder: "docs", "redoc".
	Pages []string
	// Name is where the description is, below the last folder: "openapi.json".
	Name string
	// Errors is the list of all error codes, as docs/errors.json has it; it is served beside
	// the description, as "errors.json".
	Errors []byte
}

// Viewer serves the description and the pages; it keeps everything in memory.
type Viewer struct{ files map[string]file }

type file struct {
	contentType, etag string
	content           []byte
	// plain is content without its gzip; nil where there is none.
	plain func() []byte
}

// New makes a viewer. All of it comes out of the program, so that a fault is a fault of
// the build: it panics.
func New(c Config) *Viewer {
	v := &Viewer{files: map[string]file{}}
	home := c.Folders[len(c.Folders)-1]
	v.add(home+"/"+c.Name, "application/json", compact(c.Description))
	v.add(home+"/errors.json", "application/json", compact(c.Errors))
	for _, folder := range c.Folders {
		// From "/docs" the description is at "api/v1/openapi.json", from "/api/v1/docs" beside it.
		beside := strings.TrimPrefix(strings.TrimPrefix(home+"/"+c.Name, folder), "/")
		for _, name := range c.Pages {
			v.add(folder+"/"+name, "text/html; charset=utf-8", page(c.Description, beside))
		}
		for name, f := range assets() {
			v.files[folder+"/docs/"+name] = f
		}
	}
	return v
}

// Paths are all that it serves.
func (v *Viewer) Paths() []string {
	all := make([]string, 0, len(v.files))
	for name := range v.files {
		all = append(all, name)
	}
	return all
}

func (v *Viewer) add(name, contentType string, content []byte) {
	v.files[name] = newFile(contentType, content)
}

func newFile(contentType string, content []byte) file {
	digest := sha256.Sum256(content)
	return file{contentType: contentType, etag: `"` + hex.EncodeToString(digest[:16]) + `"`, content: content}
}

// ServeHTTP answers GET and HEAD.
func (v *Viewer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, there := v.files[r.URL.Path]
	if !there {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "no-cache") // kept, and asked about each time
	content := f.content
	if f.plain != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			f.etag = strings.TrimSuffix(f.etag, `"`) + `-gzip"`
		} else { // no browser
			content = f.plain()
		}
	}
	h.Set("Etag", f.etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// assets are the files of the viewer that a page needs, and ours; one copy for all pages.
var assets = sync.OnceValue(func() map[string]file {
	files := map[string]file{}
	for name, contentType := range map[string]string{
		"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
		"start.js":             "text/javascript; charset=utf-8",
		"swagger-ui.css":       "text/css; charset=utf-8",
		"favicon-32x32.png":    "image/png",
	} {
		files[name] = asset(name, contentType)
	}
	return files
})

func asset(name, contentType string) file {
	if own, err := web.ReadFile(path.Join("web", name)); err == nil {
		return newFile(contentType, own)
	}
	if plain, err := static.FS.ReadFile(name); err == nil {
		return newFile(contentType, plain)
	}
	content, err := static.FS.ReadFile(name + ".gz")
	if err != nil {
		panic(fmt.Sprintf("apidoc: %v", err))
	}
	f := newFile(contentType, content)
	// Once, and only when somebody cannot unpack: for each of them it would be megabytes, and
	// a request of a hundred bytes that asks for it (CWE-405).
	f.plain = sync.OnceValue(func() []byte { return unpacked(content) })
	return f
}

// unpacked is what was packed in the program itself, and is neither long nor broken.
func unpacked(packed []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(fmt.Sprintf("apidoc: %v", err))
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		panic(fmt.Sprintf("apidoc: %v", err))
	}
	return content
}

// compact is half as long as what people read in the repository.
func compact(description []byte) []byte {
	var text bytes.Buffer
	if err := json.Compact(&text, description); err != nil {
		panic(fmt.Sprintf("apidoc: %v", err))
	}
	return text.Bytes()
}

func page(description []byte, beside string) []byte {
	var document struct{ Info struct{ Title string } }
	if err := json.Unmarshal(description, &document); err != nil {
		panic(fmt.Sprintf("apidoc: %v", err))
	}
	text, err := web.ReadFile("web/docs.html")
	if err != nil {
		panic(fmt.Sprintf("apidoc: %v", err))
	}
	// Not html/template: internal/rules says why.
	return []byte(strings.NewReplacer(
		"{{Title}}", html.EscapeString(document.Info.Title), "{{Description}}", html.EscapeString(beside),
	).Replace(string(text)))
}
