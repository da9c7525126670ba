package config

import (
	"strings"
	"testing"
)

func TestCredentialsGoOnlyOverHTTPSOrToThisMachine(t *testing.T) {
	const bearer = `, auth: {bearer: "${env:TOKEN}"}`
	for _, c := range []struct {
		name, source, refused string
	}{
		{"https", `{kind: prometheus, url: https://p.example` + bearer + `}`, ""},
		{"http without credentials", `{kind: prometheus, url: http://p.example}`, ""},
		{"http with a bearer token", `{kind: prometheus, url: http://p.example` + bearer + `}`, "unencrypted"},
		{"http with a bearer token, allowed", `{kind: prometheus, url: http://p.example` + bearer + `, allow_http: true}`, ""},
		{"http to this machine by name", `{kind: prometheus, url: http://localhost:9090` + bearer + `}`, ""},
		{"http to this machine by address", `{kind: prometheus, url: "http://127.1.2.3:9090"` + bearer + `}`, ""},
		{"http to this machine by IPv6", `{kind: prometheus, url: "http://[::1]:9090"` + bearer + `}`, ""},
		{"http to a name that only looks like it", `{kind: prometheus, url: http://localhost.example` + bearer + `}`, "unencrypted"},
		{"http with a tenant's header alone", `{kind: prometheus, url: http://p.example, auth: {headers: {X-Scope-OrgID: shop}}}`, ""},
		{"http with a key in a header", `{kind: prometheus, url: http://p.example, auth: {headers: {X-Api-Key: "${env:TOKEN}"}}}`, "unencrypted"},
		{"http with a signature", `{kind: prometheus, url: http://p.example, auth: {sigv4: {region: eu-central-1}}}`, "unencrypted"},
		{"an AWS endpoint elsewhere over http", `{kind: sqs, region: eu-central-1, endpoint: http://aws.example}`, "unencrypted"},
		{"a second AWS endpoint elsewhere over http", `{kind: ecs, region: eu-central-1, scaling_endpoint: http://aws.example}`, "unencrypted"},
		{"load balancers on this machine", `{kind: autoscaling, region: eu-central-1, elb_endpoint: http://127.0.0.1:1}`, ""},
		{"an AWS endpoint on this machine", `{kind: sqs, region: eu-central-1, endpoint: http://127.0.0.1:1}`, ""},
		{"a waiting room over http", `{kind: cloudflare-waiting-room, zone: abc, token: "${env:TOKEN}", url: http://cf.example}`, "unencrypted"},
		{"another scheme", `{kind: prometheus, url: ftp://p.example}`, "http or https"},
		{"a scheme in capitals", `{kind: prometheus, url: "HTTP://p.example"` + bearer + `}`, "unencrypted"},
		{"no host", `{kind: prometheus, url: "http://:9090"}`, "http or https"},
		{"a certificate for http", `{kind: prometheus, url: http://p.example, tls: {server_name: p}}`, "means nothing"},
		{"half a client certificate", `{kind: prometheus, url: https://p.example, tls: {cert: secrets/cert.pem}}`, "belong together"},
		{"a certificate that is not there", `{kind: prometheus, url: https://p.example, tls: {ca: nope.pem}}`, "/conf/nope.pem"},
		{"a header twice", `{kind: prometheus, url: https://p.example, auth: {headers: {X-A: b, x-a: c}}}`, "twice"},
		{"a header that is the client's own", `{kind: prometheus, url: https://p.example, auth: {headers: {Host: b}}}`, "client's own"},
		{"a header with a line break", `{kind: prometheus, url: https://p.example, auth: {headers: {X-A: "b\nX-B: c"}}}`, "line break"},
		{"an authorization beside a login", `{kind: prometheus, url: https://p.example, auth: {bearer: "${env:TOKEN}", headers: {Authorization: "${env:TOKEN}"}}}`, "already set"},
		{"an empty login", `{kind: prometheus, url: https://p.example, auth: {}}`, "empty"},
		{"an external id without a role", `{kind: sqs, region: eu-central-1, external_id: x}`, "for a role"},
		{"a device without a role", `{kind: sqs, region: eu-central-1, profile: p, mfa_serial: "arn:aws:iam::471122083344:mfa/ines"}`, "for a role"},
		{"a role's session without a role", `{kind: sqs, region: eu-central-1, profile: p, role_lasts: 4h}`, "for a role"},
		{"a role's session of a day", `{kind: sqs, region: eu-central-1, role: "arn:aws:iam::471122083344:role/r", role_lasts: 24h}`, "out of range"},
		{"a role's session of a minute", `{kind: sqs, region: eu-central-1, role: "arn:aws:iam::471122083344:role/r", role_lasts: 1m}`, "out of range"},
		{"a source identity without a role", `{kind: sqs, region: eu-central-1, source_identity: true}`, "for a role"},
		{"a profile beside credentials", `{kind: sqs, region: eu-central-1, profile: p, credentials: {access_key_id: a, secret_access_key: "${env:TOKEN}"}}`, "two ways"},
		{"a role that is no ARN", `{kind: sqs, region: eu-central-1, role: onsale-read}`, "role"},
		{"a timeout of a day", `{kind: prometheus, url: https://p.example, timeout: 24h}`, "out of range"},
		{"a question every day", `{kind: prometheus, url: https://p.example, every: 24h}`, "longer than an hour"},
		{"a question every millisecond", `{kind: prometheus, url: https://p.example, every: 1ms}`, "can't be asked"},
		{"a budget of nothing", `{kind: prometheus, url: https://p.example, budget: {calls: 0, per: 5m}}`, "out of range"},
		{"a budget without a window", `{kind: prometheus, url: https://p.example, budget: {calls: 5}}`, `no "per"`},
		{"cloudwatch asked more often than its metrics change", `{kind: cloudwatch, region: eu-central-1, every: 10s}`, "nothing new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "environment: x\nsources:\n  up: {kind: prometheus, url: https://up.example}\n  it: " + c.source +
				"\nsales: [{id: a, name: a, opens: 2026-12-01T10:00:00Z, signals: {x: {from: up, query: up}}}]\n"
			_, err := Parse("/conf/onsale.yaml", []byte(text), fixtureEnvironment())
			switch {
			case c.refused == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
				t.Errorf("want a refusal with %q, got %v", c.refused, err)
			}
		})
	}
}
