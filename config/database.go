package config

import (
	"fmt"

	"github.com/onsale-dev/onsale/sale"
)

// database reads how a signal is taken from RDS.
func (r *reader) database(b *built, s *Source, read *Read) {
	in := b.in
	field := r.fieldOf(b, s)
	if b.spec.Signal == sale.DBConnectionsMax && !in.Field.given() {
		field = "connections_max"
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
