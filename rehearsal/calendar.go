package rehearsal

import (
	"fmt"
	"strings"
	"time"
)

// Dated is the sale whose name, venue and opening stand in the shop's calendar and not in the config.
const Dated = "kestrel"

// calendarFile is the shop's calendar in the platform's folder.
const calendarFile = "onsales.ics"

// calendar is the shop's calendar (RFC 5545). Its lines are short enough to stand unfolded.
func (p *Platform) calendar() []byte {
	const stamp = "20060102T150405Z"
	escape := strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)
	lines := []string{"BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//onsale//rehearsal//EN"}
	for _, d := range p.world.Sales() {
		if d.ID != Dated {
			continue
		}
		lines = append(
			lines, "BEGIN:VEVENT",
			fmt.Sprintf("UID:%s@tickets.example", d.ID),
			"DTSTAMP:"+p.now().UTC().Format(stamp),
			"DTSTART:"+d.Opens.UTC().Format(stamp),
			fmt.Sprintf("DURATION:PT%dM", int(d.Closes.Sub(d.Opens)/time.Minute)),
			"SUMMARY:"+escape.Replace(d.Name),
			"LOCATION:"+escape.Replace(d.Venue),
			"DESCRIPTION:"+escape.Replace("Ask the shift before you move this."),
			"END:VEVENT",
		)
	}
	lines = append(lines, "END:VCALENDAR", "")
	return []byte(strings.Join(lines, "\r\n"))
}
