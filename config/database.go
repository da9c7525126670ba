package config

import (
	"fmt"
	"slices"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// RDSFields lists the figures of a database, in order. The caller owns the slice.
func RDSFields() []string { return slices.Clone(fieldsOfKind[KindRDS]) }

// settingHolds is how long what was read of a setting stands. CloudWatch's figures, which a limit is
// held against, are up to four minutes old when they come: those of the first poll would else have no
// limit of their time, and an `onsale check` never one. A class or a parameter takes longer to change.
const settingHolds = 5 * time.Minute

// database reads how a signal is taken from RDS.
func (r *reader) database(b *built, s *Source, read *Read) {
	in := b.in
	field := r.fieldOf(b, s)
	if b.spec.Signal == sale.DBConnectionsMax && !in.Field.given() {
		field = "connections_max"
	}
	switch field {
	case "connections_max", "storage_bytes", "storage_max_bytes", "acu_min", "acu_max":
		b.spec.Cadence.Delay = settingHolds
	}
	has := r.need(b, field != "" || in.Field.given(), "field", s)
	switch {
	case in.Instance.given() && in.Cluster.given():
		r.wrong(in.Cluster.at, fmt.Sprintf("the signal %q names an instance and a cluster", b.spec.Signal), "keep one: the cluster's figure is that of its writer, or of all its members", see(in.Instance.at, "the instance"))
	case in.Cluster.given() && (field == "storage_bytes" || field == "storage_max_bytes"):
		r.wrong(in.Field.at, fmt.Sprintf("\"field\" can't be %s of a cluster", quote(in.Field.at)), "name an instance: instance: …")
	case !in.Cluster.given() && !r.need(b, in.Instance.given(), "instance", s):
	case has:
		read.RDS = &RDSRead{Instance: in.Instance.S, Cluster: in.Cluster.S, Field: field}
	}
}
