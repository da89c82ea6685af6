package httpapi_test

import (
	"net/http"
	"slices"
	"strings"

	"github.com/hello-world-co-op/handoff/internal/testkit"
)

func badPaths() []attack {
	// Below these, everything is an id.
	lists := []string{"/api/v1/auth/sessions", "/api/auth/handoffs"}
	ids := map[string]func(wire) wire{}
	for _, id := range []string{
		"0190a000-0000-7000-8000-000000000001", "..", "%2e%2e", "..%2fme", "%00", "*", "1", "'%20OR%201=1", "urn:uuid:0190a000-0000-7000-8000-000000000001",
		"%7b0190a000-0000-7000-8000-000000000001%7d", strings.Repeat("a", 5000), "%ff", "%c0%ae",
	} {
		ids["the id "+id] = func(w wire) wire {
			w.path = w.path[:strings.LastIndex(w.path, "/")] + "/" + id
			return w
		}
	}
	paths := map[string]func(wire) wire{}
	for name, spoil := range map[string]func(string) string{
		"a slash before": func(p string) string { return "/" + p }, "a dot before": func(p string) string { return "/." + p },
		"back and forth": func(p string) string { return "/x/.." + p }, "an escaped slash": func(p string) string { return "/" + strings.ReplaceAll(p[1:], "/", "%2f") + "%2f" },
		"NUL behind": func(p string) string { return p + "%00" }, "a suffix": func(p string) string { return p + ".json" },
		"a space behind": func(p string) string { return p + "%20" }, "a parameter": func(p string) string { return p + ";a=b" },
		"upper case": strings.ToUpper, "a backslash before": func(p string) string { return `/\` + p }, "no UTF-8 behind": func(p string) string { return p + "%ff" },
	} {
		paths["the path with "+name] = func(w wire) wire { return w.walk(spoil) }
	}
	deeper := map[string]func(wire) wire{"the path with a slash behind": func(w wire) wire {
		return w.walk(func(p string) string { return p + "/" })
	}}
	return slices.Concat(
		attacksOf("not_found", each, paths),
		attacksOf("not_found", func(e endpoint) bool { return !slices.Contains(lists, e.path) }, deeper),
		attacksOf("not_found", func(e endpoint) bool { return e.method == http.MethodDelete }, ids),
	)
}

// badStarts are links, on anybody's page, that begin a journey to somewhere else.
func badStarts() []attack {
	changes := map[string]func(wire) wire{}
	for _, query := range []string{
		"", "entry_product=", "entry_product=casino", "entry_product=think-tank&entry_product=think-tank", "entry_product=think-tank%00",
		"entry_product=think-tank&return_path=//evil.test", "entry_product=think-tank&return_path=/%5cevil.test", "entry_product=think-tank&return_path=https://evil.test",
		"entry_product=think-tank&return_path=/a%0d%0aSet-Cookie:%20a=b", "entry_product=think-tank&return_path=", "entry_product=think-tank&return_path=/a&return_path=/b",
		"entry_product=think-tank&return_path=/" + strings.Repeat("a", 512),
	} {
		changes["the query "+query] = func(w wire) wire {
			path, _, _ := strings.Cut(w.path, "?")
			w.path = path + "?" + query
			return w
		}
	}
	return attacksOf("invalid_request", func(e endpoint) bool { return strings.Contains(e.path, "/start?") }, changes)
}

func badOrigins() []attack {
	guarded := func(e endpoint) bool { return e.demands != anybody }
	changes := map[string]func(wire) wire{
		"an origin too many": func(w wire) wire { return w.set("Origin", "https://think-tank.test").add("Origin: https://evil.test") },
		"an empty origin":    func(w wire) wire { return w.set("Origin", "").add("Origin:") },
	}
	for _, origin := range []string{
		"null", "https://evil.test", "http://think-tank.test", "https://think-tank.test.evil.test", "https://think-tank.test@evil.test", "https://founderyos.test:8443",
		"https://THINK-TANK.test/", "*", "https://think-tank.test https://evil.test", "javascript:alert(1)", "file://", "https://xn--thnk-tank-m2a.test", "\xff", "https://[::1", strings.Repeat("a", 4000),
	} {
		changes["the origin "+origin] = func(w wire) wire { return w.set("Origin", origin) }
	}
	return append(attacksOf("origin_not_allowed", guarded, changes), attacksOf("origin_not_allowed",
		func(e endpoint) bool { return guarded(e) && e.method != http.MethodGet }, map[string]func(wire) wire{
			"another site's form": func(w wire) wire { return w.set("Origin", "").add("Sec-Fetch-Site: cross-site") },
		})...)
}

func badBearers() []attack {
	changes := map[string]func(wire) wire{
		"the bearer twice": func(w wire) wire { return w.add("Authorization: Bearer " + testkit.ServiceToken) },
		"the bearer in the query": func(w wire) wire {
			w.path += "?access_token=" + testkit.ServiceToken
			return w.set("Authorization", "")
		},
		"the bearer in a cookie": func(w wire) wire {
			return w.set("Authorization", "").add("Cookie: Authorization=Bearer " + testkit.ServiceToken)
		},
		"the bearer of a proxy": func(w wire) wire {
			return w.set("Authorization", "").add("Proxy-Authorization: Bearer " + testkit.ServiceToken)
		},
	}
	for _, value := range []string{
		"", "Bearer", "Bearer x", "Basic " + testkit.ServiceToken, testkit.ServiceToken, "Bearer  " + testkit.ServiceToken, "Bearer\t" + testkit.ServiceToken,
		"Bearer " + testkit.ServiceToken + " x", "Bearer " + testkit.ServiceToken + ",", "Bearer \"" + testkit.ServiceToken + `"`, "Bearer " + testkit.ServiceToken[1:],
		"Bearer " + strings.ToUpper(testkit.ServiceToken), "Bearer \xff", "Bearer " + strings.Repeat("3f", 4000), "Bearer " + testkit.ServiceToken + testkit.ServiceToken,
	} {
		changes["Authorization: "+value] = func(w wire) wire { return w.set("Authorization", value) }
	}
	return attacksOf("invalid_service_token", demand(service), changes)
}

// badPages are requests that another site, or a sibling subdomain, makes a browser send.
func badPages() []attack {
	cookies := func(change func(session, csrf string) string) func(wire) wire {
		return func(w wire) wire {
			session, csrf, _ := strings.Cut(w.header("Cookie"), "; ")
			return w.set("Cookie", change(session, csrf))
		}
	}
	return slices.Concat(
		attacksOf("csrf_failed", demand(daoPage), map[string]func(wire) wire{
			"no csrf header":       func(w wire) wire { return w.set("X-CSRF-Token", "") },
			"an empty csrf header": func(w wire) wire { return w.set("X-CSRF-Token", "").add("X-CSRF-Token:") },
			"another csrf header":  func(w wire) wire { return w.set("X-CSRF-Token", strings.Repeat("A", 86)) },
			"no csrf cookie":       cookies(func(s, _ string) string { return s }),
			"a longer csrf cookie": cookies(func(s, c string) string { return s + "; " + c + "A" }),
			"planted on both sides": func(w wire) wire {
				return cookies(func(s, _ string) string { return s + "; csrf_token=planted" })(w.set("X-CSRF-Token", "planted"))
			},
			"empty on both sides": func(w wire) wire {
				return cookies(func(s, _ string) string { return s + "; csrf_token=" })(w.set("X-CSRF-Token", "").add("X-CSRF-Token:"))
			},
		}),
		attacksOf("session_required", demand(daoPage), map[string]func(wire) wire{
			"no session":              cookies(func(_, c string) string { return c }),
			"a session of no kind":    cookies(func(_, c string) string { return "dao_session=x; " + c }),
			"a session with NUL":      cookies(func(s, c string) string { return s + "%00; " + c }),
			"a session in other case": cookies(func(s, c string) string { return strings.ToUpper(s) + "; " + c }),
			"a session in quotes":     cookies(func(s, c string) string { return strings.Replace(s, "=", "='", 1) + "'; " + c }),
			"no cookie":               func(w wire) wire { return w.set("Cookie", "") },
			"cookies that are none":   func(w wire) wire { return w.set("Cookie", ";;=;==;a;\xff=\xff;") },
		}),
		attacksOf("csrf_failed", demand(fosPage, fosUser), map[string]func(wire) wire{
			"no X-Requested-With":       func(w wire) wire { return w.set("X-Requested-With", "") },
			"an empty X-Requested-With": func(w wire) wire { return w.set("X-Requested-With", "").add("X-Requested-With:") },
		}),
	)
}

func badUsers() []attack {
	changes := map[string]func(wire) wire{
		"the refresh token as access token": func(w wire) wire {
			_, refresh, _ := strings.Cut(w.header("Cookie"), "refresh_token=")
			return w.set("Cookie", "access_token="+refresh)
		},
		"a signature cut short": func(w wire) wire {
			access, _, _ := strings.Cut(w.header("Cookie"), "; ")
			return w.set("Cookie", access[:len(access)-1])
		},
		"the token in a header": func(w wire) wire {
			access, _, _ := strings.Cut(w.header("Cookie"), "; ")
			return w.set("Cookie", "").add("Authorization: Bearer " + strings.TrimPrefix(access, "access_token="))
		},
		"no signature": func(w wire) wire {
			_, access, _ := strings.Cut(w.header("Cookie"), "access_token=")
			parts := strings.Split(access, ".")
			return w.set("Cookie", "access_token=eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."+parts[1]+".")
		},
	}
	for _, value := range []string{"", "x", "..", "a.b.c", "%00", "null", strings.Repeat("e30.", 1000), "\xff.\xff.\xff"} {
		changes["the access token "+value] = func(w wire) wire { return w.set("Cookie", "access_token="+value) }
	}
	return attacksOf("session_required", func(e endpoint) bool { return e.demands == fosUser || e.demands == fosRead }, changes)
}

func badHeaders() []attack {
	return attacksOf("headers_too_large", each, map[string]func(wire) wire{
		"a large header": func(w wire) wire { return w.add("X-Large: " + strings.Repeat("v", 17<<10)) },
		"a large cookie": func(w wire) wire { return w.add("Cookie: a=" + strings.Repeat("v", 17<<10)) },
		"a large query": func(w wire) wire {
			w.path += "?a=" + strings.Repeat("v", 17<<10)
			return w
		},
		"a thousand headers": func(w wire) wire {
			for range 1000 {
				w.headers = append(w.headers, "X-Small: twelve chars")
			}
			return w
		},
	})
}
