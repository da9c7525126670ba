package config

import (
	"testing"
	"time"
)

func TestATimeIsReadInEveryFormThatIsPromised(t *testing.T) {
	for text, want := range map[string]string{
		"2026-12-01T10:00:00Z":              "2026-12-01T10:00:00Z",
		"2026-12-01T10:00:00+01:00":         "2026-12-01T09:00:00Z",
		"2026-12-01T10:00+01:00":            "2026-12-01T09:00:00Z",
		"2026-12-01t10:00:00.5z":            "2026-12-01T10:00:00.5Z",
		"2026-12-01 10:00:00 +01:00":        "2026-12-01T09:00:00Z",
		"2026-12-01T10:00 Europe/Zagreb":    "2026-12-01T09:00:00Z",
		"2026-07-01T10:00 Europe/Zagreb":    "2026-07-01T08:00:00Z",
		"2026-12-01 10:00:30 Europe/Zagreb": "2026-12-01T09:00:30Z",
		"2026-12-01T10:00 UTC":              "2026-12-01T10:00:00Z",
		"2026-12-01T10:00 Pacific/Apia":     "2026-11-30T21:00:00Z",
		"2026-03-29T03:00 Europe/Zagreb":    "2026-03-29T01:00:00Z",
		"2026-10-25T01:59 Europe/Zagreb":    "2026-10-24T23:59:00Z",
	} {
		got, why, _ := parseMoment(text)
		if why != "" || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: got %v, %q; want %s", text, got.UTC(), why, want)
		}
	}
}

func TestATimeThatIsNotCertainIsRefused(t *testing.T) {
	for _, text := range []string{
		"", "2026-12-01", "10:00", "2026-12-01T10:00", "2026-13-01T10:00Z", "2026-02-30T10:00Z", "2026-12-01T25:00Z",
		"2026-12-01T10:00 Local", "2026-12-01T10:00 ", "2026-12-01T10:00 Nowhere/Town", "2026-12-01T10:00 ../../etc/passwd",
		"2026-03-29T02:30 Europe/Zagreb", "2026-10-25T02:30 Europe/Zagreb", "0001-01-01T00:00Z", "9999-01-01T00:00Z", "1764583200",
	} {
		if got, why, fix := parseMoment(text); why == "" || fix == "" {
			t.Errorf("%q was taken for %v (why %q, fix %q)", text, got, why, fix)
		}
	}
}
