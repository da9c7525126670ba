package alertmanager_test

import (
	"net/http"
	"testing"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/actiontest"
	"github.com/onsale-dev/onsale/sale"
)

// rig has one incident active for another cause, so that every verb has something to do.
func rig(t *testing.T, back http.Handler) actiontest.Rig {
	f := newFront(t, back)
	f.raise(string(sale.DBConnections))
	return actiontest.Rig{
		Executor: executor(t, options(f)), Sale: saleID, Evidence: seen(), Writes: f.wrote, Fault: f.set,
		Good:    []actions.Request{ask(actions.Incident), ask(actions.Acknowledge), ask(actions.Resolve), ask(actions.Silence)},
		Bad:     []actions.Request{{Sale: saleID, Verb: actions.Pause}, {Verb: actions.Incident}},
		Change:  func() { f.raise(string(sale.PaymentFailureRatio)) },
		Secrets: []string{token},
	}
}

func TestItKeepsTheContract(t *testing.T) {
	actiontest.Run(t, func(t *testing.T) actiontest.Rig { return rig(t, &fake{}) })
}

func TestItKeepsTheContractOnTheRealAlertmanager(t *testing.T) {
	realBinary(t)
	actiontest.Run(t, func(t *testing.T) actiontest.Rig { return rig(t, startReal(t).proxy()) })
}
