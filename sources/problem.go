package sources

import (
	"errors"
	"time"

	"github.com/onsale-dev/onsale/sale"
)

// About is what a source knows about a failure beside the error itself. The zero value is good.
type About struct {
	// Meter is the one whose context the request ran under: for the status, the content type
	// and the Retry-After that the error of a client library has lost.
	Meter *Meter
	// After is how long was waited, for the words of a timeout; 0 leaves it out.
	After time.Duration
	// Secrets never appear in the text, whatever the system echoes.
	Secrets []string
	// Hints replaces the usual hint of a class.
	Hints map[sale.Class]string
}

// Classify turns an error into what a person would do about it. It knows contexts, the net,
// TLS and HTTP errors, *StatusError, *BodyTooLargeError, JSON errors and, by their methods,
// the errors of the AWS SDK. The text is one clean line without secrets, URL user names,
// passwords or queries. It never returns an empty class.
func Classify(err error, about About) sale.Problem {
	return classify(err, about)
}

// Told reports whether an error carries a *sale.Problem: whoever made it knew better what to do than
// its class alone does.
func Told(err error) bool {
	var known *sale.Problem
	return errors.As(err, &known)
}

// Redact takes secrets out of a text: the given ones, and what stands in the user, password
// and query part of any URL or in an Authorization header. It does not clean; sale.Clean does.
func Redact(text string, secrets ...string) string { return redact(text, secrets) }
