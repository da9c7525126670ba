package aws

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// maxQuery bounds the body of a query, in bytes.
const maxQuery = 1 << 20

type managedPrometheus struct {
	prefix string
	api    http.Handler
	guard  guard
}

// NewManagedPrometheus puts the front door of Amazon Managed Service for Prometheus before the API
// of a Prometheus server: it answers under /workspaces/ID what api answers under /, for requests that
// are signed for the service "aps". A refusal is in AWS's own words, never in those of Prometheus.
// https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-APIReference-QueryMetrics.html
func NewManagedPrometheus(region, workspace string, api http.Handler, opts ...Option) http.Handler {
	return &managedPrometheus{prefix: "/workspaces/" + workspace, api: api, guard: newGuard("aps", region, settings(opts))}
}

// ServeHTTP implements http.Handler.
func (m *managedPrometheus) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuery))
	if err != nil {
		m.refuse(w, &apiError{shape: coral + "ValidationException", status: http.StatusBadRequest, message: "the body can't be read"})
		return
	}
	if problem := m.guard.check(r, body); problem != nil {
		m.refuse(w, problem)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, m.prefix)
	if !ok || !strings.HasPrefix(path, "/api/v1/") {
		m.refuse(w, &apiError{shape: coral + "ResourceNotFoundException", status: http.StatusNotFound, message: "Workspace not found"})
		return
	}
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = path, ""
	inner.Body = io.NopCloser(bytes.NewReader(body))
	m.api.ServeHTTP(w, inner)
}

// refuse answers as the REST services of AWS do: the error's name in a header, its message in JSON.
func (m *managedPrometheus) refuse(w http.ResponseWriter, e *apiError) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", e.shape[strings.LastIndexByte(e.shape, '#')+1:])
	w.WriteHeader(e.status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": e.message}) // a client that left needs no answer
}
