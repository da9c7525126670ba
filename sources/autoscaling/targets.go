package autoscaling

import (
	"fmt"
	"strings"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/onsale-dev/onsale/sale"
)

// healthyTargets counts the group's instances that each of its target groups calls healthy:
// those that can serve. A target group that no load balancer uses has no say, unless there is
// no other.
func (g *group) healthyTargets() (float64, time.Time, *sale.Problem) {
	none := func(class sale.Class, text, hint string) (float64, time.Time, *sale.Problem) {
		return 0, time.Time{}, &sale.Problem{Class: class, Text: text, Hint: hint}
	}
	switch {
	case g.classicOnly:
		return none(sale.NotFound, "the group has classic load balancers only, which are not read", "take this signal out, or move the group to target groups")
	case len(g.targetGroups) == 0:
		return none(sale.NotFound, "the group has no target group", "take this signal out, or attach the group to a load balancer")
	case g.tooManyTargetGroups:
		return none(sale.BadData, fmt.Sprintf("the group has more than %d target groups", maxTargetGroups), "take this signal out: they are not all read")
	case g.instances.fault != "":
		return none(sale.BadData, g.instances.fault, hintEndpoint)
	}
	healthy := make(map[string]int, len(g.instances.serving))
	used, oldest := 0, g.at
	for _, arn := range g.targetGroups {
		a := g.aside(targetHealth, arn)
		if a == nil || a.problem != nil {
			if a != nil {
				return 0, time.Time{}, a.problem
			}
			return none(sale.Timeout, "target group "+targetGroupName(arn)+" was not asked in time", "a longer timeout, or fewer groups in this source")
		}
		if a.read.Before(oldest) {
			oldest = a.read
		}
		if unused(a.targets) {
			continue
		}
		used++
		for _, id := range g.healthyIn(a.targets) {
			healthy[id]++
		}
	}
	n := 0
	for _, times := range healthy {
		if times == used {
			n++
		}
	}
	return float64(n), oldest, nil
}

// healthyIn lists the group's own instances among healthy targets, each once: it may be
// registered on several ports, and then must be healthy on all of them.
func (g *group) healthyIn(targets []target) []string {
	healthy := make(map[string]bool, len(targets))
	for _, t := range targets {
		if _, ours := g.instances.serving[t.id]; ours {
			before, seen := healthy[t.id]
			healthy[t.id] = t.state == elbtypes.TargetHealthStateEnumHealthy && (before || !seen)
		}
	}
	var ids []string
	for id, ok := range healthy {
		if ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// unused reports whether no load balancer sends anything to a target group.
func unused(targets []target) bool {
	for _, t := range targets {
		if t.state != elbtypes.TargetHealthStateEnumUnused || !strings.HasPrefix(t.reason, string(elbtypes.TargetHealthReasonEnumNotInUse)) {
			return false
		}
	}
	return len(targets) > 0
}

// targetGroupName is the name in arn:…:targetgroup/NAME/ID.
func targetGroupName(arn string) string {
	_, rest, ok := strings.Cut(arn, ":targetgroup/")
	if !ok {
		return sale.Clean(arn, nameCells)
	}
	name, _, _ := strings.Cut(rest, "/")
	return sale.Clean(name, nameCells)
}
