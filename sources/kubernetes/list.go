package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	perPage  = 500
	maxPages = 20
)

// resource is one kind of object that is listed.
type resource struct{ group, version, name, kind, fields string }

var (
	deployments   = resource{"apps", "v1", "deployments", "Deployment", ""}
	hpas          = resource{"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", ""}
	scaledObjects = resource{"keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", ""}
	pods          = resource{"", "v1", "pods", "Pod", "status.phase=Pending"}
)

func resources() []resource { return []resource{deployments, hpas, pods, scaledObjects} }

func (r resource) String() string {
	if r.group == "" {
		return r.name
	}
	return r.name + "." + r.group
}

// list reads every object of a kind in a namespace, page by page. A list that expired between two
// pages is begun once more.
func (s *Source) list(ctx context.Context, r resource, namespace string) (found []unstructured.Unstructured, problem *sale.Problem) {
	defer func() {
		if v := recover(); v != nil { // foreign bytes went through a decoder
			found, problem = nil, &sale.Problem{Class: sale.BadData, Text: fmt.Sprintf("%s could not be decoded: %v", r, v), Hint: hintForeign}
		}
	}()
	ctx, meter := sources.Metered(ctx)
	api := s.options.Client.Resource(schema.GroupVersionResource{Group: r.group, Version: r.version, Resource: r.name}).Namespace(namespace)
	again := true
	options := metav1.ListOptions{Limit: perPage, FieldSelector: r.fields}
	for range maxPages {
		page, err := api.List(ctx, options)
		if options.Continue != "" && again && apierrors.IsResourceExpired(err) {
			again, found, options.Continue = false, nil, ""
			continue
		}
		if err == nil {
			err = isList(page, r)
		}
		if err != nil {
			return nil, s.problem(err, meter, r, namespace)
		}
		found = append(found, page.Items...)
		if options.Continue = page.GetContinue(); options.Continue == "" {
			return found, nil
		}
	}
	return nil, &sale.Problem{
		Class: sale.BadData, Text: fmt.Sprintf("more than %d %s in namespace %s", perPage*maxPages, r, namespace),
		Hint: "read a namespace with fewer of them",
	}
}

// isList refuses what is decoded without an error and is no list of that kind.
func isList(page *unstructured.UnstructuredList, r resource) error {
	if page.GetKind() != r.kind+"List" {
		return fmt.Errorf("a %q instead of a list of %s", page.GetKind(), r)
	}
	if _, ok := page.Object["metadata"].(map[string]any); !ok {
		return fmt.Errorf("a list of %s without metadata", r)
	}
	return nil
}

const hintForeign = "see that the address is a Kubernetes API server, not a page or proxy in front of it"

// problem classes a failed list and names the permission that it takes.
func (s *Source) problem(err error, meter *sources.Meter, r resource, namespace string) *sale.Problem {
	about := sources.About{Meter: meter, Secrets: s.options.Secrets}
	var wire *wireError
	if errors.As(err, &wire) {
		err = wire.cause
	}
	var answered apierrors.APIStatus
	if !errors.As(err, &answered) {
		p := sources.Classify(err, about)
		return &p
	}
	st := answered.Status()
	code := int(st.Code)
	last, _, wait := meter.Last()
	if code == 0 {
		code = last
	}
	if st.Details != nil && wait == 0 {
		wait = time.Duration(st.Details.RetryAfterSeconds) * time.Second
	}
	p := sources.Classify(&sources.StatusError{Status: code, RetryAfter: wait}, about)
	p.Text = s.clean(fmt.Sprintf("list %s in %s: HTTP %d: %s", r, namespace, code, st.Message), maxText)
	switch code {
	case http.StatusUnauthorized:
		p.Hint = "the token or certificate is missing, wrong or expired: renew it, or log in by the kubeconfig's own plugin"
	case http.StatusForbidden:
		p.Hint = fmt.Sprintf("grant the verb list on %s in namespace %s by a Role and RoleBinding", r, namespace)
	case http.StatusNotFound:
		p.Hint = fmt.Sprintf("the API server does not serve %s %s/%s: see the server's address and version", r.name, r.group, r.version)
		if r == scaledObjects {
			p.Hint = "KEDA is not installed in this cluster: name the Deployment or its HPA instead"
		}
	case http.StatusGone:
		p.Class, p.Hint = sale.Failing, "the cluster changes faster than it can be listed: poll again, or read a smaller namespace"
	case http.StatusTooManyRequests:
		p.Hint = "the API server's priority and fairness turned the request away: poll less often, or give this user a flow schema"
	case http.StatusGatewayTimeout:
		p.Class = sale.Timeout
	}
	return &p
}

func noKEDA() *sale.Problem {
	return &sale.Problem{Class: sale.NotFound, Text: "the cluster serves no " + scaledObjects.String(), Hint: "KEDA is not installed in this cluster"}
}
