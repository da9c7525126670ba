package rds

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rds/types"

	"github.com/onsale-dev/onsale/sale"
)

// What is kept of an answer is bounded, whatever the answer holds.
const (
	maxMembers = 32 // a cluster has sixteen at most
	maxInfos   = 4

	nameCells   = 64
	reasonCells = 120
)

type cleaner func(text string, cells int) string

// database is one instance or cluster that is read, and what is known of it on this poll.
type database struct {
	name      string
	isCluster bool
	limited   bool      // somebody asks how many connections it takes
	sales     []sale.ID // that have a query of it

	instance *instance     // of an instance
	cluster  *cluster      // of a cluster, or the one that the instance is in
	unseen   *sale.Problem // why the instance, or the cluster of a cluster, is not known
	apart    *sale.Problem // why the cluster of an instance is not known
	at       time.Time     // of the answer
}

// instance is what is kept of a DB instance.
type instance struct {
	name, arn, status, class, engine, version string
	cluster                                   string // "": in none
	multiAZ                                   bool
	replicas                                  int
	replicaOf                                 string
	storage, storageMax                       *int32 // GiB; nil: not told
	growing                                   string // what a storage operation does
	group, groupStatus                        string // the parameter group
	window                                    string // of maintenance
	certificate                               string
	certificateEnds                           time.Time
	pending                                   []string // changes that wait
	infos                                     []string // what is wrong with the replication
}

// cluster is what is kept of a DB cluster.
type cluster struct {
	name, arn, status, engine string
	group                     string
	window                    string
	members                   []member
	instances                 map[string]*instance // of those members that were described
	acuMin, acuMax            *float64
	pending                   []string
	multiAZ                   bool
}

type member struct {
	name        string
	writer      bool
	groupStatus string // whether the cluster's parameter group is in force there
}

func parseInstance(in *types.DBInstance, clean cleaner) *instance {
	text := func(p *string) string { return clean(aws.ToString(p), nameCells) }
	x := &instance{
		name: strings.ToLower(text(in.DBInstanceIdentifier)), arn: text(in.DBInstanceArn), status: text(in.DBInstanceStatus), class: text(in.DBInstanceClass),
		engine: text(in.Engine), version: text(in.EngineVersion), cluster: strings.ToLower(text(in.DBClusterIdentifier)),
		multiAZ: aws.ToBool(in.MultiAZ), replicas: len(in.ReadReplicaDBInstanceIdentifiers) + len(in.ReadReplicaDBClusterIdentifiers),
		replicaOf: text(in.ReadReplicaSourceDBInstanceIdentifier), storage: in.AllocatedStorage, storageMax: in.MaxAllocatedStorage,
		growing: text(in.StorageOperationStatus), window: text(in.PreferredMaintenanceWindow),
	}
	if len(in.DBParameterGroups) > 0 {
		x.group, x.groupStatus = text(in.DBParameterGroups[0].DBParameterGroupName), text(in.DBParameterGroups[0].ParameterApplyStatus)
	}
	if c := in.CertificateDetails; c != nil {
		x.certificate, x.certificateEnds = text(c.CAIdentifier), aws.ToTime(c.ValidTill)
	}
	if p := in.PendingModifiedValues; p != nil {
		x.wait("class", p.DBInstanceClass, clean)
		x.wait("version", p.EngineVersion, clean)
		x.wait("certificate", p.CACertificateIdentifier, clean)
		x.wait("storage type", p.StorageType, clean)
		if p.AllocatedStorage != nil {
			x.pending = append(x.pending, fmt.Sprintf("storage %d GiB", *p.AllocatedStorage))
		}
		if p.MultiAZ != nil {
			x.pending = append(x.pending, fmt.Sprintf("Multi-AZ %t", *p.MultiAZ))
		}
		if p.Iops != nil {
			x.pending = append(x.pending, fmt.Sprintf("%d IOPS", *p.Iops))
		}
	}
	for _, i := range in.StatusInfos[:min(len(in.StatusInfos), maxInfos)] {
		if i.Normal != nil && !*i.Normal {
			x.infos = append(x.infos, strings.Trim(text(i.StatusType)+" "+text(i.Status)+": "+clean(aws.ToString(i.Message), reasonCells), ": "))
		}
	}
	return x
}

func (x *instance) wait(what string, value *string, clean cleaner) {
	if value != nil {
		x.pending = append(x.pending, what+" "+clean(*value, nameCells))
	}
}

func parseCluster(in *types.DBCluster, clean cleaner) *cluster {
	text := func(p *string) string { return clean(aws.ToString(p), nameCells) }
	x := &cluster{
		name: strings.ToLower(text(in.DBClusterIdentifier)), arn: text(in.DBClusterArn), status: text(in.Status), engine: text(in.Engine), group: text(in.DBClusterParameterGroup),
		window: text(in.PreferredMaintenanceWindow), instances: map[string]*instance{}, multiAZ: aws.ToBool(in.MultiAZ),
	}
	for _, m := range in.DBClusterMembers[:min(len(in.DBClusterMembers), maxMembers)] {
		x.members = append(x.members, member{strings.ToLower(text(m.DBInstanceIdentifier)), aws.ToBool(m.IsClusterWriter), text(m.DBClusterParameterGroupStatus)})
	}
	if c := in.ServerlessV2ScalingConfiguration; c != nil {
		x.acuMin, x.acuMax = c.MinCapacity, c.MaxCapacity
	}
	if p := in.PendingModifiedValues; p != nil && p.EngineVersion != nil {
		x.pending = append(x.pending, "version "+text(p.EngineVersion))
	}
	return x
}

