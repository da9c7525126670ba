package grafana

import (
	"strconv"

	"github.com/onsale-dev/onsale/sale"
)

// scaled is a unit of Grafana in our words: the value times factor is in unit.
type scaled struct {
	unit   sale.Unit
	factor float64
	told   string // what of its meaning is lost; "" for nothing
}

// units are Grafana's ids: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts
var units = map[string]scaled{
	"": {sale.Count, 1, ""}, "none": {sale.Count, 1, ""}, "short": {sale.Count, 1, ""}, "sishort": {sale.Count, 1, ""}, "locale": {sale.Count, 1, ""},
	"percentunit": {sale.Ratio, 1, ""}, "percent": {sale.Ratio, 0.01, ""},
	"s": {sale.Seconds, 1, ""}, "dtdurations": {sale.Seconds, 1, ""}, "clocks": {sale.Seconds, 1, ""},
	"ms": {sale.Seconds, 1e-3, ""}, "dtdurationms": {sale.Seconds, 1e-3, ""}, "clockms": {sale.Seconds, 1e-3, ""},
	"µs": {sale.Seconds, 1e-6, ""}, "ns": {sale.Seconds, 1e-9, ""},
	"m": {sale.Seconds, 60, ""}, "h": {sale.Seconds, 3600, ""}, "d": {sale.Seconds, 86400, ""},
	"reqps": perSecond, "ops": perSecond, "rps": perSecond, "wps": perSecond, "iops": perSecond, "cps": perSecond,
	"eps": perSecond, "mps": perSecond, "recps": perSecond, "rowsps": perSecond,
	"reqpm": perMinute, "opm": perMinute, "rpm": perMinute, "wpm": perMinute, "cpm": perMinute, "epm": perMinute, "mpm": perMinute, "recpm": perMinute, "rowspm": perMinute,
	"bytes": {sale.Bytes, 1, ""}, "decbytes": {sale.Bytes, 1, ""}, "bits": {sale.Bytes, 0.125, ""}, "decbits": {sale.Bytes, 0.125, ""},
	"kbytes": {sale.Bytes, 1 << 10, ""}, "mbytes": {sale.Bytes, 1 << 20, ""}, "gbytes": {sale.Bytes, 1 << 30, ""},
	"deckbytes": {sale.Bytes, 1e3, ""}, "decmbytes": {sale.Bytes, 1e6, ""}, "decgbytes": {sale.Bytes, 1e9, ""},
	"Bps": {sale.Bytes, 1, "bytes per second are shown as bytes"}, "binBps": {sale.Bytes, 1, "bytes per second are shown as bytes"},
	"bps": {sale.Bytes, 0.125, "bits per second are shown as bytes"}, "binbps": {sale.Bytes, 0.125, "bits per second are shown as bytes"},
	"currencyUSD": {sale.USD, 1, ""},
}

var (
	perSecond = scaled{sale.PerSecond, 1, ""}
	perMinute = scaled{sale.PerMinute, 1, ""}
)

// unitOf is a unit of Grafana; one that is not known here is a count, and told.
func unitOf(id string) scaled {
	if u, ok := units[id]; ok {
		return u
	}
	return scaled{sale.Count, 1, "the unit " + clip(id) + " is not known here: a bare number is shown"}
}

// by is the arithmetic that a factor stands for: "", " * 60", " / 1000".
func by(factor float64) string {
	switch {
	case factor == 1:
		return ""
	case factor < 1:
		return " / " + plain(1/factor)
	}
	return " * " + plain(factor)
}

// plain writes a number to twelve digits, without an exponent.
func plain(v float64) string {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 12, 64), 64)
	if err != nil {
		rounded = v
	}
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func clip(text string) string { return strconv.Quote(sale.Clean(text, 60)) }
