package kubernetes

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// find returns the object of that name in its plain form.
func find[T any](all []T, of func(*T) *Object, namespace, name string) (T, bool) {
	i := slices.IndexFunc(all, func(one T) bool { o := of(&one); return o.Namespace == namespace && o.Name == name })
	if i < 0 {
		var none T
		return none, false
	}
	return all[i], true
}

// meta takes over what a client may write of the metadata, and counts the generation and the
// manager when something changed.
func (s *Server) meta(o *Object, d *doc, changed func() []string, r writer) {
	o.Labels, o.Annotations = d.typed.Metadata.Labels, d.typed.Metadata.Annotations
	fields := writable(changed())
	if len(fields) == 0 {
		return
	}
	o.Generation = max(o.Generation, 1)
	if slices.ContainsFunc(fields, func(p string) bool { return strings.HasPrefix(p, "/spec/") }) {
		o.Generation++
	}
	o.Managers = takeOver(o.Managers, r, s.now(), fields)
}

// writer is who a write is noted under.
type writer struct {
	name, part string
	apply      bool // by server-side apply
}

// takeOver notes that fields were updated: whoever else held them holds them no more.
func takeOver(managers []Manager, by writer, now time.Time, fields []string) []Manager {
	var out []Manager
	own := Manager{Name: by.name, Operation: "Update", Part: by.part, At: now, Fields: slices.Clone(fields)}
	if by.apply {
		own.Operation = "Apply"
	}
	for _, m := range managers {
		if m.Name == own.Name && m.Operation == own.Operation && m.Part == own.Part {
			own.Fields = append(own.Fields, m.Fields...)
			continue
		}
		m.Fields = slices.DeleteFunc(slices.Clone(m.Fields), func(p string) bool { return slices.Contains(fields, p) })
		if len(m.Fields) > 0 {
			out = append(out, m)
		}
	}
	slices.Sort(own.Fields)
	own.Fields = slices.Compact(own.Fields)
	return append(out, own)
}

func (r *request) writer() writer {
	name := r.URL.Query().Get("fieldManager")
	if name == "" {
		name, _, _ = strings.Cut(r.UserAgent(), "/")
	}
	if name == "" {
		name = "unknown"
	}
	return writer{name: name[:min(len(name), 128)], part: r.sub}
}

func putDeployment(s *Server, r *request, d *doc) (func() error, tree, *status) {
	one, ok := find(s.cluster.State().Deployments, func(d *Deployment) *Object { return &d.Object }, r.namespace, r.name)
	if !ok {
		return nil, nil, r.kind.missing(r.name)
	}
	replicas := int32(1) // the server's default
	if d.typed.Spec.Replicas != nil {
		replicas = *d.typed.Spec.Replicas
	}
	if replicas < 0 {
		return nil, nil, invalid("apps", "Deployment", r.name, []fieldError{invalidValue("spec.replicas", replicas, "must be greater than or equal to 0")})
	}
	one.Replicas, one.Paused = int(replicas), d.typed.Spec.Paused
	s.meta(&one.Object, d, func() []string { return differences("", d.was, encodeDeployment(&one)) }, r.writer())
	return func() error { return s.cluster.SetDeployment(one) }, encodeDeployment(&one), nil
}

func putHPA(s *Server, r *request, d *doc) (func() error, tree, *status) {
	one, ok := find(s.cluster.State().HPAs, func(h *HPA) *Object { return &h.Object }, r.namespace, r.name)
	if !ok {
		return nil, nil, r.kind.missing(r.name)
	}
	least, most := int32(1), d.typed.Spec.MaxReplicas
	if d.typed.Spec.MinReplicas != nil {
		least = *d.typed.Spec.MinReplicas
	}
	var errs []fieldError
	if least < 1 {
		errs = append(errs, invalidValue("spec.minReplicas", least, "must be greater than or equal to 1"))
	}
	if most < 1 {
		errs = append(errs, invalidValue("spec.maxReplicas", most, "must be greater than 0"))
	}
	if most < least {
		errs = append(errs, invalidValue("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"))
	}
	if len(errs) > 0 {
		return nil, nil, invalid("autoscaling", "HorizontalPodAutoscaler", r.name, errs)
	}
	one.Min, one.Max = int(least), int(most)
	s.meta(&one.Object, d, func() []string { return differences("", d.was, encodeHPA(&one)) }, r.writer())
	return func() error { return s.cluster.SetHPA(one) }, encodeHPA(&one), nil
}

