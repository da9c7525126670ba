package ssm

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// The sizes that OpsCenter takes, in bytes, and what of them is used.
const (
	titleBytes = 1024
	bodyBytes  = 2048
	noteCells  = 400
)

// noteName is the operational data that holds a note: the same words are the same note.
func noteName(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "onsale/note-" + hex.EncodeToString(sum[:6])
}

// tell puts into the preview what the item will carry, so that it is shown before it is sent.
func (e *OpsItem) tell(p *actions.Preview, seen actions.Evidence) {
	for i, r := range seen.Reasons {
		if i == 3 {
			break
		}
		p.Facts = append(p.Facts, actions.Fact{Label: "cause", Text: sale.Clean(r.Text, 200)})
	}
	for _, verdict := range []sale.Verdict{sale.Bad, sale.Unknown, sale.Watch, sale.OK, ""} {
		for _, o := range seen.Signals {
			if o.Has && o.Verdict == verdict && len(p.Evidence) < 12 {
				p.Evidence = append(p.Evidence, o)
			}
		}
	}
	p.How = "severity " + e.o.Severity + ", source " + sale.Clean(e.o.Source, 40) + ", deduplicated by " + dedup(p.Request.Sale)
}

func (e *OpsItem) title(p actions.Preview) string {
	words := sale.Clean(p.Request.Text, 160)
	if words == "" && len(p.Facts) > 0 {
		words = p.Facts[0].Text
	}
	return cut(sale.Clean(cmp.Or(e.o.Names[p.Request.Sale], string(p.Request.Sale))+": "+cmp.Or(words, "incident"), 200), titleBytes)
}

// body is the sale, the cause, the last figures with their ages, and the links, most important
// first: what is too long is cut by whole lines.
func (e *OpsItem) body(p actions.Preview) string {
	lines := []string{e.title(p), "Sale: " + string(p.Request.Sale) + ", seen " + p.ReadAt.UTC().Format(time.RFC3339)}
	add := func(label, text string) {
		if text = sale.Clean(text, 300); text != "" {
			lines = append(lines, label+": "+text)
		}
	}
	for _, f := range p.Facts {
		add("Cause", f.Text)
	}
	add("Reason given", p.Request.Reason)
	add("Change", p.Request.Change)
	for _, l := range e.o.Links[p.Request.Sale] {
		add(sale.Clean(l.Title, 60), l.URL)
	}
	for _, o := range p.Evidence {
		add("Figure", o.String())
	}
	var b strings.Builder
	for _, line := range lines {
		if b.Len()+len(line)+1 > bodyBytes {
			break
		}
		b.WriteString(line + "\n")
	}
	return e.secretless(strings.TrimSuffix(b.String(), "\n"))
}

func (e *OpsItem) secretless(text string) string {
	for _, secret := range e.o.Secrets {
		if len(secret) >= 4 {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return text
}

// cut shortens a text to a number of bytes without cutting a code point.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "")
}
