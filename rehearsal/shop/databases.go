package shop

import (
	"fmt"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/databases"
)

// The engines' own formulas for max_connections, which nobody changed in the default groups.
const (
	formulaPostgres = "LEAST({DBInstanceClassMemory/9531392},5000)"
	formulaMySQL    = "{DBInstanceClassMemory/12582880}"
)

// Databases is the world's databases. It implements databases.Reader.
type Databases struct{ w *World }

// Databases returns what RDS knows of the world.
func (w *World) Databases() *Databases { return &Databases{w} }

var _ databases.Reader = (*Databases)(nil)

// Databases implements databases.Reader. Every sale has an instance, with a limit of connections that
// somebody set; marble's is the writer of a small Aurora cluster.
func (d *Databases) Databases() databases.State {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	var out databases.State
	for _, s := range d.w.sales {
		x := databases.Instance{
			Name: s.DB, Class: "db.r6g.4xlarge", Engine: "postgres", Version: "17.4", Status: "available", MultiAZ: true, Storage: 400, StorageMax: 1000,
			Group: s.ID + "-pg17", GroupStatus: "in-sync", Window: "tue:02:00-tue:02:30", Certificate: "rds-ca-rsa2048-g1",
			CertificateEnds: s.Opens.AddDate(2, 4, 0).Truncate(time.Hour), Created: s.Opens.AddDate(0, -7, 0).Truncate(time.Second),
		}
		group := databases.Group{Name: x.Group, Parameters: []databases.Parameter{
			{Name: "log_min_duration_statement", Value: "500", Source: "user"},
			{Name: "max_connections", Value: fmt.Sprint(s.DBMax), Source: "user", Static: true},
			{Name: "shared_buffers", Value: "{DBInstanceClassMemory/32768}", Source: "system", Static: true},
		}}
		switch s.ID {
		case "marble":
			x.Cluster, x.Writer, x.Engine, x.MultiAZ, x.StorageMax, x.Storage = "marble", true, "aurora-postgresql", false, 0, 1
			reader := x
			reader.Name, reader.Writer = s.DB+"-reader", false
			out.Clusters = append(out.Clusters, databases.Cluster{
				Name: x.Cluster, Engine: x.Engine, Version: x.Version, Status: "available", Group: "marble-cluster-pg17", Window: "sun:23:30-mon:00:00", Created: x.Created,
			})
			out.Groups = append(out.Groups, databases.Group{Name: "marble-cluster-pg17", OfClusters: true, Parameters: []databases.Parameter{{Name: "max_connections", Value: formulaPostgres, Source: "engine-default", Static: true}}})
			out.Instances = append(out.Instances, reader)
		case "cobalt":
			x.Engine, x.Version, group.Parameters[1].Static = "mysql", "8.4.5", false
			at := s.Opens.AddDate(0, 0, 9).Truncate(24 * time.Hour).Add(2 * time.Hour)
			x.Maintenance = []databases.Maintenance{{Action: "os-upgrade", Description: "New Operating System update is available", AutoApply: at, Due: at}}
		}
		out.Instances, out.Groups = append(out.Instances, x), append(out.Groups, group)
	}
	out.Groups = append(out.Groups, databases.Group{Name: "default.mysql8.4", Parameters: []databases.Parameter{{Name: "max_connections", Value: formulaMySQL, Source: "engine-default"}}})
	return out
}
