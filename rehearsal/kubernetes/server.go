package kubernetes

import (
	"net/http"
	"strings"
	"time"
)

// Version is the release of Kubernetes whose behaviour is rehearsed.
const Version = "v1.36.3"

// Option changes a server.
type Option func(*Server)

// WithToken lets a bearer token in as a user who may do what the rules say.
func WithToken(token, user string, may ...Rule) Option {
	return func(s *Server) {
		if token != "" {
			s.tokens[token] = identity{user: user, groups: []string{"system:authenticated"}, rules: may}
		}
	}
}

// WithReader lets a token in that may get, list and watch everything: the token of a poller.
func WithReader(token string) Option {
	return WithToken(token, "system:serviceaccount:onsale:reader", ReadEverything())
}

// WithOperator lets a token in that may read everything and scale: patch and update of
// Deployments' scale, HPAs and ScaledObjects, not of the Deployments themselves.
func WithOperator(token string) Option {
	return WithToken(token, "system:serviceaccount:onsale:operator", ReadEverything(), Scale()[0], Scale()[1], Scale()[2])
}

// WithClock sets the clock for managedFields and for events; time.Now unless said.
func WithClock(now func() time.Time) Option { return func(s *Server) { s.now = now } }

// WithHistory sets how many changes a watch can go back over; 1,000 unless said. An older
// resourceVersion is answered with 410.
func WithHistory(changes int) Option { return func(s *Server) { s.seen.keep = max(changes, 1) } }

// WithWatchEvery sets how often the cluster is looked at while somebody watches; 250 ms unless said.
func WithWatchEvery(d time.Duration) Option { return func(s *Server) { s.watchEvery = d } }

// WithAudit is told of every write that passed authorization, done or refused.
func WithAudit(tell func(Audit)) Option { return func(s *Server) { s.audit = tell } }

// Audit is one write.
type Audit struct {
	At                        time.Time
	User, Verb                string
	Resource, Namespace, Name string // Resource is with its group and subresource: deployments.apps/scale
	DryRun                    bool
	Code                      int // the answer's HTTP status
	Message                   string
	From, To                  map[string]any // what was changed, by JSON pointer; nil when nothing was
}

// Server is the API. It is safe for many goroutines.
type Server struct {
	cluster    Cluster
	tokens     map[string]identity
	now        func() time.Time
	watchEvery time.Duration
	audit      func(Audit)
	kinds      []kind
	seen       seen
}

// New makes the API of a cluster.
func New(c Cluster, opts ...Option) *Server {
	s := &Server{
		cluster: c, tokens: map[string]identity{}, now: time.Now, watchEvery: 250 * time.Millisecond,
		audit: func(Audit) {}, kinds: kinds(),
	}
	s.seen.keep = 1000
	for _, o := range opts {
		o(s)
	}
	return s
}

// request is one request that has been understood.
type request struct {
	*http.Request
	who             identity
	verb            string
	kind            *kind
	namespace, name string
	sub             string
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Audit-Id", auditID())
	w.Header().Set("Cache-Control", "no-cache, private")
	who, ok := s.authenticate(r)
	if !ok {
		respond(w, unauthorized())
		return
	}
	if !strings.HasPrefix(r.URL.Path, "/api") || s.discovery(r.URL.Path) != nil {
		s.nonResource(w, r, who)
		return
	}
	req := &request{Request: r, who: who}
	known := s.route(req)
	switch st := s.authorize(req); { // whether something is served is told only to who may see it
	case st != nil:
		respond(w, st)
		return
	case !known:
		http.Error(w, "404 page not found", http.StatusNotFound)
		return
	}
	if !acceptsJSON(r) {
		respond(w, &status{Message: "only the following media types are accepted: application/json", Reason: "NotAcceptable", Code: http.StatusNotAcceptable})
		return
	}
	s.resource(w, req)
}

func (s *Server) resource(w http.ResponseWriter, r *request) {
	switch r.verb {
	case "list":
		s.list(w, r)
	case "watch":
		s.watch(w, r)
	case "get":
		s.get(w, r)
	case "patch", "update":
		s.write(w, r)
	case "create":
		if r.kind.resource == accessReviews {
			s.review(w, r)
			return
		}
		fallthrough
	default:
		respond(w, &status{
			Message: "the server does not allow this method on the requested resource", Reason: "MethodNotAllowed",
			Details: &details{}, Code: http.StatusMethodNotAllowed,
		})
	}
}

// route reads /api/v1/… and /apis/GROUP/VERSION/…: what is asked for, and by which verb.
func (s *Server) route(r *request) bool {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var group, version string
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		version, parts = parts[1], parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		group, version, parts = parts[1], parts[2], parts[3:]
	default:
		r.kind, r.verb = &kind{resource: r.URL.Path}, "get"
		return false
	}
	if len(parts) >= 3 && parts[0] == "namespaces" {
		r.namespace, parts = parts[1], parts[2:]
	}
	r.kind, r.verb = &kind{group: group, version: version, resource: parts[0]}, verbOf(r.Request, strings.Join(parts[1:], "/"))
	for i := range s.kinds {
		if k := &s.kinds[i]; k.group == group && k.version == version && k.resource == parts[0] {
			r.kind = k
		}
	}
	if r.kind.kind == "" || len(parts) > 3 || (r.namespace != "" && !r.kind.namespaced) {
		return false
	}
	if len(parts) > 1 {
		r.name = parts[1]
		if r.namespace == "" && r.kind.namespaced {
			return false
		}
	}
	if len(parts) > 2 {
		r.sub = parts[2]
		if r.sub != "scale" || r.kind.resource != "deployments" {
			return false
		}
	}
	return true
}

func verbOf(r *http.Request, name string) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		watch := r.URL.Query().Get("watch")
		switch {
		case name == "" && (watch == "1" || watch == "true"):
			return "watch"
		case name == "":
			return "list"
		}
		return "get"
	case http.MethodPost:
		return "create"
	case http.MethodPut:
		return "update"
	case http.MethodPatch:
		return "patch"
	case http.MethodDelete:
		if name == "" {
			return "deletecollection"
		}
		return "delete"
	}
	return strings.ToLower(r.Method)
}

func acceptsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	if accept == "" {
		return true
	}
	for each := range strings.SplitSeq(accept, ",") {
		kind, _, _ := strings.Cut(strings.TrimSpace(each), ";")
		if kind == "application/json" || kind == "*/*" || kind == "application/*" {
			return true
		}
	}
	return false
}
