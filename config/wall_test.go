package config

import (
	"strings"
	"testing"
)

func TestTheWordOfTheWallIsReadAndShown(t *testing.T) {
	c, err := Parse("onsale.yaml", []byte(`environment: staging
sources: {m: {kind: prometheus, url: https://p.example}}
sales:
  - {id: a, name: Šumska Noć, wall: Forest 7, opens: 2026-12-01T10:00:00Z, signals: {error_ratio: {from: m, query: e}}}
  - {id: b, name: Owl Night, opens: 2026-12-01T10:00:00Z, signals: {error_ratio: {from: m, query: e}}}
`), Environment{})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := c.Sales[0].Wall, c.Sales[1].Wall; a != "Forest 7" || b != "" {
		t.Errorf("the words are %q and %q", a, b)
	}
	shown, err := c.ShowYAML()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(shown), "wall: Forest 7") {
		t.Errorf("it is not shown:\n%s", shown)
	}
}
