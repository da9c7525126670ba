package turnstile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// Options of a server. Token and Secret are required.
type Options struct {
	Token  string // "Authorization: Bearer …"
	Reader string // the same of who may only look, and signs nothing; empty: nobody may
	Secret string // of the signature: "whsec_" and base64
	Now    func() time.Time
}

// Server is the gate of every sale. It is safe for many goroutines.
type Server struct {
	world   *shop.World
	options Options
	secret  []byte
	mux     *http.ServeMux

	mu   sync.Mutex // one change at a time
	done map[string]answered
	ids  int
}

// answered is what a key was answered with, and for which request.
type answered struct {
	at     time.Time
	asked  string
	status int
	body   []byte
}

// keepKeys is how long a key is known.
const keepKeys = 24 * time.Hour

// New makes the gates of a world. A secret that is none is an error.
func New(world *shop.World, o Options) (*Server, error) {
	secret, err := secretOf(o.Secret)
	if err != nil {
		return nil, err
	}
	if o.Token == "" {
		return nil, errors.New("a gate without a token is open to all")
	}
	s := &Server{world: world, options: o, secret: secret, mux: http.NewServeMux(), done: map[string]answered{}}
	s.mux.HandleFunc("GET /gates/{sale}", s.get)
	s.mux.HandleFunc("POST /gates/{sale}", s.post)
	return s, nil
}

// gate is the document of one gate.
type gate struct {
	Gate      string  `json:"gate"`
	Rate      int     `json:"rate"` // people per minute
	Paused    bool    `json:"paused"`
	ChangedAt string  `json:"changed_at"`
	Passed    float64 `json:"passed_per_minute"` // of the last minute
}

func shown(b shop.Barrier) gate {
	return gate{Gate: b.Sale, Rate: b.PerMinute, Paused: b.Paused, ChangedAt: b.ModifiedOn.UTC().Format(time.RFC3339), Passed: math.Round(b.Passed)}
}

// refusal is a problem document.
type refusal struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
}

func no(status int, detail string) *refusal { return &refusal{http.StatusText(status), status, detail} }

const maxBody = 64 << 10

// ServeHTTP implements http.Handler: who asks is asked first, then what for.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return // the client has gone
	}
	s.mu.Lock()
	s.ids++
	w.Header().Set("X-Request-Id", fmt.Sprintf("gate-%06d", s.ids))
	s.mu.Unlock()
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	reader := ok && s.options.Reader != "" && token == s.options.Reader
	if reader && r.Method != http.MethodGet {
		refuse(w, no(http.StatusForbidden, "this token may only look"))
		return
	}
	if !reader && (!ok || token != s.options.Token) {
		refuse(w, no(http.StatusUnauthorized, "the token is missing or not known"))
		return
	}
	if len(body) > maxBody {
		refuse(w, no(http.StatusRequestEntityTooLarge, "the body is larger than 64 KiB"))
		return
	}
	if !reader {
		if err := s.verify(r.Header, body); err != nil {
			refuse(w, no(http.StatusUnauthorized, err.Error()))
			return
		}
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		refuse(w, no(http.StatusNotFound, "there is nothing at this address"))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mux.ServeHTTP(w, r)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request) {
	b, ok := s.world.Barrier(shop.Turnstile, r.PathValue("sale"))
	if !ok {
		refuse(w, no(http.StatusNotFound, "there is no such gate"))
		return
	}
	respond(w, http.StatusOK, "application/json", encode(shown(b)))
}

func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > 255 {
		refuse(w, no(http.StatusBadRequest, "an Idempotency-Key of up to 255 characters is needed"))
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	asked := r.URL.Path + "\n" + string(body)
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	for k, a := range s.done {
		if now.Sub(a.at) > keepKeys {
			delete(s.done, k)
		}
	}
	before, known := s.done[key]
	switch {
	case known && before.asked != asked:
		refuse(w, no(http.StatusUnprocessableEntity, "this Idempotency-Key was used for another request"))
		return
	case known:
		w.Header().Set("Idempotent-Replayed", "true")
		respond(w, before.status, "application/json", before.body)
		return
	}
	b, wrong := s.set(r.PathValue("sale"), key, body)
	if wrong != nil {
		refuse(w, wrong) // nothing was changed: the key may be used again
		return
	}
	a := answered{now, asked, http.StatusOK, encode(shown(b))}
	s.done[key] = a
	respond(w, a.status, "application/json", a.body)
}

// set carries out what a body asks for.
func (s *Server) set(sale, key string, body []byte) (shop.Barrier, *refusal) {
	if _, ok := s.world.Barrier(shop.Turnstile, sale); !ok {
		return shop.Barrier{}, no(http.StatusNotFound, "there is no such gate")
	}
	var in struct {
		Rate   *float64 `json:"rate"`
		Paused *bool    `json:"paused"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return shop.Barrier{}, no(http.StatusBadRequest, "the body is not what a gate takes: "+err.Error())
	}
	switch n := in.Rate; {
	case n == nil && in.Paused == nil:
		return shop.Barrier{}, no(http.StatusUnprocessableEntity, `neither "rate" nor "paused" is there`)
	case n != nil && (*n < 1 || *n > 100_000 || *n != math.Trunc(*n)):
		return shop.Barrier{}, no(http.StatusUnprocessableEntity, `"rate" is a whole number of people per minute, 1 to 100000`)
	}
	b, _ := s.world.SetBarrier(shop.Turnstile, sale, key, func(b *shop.Barrier) {
		if in.Rate != nil {
			b.PerMinute = int(*in.Rate)
		}
		if in.Paused != nil {
			b.Paused = *in.Paused
		}
	})
	return b, nil
}

// Failure answers every request as a gate that fails itself.
func Failure() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, no(http.StatusInternalServerError, "the gate's own store does not answer"))
	})
}

// Throttled answers every request as a gate that was asked too often.
func Throttled() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "5")
		refuse(w, no(http.StatusTooManyRequests, "too many requests"))
	})
}

func refuse(w http.ResponseWriter, r *refusal) {
	respond(w, r.Status, "application/problem+json", encode(r))
}

func encode(v any) []byte {
	data, _ := json.Marshal(v) // of plain fields: it can't fail
	return data
}

func respond(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left needs no answer
}
