package ui

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// fakeHands counts what a session does with its hands, and answers as a test sets.
type fakeHands struct {
	mu       sync.Mutex
	status   Status
	offers   []Offer
	preview  actions.Preview
	err      error
	needs    Needs
	result   actions.Result
	news     []News
	hold     chan struct{} // Run waits for it
	steps    []actions.Result
	previews []actions.Request
	runs     []actions.Confirmed
	tries    []actions.Verb
	armed    map[string]bool
	armings  int
	bell     chan struct{}
	requests []actions.Asked
	asks     []actions.Preview
	answers  []string
	refuse   *actions.Refusal // of asking and answering
}

func newHands() *fakeHands {
	f := &fakeHands{
		status: Status{Actor: actions.Actor{Name: "mira", Role: actions.Operator, Via: "local"}},
		result: actions.Result{ID: "a1", Outcome: actions.Done, Text: "read back: queue_all on"},
		armed:  map[string]bool{}, bell: make(chan struct{}, 1),
		preview: actions.Preview{Risk: actions.Normal, Change: "800/min → 0/min", Target: actions.Target{System: "waitingroom", Kind: "waiting room", Name: "harbour"}},
	}
	for _, m := range actions.Verbs() {
		if m.Verb != actions.RunPlay {
			f.offers = append(f.offers, Offer{Verb: m.Verb})
		}
	}
	f.offers = append(f.offers, Offer{Verb: actions.RunPlay, Play: "storm", Hint: "pause, then open an incident"})
	return f
}

func (f *fakeHands) Status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fakeHands) Offers(context.Context, sale.ID) []Offer {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.offers)
}

func (f *fakeHands) Preview(_ context.Context, req actions.Request) (actions.Preview, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.previews = append(f.previews, req)
	p := f.preview
	p.Request, p.Refusals = req, slices.Clone(p.Refusals)
	return p, f.err
}

func (f *fakeHands) Needs(context.Context, actions.Preview) Needs { return f.needs }

func (f *fakeHands) Arm(p actions.Preview, lasts time.Duration) (actions.Arming, *actions.Refusal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armings++
	id := fmt.Sprintf("arming %d", f.armings)
	f.armed[id] = true
	return actions.Arming{ID: id, Until: time.Now().Add(lasts)}, nil
}

func (f *fakeHands) Disarm(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.armed, id)
}

func (f *fakeHands) Run(_ context.Context, c actions.Confirmed) actions.Result {
	f.mu.Lock()
	f.runs = append(f.runs, c)
	if !f.armed[c.Arming] {
		f.mu.Unlock()
		return actions.Result{Outcome: actions.Refused, Text: "not armed"}
	}
	delete(f.armed, c.Arming)
	hold, steps, res := f.hold, f.steps, f.result
	f.mu.Unlock()
	for _, step := range steps {
		step.Preview = c.Preview
		c.Progress(step)
	}
	if hold != nil {
		<-hold
	}
	res.Preview = c.Preview
	return res
}

func (f *fakeHands) Ask(_ context.Context, p actions.Preview) (string, *actions.Refusal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asks = append(f.asks, p)
	if f.refuse != nil {
		return "", f.refuse
	}
	id := fmt.Sprintf("request-%06d", len(f.requests))
	f.requests = append(f.requests, actions.Asked{
		ID: id, Requester: f.status.Actor, Request: p.Request, Change: p.Change, Token: p.Token(), At: time.Now(), Stage: actions.AskWaiting, Left: 5 * time.Minute,
	})
	return id, nil
}

func (f *fakeHands) Review(ctx context.Context, id string) (actions.Preview, error) {
	f.mu.Lock()
	var req actions.Request
	for _, a := range f.requests {
		if a.ID == id {
			req = a.Request
		}
	}
	f.mu.Unlock()
	return f.Preview(ctx, req)
}

func (f *fakeHands) Answer(_ context.Context, id, token string, agree bool) *actions.Refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = append(f.answers, fmt.Sprint(id, " ", token != "", " ", agree))
	if f.refuse != nil {
		return f.refuse
	}
	for i := range f.requests {
		if a := &f.requests[i]; a.ID == id {
			a.Stage, a.Answerer, a.Answered, a.Left = actions.AskDeclined, f.status.Actor, time.Now(), 0
			if agree {
				a.Stage, a.Left = actions.AskAgreed, time.Minute
			}
		}
	}
	return nil
}

