package httpapi

import (
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/leaving"
)

// DecodeHandoffIDs reads the message between the halves about hand-offs that have ended.
func DecodeHandoffIDs(c echo.Context) ([]uuid.UUID, error) {
	var body leaving.Body
	if err := Decode(c, &body); err != nil {
		return nil, err
	}
	fault := func(reason string) error { return &InvalidRequest{[]FieldFault{{"handoff_ids", reason}}} }
	if len(body.HandoffIDs) == 0 || len(body.HandoffIDs) > leaving.MostAtOnce {
		return nil, fault("must have 1 to 100 ids")
	}
	ids := make([]uuid.UUID, 0, len(body.HandoffIDs))
	for _, text := range body.HandoffIDs {
		id, ok := ParseID(text)
		if !ok {
			return nil, fault("has something that is no UUID")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// ParseID reads an id in the one spelling that is ours: lower case, with hyphens.
func ParseID(text string) (uuid.UUID, bool) {
	id, err := uuid.Parse(text)
	return id, err == nil && id.String() == text && id != uuid.Nil
}

// Leaves is handle, and when it went well says to nudge that sessions or hand-offs may
// have ended.
func Leaves(nudge func(), handle echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := handle(c)
		if err == nil {
			nudge()
		}
		return err
	}
}
