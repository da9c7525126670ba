package config

import (
	"slices"
	"strings"
)

// distance is the number of letters to insert, drop, change or swap with their neighbour to
// turn one word into another (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > 64 || len(y) > 64 {
		return max(len(x), len(y))
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// nearest returns the known word that a misspelt one was most likely meant to be, or "".
func nearest(word string, known []string) string {
	best, bestBy := "", max(1, len(word)/3)+1
	for _, k := range known {
		if by := distance(strings.ToLower(word), strings.ToLower(k)); by < bestBy {
			best, bestBy = k, by
		}
	}
	return best
}

// didYouMean is the fix for an unknown name: the nearest one, or all there are.
func didYouMean(word string, known []string, none string) string {
	if k := nearest(word, known); k != "" {
		return `did you mean "` + k + `"?`
	}
	if len(known) == 0 {
		return none
	}
	known = slices.Clone(known)
	more := ""
	if len(known) > 24 {
		known, more = known[:24], ", …"
	}
	return "known here: " + strings.Join(known, ", ") + more
}
