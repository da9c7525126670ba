package views

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// pausePreview is a pause with everything said that can be said.
func pausePreview() *actions.Preview {
	people, cost := 12240.0, 0.0
	return &actions.Preview{
		Request: actions.Request{Sale: "lanterns", Verb: actions.Pause},
		Target:  actions.Target{System: "waitingroom", Kind: "waiting room", Name: "lanterns-26", Account: "zone example.com"},
		From:    actions.Value{"queue_all": actions.Flag(false)}, To: actions.Value{"queue_all": actions.Flag(true)},
		ReadAt: worldNow.Add(-time.Second), ByWhom: "plan", Modified: worldNow.Add(-19 * time.Minute),
		Change: "800/min → 0/min", How: "queue_all on for room lanterns-26 (never suspend)",
		People: &people, PeopleText: "~12,240 waiting keep their place (35s old); 260/min more join",
		Stays:      "~4,800 on site go on buying until 5 min after their last click",
		NotChanged: "rate 800, order of the queue, event times, 592 holds, hosts",
		Soonest:    time.Minute, Latest: 2 * time.Minute, CostPerHour: &cost, CostText: "$0; sales dry up in ~4 min",
		UndoText:  "U puts back queue_all off; R ramps 200 → 400 → 800",
		RevertsIt: "nothing found: the event 09:45–11:45 can't override queue_all; Terraform last ran 12-02",
		Facts:     []actions.Fact{{Label: "freeze", Text: "on until 13:00; exempt: an incident is open"}},
		Warnings:  []string{"RDS connections stay high for ~6 min after a pause"},
		Risk:      actions.Normal,
		Evidence: []actions.Observed{
			{Signal: sale.PaymentFailureRatio, Label: "declines", Unit: sale.Ratio, Has: true, Value: 0.07, At: worldNow.Add(-8 * time.Second), Freshness: sale.Fresh, Needed: true},
			{Signal: sale.Waiting, Label: "waiting", Unit: sale.Users, Has: true, Value: 12240, Estimate: true, At: worldNow.Add(-35 * time.Second), Freshness: sale.Fresh},
		},
		Effect: &actions.Effect{Signal: sale.AdmissionRate, Direction: actions.Down, Wanted: 10, Within: 3 * time.Minute},
	}
}

func rampPreview() *actions.Preview {
	p := pausePreview()
	p.Request.Verb, p.Risk, p.Change, p.How = actions.Resume, actions.Severe, "0/min → 800/min", ""
	p.Warnings = []string{"the cause is not gone: declines 7.0 %, wanted under 3.0 % for 3:00"}
	hold := []actions.Condition{{Signal: sale.PaymentFailureRatio, Over: actions.Up, Limit: 0.05}, {Signal: sale.CacheHitRatio, Over: actions.Down, Limit: 0.5}}
	for i, change := range []string{"0/min → 200/min", "200/min → 400/min", "400/min → 800/min"} {
		s := actions.Step{Request: p.Request, Preview: actions.Preview{Change: change}, Hold: hold}
		s.After = time.Duration(i) * 2 * time.Minute
		p.Steps = append(p.Steps, s)
	}
	return p
}

func armedPanel(t interface{ Fatal(...any) }, p *actions.Preview, key, label string) Panel {
	c, err := actions.NewConfirm(p, key, string(p.Request.Sale), worldNow.Add(-1500*time.Millisecond), bytes.NewReader([]byte{5}))
	if err != nil {
		t.Fatal(err)
	}
	return Panel{Key: key, Label: label, Preview: p, Confirm: c, Reason: "INC-2214 payment declines", Began: worldNow}
}

// acting is the test world while somebody acts.
func acting(f Frame) Frame {
	f.Header.Armed = 6500 * time.Millisecond
	f.Footer = Footer{
		Message: "waiting for one key; nothing has been sent", MessageAt: worldNow,
		Keys: []KeyHint{{Keys: "f", Label: "send"}, {Keys: "esc", Label: "disarm"}, {Keys: "tab", Label: "reason"}},
	}
	return f
}

