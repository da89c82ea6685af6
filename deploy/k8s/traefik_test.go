package k8s_test

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Traefik's objects, as far as they are used here, after the CRDs of Traefik 3. Its own Go
// types come with all of Traefik.

type ingressRoute struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		EntryPoints []string `json:"entryPoints"`
		Routes      []struct {
			Kind        string `json:"kind"`
			Match       string `json:"match"`
			Middlewares []struct {
				Name string `json:"name"`
			} `json:"middlewares"`
			Services []struct {
				Name             string `json:"name"`
				Port             string `json:"port"`
				Scheme           string `json:"scheme"`
				ServersTransport string `json:"serversTransport"`
			} `json:"services"`
		} `json:"routes"`
		TLS *struct {
			CertResolver string `json:"certResolver"`
			Options      struct {
				Name string `json:"name"`
			} `json:"options"`
		} `json:"tls"`
	} `json:"spec"`
}

type middleware struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		StripPrefix *struct {
			Prefixes []string `json:"prefixes"`
		} `json:"stripPrefix"`
		Headers *struct {
			STSSeconds            int64             `json:"stsSeconds"`
			STSIncludeSubdomains  bool              `json:"stsIncludeSubdomains"`
			ContentTypeNosniff    bool              `json:"contentTypeNosniff"`
			FrameDeny             bool              `json:"frameDeny"`
			ReferrerPolicy        string            `json:"referrerPolicy"`
			CustomResponseHeaders map[string]string `json:"customResponseHeaders"`
		} `json:"headers"`
		RateLimit *struct {
			Average int64  `json:"average"`
			Period  string `json:"period"`
			Burst   int64  `json:"burst"`
		} `json:"rateLimit"`
		ForwardAuth *struct {
			Address             string   `json:"address"`
			TrustForwardHeader  *bool    `json:"trustForwardHeader"`
			AuthResponseHeaders []string `json:"authResponseHeaders"`
		} `json:"forwardAuth"`
	} `json:"spec"`
}

type tlsOption struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		MinVersion string `json:"minVersion"`
		SNIStrict  bool   `json:"sniStrict"`
	} `json:"spec"`
}

// serversTransport is how Traefik speaks to a service. It has no field for a certificate
// that nobody looks at (insecureSkipVerify): that would be TLS with whoever answers.
type serversTransport struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ServerName string `json:"serverName"`
	} `json:"spec"`
}

type helmChartConfig struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		ValuesContent string `json:"valuesContent"`
	} `json:"spec"`
}
