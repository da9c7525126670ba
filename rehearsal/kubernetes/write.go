package kubernetes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// maxBody is the server's own limit of a request, in bytes.
const maxBody = 3 << 20

// write answers PUT and PATCH, of an object or of its scale.
func (s *Server) write(w http.ResponseWriter, r *request) {
	audit := Audit{
		At: s.now(), User: r.who.user, Verb: r.verb, Resource: r.kind.qualified(), Namespace: r.namespace, Name: r.name, Code: http.StatusOK,
	}
	if r.sub != "" {
		audit.Resource += "/" + r.sub
	}
	out, warnings, st := s.written(r, &audit)
	for _, text := range warnings {
		w.Header().Add("Warning", fmt.Sprintf("299 - %q", text))
	}
	if st != nil {
		audit.Code, audit.Message = st.Code, st.Message
		respond(w, st)
	} else {
		write(w, http.StatusOK, out)
	}
	s.audit(audit)
}

func (s *Server) written(r *request, audit *Audit) (out tree, warnings []string, st *status) {
	if !slices.Contains(r.kind.verbs, r.verb) {
		return nil, nil, &status{Message: "the server does not allow this method on the requested resource", Reason: "MethodNotAllowed", Details: &details{}, Code: http.StatusMethodNotAllowed}
	}
	body, st := readBody(r)
	if st != nil {
		return nil, nil, st
	}
	dry, st := r.dryRun()
	if st != nil {
		return nil, nil, st
	}
	audit.DryRun = dry
	s.refresh(func(v *seen) {
		h := v.objects[r.ref()]
		if h == nil {
			st = r.kind.missing(r.name)
			return
		}
		var d *doc
		if d, st = r.document(body, h); st != nil {
			return
		}
		warnings = d.warnings
		if out, st = s.settle(r, d, h, dry, audit); st != nil || dry {
			return
		}
		v.look(s.kinds, s.cluster.State())
		if now := v.objects[r.ref()]; now != nil {
			out = now.tree
		}
	})
	if st == nil && r.sub == "scale" {
		out = scaleOf(out)
	}
	return out, warnings, st
}

func (r *request) dryRun() (bool, *status) {
	all := r.URL.Query()["dryRun"]
	for _, v := range all {
		if v != "All" {
			return false, invalid("meta.k8s.io", map[string]string{"patch": "PatchOptions", "update": "UpdateOptions"}[r.verb], "", []fieldError{{"FieldValueNotSupported", "dryRun", fmt.Sprintf("Unsupported value: %q: supported values: \"All\"", v)}})
		}
	}
	return len(all) > 0, nil
}

// doc is an object as a client wants it.
type doc struct {
	was, next tree // of the whole object
	typed     typed
	warnings  []string
}

// typed is what a write may carry, of every kind.
type typed struct {
	Metadata struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Replicas        *int32 `json:"replicas"`
		Paused          bool   `json:"paused"`
		MinReplicas     *int32 `json:"minReplicas"`
		MaxReplicas     int32  `json:"maxReplicas"`
		MinReplicaCount *int32 `json:"minReplicaCount"`
		MaxReplicaCount *int32 `json:"maxReplicaCount"`
		IdleCount       *int32 `json:"idleReplicaCount"`
	} `json:"spec"`
}

// document reads a PUT or PATCH of an object or its scale into what the object shall be.
func (r *request) document(body []byte, h *held) (*doc, *status) {
	target := h.tree
	if r.sub == "scale" {
		target = scaleOf(target)
	}
	var next tree
	var st *status
	if r.verb == "patch" {
		next, st = r.patched(body, target)
	} else if err := json.Unmarshal(body, &next); err != nil || next == nil {
		st = badRequest("the object provided is unrecognized (must be of type %s): couldn't get version/kind; json parse error: %v", r.kind.kind, err)
	}
	if st == nil {
		st = r.identity(next, target)
	}
	if st != nil {
		return nil, st
	}
	if r.sub == "scale" {
		whole := plainJSON(h.tree)
		replicas := at(next, "spec", "replicas")
		if replicas == nil {
			replicas = float64(0) // as of a Go integer that is absent
		}
		whole["spec"].(tree)["replicas"] = replicas
		next = whole
	}
	d := &doc{was: h.tree, next: next}
	return d, r.decode(d)
}

