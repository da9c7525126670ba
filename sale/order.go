package sale

import (
	"cmp"
	"slices"
)

// SortWorstFirst sorts states, in place, by how much they want a person: Bad, Unknown, Watch,
// OK; among equals the sales that are opening or live first, then by opening time, then by id.
// Never sort a snapshot's own slice: others read it. Sort a clone.
func SortWorstFirst(states []*State) {
	slices.SortStableFunc(states, func(a, b *State) int {
		return cmp.Or(
			cmp.Compare(b.Verdict.Rank(), a.Verdict.Rank()),
			cmp.Compare(selling(a), selling(b)),
			a.Sale.Opens.Compare(b.Sale.Opens),
			cmp.Compare(a.Sale.ID, b.Sale.ID),
		)
	})
}

// selling is 0 for a sale whose doors are open to the crowd, else 1.
func selling(s *State) int {
	if s.Phase == Opening || s.Phase == Live {
		return 0
	}
	return 1
}
