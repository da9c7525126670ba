// Package sourcetest is the contract that every source passes: one suite of faults on a real
// loopback connection, and what must hold under each of them.
//
// A source's test describes itself in a Harness and calls Contract. The suite then breaks the
// server in every way of its list and checks that the source returns in time, classes the
// failure with a hint, invents nothing, leaks no secret and no escape character, stays within
// its memory, and answers well again as soon as the server does.
package sourcetest

import (
	"net/http"
	"testing"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// Secret is the canary that New puts into every credential of the source. It must never be in
// a text of a batch.
const Secret = "canary-b6f0c2d94e"

// Escape is planted into error bodies by the suite; Hostile plants it into labels and names.
const Escape = "\x1b]52;c;aGk=\x07\x1b[2Jevil\u202e\u009b31m"

// Harness is what the suite must know about one kind of source.
type Harness struct {
	// New makes the source against a server at url ("http://127.0.0.1:1234"), reading the keys
	// of Want, with Secret in its credentials. It is called once per case. A SDK's own retries
	// stay on as in production.
	New func(t *testing.T, url string) sources.Source

	// Healthy answers as the healthy system does, at any time of day.
	Healthy http.Handler
	// Want lists every key that Healthy delivers, and its unit. It may be empty for a source that
	// tells of incidents.
	Want map[sale.Key]sale.Unit
	// Incidents is the state of the one incident of each sale that Healthy shows; nil for a source
	// that tells of none.
	Incidents map[sale.ID]sale.IncidentStatus

	// Figureless is a source that brings nothing for the store, such as a calendar.
	Figureless bool

	// WantAlarms names the alarms that Healthy tells of, for a source that reads alarms and no keys.
	WantAlarms []string

	// Partial answers for some keys and not for PartialMissing, which must then be listed in
	// Missing while the rest is delivered. nil only for a source that can't fail in part.
	Partial        http.Handler
	PartialMissing []sale.Key

	// Hostile answers with Escape in every text that the wire has: labels, names, notes,
	// warnings, beside good or bad values. nil only where the wire has no text.
	Hostile http.Handler

	// Fail writes an error of the system's wire with that status; message holds Escape. nil
	// writes {"message": …} as application/json. Retry-After is set before it is called.
	Fail func(w http.ResponseWriter, r *http.Request, status int, message string)

	// Header is set on the bodies that the suite itself makes (null, wrong types, truncated,
	// endless), so that the client takes them for its wire: Content-Type, Smithy-Protocol.
	Header http.Header
	// WrongTypes are bodies in the wire's encoding whose shape or types are wrong. For a JSON
	// wire null, [], {}, "text", 17 and an empty body are always tried too.
	WrongTypes [][]byte
	// Nothing is the one of those bodies by which the healthy system says that there is nothing, if
	// any: "[]" of a list of alerts.
	Nothing string
	// Good is one whole healthy body, which the suite cuts in half; nil: what Healthy answers
	// to the same request.
	Good []byte

	// Binary says that the wire is not JSON or other text: the JSON bodies are then left out.
	Binary bool

	// Class gives what a status is classed as where the usual does not hold, as 404 in an API
	// that uses it otherwise. Usual: 401 and 403 auth, 404 not_found, 429 throttled, 5xx failing.
	Class map[int]sale.Class

	// Recovery is the most polls after which everything is delivered again once the system is
	// mended; 0 is 1, and more than 2 breaks the promise of two periods.
	Recovery int

	// CallsPerPoll is the most requests that one poll of the healthy system may take, 0: not checked.
	CallsPerPoll int
}

// Contract runs the whole suite as subtests.
func Contract(t *testing.T, h Harness) {
	t.Helper()
	contract(t, h)
}
