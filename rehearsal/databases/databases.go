// Package databases is the contract between the rehearsal platform's model and the server that
// speaks for Amazon RDS: instances, clusters, parameter groups and what maintenance waits. It holds
// plain data and one interface only.
package databases

import "time"

// Instance is one DB instance.
type Instance struct {
	Name, Class, Engine, Version string
	Status                       string // as RDS writes it: available, modifying, …
	Cluster                      string // "": in none
	Writer                       bool   // of its cluster
	MultiAZ                      bool
	Storage, StorageMax          int // GiB; StorageMax 0: it does not grow by itself
	Group                        string
	GroupStatus                  string // in-sync, pending-reboot, …
	Window                       string // of maintenance, such as tue:02:00-tue:02:30, UTC
	Certificate                  string
	CertificateEnds, Created     time.Time
	Replicas                     []string
	Maintenance                  []Maintenance
}

// Cluster is one DB cluster of Aurora; its members are the instances that name it.
type Cluster struct {
	Name, Engine, Version, Status string
	Group, Window                 string
	ACUMin, ACUMax                float64 // of Serverless v2; 0: it is none
	Created                       time.Time
	Maintenance                   []Maintenance
}

// Maintenance is an action that waits.
type Maintenance struct {
	Action, Description    string
	AutoApply, Forced, Due time.Time // zero: not set
}

// Group is a parameter group, of instances or of clusters.
type Group struct {
	Name       string
	OfClusters bool
	Parameters []Parameter
}

// Parameter is one parameter of a group.
type Parameter struct {
	Name, Value string
	Source      string // user, system or engine-default
	Static      bool   // a change waits for a reboot
}

// State is everything that there is at one moment.
type State struct {
	Instances []Instance
	Clusters  []Cluster
	Groups    []Group
}

// Reader tells what there is. It is safe for many goroutines, and what it returns is the caller's.
type Reader interface{ Databases() State }