func outcomes() map[string]*Outcome {
	at := worldNow.Add(-40 * time.Second)
	return map[string]*Outcome{
		"sent":      {Stage: StageSent, At: at, Text: "P sale 3: 800/min → 0/min to waiting room lanterns-26", More: "sale 3 takes no second action until this one is settled"},
		"done":      {Stage: StageDone, At: at, Text: "P sale 3: 800/min → 0/min, read back: queue_all on", More: "effect not seen yet: admitted 800/min, 0:14 of 3:00", Undo: "U"},
		"seen":      {Stage: StageSeen, At: at, Text: "after 62 s: admitted 800 → 0/min", More: "journal #416", Undo: "U"},
		"not-taken": {Stage: StageNotTaken, At: at, Text: "after 3:00: queue_all is on, yet admitted is 790/min", More: "next: look for a path that goes round the room"},
		"refused":   {Stage: StageRefused, At: at, Text: "P sale 3: nothing was sent: the rate was changed 800 → 600/min by marko 10:06:03 and so the panel has to be opened again", More: "P shows the panel again with the new value"},
		"failed":    {Stage: StageFailed, At: at, Text: "P sale 3: the waiting room said no: 403 token lacks Waiting Rooms Write", More: "mend: onsale doctor names the token"},
		"asked":     {Stage: StageAsked, At: at, Text: "sale 3: marko asks a second person: pause admission 800/min → 0/min", More: "4:20 left; declines 7.0 % (8s); palette (:) approve or decline; reason INC-2214"},
		"agreed":    {Stage: StageAgreed, At: at, Text: "sale 3: pause admission 800/min → 0/min: marko agrees", More: "open the panel again to send it; 0:52 left"},
		"declined":  {Stage: StageDeclined, At: at, Text: "sale 3: pause admission 800/min → 0/min: marko declined", More: "nothing was sent; the provider is back"},
		"glass":     {Stage: StageDone, At: at, Text: "sale 3: pause admission 800/min → 0/min by marko, read back: queue_all on", More: "effect not seen yet: admitted 800/min, 0:14 of 3:00", Undo: "U", Loud: "GLASS BROKEN: freeze"},
		"unknown":   {Stage: StageUnknown, At: at, Text: "P sale 3: sent, no answer in 10 s", More: "not sent again; count it as NOT paused until this line changes"},
	}
}

func testJournal() Journal {
	rows := []JournalRow{
		{At: worldNow.Add(-89 * time.Second), Seq: 1416, Code: "ADM10E", Who: "onsale", Sale: "3", Text: "pause 800/min → 0/min", Stage: StageSeen, Result: "after 62 s"},
		{At: worldNow.Add(-150 * time.Second), Seq: 1413, Code: "ADM10D", Who: "ivana", Role: "operator", Via: "ssh", Sale: "3", Text: "pause 800/min → 0/min", Stage: StageDone, Result: "read back queue_all on"},
		{
			At: worldNow.Add(-151 * time.Second), Seq: 1412, Code: "ADM10I", Who: "ivana", Role: "operator", Via: "ssh", Sale: "3", Text: "pause 800/min → 0/min", Result: "INC-2214; declines 7.0 % (9s)",
			Words: []JournalFact{{"actor", "ivana, operator, over ssh from 10.8.0.14"}, {"target", "waiting room lanterns-26"}, {"reason", "INC-2214 payment declines"}, {"evidence", "declines 7.0 % (9s), waiting ~12,240 (40s), admitted 800/min (9s)"}, {"hash", "c2e94b17 after 51d0e7aa"}},
		},
		{At: worldNow.Add(-26 * time.Hour), Seq: 1404, Code: "SCA10R", Who: "zoran", Role: "viewer", Via: "ssh", Sale: "3", Text: "scale up 24 → 32", Stage: StageRefused, Result: "a viewer reads, cannot act"},
		{At: worldNow.Add(-27 * time.Hour), Seq: 1403, Code: "ADM20U", Who: "marko", Role: "operator", Via: "cli", Sale: "owls", Text: "rate 200/min → 400/min", Stage: StageUnknown, Result: "sent, no answer"},
	}
	return Journal{Rows: rows, Total: 1416, Head: "#1416 9f3ac01b", ReadAt: worldNow}
}

