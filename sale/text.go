package sale

// Clean makes foreign text fit for one line of a terminal, a title, a log or a report.
// It is the only door: every label, name and error body from outside passes through it once,
// where it enters, and nothing else in the program cleans again.
//
// Control characters become visible (ESC is "␛", C1 is "<9B>"), line breaks and tabs become
// one space, and none at either end, other kinds of space become a plain one, bidirectional
// and other invisible format characters and variation selectors are dropped, at most two
// combining marks stay on a base, private and unassigned code points, invalid UTF-8 and a mark
// without a base become U+FFFD, and so does any grapheme cluster whose width the terminal and
// the layout would measure differently. max bounds the result in cells (0: 512); what was cut
// ends in "…". Cleaning clean text changes nothing.
func Clean(text string, max int) string { return clean(text, max) }
