package ui

import (
	"strings"
	"unicode"

	"github.com/onsale-dev/onsale/sale"
)

// matchesFilter reports whether a sale has every word of the filter in its id, name, venue,
// group, verdict or phase. Case and the marks on Latin letters don't matter.
func matchesFilter(st *sale.State, words []string) bool {
	if len(words) == 0 {
		return true
	}
	hay := fold(strings.Join([]string{
		string(st.Sale.ID), st.Sale.Name, st.Sale.Venue, st.Sale.Group, string(st.Verdict), string(st.Phase),
	}, "\n"))
	for _, w := range words {
		if !strings.Contains(hay, w) {
			return false
		}
	}
	return true
}

// filterWords cuts a filter into folded words.
func filterWords(text string) []string { return strings.Fields(fold(text)) }

// filtered returns the ids of order whose sales match, in the same order.
func filtered(order []sale.ID, snap *sale.Snapshot, words []string) []sale.ID {
	if len(words) == 0 {
		return order
	}
	kept := make([]sale.ID, 0, len(order))
	for _, id := range order {
		if st := snap.Sale(id); st != nil && matchesFilter(st, words) {
			kept = append(kept, id)
		}
	}
	return kept
}

// fold lowers a text and takes the marks off its Latin letters, so that "sibenik" finds
// "Šibenik" on a keyboard without the letter.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return unicode.ToLower(r)
		}
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		r = unicode.ToLower(r)
		for _, pair := range foldedLetters {
			if strings.ContainsRune(pair.marked, r) {
				return pair.plain
			}
		}
		return r
	}, s)
}

var foldedLetters = []struct {
	plain  rune
	marked string
}{
	{'a', "àáâãäåāăą"},
	{'c', "çćĉċč"},
	{'d', "ďđð"},
	{'e', "èéêëēĕėęě"},
	{'g', "ĝğġģ"},
	{'h', "ĥħ"},
	{'i', "ìíîïĩīĭįı"},
	{'j', "ĵ"},
	{'k', "ķ"},
	{'l', "ĺļľŀł"},
	{'n', "ñńņňŋ"},
	{'o', "òóôõöøōŏő"},
	{'r', "ŕŗř"},
	{'s', "śŝşšș"},
	{'t', "ţťŧț"},
	{'u', "ùúûüũūŭůűų"},
	{'w', "ŵ"},
	{'y', "ýÿŷ"},
	{'z', "źżž"},
}
