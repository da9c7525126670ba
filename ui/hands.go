package ui

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/views"
)

// Hands is how a session acts, for the one person who sits at it. Nothing behind it is called
// but by it, and it is called only as each method says. Texts that it hands out are clean, one
// line each.
//
// A method with a context may take seconds: it is called from a goroutine of its own, its
// context ends with the session or when the answer isn't wanted any more, and an answer that
// comes too late is dropped. The others must answer at once, from memory.
type Hands interface {
	// Status says who sits here and whether that person may act, at this moment.
	Status() Status
	// Offers says for each verb whether it can be done on a sale now. It is asked about once a
	// second for the sale in focus.
	Offers(ctx context.Context, id sale.ID) []Offer
	// Preview reads the target again and says what would happen. An error is shown as a refusal.
	Preview(ctx context.Context, req actions.Request) (actions.Preview, error)
	// Needs says what a person must bring along for a preview.
	Needs(ctx context.Context, p actions.Preview) Needs
	// Arm gives leave to send one preview once, within a time. Disarm takes it back.
	Arm(p actions.Preview, lasts time.Duration) (actions.Arming, *actions.Refusal)
	Disarm(arming string)
	// Run sends what was confirmed and says how it ended. Once an intent is journalled it must
	// see the action through whatever becomes of the context. The goroutine that runs it is one
	// of the session's Guard.
	Run(ctx context.Context, c actions.Confirmed) actions.Result
	// Ask asks for a second person for a preview and returns the request's id. Answer agrees to a request of somebody else, for
	// the token of what Review showed, or declines one. Review reads the target of a request again.
	Ask(ctx context.Context, p actions.Preview) (id string, no *actions.Refusal)
	Review(ctx context.Context, id string) (actions.Preview, error)
	Answer(ctx context.Context, id, token string, agree bool) *actions.Refusal
	// Requests lists the requests for a second person that are known of, everybody's, oldest first,
	// with what became of them. The bell of Subscribe rings when one has come further.
	Requests() []actions.Asked
	// Tried is told that somebody who may not act pressed an acting key, so that it can be
	// recorded. It must not call any system.
	Tried(ctx context.Context, req actions.Request)
	// News lists the newest actions that are known of, this session's and other people's, with
	// what was seen of their effects; newest first, no more than a few dozen. The bell of
	// Subscribe rings when it has changed: a channel that holds at most one ring.
	News() []News
	Subscribe() (bell <-chan struct{}, cancel func())
	// Journal reads the newest records.
	Journal(ctx context.Context) (views.Journal, error)
}

// Status is who sits here.
type Status struct {
	Actor actions.Actor
	// Off is why no key acts at all: "viewer: reads, cannot act". Empty when keys may act.
	Off string
	// Journal says why the journal can't be written; empty when it can. No key acts then.
	Journal string
}

// Offer is one thing that can be done on a sale, or why it can't be done now.
type Offer struct {
	Verb actions.Verb
	Play string // the play's name, with RunPlay
	Off  string // why not, in a few words; empty when it can be done
	// Hint is one line on what it would do: the ramp of a resume, the value that an undo restores.
	Hint string
	// Glass is what breaking the glass would lift: "freeze, second person". Empty: it can't be broken.
	Glass string
}

// Needs is what a person must bring along, and how old evidence that is needed may become while the
// panel is open; 0: as its freshness says.
type Needs struct {
	Reason, Change, Second bool
	EvidenceMaxAge         time.Duration
}

// News is an action, this session's or another's, as far as it has come.
type News struct {
	ID     string
	Sale   sale.ID
	Verb   actions.Verb
	Target actions.Target
	Who    string
	Own    bool      // this session sent it
	At     time.Time // when it came to where it is now
	Change string    // "800/min → 0/min"
	// Outcome is empty while it is not known how it ended.
	Outcome actions.Outcome
	Text    string
	Watch   *actions.Watch // what was seen of its effect; nil: nothing is watched
	Sight   actions.Sight  // the same, where another process watches; Text says it then
	Glass   string         // the guards that were lifted by breaking the glass; empty: none
}

// noControl is why no key acts in a session without hands.
const noControl = "no control is configured: this cockpit only reads"

// previewPatience bounds how long a panel waits for the target to be read.
const previewPatience = 20 * time.Second

// tooSlow is from which time to accept a frame on a key would act on a screen that is older
// than the key.
const tooSlow = 5 * time.Second

// offered is what is known of the offers for the sale in focus.
type offered struct {
	of     sale.ID
	known  bool
	list   []Offer
	asking bool
	stale  bool // ask again
}

// offersMsg brings the offers for a sale.
type offersMsg struct {
	of   sale.ID
	list []Offer
}

// newsMsg says that the hands have news.
type newsMsg struct{}

// lookHands takes in what the hands say at once.
func (m *model) lookHands() {
	m.lookWheel()
	if m.opts.Hands == nil {
		return
	}
	was := m.status
	m.status = m.opts.Hands.Status()
	if was != m.status {
		m.needs(nowNeed)
	}
	if p := m.acting; p != nil && p.actor != m.status.Actor {
		m.disarm(actions.ByRole)
	} else if p != nil && m.offAtAll() != "" {
		m.disarm(actions.Disarm(m.offAtAll()))
	}
}

// askOffers asks for the offers of the sale in focus, one question at a time.
func (m *model) askOffers() {
	o := &m.offers
	if m.opts.Hands == nil || o.asking || o.of == m.focus && o.known && !o.stale || m.snap.Sale(m.focus) == nil {
		return
	}
	if o.of != m.focus {
		*o = offered{of: m.focus}
	}
	o.asking, o.stale = true, false
	id, ask, ctx := m.focus, m.opts.Hands.Offers, m.ctx
	m.cmds = append(m.cmds, m.guard.cmd("offers", func() tea.Msg { return offersMsg{id, ask(ctx, id)} }))
}

func (m *model) takeOffers(msg offersMsg) {
	m.offers.asking = false
	if msg.of != m.offers.of {
		return // the focus went on meanwhile
	}
	if !m.offers.known || !slices.Equal(m.offers.list, msg.list) {
		m.needs(nowNeed)
	}
	m.offers.known, m.offers.list = true, msg.list
}

// offer finds what is offered for a verb.
func (m *model) offer(v actions.Verb, play string) (Offer, bool) {
	for _, o := range m.offers.list {
		if o.Verb == v && o.Play == play {
			return o, true
		}
	}
	return Offer{}, false
}

// offAtAll is why no key acts on any sale.
func (m *model) offAtAll() string {
	switch {
	case m.opts.Hands == nil:
		return noControl
	case m.status.Off != "":
		return m.status.Off
	case m.status.Actor.Role == actions.Viewer:
		return "viewer: reads, cannot act"
	case m.status.Actor.Role != actions.Operator:
		return "no role is given to you in the config"
	case m.status.Journal != "":
		return "the journal can't be written: " + m.status.Journal
	case m.lag() >= tooSlow:
		return "the screen is older than your key"
	}
	return ""
}

// offVerb is why an acting key does nothing on the sale in focus.
func (m *model) offVerb(v actions.Verb, play string) string {
	if why := m.offAtAll(); why != "" {
		return why
	}
	if why := m.passenger(); why != "" {
		return why
	}
	if m.snap.Sale(m.focus) == nil {
		return "no sale is in focus"
	}
	if why := m.unsettled(m.focus, v); why != "" {
		return why
	}
	if !m.offers.known || m.offers.of != m.focus {
		return "what can be done is being read"
	}
	o, ok := m.offer(v, play)
	if !ok {
		return "nothing is declared for it on this sale"
	}
	return o.Off
}
