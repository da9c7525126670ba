package kubernetes

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Rule is one RBAC rule. "*" stands for all; a subresource is named with its resource: deployments/scale.
type Rule struct {
	Verbs, Groups, Resources []string
	Namespaces               []string // nil: everywhere, as by a ClusterRoleBinding
}

// ReadEverything may get, list and watch.
func ReadEverything() Rule {
	return Rule{Verbs: []string{"get", "list", "watch"}, Groups: []string{"*"}, Resources: []string{"*"}}
}

// Scale is what scaling takes, and no more.
func Scale() []Rule {
	verbs := []string{"get", "patch", "update"}
	return []Rule{
		{Verbs: verbs, Groups: []string{"apps"}, Resources: []string{"deployments/scale"}},
		{Verbs: verbs, Groups: []string{"autoscaling"}, Resources: []string{"horizontalpodautoscalers"}},
		{Verbs: verbs, Groups: []string{"keda.sh"}, Resources: []string{"scaledobjects"}},
	}
}

// Everything may do all, as cluster-admin.
func Everything() Rule {
	return Rule{Verbs: []string{"*"}, Groups: []string{"*"}, Resources: []string{"*"}}
}

func (r Rule) allows(verb, group, resource, namespace string) bool {
	has := func(list []string, s string) bool { return slices.Contains(list, "*") || slices.Contains(list, s) }
	return has(r.Verbs, verb) && has(r.Groups, group) && has(r.Resources, resource) &&
		(r.Namespaces == nil || namespace != "" && has(r.Namespaces, namespace))
}

// identity is who asks.
type identity struct {
	user   string
	groups []string
	rules  []Rule
}

func (i identity) may(verb, group, resource, namespace string) bool {
	// system:basic-user is bound to everyone who is authenticated.
	if verb == "create" && group == authorization && resource == accessReviews {
		return slices.Contains(i.groups, "system:authenticated")
	}
	return slices.ContainsFunc(i.rules, func(r Rule) bool { return r.allows(verb, group, resource, namespace) })
}

func (i identity) mayAll() bool { return i.may("*", "*", "*", "") }

// authenticate knows who asks; a token that nobody has is refused, no token is anonymous.
func (s *Server) authenticate(r *http.Request) (identity, bool) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return identity{user: "system:anonymous", groups: []string{"system:unauthenticated"}}, true
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	who, known := s.tokens[strings.TrimSpace(token)]
	return who, ok && known
}

func (s *Server) authorize(r *request) *status {
	resource := r.kind.resource
	if r.sub != "" {
		resource += "/" + r.sub
	}
	if r.who.may(r.verb, r.kind.group, resource, r.namespace) {
		return nil
	}
	where := "at the cluster scope"
	if r.namespace != "" {
		where = fmt.Sprintf("in the namespace %q", r.namespace)
	}
	why := fmt.Sprintf("User %q cannot %s resource %q in API group %q %s", r.who.user, r.verb, resource, r.kind.group, where)
	text := r.kind.qualified()
	if r.name != "" {
		text += fmt.Sprintf(" %q", r.name)
	}
	return &status{
		Message: text + " is forbidden: " + why, Reason: "Forbidden",
		Details: &details{Name: r.name, Group: r.kind.group, Kind: r.kind.resource}, Code: http.StatusForbidden,
	}
}

func forbiddenPath(who identity, verb, path string) *status {
	return &status{
		Message: fmt.Sprintf("forbidden: User %q cannot %s path %q", who.user, verb, path), Reason: "Forbidden",
		Details: &details{}, Code: http.StatusForbidden,
	}
}

// nonResource answers what is not an object: health and version, which everybody may see, and
// discovery, for everyone who is authenticated.
func (s *Server) nonResource(w http.ResponseWriter, r *http.Request, who identity) {
	found := s.discovery(r.URL.Path)
	public := slices.Contains([]string{"/healthz", "/livez", "/readyz", "/version"}, strings.TrimSuffix(r.URL.Path, "/"))
	switch {
	case !public && !slices.Contains(who.groups, "system:authenticated"), found == nil && !public && !who.mayAll():
		respond(w, forbiddenPath(who, verbOf(r, "x"), r.URL.Path))
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		respond(w, &status{Message: "the server does not allow this method on the requested resource", Reason: "MethodNotAllowed", Details: &details{}, Code: http.StatusMethodNotAllowed})
	case found != nil:
		write(w, http.StatusOK, found)
	case public:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok"))
	default:
		http.Error(w, "404 page not found", http.StatusNotFound)
	}
}
