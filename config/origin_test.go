package config

import (
	"slices"
	"testing"
)

func TestEachSettingOfASignalSaysWhereItIsWritten(t *testing.T) {
	const text = `environment: test
sources:
  metrics: {kind: prometheus, url: "http://127.0.0.1:9090"}
templates:
  shop:
    variables: {shop: null}
    signals:
      request_rate:
        from: metrics
        query: 'sum(rate(requests{shop="$shop"}[1m]))'
      error_ratio: {from: metrics, query: errors, watch: "> 1% for 1m"}
sales:
  - id: lantern
    name: Lantern
    template: shop
    opens: 2026-12-01T10:00Z
    signals:
      error_ratio: {watch: "> 2% for 1m"}
    with: {shop: entry}
`
	cfg, err := Parse("onsale.yaml", []byte(text), Environment{})
	if err != nil {
		t.Fatal(err)
	}
	where := map[string]Origin{}
	for _, o := range cfg.Origins("lantern") {
		where[o.Signal+" "+o.Key] = o
	}
	for key, line := range map[string]string{
		"request_rate from": "onsale.yaml:9", "request_rate query": "onsale.yaml:10",
		"error_ratio query": "onsale.yaml:11", "error_ratio watch": "onsale.yaml:18",
	} {
		if got := where[key].At; got != line {
			t.Errorf("%s is at %q, want %s; all: %v", key, got, line, where)
		}
	}
	if with := where["request_rate query"].With; !slices.Equal(with, []string{"onsale.yaml:19"}) {
		t.Errorf("its variable is set at %v", with)
	}
	if cfg.Origins("nobody") != nil {
		t.Error("a sale that is not there has origins")
	}
}
