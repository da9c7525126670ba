package rds

import (
	"fmt"
	"strings"

	"github.com/onsale-dev/onsale/sale"
)

// parameter is max_connections as one parameter group holds it.
type parameter struct {
	value   string
	byUser  bool // somebody set it; else it is the engine's default or RDS's own
	static  bool // a change waits for a reboot
	found   bool // the group has it at all
	problem *sale.Problem
}

// limits are the parameters that were read on this poll, by the name of the group.
type limits struct{ instance, cluster map[string]parameter }

const (
	hintReboot  = "reboot the instance, or declare the limit in force with value:"
	hintDeclare = "declare it with value:; SHOW max_connections (PostgreSQL) or SELECT @@max_connections (MySQL) tells it"
)

// connections is how many connections the database takes, and in words how that was found where it
// was not simply read.
func (d *database) connections(l limits) (n float64, how string, problem *sale.Problem) {
	x := d.instance
	if d.isCluster {
		name := d.cluster.writer()
		if name == "" {
			return 0, "", missing(sale.Failing, "wait for the failover to end; see the cluster's events", "cluster %s has no writer now", d.name)
		}
		if x = d.cluster.instances[name]; x == nil {
			return 0, "", missing(sale.BadData, hintEndpoint, "the answer says nothing of %s, the writer of cluster %s", name, d.name)
		}
	}
	switch {
	case !strings.Contains(x.engine, "mysql") && !strings.Contains(x.engine, "postgres") && x.engine != "mariadb":
		return 0, "", missing(sale.NotFound, hintDeclare, "%s is %s, which has no max_connections", x.name, x.engine)
	case x.group == "":
		return 0, "", missing(sale.BadData, hintEndpoint, "the answer names no parameter group of %s", x.name)
	case x.cluster != "" && d.cluster == nil:
		return 0, "", d.apart
	}
	p, status, problem := x.inForce(d.cluster, l)
	switch {
	case problem != nil:
		return 0, "", problem
	case status == "pending-reboot" && p.static:
		return 0, "", missing(sale.NotFound, hintReboot, "%s waits for a reboot to take its parameters: the max_connections in force can't be told", x.name)
	case status == "applying":
		return 0, "", missing(sale.NotFound, "ask again in a minute", "%s is taking other parameters now", x.name)
	}
	memory, known := classMemory(x.class)
	capped := false
	if x.class == "db.serverless" && d.cluster != nil && d.cluster.acuMax != nil && d.cluster.acuMin != nil {
		memory, known = *d.cluster.acuMax*acuBytes, true
		// "When you specify a minimum capacity of 0 or 0.5 ACUs on PostgreSQL-compatible DB instances, the
		// maximum value of max_connections is capped at 2,000."
		// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html
		capped = strings.Contains(x.engine, "postgres") && *d.cluster.acuMin < 1
	}
	vars := map[string]float64{}
	if known {
		vars["DBInstanceClassMemory"] = memory - reserve(memory)
	}
	n, worked, err := evaluate(p.value, vars)
	if err != nil {
		return 0, "", missing(sale.NotFound, hintDeclare, "max_connections of %s is %q on %s: %s", x.name, p.value, x.class, err)
	}
	if capped && n > 2000 {
		n, how = 2000, fmt.Sprintf("max_connections 2,000: Aurora caps it where a Serverless cluster may go below 1 ACU (here %g)", *d.cluster.acuMin)
	}
	if worked && how == "" {
		how = fmt.Sprintf("max_connections %.0f is worked out: %s on %s, %.4g GiB less what RDS keeps; the real one is about this or a little more, and value: declares it", n, p.value, x.class, memory/gib)
	}
	return n, how, nil
}

// inForce is the parameter that counts for an instance, and whether its group is in force there: the
// instance's own where somebody set it, else the cluster's where it is set there, else the default.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/USER_WorkingWithParamGroups.html
func (x *instance) inForce(c *cluster, l limits) (p parameter, status string, problem *sale.Problem) {
	own, ok := l.instance[x.group]
	if !ok {
		own.problem = missing(sale.BadData, hintEndpoint, "parameter group %s was not read", x.group)
	}
	if own.problem != nil {
		return own, "", own.problem
	}
	m := c.member(x.name)
	if m == nil || c.group == "" || own.found && own.byUser {
		if !own.found {
			return own, "", missing(sale.NotFound, hintDeclare, "parameter group %s has no max_connections", x.group)
		}
		return own, x.groupStatus, nil
	}
	of, ok := l.cluster[c.group]
	if !ok {
		of.problem = missing(sale.BadData, hintEndpoint, "parameter group %s was not read", c.group)
	}
	switch {
	case of.problem != nil:
		return of, "", of.problem
	case of.found && (of.byUser || !own.found):
		return of, m.groupStatus, nil
	case own.found:
		return own, x.groupStatus, nil
	}
	return own, "", missing(sale.NotFound, hintDeclare, "neither parameter group %s nor %s has max_connections", x.group, c.group)
}
