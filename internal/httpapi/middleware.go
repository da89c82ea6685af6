package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
)

// info is what the edge knows of one request.
type info struct {
	requestID string
	stage     string
	handoffID uuid.UUID
	code      string // of the problem that was answered
	reason    string // and its reason, if it has one
	shed      bool   // nothing was done for it
}

// journey is the hand-off's id for the log; empty, which slog leaves out, where
// it is not known.
func (i *info) journey() slog.Attr {
	if i.handoffID == uuid.Nil {
		return slog.Attr{}
	}
	return slog.String("handoff_id", i.handoffID.String())
}

const infoKey = "handoff.info"

func infoOf(c echo.Context) *info {
	if i, ok := c.Get(infoKey).(*info); ok {
		return i
	}
	return &info{}
}

// SetJourney makes the hand-off's id part of the request's log line.
func SetJourney(c echo.Context, id uuid.UUID) { infoOf(c).handoffID = id }

// identify gives the request an id of our own making. One that a client sends is
// not taken over: it would let a stranger write into our log.
func (config Config) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id, err := uuid.NewV7()
		if err != nil {
			return err
		}
		i := &info{requestID: id.String()}
		c.Set(infoKey, i)
		c.Response().Header().Set(echo.HeaderXRequestID, i.requestID)
		return next(c)
	}
}

// account logs and counts each request under its route's pattern, never its URI:
// the token travels in a query.
func (config Config) account(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begun := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		config.countOutcome(c)
		if infoOf(c).shed {
			return nil // counted by the admission; more would be done for it than is said to it
		}
		took, method, route := time.Since(begun), knownMethod(c.Request().Method), routeOf(c)
		config.Metrics.Request(config.Half, method, route, c.Response().Status, took)

		i, level := infoOf(c), slog.LevelInfo
		if isRoutine(route, c.Response().Status) {
			level = slog.LevelDebug
		}
		attributes := []slog.Attr{
			slog.String("half", config.Half), slog.String("method", method), slog.String("route", route),
			slog.Int("status", c.Response().Status), slog.Float64("took_ms", float64(took.Microseconds())/1000), slog.String("request_id", i.requestID),
		}
		if i.code != "" {
			attributes = append(attributes, slog.String("code", i.code))
		}
		attributes = append(attributes, i.journey())
		config.Log.LogAttrs(c.Request().Context(), level, "request", attributes...)
		return nil
	}
}

// isRoutine: what machines ask all the time. Of a gateway's questions the refusals are
// worth a line; the others are in the gateway's own log.
func isRoutine(route string, status int) bool {
	return strings.HasPrefix(route, "/health") || strings.HasPrefix(route, "/authz/") && status == http.StatusNoContent
}

// routeOf is the pattern that the request matched. One that matched none has a
// path of the client's making.
func routeOf(c echo.Context) string {
	if infoOf(c).code == "not_found" || infoOf(c).code == "method_not_allowed" || c.Path() == "" {
		return "unmatched"
	}
	return c.Path()
}

// knownMethod keeps a client from writing words of its own into the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

func (config Config) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch reason := recover().(type) {
			case nil:
			case runtime.Error:
				err = fmt.Errorf("panic: %w\n%s", reason, debug.Stack())
			default:
				// Its text may be anything, a secret too: its type must do.
				err = fmt.Errorf("panic: %T\n%s", reason, debug.Stack())
			}
		}()
		return next(c)
	}
}

func (config Config) secure(next echo.HandlerFunc) echo.HandlerFunc {
	headers := http.Header{}
	for name, value := range map[string]string{
		"Strict-Transport-Security": config.Headers.HSTS, "X-Frame-Options": config.Headers.FrameOptions,
		"Content-Security-Policy": config.Headers.CSP, "Referrer-Policy": config.Headers.ReferrerPolicy,
		"X-Content-Type-Options": "nosniff",
	} {
		if value != "" {
			headers.Set(name, value)
		}
	}
	return func(c echo.Context) error {
		maps.Copy(c.Response().Header(), headers)
		return next(c)
	}
}

// maxHeaders bounds a request's headers in bytes.
const maxHeaders = 16 << 10

// endAfterChunks closes a connection after a request whose body came in chunks. Were
// there a length beside them, whoever stands before us may have gone by that, and what we
// read next would be a part of the body for them: a request in a request (RFC 9112, 6.3,
// demands that such a connection ends). net/http goes by the chunks, forgets that there
// was a length, and reads on; in HTTP/1.0 it goes by the length and forgets the chunks, so
// that every such connection ends. Clients of ours send a length, and 1.1.
func endAfterChunks(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if len(c.Request().TransferEncoding) > 0 || !c.Request().ProtoAtLeast(1, 1) {
			c.Response().Header().Set(echo.HeaderConnection, "close")
		}
		return next(c)
	}
}

func boundHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		size := len(c.Request().RequestURI) + len(c.Request().Host) // net/http takes Host out of the headers
		for name, values := range c.Request().Header {
			for _, value := range values {
				size += len(name) + len(value) + len(": \r\n")
			}
		}
		if size > maxHeaders {
			return ErrHeadersTooLarge
		}
		return next(c)
	}
}

func boundTime(next echo.HandlerFunc, within time.Duration) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), within)
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		return next(c)
	}
}

// writeProblem answers an error and, where the cause is ours, logs it once.
func (config Config) writeProblem(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	i := infoOf(c)
	if errors.Is(err, ErrOverloaded) {
		i.shed = true
		config.turnAway(c, i)
		return
	}
	p, ours := problemOf(err)
	p.RequestID, p.Stage = i.requestID, i.stage
	i.code, i.reason = p.Code, p.Reason
	if p.HandoffID != nil {
		i.handoffID = *p.HandoffID
	}
	if ours && !errors.Is(err, context.Canceled) {
		config.Log.LogAttrs(c.Request().Context(), slog.LevelError, "request failed",
			slog.String("half", config.Half), slog.String("route", c.Path()), slog.String("request_id", i.requestID),
			slog.String("code", p.Code), i.journey(), slog.Any("error", err))
	}
	header := c.Response().Header()
	header.Set(echo.HeaderCacheControl, "no-store")
	if p.retryAfter != "" {
		header.Set(echo.HeaderRetryAfter, p.retryAfter)
	}
	if p.exceeded != nil {
		header.Set("RateLimit-Policy", p.exceeded.PolicyHeader())
		header.Set("RateLimit", p.exceeded.RateLimitHeader())
	}
	if p.authenticate != "" {
		header.Set(echo.HeaderWWWAuthenticate, p.authenticate)
	}
	text, err := json.Marshal(p)
	if err == nil {
		err = c.Blob(p.Status, problemType, text)
	}
	if err != nil {
		config.Log.WarnContext(c.Request().Context(), "problem not written", "request_id", i.requestID)
	}
}

const problemType = "application/problem+json"

// serverLog takes what net/http has to say. Most of it names the client's
// address (I6) and is about the client; what remains is about us.
func serverLog(logger *slog.Logger) *log.Logger {
	return log.New(acceptErrors{logger}, "", 0)
}

type acceptErrors struct{ log *slog.Logger }

func (a acceptErrors) Write(line []byte) (int, error) {
	if strings.HasPrefix(string(line), "http: Accept error") {
		a.log.Error("the listener cannot accept connections; out of file descriptors?")
	}
	return len(line), nil
}
