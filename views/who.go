package views

// who says who sits here and what that person may do now.
func (h *Header) who() []part {
	var parts []part
	title := h.Title
	if title == "" {
		title = "operator"
	}
	if h.Operator != "" {
		parts = append(parts, say(text, 4, title+" "+h.Operator, h.Operator))
	}
	if h.Driver != "" {
		parts = append(parts, say(accent, 0, "driver "+h.Driver))
	}
	switch {
	case h.Armed > 0:
		parts = append(parts, say(keyWord, 0, "ARMED "+secondsLeft(h.Armed)))
	case h.Role != "" && h.ArmsFor > 0:
		parts = append(parts, part{accent, []string{h.Role + " (a key arms one action for " + secondsLeft(h.ArmsFor) + ")", h.Role}, 7})
	case h.Role != "":
		parts = append(parts, say(accent, 0, h.Role))
	}
	return parts
}
