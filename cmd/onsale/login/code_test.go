package login

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	rehearsed "github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/sale"
)

// person answers with one code after another, then declines. hold, where it is set, keeps the person
// thinking until it is closed.
type person struct {
	hold chan struct{}

	mu    sync.Mutex
	codes []string
	asked []Question
}

func (p *person) Code(ctx context.Context, q Question) (string, error) {
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, q)
	if len(p.codes) == 0 {
		return "", ErrDeclined
	}
	code := p.codes[0]
	p.codes = p.codes[1:]
	return code, nil
}

func (p *person) questions() []Question {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Question(nil), p.asked...)
}

func (p *person) knows(codes ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes = codes
}

const withMFA = baseKeys + "[profile act]\nrole_arn = " + role + "\nsource_profile = base\nmfa_serial = " + device + "\n"

func TestOneCodeIsEnoughForEveryClientOfALogin(t *testing.T) {
	m := newMachine(t)
	m.write(".aws/config", withMFA)
	asked := m.sts(rehearsed.WithMFA(device, func() string { return "271828" }))
	ines := &person{codes: []string{"271828"}}
	b := NewBook(Options{Operator: "ines", Asker: ines})
	configs := []config.AWS{{Profile: "act"}, {Profile: "act", Region: "us-east-1"}, {Profile: "act", Endpoint: "https://ecs.example"}}
	made := configOf(t, b, true, configs[0])
	configOf(t, b, true, configs[1])
	last := configOf(t, b, true, configs[2])
	if n := len(b.all()); n != 1 {
		t.Fatalf("%d logins", n)
	}
	b.Ready(t.Context())
	for range 3 {
		who, err := identity(t, made)
		if err != nil || !strings.HasSuffix(who, "onsale-act/ines@onsale") {
			t.Errorf("%s, %v", who, err)
		}
	}
	if _, err := identity(t, last); err != nil {
		t.Error(err)
	}
	if q := ines.questions(); len(q) != 1 || q[0] != (Question{Login: "act", Acts: true, Serial: device}) {
		t.Errorf("%+v", q)
	}
	if got := asked.all(); len(got) != 1 || got[0]["DurationSeconds"] != "3600" || got[0]["SerialNumber"] != device {
		t.Errorf("STS was asked %v", got)
	}
	all := b.Standings([]Use{{Acts: true, In: configs[0], By: "tasks", Sales: []sale.ID{"harbour"}}, {Acts: true, In: configs[1], By: "pods", Sales: []sale.ID{"harbour", "lantern"}}, {In: configs[0], By: "cw"}})
	if len(all) != 1 || !slices.Equal(all[0].UsedBy, []string{"tasks", "pods"}) || !slices.Equal(all[0].Sales, []sale.ID{"harbour", "lantern"}) {
		t.Fatalf("%+v", all)
	}
	l := all[0]
	if left := time.Until(l.Until); l.State != sale.LoginReady || l.Renews || left < 59*time.Minute || left > time.Hour {
		t.Errorf("%+v", l)
	}
}

func TestReadersAndControlsHoldCredentialsOfTheirOwn(t *testing.T) {
	m := newMachine(t)
	m.write(".aws/config", withMFA)
	now := "271828"
	m.sts(rehearsed.WithMFA(device, func() string { return now }))
	ines := &person{codes: []string{"271828", "271828", "12345", "161803"}}
	b := NewBook(Options{Asker: ines})
	configOf(t, b, false, config.AWS{Profile: "act"})
	if _, err := b.all()[0].wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	now = "161803"
	configOf(t, b, true, config.AWS{Profile: "act"})
	if _, err := b.all()[1].wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	uses := []Use{{Acts: true, In: config.AWS{Profile: "act"}, By: "tasks"}, {In: config.AWS{Profile: "act"}, By: "cw"}}
	if all := b.Standings(uses); len(all) != 2 || all[0].Acts || !all[1].Acts || all[0].UsedBy[0] != "cw" {
		t.Errorf("%+v", all)
	}
	q := ines.questions()
	if len(q) != 4 || !strings.Contains(q[2].Wrong, "only once") || !strings.Contains(q[3].Wrong, "six digits") {
		t.Errorf("%+v", q)
	}
}

func TestAWrongCodeIsAskedAgainWithTheReason(t *testing.T) {
	m := newMachine(t)
	m.write(".aws/config", withMFA)
	asked := m.sts(rehearsed.WithMFA(device, func() string { return "271828" }))
	ines := &person{codes: []string{"111111", "271828"}}
	b := NewBook(Options{Asker: ines})
	configOf(t, b, true, config.AWS{Profile: "act"})
	if _, err := b.all()[0].wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if q := ines.questions(); len(q) != 2 || !strings.Contains(q[1].Wrong, "AWS did not take it") {
		t.Errorf("%+v", q)
	}
	if n := len(asked.all()); n != 2 {
		t.Errorf("STS was asked %d times", n)
	}
}

func TestAPollerNeverWaitsForAPersonAndNobodyIsAskedAgainUnwanted(t *testing.T) {
	m := newMachine(t)
	m.write(".aws/config", withMFA)
	m.sts(rehearsed.WithMFA(device, func() string { return "271828" }))
	ines := &person{hold: make(chan struct{})}
	b := NewBook(Options{Asker: ines})
	cfg := configOf(t, b, false, config.AWS{Profile: "act"})
	for range 2 {
		_, err := identity(t, cfg)
		if p := problemOf(t, err); p.Class != sale.Auth || p.Text != "act: waits for an MFA code" {
			t.Errorf("%+v", p)
		}
	}
	if l := b.all()[0].standing(); l.State != sale.LoginAsks {
		t.Errorf("%+v", l)
	}
	close(ines.hold)
	k := b.all()[0]
	_, err := k.wait(t.Context())
	if p := problemOf(t, err); p.Text != "act: no MFA code was given" {
		t.Errorf("%+v", p)
	}
	for range 5 {
		b.Renew()
		if _, err := identity(t, cfg); err == nil {
			t.Error("there are credentials without a code")
		}
	}
	if n := len(ines.questions()); n != 1 {
		t.Errorf("asked %d times", n)
	}
	ines.knows("271828")
	if !b.Again() {
		t.Error("nothing to ask again")
	}
	if _, err := k.wait(t.Context()); err != nil {
		t.Error(err)
	}
	if b.Again() {
		t.Error("there is still something to ask")
	}
}

func TestARoleOfTheConfigMayWantACodeToo(t *testing.T) {
	m := newMachine(t)
	m.write(".aws/config", baseKeys)
	m.sts(rehearsed.WithMFA(device, func() string { return "271828" }))
	in := config.AWS{Profile: "base", Role: role, MFASerial: device}
	_, err := identity(t, configOf(t, NewBook(Options{}), true, in))
	if p := problemOf(t, err); !strings.Contains(p.Text, "nobody to ask") {
		t.Errorf("%+v", p)
	}
	b := NewBook(Options{Asker: &person{codes: []string{"271828"}}})
	cfg := configOf(t, b, true, in)
	b.Ready(t.Context())
	if _, err := identity(t, cfg); err != nil {
		t.Error(err)
	}
}
