package views

// who says who sits here and what that person may do now.
func (h *Header) who() []part {
	var parts []part
	acting := h.Armed <= 0 && h.Role != "" && h.Role != "READ-ONLY"
	title := h.Title
	if title == "" {
		title = "operator"
	}
	switch {
	case h.Operator != "" && acting: // the role itself follows
		parts = append(parts, say(text, 4, h.Operator))
	case h.Operator != "":
		parts = append(parts, say(text, 4, title+" "+h.Operator, h.Operator))
	}
	switch {
	case h.Armed > 0:
		parts = append(parts, say(keyWord, 0, "ARMED "+secondsLeft(h.Armed)))
	case h.Role != "":
		parts = append(parts, say(accent, 0, h.Role))
	}
	return parts
}
