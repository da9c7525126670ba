package ecs

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

func planned(t *testing.T, endpoint string, plans ...Plan) *Source {
	t.Helper()
	s, err := New(Options{
		Name: "tasks", Region: "eu-central-1", Secrets: []string{sourcetest.Secret},
		API: NewClient(config(), endpoint, nil), Scaling: NewScalingClient(config(), endpoint, nil),
		Queries: []Query{ask("arena", "web", Running), ask("club", "web", Running)}, Plans: plans,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func doors(minutes, to int) Plan {
	return Plan{Cluster: "prod", Service: "web", Plan: sources.Plan{Sale: "arena", Name: "onsale.arena.doors", Text: "opens-15m", At: noon().Add(time.Duration(minutes) * time.Minute), To: to}}
}

func TestAPlanIsToldToItsSaleAndFollowedUntilItIsSent(t *testing.T) {
	h := usual("web")
	s := planned(t, serve(t, h), doors(30, 6), Plan{Cluster: "other", Service: "web", Plan: doors(30, 8).Plan})
	notes := func(after time.Duration) []string {
		b := s.Read(t.Context(), noon().Add(after))
		for _, n := range b.Notes {
			if n.Sale != sale.ID("arena") {
				t.Errorf("%s is told of it", n.Sale)
			}
		}
		return notesOf(b)
	}
	if got := notes(0); !slices.Equal(got, []string{"not_planned: web: NOT planned: opens-15m (12:30 UTC) to 6; scale ahead sends it"}) {
		t.Errorf("got %q", got)
	}
	h.change(func() {
		h.scheduled = []object{
			{"ScheduledActionName": "onsale.arena.doors", "Schedule": "at(2026-12-04T13:30:00)", "Timezone": "Europe/Zagreb", "ScalableTargetAction": object{"MinCapacity": 6}},
			{"ScheduledActionName": "night", "Schedule": "cron(0 3 * * ? *)", "ScalableTargetAction": object{"MinCapacity": 1}},
		}
	})
	if got := notes(30 * time.Second); !slices.Equal(got, []string{"planned: web: planned 12:30 UTC: min 2 → 6 (opens-15m)"}) {
		t.Errorf("half a minute after it was sent: %q", got)
	}
	h.change(func() { h.fails["DescribeScheduledActions"] = "AccessDeniedException" })
	b := s.Read(t.Context(), noon().Add(15*time.Minute))
	if got := notesOf(b); len(got) > 0 || len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], "scheduled actions can't be read") {
		t.Errorf("what can't be read is said: %q %q", got, b.Warnings)
	}
}

func TestWithoutAScalableTargetNothingCanBePlanned(t *testing.T) {
	h := usual("web")
	delete(h.targets, "web")
	got := notesOf(planned(t, serve(t, h), doors(30, 6)).Read(t.Context(), noon()))
	if want := []string{"not_planned: web: NOT planned: opens-15m to 6; no scalable target is registered, so nothing can be"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
