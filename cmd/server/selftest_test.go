package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// edge is a gateway that ends TLS on an address of its own and strips a prefix, as the
// platform's does.
type edge struct {
	certificate tls.Certificate
	file        string // the certificate, for SSL_CERT_FILE
}

const daoHost, fosHost = "127.0.0.1", "127.0.0.2" // two hosts: their cookies are apart

func newEdge(t testing.TB) edge {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(daoHost), net.ParseIP(fosHost)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "edge.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return edge{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file}
}

// before returns the URL under which addr is reached from outside.
func (e edge) before(t testing.TB, host, prefix, addr string) string {
	t.Helper()
	socket, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Skipf("this machine has no second loopback address: %v", err)
	}
	server := httptest.NewUnstartedServer(http.StripPrefix(prefix, httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})))
	_ = server.Listener.Close()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // one client is to refuse the certificate
	server.Listener, server.TLS = socket, &tls.Config{Certificates: []tls.Certificate{e.certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL + prefix
}

// deployed are the settings of a deployment behind HTTPS.
func deployed(unbound string) environ {
	return environ{
		"ENVIRONMENT": "staging", "SHUTDOWN_DELAY": "0s", "FOS_PUBLIC_PREFIX": "/fos", "HANDOFF_UNBOUND": unbound,
		"DAO_START_URLS": "think-tank=https://think-tank.test/open", "TRUSTED_PROXIES": "127.0.0.1",
	}
}

// A deployment is two hosts behind HTTPS and prefixes, and refuses or asks about journeys
// that did not begin at the FOS half. The probe goes the way that arrives there. One
// after the other: many passwords at once take longer than a request may.
func TestASelftestOfADeploymentBehindHTTPSAndPrefixes(t *testing.T) {
	outside, stores := newEdge(t), whole(t)
	seedProbe(t, stores)
	for unbound, arrives := range map[string]struct{ plain, bound string }{
		"confirm": {" as member, after being asked", " as member"},
		"refuse":  {"", " as member"},
	} {
		t.Run(unbound, func(t *testing.T) {
			service := serving(t, stores.with(deployed(unbound)))
			probing := []string{
				"selftest", "--dao", outside.before(t, daoHost, "/oracle", service.dao), "--fos", outside.before(t, fosHost, "/fos", service.fos),
				"--email", probe, "--password-stdin",
			}
			client := environ{"SSL_CERT_FILE": outside.file}
			plain := probed(t, client, probePassword, probing...)
			if arrives.plain == "" {
				plain.wants(t, 1, "FAILED", "arrive at the FOS half: status 401, code handoff_invalid (unbound)")
			} else {
				plain.wants(t, 0, arrives.plain+"\n", "")
			}
			probed(t, client, probePassword, append(probing, "--bound")...).wants(t, 0, arrives.bound+"\n", "")
			probed(t, environ{}, probePassword, probing...).wants(t, 1, "", "sign in at the DAO half: no answer: ")
		})
	}
}

type told struct {
	Kind, Name, Detail, Error string
	OK                        bool
	MS                        float64
}

// For who collects lines: one object for each stage, the one that failed too, and one for
// the whole; and no word of the member's.
func TestASelftestTellsMachines(t *testing.T) {
	env := whole(t)
	seedProbe(t, env)
	service := serving(t, env)
	probing := []string{"selftest", "--json", "--dao", "http://" + service.dao, "--fos", "http://" + service.fos, "--email", probe, "--password-stdin"}
	for _, run := range []struct {
		with   []string
		exit   int
		stages int
	}{{nil, 0, 7}, {[]string{"--entry-product", "nothing-of-ours"}, 1, 3}} {
		r := probed(t, env, probePassword, append(probing, run.with...)...)
		var lines []told
		for text := range strings.Lines(r.out) {
			var line told
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			lines = append(lines, line)
		}
		if r.exit != run.exit || len(lines) != run.stages+1 {
			t.Fatalf("exit %d\n%s", r.exit, r.out)
		}
		last, whole := lines[run.stages-1], lines[run.stages]
		if good := run.exit == 0; last.Kind != "stage" || last.OK != good || last.MS <= 0 || (last.Error == "") != good ||
			whole.Kind != "whole" || whole.OK != good || whole.MS < last.MS || (whole.Error == "") != good {
			t.Errorf("exit %d\n%s", r.exit, r.out)
		}
		if strings.Contains(r.out, probe) || strings.Contains(r.out, probePassword) {
			t.Errorf("it names them:\n%s", r.out)
		}
	}
}