// identity holds what no write can change, and the optimistic lock.
func (r *request) identity(next, was tree) *status {
	if kind := textAt(next, "kind"); kind != textAt(was, "kind") {
		return badRequest("%s in version %q cannot be handled as a %s: no kind %q is registered", kind, textAt(next, "apiVersion"), textAt(was, "kind"), kind)
	}
	if name := textAt(next, "metadata", "name"); name != r.name {
		return badRequest("the name of the object (%s) does not match the name on the URL (%s)", name, r.name)
	}
	if namespace := textAt(next, "metadata", "namespace"); namespace != r.namespace && (r.verb == "patch" || namespace != "") {
		return badRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	uid, own := textAt(next, "metadata", "uid"), textAt(was, "metadata", "uid")
	if uid != "" && uid != own {
		return r.kind.conflict(r.name, fmt.Sprintf("Precondition failed: UID in precondition: %s, UID in object meta: %s", uid, own))
	}
	version := textAt(next, "metadata", "resourceVersion")
	if version == "" && r.kind.custom && r.verb == "update" {
		return invalid(r.kind.group, r.kind.kind, r.name, []fieldError{{"FieldValueInvalid", "metadata.resourceVersion", "Invalid value: 0: must be specified for an update"}})
	}
	if version != "" && version != textAt(was, "metadata", "resourceVersion") {
		return r.kind.conflict(r.name, modified)
	}
	return nil
}

// decode reads the typed part, and finds what the schema does not know.
func (r *request) decode(d *doc) *status {
	data, err := json.Marshal(d.next)
	if err == nil {
		err = json.Unmarshal(data, &d.typed)
	}
	if err != nil {
		var shape *json.UnmarshalTypeError
		if r.kind.custom && errors.As(err, &shape) {
			want := map[string]string{"int32": "integer", "string": "string", "bool": "boolean"}[shape.Type.String()]
			return invalid(r.kind.group, r.kind.kind, r.name, []fieldError{{"FieldValueTypeInvalid", shape.Field, fmt.Sprintf("Invalid value: %q: %s in body must be of type %s: %q", strings.Fields(shape.Value)[0], shape.Field, want, strings.Fields(shape.Value)[0])}})
		}
		if r.verb == "update" {
			return badRequest("%s in version %q cannot be handled as a %s: %v", r.kind.kind, r.kind.version, r.kind.kind, err)
		}
		return invalid("", "", "", []fieldError{invalidValue("patch", string(data), err.Error())})
	}
	spec, _ := d.next["spec"].(tree)
	for name := range spec {
		if !slices.Contains(r.kind.fields, name) {
			d.warnings = append(d.warnings, `unknown field "spec.`+name+`"`)
			delete(spec, name)
		}
	}
	slices.Sort(d.warnings)
	switch r.URL.Query().Get("fieldValidation") {
	case "Strict":
		if len(d.warnings) > 0 {
			return badRequest("%s in version %q cannot be handled as a %s: strict decoding error: %s", r.kind.kind, r.kind.version, r.kind.kind, strings.Join(d.warnings, ", "))
		}
	case "Ignore":
		d.warnings = nil
	}
	return nil
}

// settle validates, and stores unless it is a dry run. It returns the object as it will be.
func (s *Server) settle(r *request, d *doc, h *held, dry bool, audit *Audit) (tree, *status) {
	commit, next, st := r.kind.put(s, r, d)
	if st != nil {
		if r.sub == "scale" && st.Code == http.StatusUnprocessableEntity {
			st = invalid("autoscaling", "Scale", r.name, []fieldError{invalidValue("spec.replicas", at(d.next, "spec", "replicas"), "must be greater than or equal to 0")})
		}
		return nil, st
	}
	if pointer := unmodelled(r.kind, d.next, next); pointer != "" {
		return nil, denied(&Denied{Webhook: "rehearsal.onsale.dev", Message: pointer + " does not move anything in the rehearsed cluster"})
	}
	changed := writable(differences("", d.was, next))
	if len(changed) == 0 {
		return d.was, nil
	}
	audit.From, audit.To = map[string]any{}, map[string]any{}
	for _, pointer := range changed {
		audit.From[pointer], _ = lookup(d.was, pointer)
		audit.To[pointer], _ = lookup(next, pointer)
	}
	if dry {
		return withVersion(next, h.version), nil
	}
	if err := commit(); err != nil {
		return nil, r.refused(err)
	}
	return next, nil
}

func (r *request) refused(err error) *status {
	var no *Denied
	switch {
	case errors.As(err, &no):
		return denied(no)
	case errors.Is(err, ErrNotFound):
		return r.kind.missing(r.name)
	}
	return internal(err)
}

func denied(no *Denied) *status {
	return &status{Message: no.Error(), Reason: "Forbidden", Code: http.StatusForbidden}
}

// writable keeps what counts as a change: what the server keeps itself does not.
func writable(pointers []string) []string {
	return slices.DeleteFunc(pointers, func(p string) bool {
		return !strings.HasPrefix(p, "/spec/") && !strings.HasPrefix(p, "/metadata/labels") && !strings.HasPrefix(p, "/metadata/annotations")
	})
}

// unmodelled finds a change that was wanted and that the cluster can't hold.
func unmodelled(k *kind, wanted, next tree) string {
	for _, p := range writable(differences("", wanted, next)) {
		if !slices.Contains(k.settable, p) && p != "/metadata/labels" && p != "/metadata/annotations" {
			return p
		}
	}
	return ""
}

// scaleOf is the scale subresource of a Deployment.
func scaleOf(t tree) tree {
	meta := tree{}
	for _, name := range []string{"name", "namespace", "uid", "resourceVersion", "creationTimestamp"} {
		meta[name] = at(t, "metadata", name)
	}
	labels := stringsAt(t, "spec", "selector", "matchLabels")
	parts := make([]string, 0, len(labels))
	for k, v := range labels {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	replicas, _ := at(t, "status", "replicas").(float64)
	spec := tree{}
	if n := at(t, "spec", "replicas"); n != float64(0) {
		spec["replicas"] = n
	}
	return tree{
		"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec,
		"status": tree{"replicas": replicas, "selector": strings.Join(parts, ",")},
	}
}

func readBody(r *request) ([]byte, *status) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, badRequest("unable to read the body: %v", err)
	}
	if len(body) > maxBody {
		return nil, &status{Message: fmt.Sprintf("Request entity too large: limit is %d", maxBody), Reason: "RequestEntityTooLarge", Code: http.StatusRequestEntityTooLarge}
	}
	return body, nil
}

// readJSON reads a body into a type and, whole, into a tree.
func readJSON(r *request, into any) (tree, *status) {
	body, st := readBody(r)
	if st != nil {
		return nil, st
	}
	var whole tree
	err := json.Unmarshal(body, &whole)
	if err == nil {
		err = json.Unmarshal(body, into)
	}
	if err != nil || whole == nil {
		return nil, badRequest("the object provided is unrecognized (must be of type %s): %v", r.kind.kind, err)
	}
	return whole, nil
}
