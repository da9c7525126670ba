package prom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/util/annotations"
)

// Version is the Prometheus release whose engine this is.
const Version = "3.13.5"

// The limits of a Prometheus server as it is shipped.
const (
	maxPoints      = 11000
	maxSamples     = 50_000_000
	queryTimeout   = 2 * time.Minute
	lookback       = 5 * time.Minute
	maxFormBody    = 10 << 20
	maxAnnotations = 10
)

// API answers the HTTP API of Prometheus from a database.
type API struct {
	db     *DB
	engine *promql.Engine
	parser parser.Parser
	now    func() time.Time
	mux    *http.ServeMux
}

// NewAPI makes the handler. now gives the time of a query that names none.
func NewAPI(db *DB, now func() time.Time) *API {
	parse := parser.NewParser(parser.Options{})
	a := &API{
		db: db, parser: parse, now: now, mux: http.NewServeMux(),
		engine: promql.NewEngine(promql.EngineOpts{
			MaxSamples: maxSamples, Timeout: queryTimeout, LookbackDelta: lookback,
			EnableAtModifier: true, EnableNegativeOffset: true, Parser: parse,
			NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
		}),
	}
	both := func(path string, h func(r *http.Request) answer) {
		a.mux.HandleFunc("GET "+path, serve(h))
		a.mux.HandleFunc("POST "+path, serve(h))
	}
	both("/api/v1/query", a.query)
	both("/api/v1/query_range", a.queryRange)
	both("/api/v1/series", a.series)
	both("/api/v1/labels", a.labelNames)
	a.mux.HandleFunc("GET /api/v1/label/{name}/values", serve(a.labelValues))
	a.mux.HandleFunc("GET /api/v1/metadata", serve(a.metadata))
	a.mux.HandleFunc("GET /api/v1/status/buildinfo", serve(a.buildInfo))
	a.mux.HandleFunc("GET /-/ready", says("Prometheus Server is Ready.\n"))
	a.mux.HandleFunc("GET /-/healthy", says("Prometheus Server is Healthy.\n"))
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// Close stops the engine; queries that still run are cancelled.
func (a *API) Close() error { return a.engine.Close() }

// answer is what a request leads to: data, or a problem with its class.
type answer struct {
	data     any
	problem  *problem
	warnings []string
	infos    []string
}

type problem struct {
	class string // Prometheus' errorType
	err   error
}

// envelope is the one shape of every answer of the API.
type envelope struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

func bad(parameter string, err error) answer {
	return answer{problem: &problem{"bad_data", fmt.Errorf("invalid parameter %q: %w", parameter, err)}}
}

func serve(h func(r *http.Request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxFormBody)
		var a answer
		if err := r.ParseForm(); err != nil {
			a.problem = &problem{"bad_data", fmt.Errorf("error parsing form values: %w", err)}
		} else {
			a = h(r)
		}
		e, code := envelope{Status: "success", Data: a.data, Warnings: a.warnings, Infos: a.infos}, http.StatusOK
		if a.problem != nil {
			e = envelope{Status: "error", ErrorType: a.problem.class, Error: a.problem.err.Error()}
			code = statusOf(a.problem.class)
		}
		body, err := json.Marshal(e)
		if err != nil {
			http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write(body) // a client that left needs no answer
	}
}

// statusOf gives the HTTP status of an errorType.
func statusOf(class string) int {
	switch class {
	case "bad_data":
		return http.StatusBadRequest
	case "execution":
		return http.StatusUnprocessableEntity
	case "canceled":
		return 499 // the client closed the connection
	case "timeout":
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// failed classes the error of a query that was accepted.
func failed(err error) answer {
	var canceled promql.ErrQueryCanceled
	var timeout promql.ErrQueryTimeout
	var storage promql.ErrStorage
	switch {
	case errors.As(err, &timeout):
		return answer{problem: &problem{"timeout", err}}
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return answer{problem: &problem{"canceled", err}}
	case errors.As(err, &storage):
		return answer{problem: &problem{"internal", err}}
	default:
		return answer{problem: &problem{"execution", err}}
	}
}

func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte(text))
	}
}

func annotated(a answer, query string, notes annotations.Annotations) answer {
	a.warnings, a.infos = notes.AsStrings(query, maxAnnotations, maxAnnotations)
	return a
}
