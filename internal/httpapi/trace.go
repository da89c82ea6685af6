package httpapi

import (
	"net/http"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/tracing"
)

// traced is next with a span around it. Requests for which there is no place have none, nor
// have pages and health: more would be done for them than is said to them.
func (config Config) traced(c echo.Context, next echo.HandlerFunc) error {
	if config.Tracer == nil {
		return next(c)
	}
	i, request := infoOf(c), c.Request()
	traceparent, byPeer := request.Header.Get("Traceparent"), false
	if traceparent != "" {
		_, byPeer = keyIDOf(c, config.Peers)
	}
	ctx, end := config.Tracer.Begin(request.Context(), tracing.Request{
		Half: config.Half, Method: knownMethod(request.Method), Route: c.Path(), Stage: i.stage, RequestID: i.requestID,
		Traceparent: traceparent, ByPeer: byPeer,
	})
	c.SetRequest(request.WithContext(ctx))
	answer := tracing.Answer{Status: http.StatusInternalServerError} // of a panic, which goes on above
	defer func() { end(answer) }()
	err := next(c)
	answer = i.answered(c.Response().Status, err)
	return err
}

// answered is what a request came to, whose problem, if err is one, is answered later.
func (i *info) answered(status int, err error) tracing.Answer {
	answer, journey := tracing.Answer{Status: status}, i.handoffID
	if err != nil {
		p, _ := problemOf(err)
		answer.Status, answer.Code = p.Status, p.Code
		if p.HandoffID != nil {
			journey = *p.HandoffID
		}
	}
	if journey != uuid.Nil {
		answer.HandoffID = journey.String()
	}
	return answer
}