// actingScreens draws what there is to see while something is done.
func actingScreens(r *Renderer) map[string]func(Frame) string {
	over := func(f Frame, p Panel) string {
		f = acting(f)
		return r.Over(r.Overview(f), r.Confirm(f, p, worldNow), f)
	}
	none := fatalNever{}
	all := map[string]func(Frame) string{
		"confirm":        func(f Frame) string { return over(f, armedPanel(none, pausePreview(), "P", "pause admission")) },
		"confirm-severe": func(f Frame) string { return over(f, armedPanel(none, rampPreview(), "R", "resume admission")) },
		"confirm-reason": func(f Frame) string {
			p := armedPanel(none, pausePreview(), "P", "pause admission")
			p.Confirm, p.Required, p.Second = p.Confirm.Edit(worldNow), "a reason", "marko agrees, 10:08:30"
			return over(f, p)
		},
		"confirm-second": func(f Frame) string {
			p := armedPanel(none, pausePreview(), "P", "pause admission")
			p.Aim, p.Second = AimAsk, "must agree before it can be sent"
			f.Header.ArmsFor = actions.ArmedFor
			return over(f, p)
		},
		"confirm-waits": func(f Frame) string {
			p := armedPanel(none, pausePreview(), "P", "pause admission")
			p.Aim, p.Second = AimWaits, "asked 0:12 ago, #00beef, 4:48 left; nobody has answered yet"
			return over(f, p)
		},
		"confirm-agree": func(f Frame) string {
			p := armedPanel(none, pausePreview(), "", "approve pause admission 800/min → 0/min")
			p.Aim, p.Second = AimAgree, "marko asks, 0:12 ago: INC-2214 payment declines; then declines 7.0 % (9s)"
			return over(f, p)
		},
		"confirm-glass": func(f Frame) string {
			q := pausePreview()
			q.Request.Glass, q.Risk = true, actions.Severe
			q.Lifted = []actions.Refusal{{Guard: actions.GuardFreeze, Text: "frozen until 2026-12-04 13:00:00Z: on-sale"}, {Guard: actions.GuardSecond, Text: "a second person must agree"}}
			f.Header.Loud = "BREAKING THE GLASS"
			return over(f, armedPanel(none, q, "", "pause admission"))
		},
		"confirm-refused": func(f Frame) string {
			q := pausePreview()
			q.Refuse(actions.GuardFreeze, "a freeze window is on until 13:00", "open an incident first: it exempts")
			return over(f, Panel{Key: "P", Label: "pause admission", Preview: q})
		},
		"confirm-reading": func(f Frame) string {
			return over(f, Panel{Key: "P", Label: "pause admission", Began: worldNow.Add(-3 * time.Second)})
		},
		"ask": func(f Frame) string {
			return r.Over(r.Overview(f), r.Ask(f, Question{Key: "-", Label: "admission rate", Ask: "new limit, per minute", Input: "4oo", Lines: []string{"now 800/min", "the number is absolute"}, Wrong: `"4oo" is not a number`}), f)
		},
		"journal": func(f Frame) string {
			f.Cursor = 2
			return r.Journal(f, testJournal())
		},
		"journal-broken": func(f Frame) string {
			f.Header.Loud = "JOURNAL CAN'T BE WRITTEN"
			return r.Journal(f, Journal{Problem: "no space left on device", ReadAt: worldNow})
		},
	}
	for name, o := range outcomes() {
		all["outcome-"+name] = func(f Frame) string {
			f.Outcome, f.Header.Role, f.Header.ArmsFor = o, "READ-ONLY", actions.ArmedFor
			return r.Overview(f)
		}
	}
	return all
}

type fatalNever struct{}

func (fatalNever) Fatal(args ...any) { panic(args) }

func TestActingLooksAsItDid(t *testing.T) {
	for name, draw := range actingScreens(NewRenderer()) {
		for _, size := range sizes()[:3] {
			if strings.HasPrefix(name, "outcome-") && size[0] != 80 {
				continue
			}
			compareGolden(t, name, size, "mono", draw)
			if !strings.HasPrefix(name, "outcome-") {
				compareGolden(t, name, size, "dark", draw)
			}
		}
		compareGolden(t, name, [2]int{80, 24}, "dark", draw)
		compareGolden(t, name, [2]int{80, 24}, "ascii", draw)
	}
}

