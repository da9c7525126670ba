package actiontest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// Fault is something that a system does wrong with the next write, and with all after it, until
// None is asked for.
type Fault string

// The faults.
const (
	None   Fault = "none"
	Lose   Fault = "lose"   // the write is taken, and the connection ends without an answer
	Reject Fault = "reject" // the system says no (403), nothing changes
	Break  Fault = "break"  // the system answers 500 or 503, nothing changes
	Hang   Fault = "hang"   // the write is not taken, and no answer comes until the caller gives up
	Ignore Fault = "ignore" // the system accepts, and nothing changes
	Blind  Fault = "blind"  // the write is lost as with Lose, and from then on no read is answered
)

// Rig is one system, freshly started, with the executor that acts on it.
type Rig struct {
	Executor actions.Executor
	Sale     sale.ID

	// Good lists requests that can be met in the state that the system starts in, at least one
	// for each verb but undo.
	Good []actions.Request
	// Bad lists more requests that must be refused: over the bound, under the floor, a scale up
	// below the present size. Zero, negative and not finite numbers are tried anyway.
	Bad []actions.Request

	// Writes counts the requests that changed or tried to change something, as the system
	// itself saw them, retries and rejected ones included.
	Writes func() int
	// Fault makes the system fail.
	Fault func(Fault)
	// Change changes what the first good request would change, as somebody else would.
	Change func()
	// Secrets are the credentials that the executor was given. At least one.
	Secrets []string
	// Evidence is handed to every preview.
	Evidence actions.Evidence
}

// Check is one promise. Run returns nil when it is kept.
type Check struct {
	Name string
	Run  func(ctx context.Context, rig Rig) error
}

// Run runs every check, each on a rig of its own.
func Run(t *testing.T, start func(t *testing.T) Rig) {
	t.Helper()
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := c.Run(ctx, start(t))
			switch {
			case errors.Is(err, errNotApplicable):
				t.Skip(err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

var errNotApplicable = errors.New("not applicable to this executor")
