package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/ui"
)

// room is a desk with a wheel at which several people sit.
type room struct {
	t      *testing.T
	desk   *desk
	wheel  *wheel
	system *actiontest.Memory
	dir    string
	roles  map[string]actions.Role
	guests map[string]*guest
}

func newRoom(t *testing.T, change ...func(*actions.Policy)) *room {
	r := &room{t: t, system: actiontest.NewMemory("lantern-26"), dir: filepath.Join(t.TempDir(), "journal"), roles: map[string]actions.Role{}, guests: map[string]*guest{}}
	r.desk = deskOn(t, r.system, r.dir, elsewhere, change...)
	r.wheel = newWheel(r.desk)
	return r
}

// sits lets somebody in, whose role the room knows.
func (r *room) sits(name string, role actions.Role) (*hands, ui.Wheel) {
	r.roles[name] = role
	g := &guest{name: name, who: func() actions.Actor {
		return actions.Actor{Name: name, Role: r.roles[name], Via: "ssh", Fingerprint: "SHA256:" + name}
	}}
	r.guests[name] = g
	r.wheel.sit(g)
	h := r.desk.of(name, role)
	h.who, h.wheel = g.actor, r.wheel
	return h, r.wheel.seat(g)
}

func (r *room) rate(h *hands) *actions.Refusal {
	r.t.Helper()
	p, err := h.Preview(r.t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(400)})
	if err != nil || p.Refused() {
		r.t.Fatalf("%v %+v", err, p.Refusals)
	}
	a, no := h.Arm(p, 8*time.Second)
	if no != nil {
		return no
	}
	h.Disarm(a.ID)
	return nil
}

func TestWhoeverActsFirstDrivesAndNobodyElseActs(t *testing.T) {
	r := newRoom(t)
	ivana, hers := r.sits("ivana", actions.Operator)
	marko, his := r.sits("marko", actions.Operator)
	if s := hers.State(); s.Driver != "" || s.Mine {
		t.Errorf("before anything: %+v", s)
	}
	if no := r.rate(ivana); no != nil {
		t.Fatal(no)
	}
	if no := r.rate(marko); no == nil || !strings.Contains(no.Text, "ivana drives") {
		t.Errorf("another operator: %v", no)
	}
	if s := his.State(); s.Driver != "ivana" || s.Mine {
		t.Errorf("marko sees %+v", s)
	}
	if s := hers.State(); !s.Mine || !strings.Contains(s.Note, "marko tried admission rate on lantern: refused") {
		t.Errorf("the driver is told %+v", s)
	}
}

func TestControlThatPassedMeanwhileStopsWhatWasArmed(t *testing.T) {
	r := newRoom(t)
	ivana, hers := r.sits("ivana", actions.Operator)
	_, his := r.sits("marko", actions.Operator)
	p, err := ivana.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(400)})
	if err != nil || p.Refused() {
		t.Fatalf("%v %+v", err, p.Refusals)
	}
	a, no := ivana.Arm(p, 8*time.Second)
	if no != nil {
		t.Fatal(no)
	}
	writes := r.system.Writes()
	if his.Request(t.Context()) != nil || hers.Give(t.Context()) != nil {
		t.Fatal("control did not pass")
	}
	res := ivana.Run(t.Context(), actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now()})
	if res.Outcome != actions.Refused || !strings.Contains(res.Text, "marko drives") || r.system.Writes() != writes {
		t.Errorf("%+v", res)
	}
}

