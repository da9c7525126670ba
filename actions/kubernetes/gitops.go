package kubernetes

import (
	"fmt"
	"strings"
)

// writers are the names in managedFields of those that set back what somebody else changed.
var writers = []struct{ prefix, who, when string }{
	{"argocd", "Argo CD", "sets it back at its next sync, with self-heal within seconds"},
	{"kustomize-controller", "Flux", "sets it back at its next reconciliation"},
	{"helm-controller", "Flux's Helm controller", "sets it back at the next release"},
	{"helm", "Helm", "sets it back at the next upgrade"},
	{"Terraform", "Terraform", "sets it back at the next apply"},
	{"HashiCorp", "Terraform", "sets it back at the next apply"},
	{"pulumi", "Pulumi", "sets it back at the next update"},
	{"kubectl-client-side-apply", "kubectl apply", "sets it back when the manifest is applied again"},
}

// reverts names who will set the fields back: for certain when managedFields say that it owns
// one, perhaps when it only tracks the object.
func (s *scene) reverts(fields []string) (certain, perhaps []string) {
	app := s.tracked()
	for _, f := range s.object.GetManagedFields() {
		for _, w := range writers {
			if !strings.HasPrefix(f.Manager, w.prefix) || f.Subresource == "status" {
				continue
			}
			for _, field := range fields {
				if owns(f, field) {
					who := w.who
					if app != "" {
						who = app
					}
					certain = append(certain, fmt.Sprintf("%s owns %s (%s in managedFields) and %s", who, field, f.Manager, w.when))
				}
			}
			break
		}
	}
	if len(certain) == 0 && app != "" {
		perhaps = append(perhaps, fmt.Sprintf("%s tracks it, and managedFields give it no part in %s: it stays unless the manifest sets it", app, strings.Join(fields, ", ")))
	}
	return certain, perhaps
}

// tracked names the GitOps application that an object belongs to, or "".
func (s *scene) tracked() string {
	labels, notes := s.object.GetLabels(), s.object.GetAnnotations()
	if id := notes["argocd.argoproj.io/tracking-id"]; id != "" {
		app, _, _ := strings.Cut(id, ":")
		return "Argo CD app " + app
	}
	for _, l := range []struct{ label, who string }{
		{"argocd.argoproj.io/instance", "Argo CD app "},
		{"kustomize.toolkit.fluxcd.io/name", "Flux Kustomization "},
		{"helm.toolkit.fluxcd.io/name", "Flux HelmRelease "},
	} {
		if name := labels[l.label]; name != "" {
			return l.who + name
		}
	}
	if release := notes["meta.helm.sh/release-name"]; release != "" {
		return "Helm release " + release
	}
	return ""
}
