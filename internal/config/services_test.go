package config_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hello-world-co-op/handoff/internal/config"
)

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// asked is a development environment with the listener for gateways.
func asked() environ {
	return development().with(environ{"AUTHZ_ADDR": "127.0.0.1:8001", "TRUSTED_PROXIES": "127.0.0.1"})
}

// A name may be there twice, or no bearer could be rotated; the order is the list's.
func TestServicesAreKnownByTheirDigests(t *testing.T) {
	one, two := sha256.Sum256([]byte(serviceToken2)), sha256.Sum256([]byte(jwtKey3))
	c := mustLoad(t, asked().with(environ{
		"SERVICE_TOKEN_DIGESTS": "billing=" + digestOf(serviceToken2) + ", billing=" + digestOf(jwtKey3) + ",",
	}))
	want := []config.Service{{Name: "billing", Digest: one}, {Name: "billing", Digest: two}}
	if diff := cmp.Diff(want, c.FOS.Services); diff != "" || c.FOS.AuthzAddr != "127.0.0.1:8001" {
		t.Errorf("%s (-want +got):\n%s", c.FOS.AuthzAddr, diff)
	}
	if c := mustLoad(t, development()); c.FOS.AuthzAddr != "" || len(c.FOS.Services) > 0 {
		t.Errorf("by default: %q, %v", c.FOS.AuthzAddr, c.FOS.Services)
	}
}

// I12, and leverage: no bearer is two services, or the one between the halves; an unset
// variable in the script that makes the digest is no bearer.
func TestI12_DigestsThatNameNobody(t *testing.T) {
	good := digestOf(serviceToken2)
	for value, words := range map[string]string{
		good:                                   "name=SHA-256",
		"Billing=" + good:                      "name=SHA-256",
		"=" + good:                             "name=SHA-256",
		"bill\ning=" + good:                    "name=SHA-256",
		"billing=" + good[:62]:                 "name=SHA-256",
		"billing=" + strings.ToUpper(good):     "name=SHA-256",
		"billing=" + serviceToken2[:63] + "g":  "name=SHA-256",
		"billing=" + digestOf(""):              "the digest of an empty text",
		"billing=" + good + ",mail=" + good:    "item 2 is the bearer of an earlier item",
		"billing=" + good + ",billing=" + good: "item 2 is the bearer of an earlier item",
		"billing=" + digestOf(serviceToken):    "is the bearer of CROSS_DOMAIN_SERVICE_TOKEN",
	} {
		wantFault(t, asked().with(environ{"SERVICE_TOKEN_DIGESTS": value}), "SERVICE_TOKEN_DIGESTS", words)
	}
}

// I15: a listener that believes what a gateway says must know the gateway; and it is
// never the one that people are sent to.
func TestI15_TheListenerForGatewaysKnowsThem(t *testing.T) {
	wantFault(t, asked().without("TRUSTED_PROXIES"), "AUTHZ_ADDR", "TRUSTED_PROXIES alone")
	wantFault(t, asked().with(environ{"AUTHZ_ADDR": "8001"}), "AUTHZ_ADDR", "host:port")
	wantFault(t, asked().with(environ{"AUTHZ_ADDR": "127.0.0.1:8000"}), "AUTHZ_ADDR", "same listener as FOS_ADDR")
	wantFault(t, asked().with(environ{"AUTHZ_ADDR": ":9090"}), "METRICS_ADDR", "same listener as AUTHZ_ADDR")
}
