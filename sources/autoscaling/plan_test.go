package autoscaling

import (
	"slices"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

func planned(t *testing.T, h *wire, plans ...Plan) *Source {
	t.Helper()
	endpoint := serve(t, h)
	s, err := New(Options{
		Name: "fleet", Region: "eu-central-1", Secrets: []string{sourcetest.Secret}, API: NewClient(config(), endpoint, nil),
		Queries: []Query{ask("arena", "web", Desired), ask("club", "web", Desired)}, Plans: plans,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func doors(minutes, to int) Plan {
	return Plan{Group: "web", Plan: sources.Plan{Sale: "arena", Name: "onsale.arena.doors", Text: "opens-15m", At: noon().Add(time.Duration(minutes) * time.Minute), To: to}}
}

func TestAPlanIsToldToItsSaleAndFollowedUntilItIsSent(t *testing.T) {
	h := usual()
	h.set("DescribeAutoScalingGroups web", groupXML("web", ""))
	abroad := doors(30, 4)
	abroad.Group = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:x:autoScalingGroupName/web"
	s := planned(t, h, doors(30, 6), abroad)
	notes := func(after time.Duration) []string {
		b := s.Read(t.Context(), noon().Add(after))
		for _, n := range b.Notes {
			if n.Sale != "arena" {
				t.Errorf("%s is told of it", n.Sale)
			}
		}
		return notesOf(b)
	}
	if got := notes(0); !slices.Equal(got, []string{"not_planned: web: NOT planned: opens-15m (12:30 UTC) to 6; scale ahead sends it"}) {
		t.Errorf("got %q", got)
	}
	h.set("DescribeScheduledActions", list("ScheduledUpdateGroupActions", "<member><ScheduledActionName>onsale.arena.doors</ScheduledActionName><StartTime>"+at("12:30")+"</StartTime><MinSize>6</MinSize></member>"))
	if got := notes(30 * time.Second); !slices.Equal(got, []string{"planned: web: planned 12:30 UTC: min 2 → 6 (opens-15m)"}) {
		t.Errorf("half a minute after it was sent: %q", got)
	}
	h.fail("DescribeScheduledActions", "AccessDenied")
	b := s.Read(t.Context(), noon().Add(15*time.Minute))
	if got := notesOf(b); len(got) > 0 || len(b.Warnings) != 1 {
		t.Errorf("what can't be read is said: %q %q", got, b.Warnings)
	}
}

func TestAPlanFarAheadIsLookedForWhereItIs(t *testing.T) {
	h := usual()
	h.set("DescribeAutoScalingGroups web", groupXML("web", ""))
	far := "2026-12-09T12:00:00Z"
	h.set("DescribeScheduledActions", list("ScheduledUpdateGroupActions",
		"<member><ScheduledActionName>onsale.arena.doors</ScheduledActionName><StartTime>"+far+"</StartTime><MinSize>6</MinSize></member>",
		"<member><ScheduledActionName>other</ScheduledActionName><StartTime>"+far+"</StartTime><MinSize>3</MinSize></member>"))
	got := notesOf(planned(t, h, doors(5*24*60, 6)).Read(t.Context(), noon()))
	if want := []string{"planned: web: planned Dec 9 12:00 UTC: min 2 → 6 (opens-15m)"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: what others plan in days is not of today", got, want)
	}
	if end := (&group{plans: []sources.Plan{doors(5*24*60, 6).Plan}}).farthest(noon()); !end.After(noon().Add(5 * 24 * time.Hour)) {
		t.Errorf("asked for until %s", end)
	}
}

func TestAListThatIsCutProvesNoAbsence(t *testing.T) {
	h := usual()
	h.set("DescribeAutoScalingGroups web", groupXML("web", ""))
	h.set("DescribeScheduledActions", list("ScheduledUpdateGroupActions")+"<NextToken>more</NextToken>")
	if got := notesOf(planned(t, h, doors(30, 6)).Read(t.Context(), noon())); len(got) != 1 || got[0][:12] != "plan_unknown" {
		t.Errorf("got %q", got)
	}
}
