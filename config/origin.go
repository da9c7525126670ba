package config

import (
	"fmt"

	"github.com/onsale-dev/onsale/sale"
)

// Origin says where one setting of a sale's signal is written: in the file, or in a template.
type Origin struct {
	Signal string
	Key    string // "query", "bad.live"
	At     string // "onsale.yaml:31", or "builtin/onsale:12" of a shipped template
	// With is where the variables in it were set, in the order of their use; empty: it has none.
	With []string
}

// Origins lists where what is read for a sale is written, in the order of its signals; nil for a sale
// that is not declared.
func (c *Config) Origins(id sale.ID) []Origin {
	s, ok := c.Sale(id)
	if !ok {
		return nil
	}
	var all []Origin
	for _, signal := range s.signals {
		all = origins(all, signal.name, "", signal.node)
	}
	return all
}

func origins(all []Origin, signal, key string, n *node) []Origin {
	if n == nil {
		return all
	}
	if n.kind == mapKind {
		for _, e := range n.entries {
			below := e.key.text
			if key != "" {
				below = key + "." + below
			}
			all = origins(all, signal, below, e.value)
		}
		return all
	}
	o := Origin{Signal: signal, Key: key, At: whereabouts(n)}
	for _, v := range n.via {
		o.With = append(o.With, whereabouts(v))
	}
	return append(all, o)
}

func whereabouts(n *node) string { return fmt.Sprintf("%s:%d", sale.Clean(n.doc.name, 0), n.line) }
