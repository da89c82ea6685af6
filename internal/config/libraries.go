package config

import "slices"

// Library is a variable that [Load] does not read, and that counts all the same: a library
// or Go's runtime looks it up in the process' environment.
type Library struct {
	Name   string
	Reader string // "the Postgres driver"
	Secret bool
}

// ReaderOf says who reads a variable of that name: "this program", also where a secret's file is
// meant, or a [Library]'s reader; "" is nobody.
func ReaderOf(name string) string {
	for _, v := range variables() {
		if name == v.Name || v.Secret && name == v.Name+fileSuffix {
			return "this program"
		}
	}
	for _, l := range libraries {
		if name == l.Name {
			return l.Reader
		}
	}
	return ""
}

// Libraries returns them, in order of their readers: those that change what this program
// does. What our own settings always overrule (OTEL_SERVICE_NAME, OTEL_BSP_...) is not there.
func Libraries() []Library { return slices.Clone(libraries) }

var libraries = slices.Concat(
	readBy("Go's runtime", "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "TZ", "ZONEINFO"),
	readBy("Go's TLS", "SSL_CERT_DIR", "SSL_CERT_FILE"),
	// pgconn: what the URL does not say.
	readBy("the Postgres driver", "PGAPPNAME", "PGCHANNELBINDING", "PGCONNECT_TIMEOUT", "PGDATABASE", "PGHOST", "PGMAXPROTOCOLVERSION", "PGMINPROTOCOLVERSION", "PGOPTIONS",
		"PGPASSFILE", "PGPORT", "PGREQUIREAUTH", "PGSERVICE", "PGSERVICEFILE", "PGSSLCERT", "PGSSLCERTMODE", "PGSSLKEY", "PGSSLMODE", "PGSSLNEGOTIATION", "PGSSLROOTCERT", "PGSSLSNI",
		"PGTARGETSESSIONATTRS", "PGTZ", "PGUSER"),
	secretly(readBy("the Postgres driver", "PGPASSWORD", "PGSSLPASSWORD")),
	// The way to the collector is the only one that goes through a proxy of the environment.
	readBy("the trace exporter", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy",
		"OTEL_EXPORTER_OTLP_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_KEY", "OTEL_EXPORTER_OTLP_COMPRESSION",
		"OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
		"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
		"OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
		"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
		"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_EVENT_COUNT_LIMIT", "OTEL_SPAN_LINK_COUNT_LIMIT"),
	secretly(readBy("the trace exporter", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")),
)

func readBy(reader string, names ...string) []Library {
	all := make([]Library, 0, len(names))
	for _, name := range names {
		all = append(all, Library{Name: name, Reader: reader})
	}
	return all
}

func secretly(all []Library) []Library {
	for i := range all {
		all[i].Secret = true
	}
	return all
}
