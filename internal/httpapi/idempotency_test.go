package httpapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/hello-world-co-op/handoff/internal/httpapi"
)

func TestIdempotencyKey_isSixteenTo128VisibleASCIICharacters(t *testing.T) {
	t.Parallel()
	e := serve(t, []httpapi.Route{route(http.MethodPost, "/x", func(c echo.Context) error {
		key, err := httpapi.IdempotencyKey(c)
		if err != nil {
			return err
		}
		return httpapi.JSON(c, http.StatusOK, map[string]string{"key": key})
	})})
	for _, key := range []string{strings.Repeat("k", 16), strings.Repeat("k", 128), `!"#$%&'()*+,-./~`, "0190a000-0000-7000-8000-000000000001"} {
		if got := e.send(http.MethodPost, "/x", "", "Idempotency-Key: "+key); got.status != 200 || got.body["key"] != key {
			t.Errorf("%q: %d %s", key, got.status, got.raw)
		}
	}
	if got := e.send(http.MethodPost, "/x", ""); got.status != 200 || got.body["key"] != "" {
		t.Errorf("none: %d %s", got.status, got.raw)
	}
	sixteen := strings.Repeat("k", 16)
	for name, headers := range map[string][]string{
		"empty": {"Idempotency-Key: "}, "fifteen": {"Idempotency-Key: " + sixteen[1:]}, "129": {"Idempotency-Key: " + strings.Repeat("k", 129)},
		"a space within": {"Idempotency-Key: " + sixteen + " k"}, "a tab within": {"Idempotency-Key: " + sixteen + "\tk"},
		"not ASCII": {"Idempotency-Key: " + sixteen + "é"}, "two": {"Idempotency-Key: " + sixteen, "Idempotency-Key: " + sixteen},
		"a good one and an empty one": {"Idempotency-Key: " + sixteen, "Idempotency-Key: "},
	} {
		got := e.send(http.MethodPost, "/x", "", headers...)
		wantFault(t, name, got, "Idempotency-Key", "")
		if strings.Contains(got.raw, "kkk") {
			t.Errorf("%s: the answer repeats it", name)
		}
	}
}
