package kubernetes

import (
	"slices"
	"strings"
)

const (
	authorization = "authorization.k8s.io"
	accessReviews = "selfsubjectaccessreviews"
)

// kind is one kind of object that the API serves.
type kind struct {
	group, version, kind, resource, singular string
	short                                    []string
	namespaced, custom                       bool
	verbs                                    []string
	selectable                               []string // field labels beside metadata.name and .namespace
	objects                                  func(State) []tree
	fields                                   []string // of spec, known to the kind's schema
	settable                                 []string // JSON pointers that a write may change
	// put validates a wanted object; commit stores it.
	put func(s *Server, r *request, d *doc) (commit func() error, next tree, st *status)
}

func (k *kind) qualified() string {
	if k.group == "" {
		return k.resource
	}
	return k.resource + "." + k.group
}

func (k *kind) apiVersion() string {
	if k.group == "" {
		return k.version
	}
	return k.group + "/" + k.version
}

func kinds() []kind {
	read := []string{"get", "list", "watch"}
	scalable := []string{"get", "list", "patch", "update", "watch"}
	return []kind{
		{
			version: "v1", kind: "Namespace", resource: "namespaces", singular: "namespace", short: []string{"ns"}, verbs: read,
			objects: func(s State) []tree { return encodeAll(s.Namespaces, encodeNamespace) },
		},
		{
			version: "v1", kind: "Pod", resource: "pods", singular: "pod", short: []string{"po"}, namespaced: true, verbs: read,
			selectable: []string{"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"},
			objects:    func(s State) []tree { return encodeAll(s.Pods, encodePod) },
		},
		{
			version: "v1", kind: "Event", resource: "events", singular: "event", short: []string{"ev"}, namespaced: true, verbs: read,
			selectable: []string{"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type"},
			objects:    func(s State) []tree { return encodeAll(s.Events, encodeEvent) },
		},
		{
			group: "apps", version: "v1", kind: "Deployment", resource: "deployments", singular: "deployment", short: []string{"deploy"}, namespaced: true, verbs: scalable,
			objects:  func(s State) []tree { return encodeAll(s.Deployments, encodeDeployment) },
			fields:   []string{"replicas", "selector", "template", "strategy", "minReadySeconds", "revisionHistoryLimit", "paused", "progressDeadlineSeconds"},
			settable: []string{"/spec/replicas", "/spec/paused"},
			put:      putDeployment,
		},
		{
			group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler", resource: "horizontalpodautoscalers", singular: "horizontalpodautoscaler", short: []string{"hpa"}, namespaced: true, verbs: scalable,
			objects:  func(s State) []tree { return encodeAll(s.HPAs, encodeHPA) },
			fields:   []string{"scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"},
			settable: []string{"/spec/minReplicas", "/spec/maxReplicas"},
			put:      putHPA,
		},
		{
			group: "keda.sh", version: "v1alpha1", kind: "ScaledObject", resource: "scaledobjects", singular: "scaledobject", short: []string{"so"}, namespaced: true, custom: true, verbs: scalable,
			objects:  func(s State) []tree { return encodeAll(s.ScaledObjects, encodeScaledObject) },
			fields:   []string{"scaleTargetRef", "pollingInterval", "cooldownPeriod", "initialCooldownPeriod", "idleReplicaCount", "minReplicaCount", "maxReplicaCount", "advanced", "triggers", "fallback"},
			settable: []string{"/spec/minReplicaCount", "/spec/maxReplicaCount", "/spec/idleReplicaCount"},
			put:      putScaledObject,
		},
		{
			group: authorization, version: "v1", kind: "SelfSubjectAccessReview", resource: accessReviews, singular: "selfsubjectaccessreview", verbs: []string{"create"},
		},
	}
}

func encodeAll[T any](list []T, encode func(*T) tree) []tree {
	out := make([]tree, 0, len(list))
	for i := range list {
		out = append(out, encode(&list[i]))
	}
	return out
}

// discovery is what stands at a path of the discovery API; nil when it is none.
func (s *Server) discovery(path string) any {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case len(parts) == 1 && parts[0] == "version":
		return map[string]string{
			"major": "1", "minor": "36", "gitVersion": Version, "gitCommit": "", "gitTreeState": "clean", "buildDate": "2026-08-12T00:00:00Z",
			"goVersion": "go1.26.3", "compiler": "gc", "platform": "linux/amd64", "emulationMajor": "1", "emulationMinor": "36", "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
		}
	case len(parts) == 1 && parts[0] == "api":
		return map[string]any{"kind": "APIVersions", "versions": []string{"v1"}, "serverAddressByClientCIDRs": []any{map[string]string{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443"}}}
	case len(parts) == 1 && parts[0] == "apis":
		groups := []any{}
		for i := range s.kinds {
			if g := s.kinds[i].group; g != "" && !slices.ContainsFunc(s.kinds[:i], func(k kind) bool { return k.group == g }) {
				groups = append(groups, s.group(g, false))
			}
		}
		return map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
	case len(parts) == 2 && parts[0] == "apis":
		return s.group(parts[1], true)
	case len(parts) == 2 && parts[0] == "api":
		return s.resources("", parts[1])
	case len(parts) == 3 && parts[0] == "apis":
		return s.resources(parts[1], parts[2])
	}
	return nil
}

func (s *Server) group(name string, alone bool) any {
	i := slices.IndexFunc(s.kinds, func(k kind) bool { return k.group == name && name != "" })
	if i < 0 {
		return nil
	}
	version := map[string]string{"groupVersion": s.kinds[i].apiVersion(), "version": s.kinds[i].version}
	g := map[string]any{"name": name, "versions": []any{version}, "preferredVersion": version}
	if alone {
		g["kind"], g["apiVersion"] = "APIGroup", "v1"
	}
	return g
}

func (s *Server) resources(group, version string) any {
	list := []any{}
	for _, k := range s.kinds {
		if k.group != group || k.version != version {
			continue
		}
		entry := map[string]any{"name": k.resource, "singularName": k.singular, "namespaced": k.namespaced, "kind": k.kind, "verbs": k.verbs}
		if len(k.short) > 0 {
			entry["shortNames"] = k.short
		}
		list = append(list, entry)
		if k.resource == "deployments" {
			list = append(list, map[string]any{
				"name": "deployments/scale", "singularName": "", "namespaced": true, "group": "autoscaling", "version": "v1", "kind": "Scale",
				"verbs": []string{"get", "patch", "update"},
			})
		}
	}
	if len(list) == 0 {
		return nil
	}
	gv := version
	if group != "" {
		gv = group + "/" + version
	}
	return map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": list}
}