// kedaWebhook is what validates ScaledObjects in a cluster with KEDA.
const kedaWebhook = "vscaledobject.kb.io"

func putScaledObject(s *Server, r *request, d *doc) (func() error, tree, *status) {
	one, ok := find(s.cluster.State().ScaledObjects, func(o *ScaledObject) *Object { return &o.Object }, r.namespace, r.name)
	if !ok {
		return nil, nil, r.kind.missing(r.name)
	}
	one.Min, one.Max, one.Idle = count(d.typed.Spec.MinReplicaCount), count(d.typed.Spec.MaxReplicaCount), count(d.typed.Spec.IdleCount)
	least, most := KEDAMin, KEDAMax
	if one.Min != nil {
		least = *one.Min
		if least <= 0 { // KEDA's webhook looks at the HPA's bounds, which begin at 1
			least = 1
		}
	}
	if one.Max != nil {
		most = *one.Max
	}
	switch {
	case least > most:
		return nil, nil, denied(&Denied{kedaWebhook, fmt.Sprintf("MinReplicaCount=%d must be less than MaxReplicaCount=%d", least, most)})
	case one.Idle != nil && *one.Idle >= least:
		return nil, nil, denied(&Denied{kedaWebhook, fmt.Sprintf("IdleReplicaCount=%d must be less than MinReplicaCount=%d", *one.Idle, least)})
	case one.Min != nil && *one.Min < 0 || most < 0:
		return nil, nil, denied(&Denied{kedaWebhook, "the replica counts must not be negative"})
	}
	s.meta(&one.Object, d, func() []string { return differences("", d.was, encodeScaledObject(&one)) }, r.writer())
	return func() error { return s.cluster.SetScaledObject(one) }, encodeScaledObject(&one), nil
}

func count(n *int32) *int {
	if n == nil {
		return nil
	}
	v := int(*n)
	return &v
}

// review answers a SelfSubjectAccessReview: may I do this?
func (s *Server) review(w http.ResponseWriter, r *request) {
	var in struct {
		Spec struct {
			Resource *struct {
				Namespace   string `json:"namespace"`
				Verb        string `json:"verb"`
				Group       string `json:"group"`
				Resource    string `json:"resource"`
				Subresource string `json:"subresource"`
				Name        string `json:"name"`
			} `json:"resourceAttributes"`
			Path *struct {
				Path string `json:"path"`
				Verb string `json:"verb"`
			} `json:"nonResourceAttributes"`
		} `json:"spec"`
	}
	body, st := readJSON(r, &in)
	if st != nil {
		respond(w, st)
		return
	}
	if (in.Spec.Resource == nil) == (in.Spec.Path == nil) {
		respond(w, invalid(authorization, "SelfSubjectAccessReview", "", []fieldError{{
			"FieldValueInvalid", "spec.resourceAttributes", "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified",
		}}))
		return
	}
	allowed := r.who.mayAll()
	if a := in.Spec.Resource; a != nil {
		resource := a.Resource
		if a.Subresource != "" {
			resource += "/" + a.Subresource
		}
		allowed = r.who.may(a.Verb, a.Group, resource, a.Namespace)
	}
	stat := tree{"allowed": allowed}
	if allowed {
		stat["reason"] = fmt.Sprintf("RBAC: allowed for %q", r.who.user)
	}
	write(w, http.StatusCreated, tree{
		"kind": "SelfSubjectAccessReview", "apiVersion": authorization + "/v1", "metadata": tree{"creationTimestamp": nil}, "spec": body["spec"], "status": stat,
	})
}
