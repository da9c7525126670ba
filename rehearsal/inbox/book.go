package inbox

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options of every inbox.
type Options struct {
	// Now is the clock; time.Now unless given.
	Now func() time.Time
	// Process is how long a request waits until it is carried out, where a tool is asynchronous;
	// 0: 2 s, negative: at once.
	Process time.Duration
	// Tell hears what happens, in order. It must not call the inbox.
	Tell func(Happening)
}

// Happening is one thing that became of what was sent.
type Happening struct {
	At   time.Time
	What string // message, opened, deduplicated, acknowledged, closed, note, dropped
	Key  string // of deduplication; "" where there is none
	Text string
}

func (o Options) complete() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tell == nil {
		o.Tell = func(Happening) {}
	}
	if o.Process == 0 {
		o.Process = 2 * time.Second
	}
	o.Process = max(o.Process, 0)
	return o
}

// Alert is one alert as its tool keeps it.
type Alert struct {
	ID, Key, Title, Text string
	Priority             string
	Acknowledged, Closed bool
	Count                int // events that it stands for
	Notes                []string
	Opened, Changed      time.Time
	Details              map[string]any
}

// book keeps the alerts of one tool.
type book struct {
	options Options

	mu     sync.Mutex
	alerts []*Alert
}

// open is the open alert of a key, or nil.
func (b *book) open(key string) *Alert {
	i := slices.IndexFunc(b.alerts, func(a *Alert) bool { return a.Key == key && !a.Closed })
	if i < 0 {
		return nil
	}
	return b.alerts[i]
}

// newest is the newest alert of a key, open or closed, or nil.
func (b *book) newest(key string) *Alert {
	for _, a := range slices.Backward(b.alerts) {
		if a.Key == key {
			return a
		}
	}
	return nil
}

// raise opens an alert, or counts one that is open already.
func (b *book) raise(at time.Time, in Alert) *Alert {
	if a := b.open(in.Key); a != nil {
		a.Count++
		a.Changed = at
		b.options.Tell(Happening{at, "deduplicated", a.Key, in.Title})
		return a
	}
	in.ID, in.Count, in.Opened, in.Changed = newID(), 1, at, at
	b.alerts = append(b.alerts, &in)
	b.options.Tell(Happening{at, "opened", in.Key, in.Title})
	return &in
}

// shut closes the open alert of a key, or drops the wish.
func (b *book) shut(at time.Time, key, text string) *Alert {
	a := b.open(key)
	if a == nil {
		b.options.Tell(Happening{at, "dropped", key, text})
		return nil
	}
	a.Closed, a.Changed = true, at
	b.options.Tell(Happening{at, "closed", key, text})
	return a
}

// copies are the alerts as they are, oldest first.
func (b *book) copies() []Alert {
	out := make([]Alert, len(b.alerts))
	for i, a := range b.alerts {
		out[i] = *a
		out[i].Notes = slices.Clone(a.Notes)
	}
	return out
}

// newID is an id in the form of a UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

func same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

const maxBody = 256 << 10

var errTooLarge = errors.New("the body is larger than 256 KiB")

// read reads a JSON body.
func read(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return err
	case len(body) > maxBody:
		return errTooLarge
	}
	return json.Unmarshal(body, into)
}

func respond(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that left needs no answer
}

// always answers every request alike.
func always(f func(w http.ResponseWriter)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { f(w) })
}
