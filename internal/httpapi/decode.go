package httpapi

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/labstack/echo/v4"
)

// maxBody bounds a request's body (invariant I13).
const maxBody = 8 << 10

// Decode reads a JSON body strictly: UTF-8, one value, no unknown field, no
// duplicate key, exact names and types. It returns errors of the protocol's
// section 3. Two readers of one text must not understand it differently, which
// is what duplicate keys and case-folded names are used for.
func Decode(c echo.Context, into any) error {
	return decode(c, into, json.RejectUnknownMembers(true))
}

// DecodeLoosely is Decode for login and refresh, where existing clients send
// fields that this service has no use for.
func DecodeLoosely(c echo.Context, into any) error { return decode(c, into) }

// DecodeIgnored is for refresh: no body, or a JSON object whose fields are not read.
func DecodeIgnored(c echo.Context) error {
	if c.Request().ContentLength == 0 {
		return nil
	}
	return DecodeLoosely(c, &struct{}{})
}

// DecodeNothing is for endpoints without fields: no body, or the JSON object {}.
func DecodeNothing(c echo.Context) error {
	if c.Request().ContentLength == 0 {
		return nil
	}
	return Decode(c, &struct{}{})
}

func decode(c echo.Context, into any, options ...json.Options) error {
	request := c.Request()
	types := request.Header.Values(echo.HeaderContentType)
	if len(types) != 1 {
		return ErrUnsupportedMedia // of two, a proxy may have gone by the other
	}
	media, parameters, err := mime.ParseMediaType(types[0])
	if err != nil || media != echo.MIMEApplicationJSON {
		return ErrUnsupportedMedia
	}
	if charset, ok := parameters["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return ErrUnsupportedMedia
	}
	if request.Header.Get(echo.HeaderContentEncoding) != "" {
		return ErrUnsupportedMedia // a small body that unpacks to a large one
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), request.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return ErrBodyTooLarge
	}
	if err != nil {
		return &InvalidRequest{[]FieldFault{{"body", "cannot be read"}}}
	}
	if err := json.Unmarshal(body, into, options...); err != nil {
		return &InvalidRequest{[]FieldFault{faultOf(err)}}
	}
	if jsontext.Value(body).Kind() != '{' { // null goes into anything, and says nothing
		return &InvalidRequest{[]FieldFault{{"body", "has the wrong type"}}}
	}
	return nil
}

// faultOf names the field, never the value. A name that the client made up may
// itself be a secret in the wrong place: only names that look like ours pass.
func faultOf(err error) FieldFault {
	var semantic *json.SemanticError
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &semantic):
		return FieldFault{fieldName(semantic.JSONPointer), "is not a field of this request"}
	case errors.As(err, &semantic):
		return FieldFault{fieldName(semantic.JSONPointer), "has the wrong type"}
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntactic):
		return FieldFault{fieldName(syntactic.JSONPointer), "is there twice"}
	}
	return FieldFault{"body", "is not valid JSON"}
}

func fieldName(pointer jsontext.Pointer) string {
	name := strings.TrimPrefix(string(pointer), "/")
	if name == "" || len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return "body"
	}
	return name
}

// JSON encodes an answer. Answers with a credential or a person's data are not
// for any cache; that is most, so all say so.
func JSON(c echo.Context, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.Blob(status, echo.MIMEApplicationJSON, text)
}

// IdempotencyKey returns the request's Idempotency-Key, "" when it has none, or
// an error when it has not 16 to 128 visible ASCII characters.
func IdempotencyKey(c echo.Context) (string, error) {
	values := c.Request().Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	unseen := func(r rune) bool { return r < '!' || r > '~' }
	if len(values) > 1 || len(values[0]) < 16 || len(values[0]) > 128 || strings.ContainsFunc(values[0], unseen) {
		return "", &InvalidRequest{[]FieldFault{{"Idempotency-Key", "must be one of 16 to 128 visible ASCII characters"}}}
	}
	return values[0], nil
}