func TestThePanelNeverLosesWhatDecides(t *testing.T) {
	r := NewRenderer()
	for _, size := range append(sizes(), [2]int{60, 16}, [2]int{79, 19}) {
		f := acting(worldFrame(size[0], size[1], NewTheme(Options{Profile: Mono})))
		for _, c := range []struct {
			panel Panel
			needs []string
		}{
			{armedPanel(t, pausePreview(), "P", "pause admission"), []string{"ARMED 7 s", "P pause admission", "800/min → 0/min", "press", "f", "to send", "INC-2214", "PROD"}},
			{armedPanel(t, rampPreview(), "R", "resume admission"), []string{"ARMED 19 s", "SEVERE", "0/min → 800/min", "type lanterns then enter:", "PROD"}},
			{aimed(armedPanel(t, pausePreview(), "P", "pause admission"), AimAsk), []string{"ASK A SECOND PERSON 7 s", "P pause admission", "800/min → 0/min", "press", "f", "to ask a second person", "PROD"}},
			{aimed(armedPanel(t, pausePreview(), "", "approve pause admission"), AimAgree), []string{"AGREE 7 s", "800/min → 0/min", "press", "f", "to agree", "PROD"}},
		} {
			got := ansi.Strip(r.Confirm(f, c.panel, worldNow))
			for _, need := range c.needs {
				if !strings.Contains(got, need) {
					t.Errorf("at %dx%d the panel lacks %q:\n%s", size[0], size[1], need, got)
				}
			}
			if n := len(strings.Split(got, "\n")); n > size[1]-2-footerRows(&f) {
				t.Errorf("at %dx%d the panel has %d rows and covers the header or the footer", size[0], size[1], n)
			}
		}
	}
}

func TestThePanelAt80x24SaysEverythingOfAPause(t *testing.T) {
	r := NewRenderer()
	f := acting(worldFrame(80, 24, NewTheme(Options{Profile: Mono})))
	got := ansi.Strip(r.Confirm(f, armedPanel(t, pausePreview(), "P", "pause admission"), worldNow))
	for _, need := range []string{"people", "~12,240 waiting", "stays", "not changed", "effect", "1:00 to 2:00", "cost", "$0", "reverts it", "undo", "evidence", "declines 7.0 % (8s)", "warning", "tab edits, timer stops"} {
		if !strings.Contains(got, need) {
			t.Errorf("it lacks %q:\n%s", need, got)
		}
	}
}

func TestAPanelThatIsNotArmedShowsNoLetter(t *testing.T) {
	r := NewRenderer()
	f := worldFrame(120, 36, NewTheme(Options{Profile: Mono}))
	for _, c := range []struct {
		sentence string
		change   func(*Panel)
		says     string
	}{
		{"it is over", func(p *Panel) { p.Confirm = p.Confirm.Tick(worldNow.Add(time.Minute)) }, "the time was over; nothing has been sent"},
		{"it was disarmed", func(p *Panel) { p.Confirm = p.Confirm.Off(actions.ByPaste) }, "text was pasted; nothing has been sent"},
		{"the reason is edited", func(p *Panel) { p.Confirm = p.Confirm.Edit(worldNow) }, "enter keeps the reason and arms again"},
		{"a second person is waited for", func(p *Panel) { p.Aim = AimWaits }, "another operator agrees"},
		{"it is being journalled", func(p *Panel) { p.Aim = AimAsking }, "being journalled; nothing has been sent"},
		{"it is refused", func(p *Panel) { p.Preview.Refuse(actions.GuardRole, "you are a viewer", "") }, "▲ you are a viewer"},
		{"the target is being read", func(p *Panel) { p.Preview = nil }, "reading the target again"},
	} {
		p := armedPanel(t, pausePreview(), "P", "pause admission")
		c.change(&p)
		got := ansi.Strip(r.Confirm(f, p, worldNow))
		if strings.Contains(got, "press") || strings.Contains(got, "to send") {
			t.Errorf("%s, and yet it asks for a key:\n%s", c.sentence, got)
		}
		if !strings.Contains(got, c.says) {
			t.Errorf("%s: it lacks %q:\n%s", c.sentence, c.says, got)
		}
	}
}

