// Package systems is the contract between the rehearsal platform's model and the server that
// speaks for AWS Systems Manager: the parameters that the shop reads, and OpsItems. It holds plain
// data and interfaces only.
package systems

import (
	"errors"
	"time"
)

// Parameter is the newest version of one parameter.
type Parameter struct {
	Name, Value    string
	Kind           string // String, StringList or SecureString
	DataType       string // text, or what it was put as
	AllowedPattern string // a regular expression that a value must match as a whole; "" allows all
	Description    string
	Tier           string // Standard or Advanced
	Version        int64  // from 1, one more with every put
	Modified       time.Time
}

// OpsItem is one entry of OpsCenter.
type OpsItem struct {
	ID, Title, Description, Source string
	Category, Severity, Status     string
	Priority                       int // 1 to 5; 0: none
	Data                           map[string]Datum
	Notify                         []string // topics
	CreatedBy, ModifiedBy          string
	Created, Modified              time.Time
	Version                        int
}

// Datum is one value of an OpsItem's operational data.
type Datum struct{ Value, Type string }

// Store is what Systems Manager keeps. It is safe for many goroutines.
type Store interface {
	// Parameter returns one by its name.
	Parameter(name string) (Parameter, bool)
	// PutParameter lets put make a parameter out of the one of that name, or out of a new one when
	// exists is false, in one step. An error of put leaves it as it is and is returned. The version
	// and the time are the store's. who is the access key id.
	PutParameter(name, who string, put func(p *Parameter, exists bool) error) (Parameter, error)
	// OpsItems returns all, oldest first.
	OpsItems() []OpsItem
	// PutOpsItem lets put change the item of that id, or make a new one when id is "". all are the
	// items that there are. An error of put leaves everything as it is and is returned; so is
	// ErrNoItem when there is no item of that id.
	PutOpsItem(id, who string, put func(o *OpsItem, all []OpsItem) error) (OpsItem, error)
}

// ErrNoItem says that there is no such OpsItem.
var ErrNoItem = errors.New("there is no such OpsItem")
