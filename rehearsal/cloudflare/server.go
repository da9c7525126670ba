package cloudflare

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

// Options of a server. Tokens are what the client sends as "Authorization: Bearer …"; an empty
// one is no token at all.
type Options struct {
	ReadToken, WriteToken string
	Now                   func() time.Time
}

// Server is the API. It is safe for many goroutines.
type Server struct {
	world   *shop.World
	options Options
	limit   limiter
	mux     *http.ServeMux
}

// New makes the API of a world. It answers with and without the prefix /client/v4.
func New(world *shop.World, o Options) *Server {
	s := &Server{world: world, options: o, mux: http.NewServeMux(), limit: limiter{now: o.Now}}
	for _, prefix := range []string{"/client/v4", ""} {
		root := prefix + "/zones/{zone}/waiting_rooms"
		s.route("GET "+root, s.list)
		s.route("GET "+root+"/settings", s.settings)
		s.route("GET "+root+"/{room}", s.get)
		s.route("PUT "+root+"/{room}", s.put)
		s.route("PATCH "+root+"/{room}", s.patch)
		s.route("GET "+root+"/{room}/status", s.status)
		s.route("GET "+root+"/{room}/events", s.events)
		s.route("GET "+root+"/{room}/events/{event}", s.event)
		s.route("PUT "+root+"/{room}/events/{event}", s.putEvent)
		s.route("PATCH "+root+"/{room}/events/{event}", s.putEvent)
		s.route("GET "+root+"/{room}/events/{event}/details", s.details)
		s.route("GET "+root+"/{room}/rules", s.rules)
	}
	return s
}

// message is one entry of errors[] or messages[].
type message struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// envelope is the one shape of every answer.
type envelope struct {
	Success  bool      `json:"success"`
	Errors   []message `json:"errors"`
	Messages []message `json:"messages"`
	Result   any       `json:"result"`
	Info     *pageInfo `json:"result_info,omitempty"`
}

type pageInfo struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// refusal is an answer that is not success.
type refusal struct {
	status int
	code   int
	text   string
}

func (r *refusal) Error() string { return r.text }

func invalid(text string) *refusal { return &refusal{http.StatusBadRequest, 1010, text} }

var (
	noSuchRoom  = &refusal{http.StatusNotFound, 1001, "waiting room not found"}
	noSuchEvent = &refusal{http.StatusNotFound, 1002, "waiting room event not found"}
	noRoute     = &refusal{http.StatusNotFound, 7003, "Could not route to the requested path, perhaps your object identifier is invalid?"}
)

// route registers a handler behind the checks that every request passes: the rate limit first,
// which counts refused requests too, then the token, then the zone.
func (s *Server) route(pattern string, h func(r *http.Request) (any, *pageInfo, error)) {
	writes := !strings.HasPrefix(pattern, "GET ")
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if no := s.admit(r, writes); no != nil {
			refuse(w, no)
			return
		}
		result, info, err := h(r)
		var no *refusal
		switch {
		case errors.As(err, &no):
			refuse(w, no)
		case err != nil:
			refuse(w, invalid(err.Error()))
		default:
			respond(w, http.StatusOK, envelope{Success: true, Result: result, Info: info})
		}
	})
}

func (s *Server) admit(r *http.Request, writes bool) *refusal {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	switch {
	case !ok || token == "":
		return &refusal{http.StatusUnauthorized, 10001, "Unable to authenticate request"}
	case token == s.options.WriteToken:
	case token != s.options.ReadToken:
		return &refusal{http.StatusUnauthorized, 1000, "Invalid API Token"}
	case writes:
		return &refusal{http.StatusForbidden, 10000, "Authentication error: the token lacks Waiting Rooms Write"}
	}
	if r.PathValue("zone") != shop.ZoneID {
		return noRoute
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.limit.take(w.Header()) {
		refuse(w, &refusal{http.StatusTooManyRequests, 10429, "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your request speed"})
		return
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		refuse(w, noRoute)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// Failure answers every request as Cloudflare does when it fails itself.
func Failure() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, &refusal{http.StatusInternalServerError, 10013, "Internal error: an unknown error has occurred"})
	})
}

// Throttled answers every request as Cloudflare does after too many.
func Throttled() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		headers(w.Header(), 0, window)
		w.Header().Set("Retry-After", "300")
		refuse(w, &refusal{http.StatusTooManyRequests, 10429, "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your request speed"})
	})
}

func refuse(w http.ResponseWriter, r *refusal) {
	respond(w, r.status, envelope{Errors: []message{{r.code, r.text}}})
}

func respond(w http.ResponseWriter, status int, e envelope) {
	if e.Errors == nil {
		e.Errors = []message{}
	}
	e.Messages = []message{}
	body, err := json.Marshal(e)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that left needs no answer
}

const maxBody = 1 << 20

func readBody(r *http.Request, into any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return invalid("the body could not be read: " + err.Error())
	}
	if len(body) > maxBody {
		return invalid("the body is too large")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return invalid("the body is not what this endpoint takes: " + err.Error())
	}
	return nil
}