func TestWhatIsNotKnownIsNotSaidToBeNothing(t *testing.T) {
	f := worldFrame(120, 36, NewTheme(Options{Profile: Mono}))
	q := &actions.Preview{Change: "a → b", Risk: actions.Normal, Effect: &actions.Effect{Signal: sale.AdmissionRate}, Evidence: []actions.Observed{{Label: "declines", Needed: true}}}
	p := armedPanel(t, q, "P", "pause")
	p.Reason = ""
	got := ansi.Strip(NewRenderer().Confirm(f, p, worldNow))
	for _, need := range []string{"affected: not known", "cost         not known", "time until it is seen: not known", "declines not known", "none given"} {
		if !strings.Contains(got, need) {
			t.Errorf("it lacks %q:\n%s", need, got)
		}
	}
}

func TestTheStripStandsAtTheSamePlaceOnEveryScreen(t *testing.T) {
	r := NewRenderer()
	for _, size := range sizes() {
		f := worldFrame(size[0], size[1], NewTheme(Options{Profile: Mono}))
		f.Outcome = outcomes()["not-taken"]
		at := -1
		for name, draw := range screens(r) {
			if name == "palette" {
				continue
			}
			lines := strings.Split(ansi.Strip(draw(f)), "\n")
			for i, line := range lines {
				if !strings.HasPrefix(line, "▲ NOT TAKEN") {
					continue
				}
				if at < 0 {
					at = i
				}
				if i != at || i != size[1]-footerRows(&f) {
					t.Errorf("at %dx%d the strip of %s is in row %d, elsewhere in %d", size[0], size[1], name, i, at)
				}
			}
		}
		if at < 0 {
			t.Errorf("at %dx%d no screen shows the strip", size[0], size[1])
		}
	}
}

func TestTheHeaderSaysWhetherAKeyCanAct(t *testing.T) {
	r := NewRenderer()
	for _, c := range []struct {
		header Header
		want   string
	}{
		{Header{Operator: "ivana", Role: "READ-ONLY"}, "operator ivana READ-ONLY"},
		{Header{Operator: "zoran", Title: "viewer", Role: "READ-ONLY"}, "viewer zoran READ-ONLY"},
		{Header{Operator: "ivana", Role: "READ-ONLY", ArmsFor: actions.ArmedFor}, "operator ivana READ-ONLY"},
		{Header{Operator: "ivana", Role: "READ-ONLY", ArmsFor: actions.ArmedFor, Armed: 6001 * time.Millisecond}, "operator ivana ARMED 7 s"},
		{Header{Operator: "ivana", Role: "READ-ONLY", Loud: "JOURNAL CAN'T BE WRITTEN"}, "ivana READ-ONLY ▲ JOURNAL CAN'T BE WRITTEN"},
	} {
		f := worldFrame(80, 24, NewTheme(Options{Profile: Mono}))
		f.Header = c.header
		f.Header.Environment = "PROD"
		if line := strings.Split(ansi.Strip(r.Sources(f)), "\n")[1]; !strings.HasPrefix(line, c.want) {
			t.Errorf("the header says %q, want %q", line, c.want)
		}
	}
	f := worldFrame(200, 50, NewTheme(Options{Profile: Mono}))
	f.Header = Header{Environment: "PROD", Operator: "ivana", Role: "READ-ONLY", ArmsFor: actions.ArmedFor}
	if line := strings.Split(ansi.Strip(r.Sources(f)), "\n")[1]; !strings.HasPrefix(line, "operator ivana  READ-ONLY (a key arms one action for 8 s)") {
		t.Errorf("a wide header says %q", line)
	}
}