// member finds one by its name; nil when it is in no cluster, or not in this one.
func (c *cluster) member(name string) *member {
	if c == nil {
		return nil
	}
	if i := slices.IndexFunc(c.members, func(m member) bool { return m.name == name }); i >= 0 {
		return &c.members[i]
	}
	return nil
}

// writer is the member that writes; "" while there is none, or more than one.
func (c *cluster) writer() string {
	name := ""
	for _, m := range c.members {
		switch {
		case !m.writer:
		case name != "":
			return ""
		default:
			name = m.name
		}
	}
	return name
}

// usable are the statuses of an instance in which it can be reached, and those in which it can't. A
// status that is in neither is not known.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
var usable = map[string]bool{
	"available": true, "backing-up": true, "backtracking": false, "configuring-associated-roles": true, "configuring-enhanced-monitoring": true,
	"configuring-iam-database-auth": true, "configuring-log-exports": true, "configuring-activity-stream": true, "modifying": true, "moving-to-vpc": true,
	"converting-to-vpc": true, "resetting-master-credentials": true, "storage-optimization": true, "storage-initialization": true, "storage-config-upgrade": true,
	"creating": false, "deleting": false, "delete-precheck": false, "failed": false, "inaccessible-encryption-credentials": false,
	"inaccessible-encryption-credentials-recoverable": false, "incompatible-create": false, "incompatible-network": false, "incompatible-option-group": false,
	"incompatible-parameters": false, "incompatible-restore": false, "insufficient-capacity": false, "maintenance": false, "rebooting": false, "renaming": false,
	"restore-error": false, "starting": false, "stopped": false, "stopping": false, "storage-full": false, "upgrading": false,
}

func missing(class sale.Class, hint, format string, args ...any) *sale.Problem {
	return &sale.Problem{Class: class, Text: fmt.Sprintf(format, args...), Hint: hint}
}

// inUse is how many of some instances can be used.
func inUse(list []*instance) (n int, problem *sale.Problem) {
	for _, x := range list {
		yes, known := usable[x.status]
		if !known {
			return 0, missing(sale.BadData, "see the instance in the RDS console, and tell us of this status", "%s has a status that is not known here: %s", x.name, x.status)
		}
		if yes {
			n++
		}
	}
	return n, nil
}

// described are the members of a cluster that are to be judged, the writer left out if asked; every
// one must have been described.
func (c *cluster) described(writer bool) (list []*instance, problem *sale.Problem) {
	for _, m := range c.members {
		if m.writer && !writer {
			continue
		}
		x := c.instances[m.name]
		if x == nil {
			return nil, missing(sale.BadData, hintEndpoint, "the answer says nothing of %s, a member of cluster %s", m.name, c.name)
		}
		list = append(list, x)
	}
	return list, nil
}

// value is the figure of one field, or why there is none.
func (d *database) value(f Field, l limits) (float64, *sale.Problem) {
	if d.unseen != nil {
		return 0, d.unseen
	}
	switch f {
	case ConnectionsMax:
		n, _, problem := d.connections(l)
		return n, problem
	case StorageBytes, StorageMaxBytes:
		return d.instance.gibibytes(f)
	case ACUMin, ACUMax:
		return d.acus(f)
	}
	return d.counted(f)
}

// counted is a field that counts instances.
func (d *database) counted(f Field) (float64, *sale.Problem) {
	if !d.isCluster {
		switch {
		case f == Available:
			n, problem := inUse([]*instance{d.instance})
			return float64(n), problem
		case f == Readers:
			return float64(d.instance.replicas), nil
		case d.instance.cluster == "" && d.instance.multiAZ:
			return 1, nil
		case d.instance.cluster == "":
			return 0, nil
		case d.cluster == nil:
			return 0, d.apart
		}
	}
	list, problem := d.cluster.described(d.isCluster && f == Available)
	if problem != nil {
		return 0, problem
	}
	n, problem := inUse(list)
	return float64(n), problem
}

func (x *instance) gibibytes(f Field) (float64, *sale.Problem) {
	if strings.HasPrefix(x.engine, "aurora") {
		return 0, missing(sale.NotFound, "take this signal out: AWS/RDS FreeLocalStorage and VolumeBytesUsed tell of Aurora's", "%s is Aurora, whose storage grows by itself", x.name)
	}
	n := x.storage
	if f == StorageMaxBytes {
		if n = x.storageMax; n == nil {
			return 0, missing(sale.NotFound, "take this signal out, or set a maximum storage threshold", "storage autoscaling is off for %s", x.name)
		}
	}
	if n == nil || *n <= 0 {
		return 0, missing(sale.BadData, hintEndpoint, "the answer has no storage of %s", x.name)
	}
	return float64(*n) * gib, nil
}

func (d *database) acus(f Field) (float64, *sale.Problem) {
	if !d.isCluster && d.instance.cluster != "" && d.cluster == nil {
		return 0, d.apart
	}
	if d.cluster == nil || d.cluster.acuMax == nil || d.cluster.acuMin == nil {
		return 0, missing(sale.NotFound, "take this signal out: the capacity of other databases is their instance class", "%s has no capacity range of Aurora Serverless v2", d.name)
	}
	n := *d.cluster.acuMin
	if f == ACUMax {
		n = *d.cluster.acuMax
	}
	if n < 0 || n > 1024 || n != n {
		return 0, missing(sale.BadData, hintEndpoint, "RDS says %s %g", f, n)
	}
	return n, nil
}