func (f *fakeHands) Requests() []actions.Asked {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

func (f *fakeHands) Tried(_ context.Context, req actions.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries = append(f.tries, req.Verb)
}

func (f *fakeHands) News() []News {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.news)
}

func (f *fakeHands) Subscribe() (<-chan struct{}, func()) { return f.bell, func() {} }

func (f *fakeHands) Journal(context.Context) (views.Journal, error) {
	return views.Journal{Rows: []views.JournalRow{{Seq: 2, Text: "pause"}, {Seq: 1, Text: "note"}}}, f.err
}

func (f *fakeHands) counts() (previews, runs, armed int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.previews), len(f.runs), len(f.armed)
}

// actor is a hand that can act, in a bubble of its own time.
type actor struct {
	*hand
	hands *fakeHands
}

func act(t *testing.T, change func(*fakeHands), story func(a *actor)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		hands := newHands()
		if change != nil {
			change(hands)
		}
		h := newHand(t, 6, func(o *Options) { o.Hands = hands })
		h.send(newsMsg{})
		a := &actor{h, hands}
		a.wait(time.Second)
		story(a)
		if hands.hold == nil {
			a.m.guard.Wait()
		}
	})
}

// wait lets time go by as a person does between two keys; the clock of the screen goes on.
func (a *actor) wait(d time.Duration) {
	a.t.Helper()
	for ; d > time.Second; d -= time.Second {
		time.Sleep(time.Second)
		a.send(clockMsg{})
	}
	time.Sleep(d)
	a.send(clockMsg{})
}

// slowly types keys with a look between them.
func (a *actor) slowly(names ...string) {
	a.t.Helper()
	for _, name := range names {
		a.wait(500 * time.Millisecond)
		if name == "CHALLENGE" {
			name = a.challenge()
		}
		a.send(keyPress(name))
	}
}

// hurried types keys one behind the other. What they ask for goes on meanwhile, and brings its answers
// between them: nothing that takes its time holds up the next key.
func (a *actor) hurried(gap time.Duration, names ...string) {
	a.t.Helper()
	answers := make(chan tea.Msg, 1000)
	var running atomic.Int32
	begin := func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		running.Add(1)
		go func() {
			answers <- cmd()
			running.Add(-1)
		}()
	}
	listen := func() {
		for synctest.Wait(); ; synctest.Wait() {
			select {
			case msg := <-answers:
				switch msg := msg.(type) {
				case tea.BatchMsg:
					for _, cmd := range msg {
						begin(cmd)
					}
				case frameMsg, offersMsg, previewMsg, pressedMsg, askedMsg, stepMsg, ranMsg, journalMsg, shelvedMsg:
					_, cmd := a.m.Update(msg)
					begin(cmd)
				}
			default:
				return
			}
		}
	}
	for _, name := range names {
		time.Sleep(gap)
		listen()
		_, cmd := a.m.Update(keyPress(name))
		begin(cmd)
		listen()
	}
	for running.Load() > 0 {
		time.Sleep(gap)
		listen()
	}
}

// atOnce types keys as one read of the terminal brings them; what they ask for comes after.
func (a *actor) atOnce(names ...string) {
	a.t.Helper()
	var cmds []tea.Cmd
	for _, name := range names {
		_, cmd := a.m.Update(keyPress(name))
		cmds = append(cmds, cmd)
	}
	for _, cmd := range cmds {
		a.perform(cmd)
	}
}

func (a *actor) challenge() string {
	a.t.Helper()
	if a.m.acting == nil || a.m.acting.confirm.Challenge == 0 {
		a.t.Fatalf("no challenge is asked:\n%s", a.now())
	}
	return string(a.m.acting.confirm.Challenge)
}

// wrong is a letter that is not the challenge.
func (a *actor) wrong() string {
	if a.challenge() == "a" {
		return "b"
	}
	return "a"
}

func (a *actor) ran(n int) {
	a.t.Helper()
	if _, runs, _ := a.hands.counts(); runs != n {
		a.t.Errorf("%d actions were sent, want %d:\n%s", runs, n, a.now())
	}
}

// disarmed checks that nothing was sent and that no leave to send is left.
func (a *actor) disarmed(why string) {
	a.t.Helper()
	a.ran(0)
	if _, _, armed := a.hands.counts(); armed != 0 {
		a.t.Errorf("%d armings are left", armed)
	}
	a.seesNot("CONFIRM ")
	a.sees(why, "nothing was sent")
}