func anyPreview(t *rapid.T) *actions.Preview {
	text := func(label string) string { return names().Draw(t, label) }
	q := &actions.Preview{
		Change: text("change"), How: text("how"), PeopleText: text("people"), Stays: text("stays"), NotChanged: text("not changed"), EffectText: text("effect"), CostText: text("cost"),
		UndoText: text("undo"), RevertsIt: text("reverts"), ByWhom: text("by"), ReadAt: moments().Draw(t, "read at"), Modified: moments().Draw(t, "modified"),
		Target: actions.Target{Kind: text("kind"), Name: text("target"), Account: text("account"), Region: text("region")}, Risk: rapid.SampledFrom([]actions.Risk{actions.Mild, actions.Normal, actions.Severe, ""}).Draw(t, "risk"),
		Warnings: rapid.SliceOfN(names(), 0, 9).Draw(t, "warnings"), Latest: time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "latest")),
	}
	q.Request.Sale = "s0"
	if rapid.Bool().Draw(t, "costed") {
		q.CostPerHour = ptr(values().Draw(t, "cost per hour"))
	}
	for range rapid.IntRange(0, 5).Draw(t, "facts") {
		q.Facts = append(q.Facts, actions.Fact{Label: text("fact"), Text: text("fact text")})
	}
	for range rapid.IntRange(0, 5).Draw(t, "steps") {
		q.Steps = append(q.Steps, actions.Step{Preview: actions.Preview{Change: text("step")}, After: time.Minute, Hold: []actions.Condition{{Signal: sale.Signal(text("held signal")), Limit: values().Draw(t, "limit")}}})
	}
	for range rapid.IntRange(0, 4).Draw(t, "quoted") {
		q.Evidence = append(q.Evidence, actions.Observed{Label: text("label"), Has: rapid.Bool().Draw(t, "has"), Value: values().Draw(t, "observed"), At: moments().Draw(t, "observed at"), Needed: true})
	}
	return q
}

func TestThePanelHasItsSizeWhateverItShows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame(t)
		r := NewRenderer()
		q := anyPreview(t)
		p := armedPanel(fatalNever{}, q, "P", names().Draw(t, "label"))
		p.Reason, p.Change, p.Second, p.Required = names().Draw(t, "reason"), names().Draw(t, "change id"), names().Draw(t, "second"), names().Draw(t, "required")
		p.Aim = rapid.SampledFrom([]Aim{AimSend, AimAsk, AimAgree, AimWaits, AimAsking, "an aim that nobody knows"}).Draw(t, "aim")
		q.Request.Glass = rapid.Bool().Draw(t, "glass")
		for range rapid.IntRange(0, 4).Draw(t, "lifted") {
			q.Lifted = append(q.Lifted, actions.Refusal{Text: names().Draw(t, "what is lifted")})
		}
		switch rapid.IntRange(0, 3).Draw(t, "state") {
		case 1:
			p.Confirm = p.Confirm.Edit(worldNow)
		case 2:
			q.Refuse(actions.GuardBounds, names().Draw(t, "refusal"), names().Draw(t, "hint"))
		case 3:
			p.Preview = nil
		}
		if rapid.Bool().Draw(t, "strip") {
			f.Outcome = &Outcome{Stage: Stage(rapid.SampledFrom([]string{"SENT", "DONE", "", "a stage that nobody knows"}).Draw(t, "stage")), At: moments().Draw(t, "outcome at"), Text: names().Draw(t, "outcome"), More: names().Draw(t, "more"), Undo: names().Draw(t, "undo key"), Loud: names().Draw(t, "loud")}
		}
		if f.Width < minWidth || f.Height < minHeight {
			return
		}
		base := r.Overview(f)
		checkSize(t, base, f.Width, f.Height)
		checkSize(t, r.Over(base, r.Confirm(f, p, worldNow), f), f.Width, f.Height)
		question := Question{Key: "N", Label: names().Draw(t, "asked"), Ask: names().Draw(t, "ask"), Input: names().Draw(t, "input"), Lines: rapid.SliceOfN(names(), 0, 20).Draw(t, "lines"), Wrong: names().Draw(t, "wrong")}
		checkSize(t, r.Over(base, r.Ask(f, question), f), f.Width, f.Height)
		j := Journal{Head: names().Draw(t, "head"), Problem: names().Draw(t, "problem"), Total: rapid.IntRange(0, 1e9).Draw(t, "total")}
		for range rapid.IntRange(0, 30).Draw(t, "records") {
			j.Rows = append(j.Rows, JournalRow{At: moments().Draw(t, "at"), Seq: rapid.Uint64().Draw(t, "seq"), Code: names().Draw(t, "code"), Who: names().Draw(t, "who"), Sale: names().Draw(t, "of sale"), Text: names().Draw(t, "what"), Stage: StageDone, Result: names().Draw(t, "result"), Words: []JournalFact{{names().Draw(t, "word"), names().Draw(t, "words")}}})
		}
		checkSize(t, r.Journal(f, j), f.Width, f.Height)
	})
}

func aimed(p Panel, at Aim) Panel {
	p.Aim = at
	return p
}
