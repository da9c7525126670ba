package rds

import (
	"fmt"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// note is one fact that an operator must know about a database. Its text is the same on every poll
// while the fact is.
type note struct{ code, text string }

const (
	recentWindow      = 30 * time.Minute    // how long a change of the writer is worth a note
	certificateWindow = 30 * 24 * time.Hour // how long before its end a certificate is worth one
	maintenanceWindow = 14 * 24 * time.Hour // maintenance that comes sooner is due, other waits
)

type adder func(code, format string, args ...any)

// notes lists the facts, those that stop a sale first.
func (s *Source) notes(d *database, p *poll) []note {
	var all []note
	add := func(name string) adder {
		return func(code, format string, args ...any) {
			all = append(all, note{code, name + ": " + fmt.Sprintf(format, args...)})
		}
	}
	members := []*instance{d.instance}
	if d.isCluster {
		members = nil
		for _, m := range d.cluster.members {
			if x := d.cluster.instances[m.name]; x != nil {
				members = append(members, x)
			}
		}
	}
	if c := d.cluster; c != nil {
		c.noteState(add(c.name))
		s.keep.noteWriter(add(c.name), c.name, d.at)
	}
	for _, x := range members {
		x.noteState(add(x.name))
	}
	d.noteRole(add(d.name))
	if c := d.cluster; c != nil {
		s.noteMaintenance(add(c.name), "cluster:"+c.name, c.window, d.at)
		if len(c.pending) > 0 {
			add(c.name)("changes_pending", "changes wait for the maintenance window (%s): %s", windowText(c.window), strings.Join(c.pending, ", "))
		}
	}
	for _, x := range members {
		x.noteAhead(add(x.name), d.at)
		s.noteMaintenance(add(x.name), "db:"+x.name, x.window, d.at)
	}
	if d.limited {
		if _, how, problem := d.connections(p.limits); problem == nil && how != "" {
			add(d.name)("limit_worked_out", "%s", how)
		}
	}
	return all
}

func (c *cluster) noteState(add adder) {
	switch c.status {
	case "available", "backing-up", "":
	case "failing-over":
		add("failover", "a failover is in progress: connections are cut, another instance takes over")
	default:
		add("not_available", "the cluster is %s", c.status)
	}
}

func (k *kept) noteWriter(add adder, cluster string, at time.Time) {
	if w := k.writers[cluster]; w.before != "" && at.Sub(w.since) < recentWindow {
		add("writer_changed", "%s writes since %s, before that %s did: a failover", w.name, stamp(w.since, at), w.before)
	}
}

// noteState says what an instance does that is not just being there.
func (x *instance) noteState(add adder) {
	yes, known := usable[x.status]
	switch {
	case x.status == "available", x.status == "backing-up":
	case x.status == "storage-full":
		add("storage_full", "storage is full: it takes no writes until more is allocated")
	case x.status == "modifying":
		text := ""
		if x.growing != "" {
			text = " (" + x.growing + ")"
		}
		add("modifying", "the instance is being modified%s: it may fail over or restart", text)
	case known && yes:
		add("busy", "the instance is %s: it serves, and may be slower", x.status)
	default:
		add("not_available", "the instance is %s", x.status)
	}
	for _, text := range x.infos {
		add("replica_broken", "%s", text)
	}
	switch x.groupStatus {
	case "pending-reboot":
		add("parameters_pending", "changed parameters of %s wait for a reboot", x.group)
	case "failed-to-apply":
		add("parameters_failed", "the parameters of %s could not be applied", x.group)
	}
	if x.storage != nil && x.storageMax != nil && *x.storage >= *x.storageMax {
		add("storage_at_max", "storage of %d GiB has reached its maximum: it grows no further", *x.storage)
	}
}

// noteRole says what a failure of the writer would mean.
func (d *database) noteRole(add adder) {
	if d.isCluster || d.cluster != nil {
		n, problem := d.counted(FailoverTargets)
		if problem == nil && n == 0 {
			add("no_standby", "no reader can take over: a failure of the writer means minutes until a new one is made")
		}
		if m := d.cluster.member(d.name); m != nil && !m.writer {
			add("reader", "this instance is a reader now: %s writes", d.cluster.writer())
		}
		return
	}
	if !d.instance.multiAZ && d.instance.replicaOf == "" && d.instance.cluster == "" {
		add("no_standby", "Multi-AZ is off: there is no standby, a failure means a restart or a restore")
	}
}

// noteAhead says what changes by itself before long.
func (x *instance) noteAhead(add adder, at time.Time) {
	if len(x.pending) > 0 {
		add("changes_pending", "changes wait for the maintenance window (%s): %s", windowText(x.window), strings.Join(x.pending, ", "))
	}
	if end := x.certificateEnds; !end.IsZero() && end.Sub(at) < certificateWindow {
		if !end.After(at) {
			add("certificate_ended", "the certificate (%s) ended %s: clients that check it can't connect", x.certificate, day(end))
		} else {
			add("certificate_ends", "the certificate (%s) ends %s: clients that check it can't connect from then on", x.certificate, day(end))
		}
	}
}

// noteMaintenance says what maintenance waits for a resource, by the last answer.
func (s *Source) noteMaintenance(add adder, key, window string, at time.Time) {
	k := &s.keep
	if k.read.IsZero() || at.Sub(k.read) > keepMaintenance {
		return
	}
	for _, a := range k.maintenance[key] {
		switch soon := at.Add(maintenanceWindow); {
		case !a.forced.IsZero() && a.forced.Before(soon):
			add("maintenance_due", "maintenance %s is forced on %s, whatever the window", a.name, stamp(a.forced, at))
		case !a.apply.IsZero() && a.apply.Before(soon):
			add("maintenance_due", "maintenance %s is applied in the window (%s) after %s", a.name, windowText(window), stamp(a.apply, at))
		case !a.apply.IsZero():
			add("maintenance_pending", "maintenance %s waits until %s", a.name, day(a.apply))
		default:
			add("maintenance_pending", "maintenance %s is available, with no date", a.name)
		}
	}
}

// windowText is a window as people write it: "Tue 02:00-02:30 UTC" of "tue:02:00-tue:02:30".
func windowText(window string) string {
	from, to, ok := strings.Cut(window, "-")
	if !ok || len(from) != 9 || len(to) != 9 {
		return sale.Clean(window, nameCells)
	}
	name := strings.ToUpper(from[:1]) + from[1:3]
	if from[:3] != to[:3] {
		return name + " " + from[4:] + "-" + strings.ToUpper(to[:1]) + to[1:3] + " " + to[4:] + " UTC"
	}
	return name + " " + from[4:] + "-" + to[4:] + " UTC"
}

// stamp is a time for a person, with the date when it is not today's.
func stamp(t, now time.Time) string {
	if t.UTC().Format(time.DateOnly) == now.UTC().Format(time.DateOnly) {
		return t.UTC().Format("15:04") + " UTC"
	}
	return t.UTC().Format("2006-01-02 15:04") + " UTC"
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
