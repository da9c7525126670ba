package views

import (
	"net/url"
	"slices"
	"strings"
)

// link resolves what a sale's file calls a link. shown is what is drawn in any case: host
// and path, so that a person sees where it goes; target is the address to follow, "" when
// the policy does not allow it: it must be https, on a listed host, without credentials.
func (p LinkPolicy) link(raw string) (shown, target string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return raw, "" // a path in the runbooks' folder
	}
	shown = u.Host + u.EscapedPath()
	allowed := p.On && u.Scheme == "https" && u.User == nil && (u.Port() == "" || u.Port() == "443") &&
		slices.Contains(p.Hosts, strings.ToLower(u.Hostname()))
	if !allowed {
		return shown, ""
	}
	target = u.String()
	for i := range len(target) {
		if target[i] <= 0x20 || target[i] >= 0x7f {
			return shown, "" // it would end the escape sequence that carries it
		}
	}
	return shown, target
}