func TestControlIsGivenKeptGivenBackAndPassesWithoutAnAnswer(t *testing.T) {
	r := newRoom(t)
	_, hers := r.sits("ivana", actions.Operator)
	_, his := r.sits("marko", actions.Operator)
	_, third := r.sits("petra", actions.Operator)
	ctx := t.Context()
	if err := hers.Request(ctx); err != nil || !hers.State().Mine {
		t.Fatalf("taken while nobody drives: %v %+v", err, hers.State())
	}
	if err := his.Request(ctx); err != nil || his.State().Mine || !his.State().Asking {
		t.Fatalf("asked: %v %+v", err, his.State())
	}
	if err := third.Request(ctx); err == nil || !strings.Contains(err.Error(), "marko has asked before you") {
		t.Errorf("a third asks: %v", err)
	}
	if err := hers.Keep(ctx); err != nil || !hers.State().Mine || !strings.Contains(his.State().Note, "ivana keeps control") {
		t.Errorf("kept: %v %+v", err, his.State())
	}
	_ = his.Request(ctx)
	if err := hers.Give(ctx); err != nil || !his.State().Mine {
		t.Errorf("given: %v %+v", err, his.State())
	}
	if err := hers.Give(ctx); err == nil {
		t.Error("given away by somebody who doesn't drive")
	}
	_ = hers.Request(ctx)
	r.wheel.look(time.Now().Add(answerWithin - time.Second))
	if hers.State().Mine {
		t.Error("it passed before its time")
	}
	r.wheel.look(time.Now().Add(answerWithin + time.Second))
	if !hers.State().Mine || !strings.Contains(his.State().Note, "your answer took longer") {
		t.Errorf("without an answer: %+v", his.State())
	}
	if err := hers.Release(ctx); err != nil || hers.State().Driver != "" {
		t.Errorf("given back: %v %+v", err, hers.State())
	}
	var told []string
	for _, rec := range list(t, r.dir) {
		if rec.Code == codeControl && rec.Kind == journal.Note {
			told = append(told, rec.Text)
		}
	}
	if len(told) != 4 || !strings.Contains(told[2], "did not answer in 30s") {
		t.Errorf("the journal tells %q", told)
	}
}

func TestControlDoesNotStayWithWhoLeftOrIsNoOperatorAnyMore(t *testing.T) {
	r := newRoom(t)
	ivana, hers := r.sits("ivana", actions.Operator)
	_, his := r.sits("marko", actions.Operator)
	_ = hers.Request(t.Context())
	r.roles["ivana"] = actions.Viewer
	r.wheel.look(time.Now())
	if s := his.State(); s.Driver != "" {
		t.Errorf("a viewer drives: %+v", s)
	}
	if no := ivana.Status(); no.Off == "" {
		t.Error("a viewer's keys are on")
	}
	r.roles["ivana"] = actions.Operator
	_ = hers.Request(t.Context())
	_ = his.Request(t.Context())
	r.wheel.leave(r.guests["ivana"])
	if s := his.State(); !s.Mine {
		t.Errorf("after the driver has left, who asked drives: %+v", s)
	}
}

func TestAViewerWhoBecomesAnOperatorMayDrive(t *testing.T) {
	r := newRoom(t)
	_, his := r.sits("marko", actions.Viewer)
	if err := his.Request(t.Context()); err == nil {
		t.Error("a viewer drives")
	}
	r.roles["marko"] = actions.Operator
	if err := his.Request(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wheel.look(time.Now())
	if s := his.State(); !s.Mine {
		t.Errorf("a second later: %+v", s)
	}
}

func TestTheSecondPersonNeedNotDrive(t *testing.T) {
	r := newRoom(t, func(p *actions.Policy) { p.Requirements = []actions.Requirement{{Second: true}} })
	ivana, _ := r.sits("ivana", actions.Operator)
	marko, _ := r.sits("marko", actions.Operator)
	viewer, _ := r.sits("hall", actions.Viewer)
	p, err := ivana.Preview(t.Context(), actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(400)})
	if err != nil || p.Refused() {
		t.Fatalf("%v %+v", err, p.Refusals)
	}
	id, no := ivana.Ask(t.Context(), p)
	if no != nil {
		t.Fatal(no)
	}
	shown, err := marko.Review(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if no := viewer.Answer(t.Context(), id, shown.Token(), true); no == nil {
		t.Error("a viewer agrees")
	}
	if no := marko.Answer(t.Context(), id, shown.Token(), true); no != nil {
		t.Errorf("the second person: %v", no)
	}
	if res := ivana.does(t, id, actions.Request{Sale: "lantern", Verb: actions.Rate, To: to(400)}); res.Outcome != actions.Done {
		t.Errorf("%+v", res)
	}
}
