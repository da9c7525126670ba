package ui

import (
	"strings"
	"unicode"
)

// fuzzyScore says how well a pattern is found in a text: its letters must all be there, in
// order. Letters that follow each other and letters that begin a word count more, so "adm"
// prefers "admitted" to "a demand". ok is false when the pattern is not there. Both texts are
// folded first; an empty pattern is found in everything.
func fuzzyScore(pattern, text string) (score int, ok bool) {
	want := []rune(strings.Join(strings.Fields(fold(pattern)), " "))
	if len(want) == 0 {
		return 0, true
	}
	have := []rune(fold(text))
	best := -1
	for start, r := range have {
		if r != want[0] {
			continue
		}
		if s, found := fuzzyFrom(want, have, start); found && s > best {
			best = s
		}
	}
	return best, best >= 0
}

func fuzzyFrom(want, have []rune, start int) (score int, found bool) {
	i, run := 0, 0
	for at := start; at < len(have) && i < len(want); at++ {
		if have[at] != want[i] {
			run = 0
			continue
		}
		score++
		if at == 0 || !unicode.IsLetter(have[at-1]) && !unicode.IsDigit(have[at-1]) {
			score += 8
		}
		score += min(run, 3) * 3
		run++
		i++
	}
	if i < len(want) {
		return 0, false
	}
	return score*64 - min(start, 60), true
}
