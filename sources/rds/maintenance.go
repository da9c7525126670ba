package rds

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds"

	"github.com/onsale-dev/onsale/sale"
)

const (
	maintenanceEvery = 5 * time.Minute
	afterAuth        = 30 * time.Minute // until a refused permission is tried again
	keepMaintenance  = 15 * time.Minute // an older answer is not shown
	maxActions       = 8                // of one resource
)

// kept is what lives over the polls.
type kept struct {
	writers     map[string]writer   // by cluster
	maintenance map[string][]action // by "db:name" and "cluster:name"
	tried, read time.Time           // of the maintenance
	problem     *sale.Problem       // why it can't be read
}

// writer is who writes in a cluster, and who did before.
type writer struct {
	name, before string
	since        time.Time // it was first seen; zero: from the beginning
}

// action is one maintenance that waits.
type action struct {
	name          string
	apply, forced time.Time // zero: not set
}

// watch notices that another instance writes.
func (k *kept) watch(c *cluster, at time.Time) {
	if c == nil {
		return
	}
	now, had := c.writer(), k.writers[c.name]
	switch {
	case now == "" || now == had.name:
	case had.name == "":
		k.writers[c.name] = writer{name: now}
	default:
		k.writers[c.name] = writer{name: now, before: had.name, since: at}
	}
}

// askMaintenance asks what maintenance waits for everything that is known. An account's whole list
// may be long: only what is watched is asked for.
func (s *Source) askMaintenance(ctx context.Context, p *poll) {
	k, now := &s.keep, p.clock()
	interval := maintenanceEvery
	if k.problem != nil && k.problem.Class == sale.Auth {
		interval = afterAuth
	}
	if !k.tried.IsZero() && now.Sub(k.tried)+s.opts.Every/4 < interval {
		return
	}
	ask := []struct {
		filter, kind string
		names        []string
	}{{"db-instance-id", "db:", nil}, {"db-cluster-id", "cluster:", nil}}
	for _, x := range p.instances {
		ask[0].names = append(ask[0].names, x.arn)
	}
	for _, x := range p.clusters {
		ask[1].names = append(ask[1].names, x.arn)
	}
	if len(ask[0].names)+len(ask[1].names) == 0 {
		return
	}
	found := map[string][]action{}
	k.tried, k.problem = now, nil
	for _, a := range ask {
		a.names = slices.DeleteFunc(a.names, func(arn string) bool { return arn == "" })
		slices.Sort(a.names)
		for chunk := range slices.Chunk(a.names, pageSize) {
			if err := s.maintenanceOf(ctx, p, a.filter, a.kind, chunk, found); err != nil {
				k.problem = s.problem(err)
				return
			}
		}
	}
	k.maintenance, k.read = found, now
}

func (s *Source) maintenanceOf(ctx context.Context, p *poll, filter, kind string, arns []string, into map[string][]action) error {
	return p.walk(ctx, func(marker *string) (*string, error) {
		out, err := s.opts.API.DescribePendingMaintenanceActions(ctx, &rds.DescribePendingMaintenanceActionsInput{Filters: named(filter, arns), MaxRecords: aws.Int32(pageSize), Marker: marker})
		switch {
		case err != nil:
			return nil, err
		case out.PendingMaintenanceActions == nil:
			return nil, noList("maintenance actions")
		}
		for _, r := range out.PendingMaintenanceActions {
			arn := aws.ToString(r.ResourceIdentifier)
			key := kind + strings.ToLower(arn[strings.LastIndexByte(arn, ':')+1:])
			for _, a := range r.PendingMaintenanceActionDetails {
				one := action{name: p.clean(aws.ToString(a.Action), nameCells), apply: aws.ToTime(a.CurrentApplyDate), forced: aws.ToTime(a.ForcedApplyDate)}
				if one.apply.IsZero() {
					one.apply = aws.ToTime(a.AutoAppliedAfterDate)
				}
				if len(into[key]) < maxActions {
					into[key] = append(into[key], one)
				}
			}
		}
		return out.Marker, nil
	})
}
