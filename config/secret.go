package config

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden is what every rendering of a Secret gives.
const hidden = "***"

// Secret is a value that must never be seen. Printing, logging and marshalling it in any
// form gives "***"; only Reveal gives the value. The zero Secret is not set.
type Secret struct {
	value *string // a pointer, so that even a dump of an unexported field shows an address
}

// NewSecret hides a value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal returns the value, or "" when the secret is not set. Hand the result to the client
// that needs it, and to nothing that prints.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a value.
func (s Secret) IsSet() bool { return s.value != nil }

// String gives "***".
func (s Secret) String() string { return hidden }

// GoString gives "***".
func (s Secret) GoString() string { return hidden }

// Format gives "***" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalJSON gives "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// MarshalText gives "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalYAML gives "***".
func (s Secret) MarshalYAML() (any, error) { return hidden, nil }

// LogValue gives "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Secrets lists every secret of the config that is set, for whoever must keep them out of a text.
func (c *Config) Secrets() []Secret {
	var all []Secret
	add := func(secrets ...Secret) {
		for _, s := range secrets {
			if s.IsSet() {
				all = append(all, s)
			}
		}
	}
	for _, s := range c.Sources {
		if p := s.Prometheus; p != nil {
			add(p.Bearer)
			if p.Basic != nil {
				add(p.Basic.Password)
			}
			for _, value := range p.Headers {
				add(value)
			}
		}
		for _, a := range s.awsLogins() {
			if a.Credentials != nil {
				add(a.Credentials.SecretAccessKey, a.Credentials.SessionToken)
			}
		}
		if s.WaitingRoom != nil {
			add(s.WaitingRoom.Token)
		}
		if of := s.Calendar; of != nil {
			add(of.URL, of.Bearer)
			if of.Basic != nil {
				add(of.Basic.Password)
			}
			for _, value := range of.Headers {
				add(value)
			}
		}
		add(s.gateSecrets()...)
		add(s.incidentSecrets()...)
		if am := s.AlertmanagerAlerts; am != nil {
			add(am.Bearer)
			if am.Basic != nil {
				add(am.Basic.Password)
			}
		}
	}
	for i := range c.Controls {
		add(c.Controls[i].secrets()...)
	}
	return all
}

func (s *Source) awsLogins() []AWS {
	var logins []AWS
	if s.CloudWatch != nil {
		logins = append(logins, s.CloudWatch.AWS)
	}
	if s.SQS != nil {
		logins = append(logins, s.SQS.AWS)
	}
	if s.AutoScaling != nil {
		logins = append(logins, s.AutoScaling.AWS)
	}
	if s.CloudWatchAlarms != nil {
		logins = append(logins, s.CloudWatchAlarms.AWS)
	}
	if s.ECS != nil {
		logins = append(logins, s.ECS.AWS)
	}
	if s.RDS != nil {
		logins = append(logins, s.RDS.AWS)
	}
	if s.OpsItem != nil {
		logins = append(logins, s.OpsItem.AWS)
	}
	if s.Prometheus != nil && s.Prometheus.SigV4 != nil {
		logins = append(logins, s.Prometheus.SigV4.AWS)
	}
	return logins
}
