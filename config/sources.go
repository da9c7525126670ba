package config

import (
	"fmt"
	"maps"
	"net"
	"net/textproto"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// The bounds of a source's rhythm.
const (
	minTimeout = 100 * time.Millisecond
	maxTimeout = 60 * time.Second
	maxEvery   = time.Hour
	// roomEvery is how long Cloudflare caches a room's status: asking sooner gives the same.
	minRoomEvery = 20 * time.Second
	// standardPeriod is the finest period of the metrics that AWS itself publishes.
	standardPeriod = 60 * time.Second
	// capacityEvery is how often an autoscaler itself looks.
	capacityEvery    = 15 * time.Second
	minCapacityEvery = 5 * time.Second
)

var sourceName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// sources reads the sources in the order of the file.
func (r *reader) sources(at *node) []Source {
	if at == nil {
		return nil
	}
	var all []Source
	for _, e := range at.entries {
		if !sourceName.MatchString(e.key.text) {
			r.wrong(e.key, fmt.Sprintf("a source can't be called %q", e.key.text), "use up to 40 lower-case letters, digits, dashes and underscores")
			continue
		}
		before := len(r.mistakes)
		s, ok := r.source(e)
		// A source with mistakes stays known, so that what reads from it is not told that
		// it does not exist.
		if ok || len(r.mistakes) > before {
			all = append(all, s)
		}
	}
	return all
}

// sourceTypes are the file's types by kind.
func sourceTypes() map[string]any {
	all := alarmTypes()
	maps.Copy(all, map[string]any{
		KindPrometheus: &prometheusIn{}, KindCloudWatch: &cloudwatchIn{},
		KindSQS: &sqsIn{}, KindWaitingRoom: &waitingRoomIn{},
		KindAutoScaling: &autoScalingIn{}, KindECS: &ecsIn{}, KindRDS: &rdsIn{}, KindKubernetes: &kubernetesIn{},
		KindHTTPJSON: &httpJSONIn{}, KindRedis: &redisIn{},
		KindPagerDuty: &pagerdutyIn{}, KindAlertmanager: &alertmanagerIn{}, KindOpsItem: &opsItemIn{},
	})
	return all
}

func (r *reader) source(e entry) (Source, bool) {
	s := Source{Name: e.key.text}
	if e.value.kind != mapKind {
		r.wrong(e.value, fmt.Sprintf("the source %q needs a group of keys, this is %s", s.Name, e.value.found()), "write {kind: prometheus, url: …}")
		return s, false
	}
	kindNode := e.value.get("kind")
	if kindNode == nil {
		r.wrong(e.key, fmt.Sprintf("the source %q has no \"kind\"", s.Name), "add kind: "+strings.Join(Kinds(), ", or kind: "))
		return s, false
	}
	in, ok := sourceTypes()[kindNode.text]
	if !ok {
		r.wrong(kindNode, fmt.Sprintf("unknown kind of source %s", quote(kindNode)), didYouMean(kindNode.text, Kinds(), ""))
		return s, false
	}
	s.Kind = kindNode.text
	r.decode(e.value, reflect.ValueOf(in).Elem(), constraint{key: s.Name})
	switch in := in.(type) {
	case *prometheusIn:
		r.common(&s, in.sourceIn, 5*time.Second, 5*time.Second, time.Second)
		s.Prometheus = r.prometheus(in)
	case *cloudwatchIn:
		r.common(&s, in.sourceIn, standardPeriod, 15*time.Second, time.Second)
		s.CloudWatch = &CloudWatchSource{AWS: r.aws(in.awsIn, in.AllowHTTP.V), Account: in.Account.S, Delay: in.Delay.or(120 * time.Second)}
		if in.Delay.V > time.Hour {
			r.wrong(in.Delay.at, `"delay" is longer than an hour`, "AWS settles its metrics within minutes: 120s")
		}
	case *sqsIn:
		r.common(&s, in.sourceIn, 10*time.Second, 5*time.Second, time.Second)
		s.SQS = &SQSSource{AWS: r.aws(in.awsIn, in.AllowHTTP.V), Queue: in.Queue.S}
	case *waitingRoomIn:
		r.common(&s, in.sourceIn, 30*time.Second, 10*time.Second, minRoomEvery)
		s.WaitingRoom = &WaitingRoomSource{Zone: in.Zone.S, Token: in.Token.V, URL: "https://api.cloudflare.com/client/v4"}
		if in.URL.given() {
			s.WaitingRoom.URL = r.url(in.URL, "url", true, in.AllowHTTP.V)
		}
	case *autoScalingIn:
		r.common(&s, in.sourceIn, capacityEvery, 10*time.Second, minCapacityEvery)
		s.AutoScaling = &AutoScalingSource{AWS: r.aws(in.awsIn, in.AllowHTTP.V), ELBEndpoint: r.url(in.ELBEndpoint, "elb_endpoint", true, in.AllowHTTP.V)}
	case *ecsIn:
		r.common(&s, in.sourceIn, capacityEvery, 10*time.Second, minCapacityEvery)
		s.ECS = &ECSSource{AWS: r.aws(in.awsIn, in.AllowHTTP.V), Cluster: in.Cluster.S, ScalingEndpoint: r.url(in.ScalingEndpoint, "scaling_endpoint", true, in.AllowHTTP.V)}
	case *rdsIn:
		r.common(&s, in.sourceIn, 2*capacityEvery, 10*time.Second, minCapacityEvery)
		s.RDS = &RDSSource{AWS: r.aws(in.awsIn, in.AllowHTTP.V)}
	case *kubernetesIn:
		r.common(&s, in.sourceIn, capacityEvery, 10*time.Second, minCapacityEvery)
		s.Kubernetes = &KubernetesSource{Cluster: r.cluster(in.clusterIn)}
	case *httpJSONIn:
		r.httpJSON(&s, in)
	case *redisIn:
		r.redis(&s, in)
	default:
		if s.ReadsAlarms() {
			r.alarmSource(&s, in)
			break
		}
		r.incidentSource(&s, in)
	}
	return s, true
}

func (r *reader) common(s *Source, in sourceIn, every, timeout, least time.Duration) {
	s.allowHTTP = in.AllowHTTP.V
	s.Every, s.Timeout = in.Every.or(every), in.Timeout.or(timeout)
	if s.Every < least {
		fix := fmt.Sprintf("every: %s", durationText(least))
		if s.Kind == KindWaitingRoom {
			fix = "every: 30s; Cloudflare caches a room's status for about 30 s, sooner gives the same figures"
		}
		r.wrong(in.Every.at, fmt.Sprintf("%s source can't be asked every %s", a(s.Kind), durationText(s.Every)), fix)
	}
	if s.Every > maxEvery {
		r.wrong(in.Every.at, `"every" is longer than an hour`, "a cockpit needs newer figures: every: "+durationText(every))
	}
	if s.Timeout < minTimeout || s.Timeout > maxTimeout {
		r.wrong(in.Timeout.at, `"timeout" is out of range`, "give 100ms to 60s")
	}
	s.Budget = r.budget(in.Budget)
}

// cadences refuses to ask CloudWatch more often than its metrics change.
func (r *reader) cadences(c *Config, at *node) {
	for _, s := range c.Sources {
		if s.Kind != KindCloudWatch || s.Every >= standardPeriod {
			continue
		}
		finest := time.Duration(0)
		for _, sl := range c.Sales {
			for _, rd := range sl.Reads {
				if rd.Source == s.Name && rd.CloudWatch != nil && (finest == 0 || rd.CloudWatch.Period < finest) {
					finest = rd.CloudWatch.Period
				}
			}
		}
		if finest == 0 && len(r.mistakes) > 0 {
			continue // what reads from it may be among what is wrong
		}
		if n := at.get(s.Name).get("every"); n != nil && (finest == 0 || finest > s.Every) {
			least := standardPeriod
			if finest > 0 && finest < least {
				least = finest
			}
			r.wrong(n, fmt.Sprintf("asking every %s brings nothing new: no signal of the source %q has a period under %s", durationText(s.Every), s.Name, durationText(least)),
				fmt.Sprintf("every: %s; each question costs money", durationText(least)))
		}
	}
}

func (r *reader) prometheus(in *prometheusIn) *PrometheusSource {
	p := &PrometheusSource{Lookback: in.Lookback.V}
	if in.Auth != nil {
		r.auth(p, in.Auth)
	}
	r.dialect(p, in.dialectIn)
	p.URL = r.url(in.URL, "url", in.Auth != nil && in.Auth.guards(), in.AllowHTTP.V)
	if in.TLS != nil {
		p.TLS = r.tls(in.TLS)
		if in.URL.given() && strings.HasPrefix(strings.ToLower(p.URL), "http://") {
			r.wrong(in.TLS.at, `"tls" means nothing for an http address`, "write https:// in url, or remove tls")
		}
	}
	return p
}

// guards reports whether a login sends anything secret; a tenant's header alone does not.
func (in *authIn) guards() bool {
	for _, e := range in.at.entries {
		if e.key.text != "headers" {
			return true
		}
		for _, h := range e.value.entries {
			if secretHeader(h.key.text) || reference.MatchString(h.value.text) {
				return true
			}
		}
	}
	return false
}

// secretHeader reports whether a header's value must be a reference.
func secretHeader(name string) bool {
	name = strings.ToLower(name)
	return soundsSecret(name) || strings.HasSuffix(name, "-key")
}

func (r *reader) auth(p *PrometheusSource, in *authIn) {
	var ways []entry
	for _, e := range in.at.entries {
		if oneOf(e.key.text, []string{"basic", "bearer", "sigv4"}) {
			ways = append(ways, e)
		}
	}
	if len(ways) > 1 {
		r.wrong(ways[1].key, fmt.Sprintf("%q and %q are two ways to log in", ways[0].key.text, ways[1].key.text), "keep one", see(ways[0].key, "the first one"))
	}
	if len(in.at.entries) == 0 {
		r.wrong(in.at, `"auth" is empty`, "add basic, bearer, headers or sigv4, or remove it")
	}
	if in.Basic != nil {
		p.Basic = &BasicAuth{in.Basic.Username.S, in.Basic.Password.V}
	}
	p.Bearer = in.Bearer.V
	if s := in.SigV4; s != nil {
		login := awsIn{Region: s.Region, Profile: s.Profile, Role: s.Role, ExternalID: s.ExternalID, Credentials: s.Credentials, MFASerial: s.MFASerial, RoleLasts: s.RoleLasts, Identity: s.Identity}
		p.SigV4 = &SigV4{AWS: r.aws(login, false), Service: s.Service.S}
		if p.SigV4.Service == "" {
			p.SigV4.Service = managedService
		}
	}
	if in.Headers.given() {
		p.Headers = r.headers(in.Headers.at, in.Basic != nil || in.Bearer.given() || in.SigV4 != nil)
	}
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

// headers reads headers to send; logs reports whether another key logs in already.
func (r *reader) headers(at *node, logs bool) map[string]Secret {
	headers := map[string]Secret{}
	for _, e := range at.entries {
		name := textproto.CanonicalMIMEHeaderKey(e.key.text)
		_, twice := headers[name]
		switch {
		case !headerName.MatchString(e.key.text):
			r.wrong(e.key, fmt.Sprintf("%q is not the name of a header", e.key.text), "use letters, digits and dashes")
			continue
		case oneOf(name, []string{"Host", "Content-Length", "Connection", "Transfer-Encoding", "Content-Type", "Accept-Encoding"}):
			r.wrong(e.key, fmt.Sprintf("the header %q is the client's own", name), "remove it")
			continue
		case name == "Authorization" && logs:
			r.wrong(e.key, `"Authorization" is already set by the way to log in`, "keep one of the two")
			continue
		case twice:
			r.wrong(e.key, fmt.Sprintf("the header %q is here twice", name), "remove one of them")
			continue
		}
		if secretHeader(name) {
			var s secret
			s.read(r, e.value, constraint{key: name})
			headers[name] = s.V
			continue
		}
		var o outer
		o.read(r, e.value, constraint{key: name})
		if o.given() && r.printableText(e.value, name, o.S) {
			headers[name] = NewSecret(o.S)
		}
	}
	return headers
}

func (r *reader) printableText(n *node, key, value string) bool {
	if strings.ContainsAny(value, "\r\n\x00") {
		r.wrong(n, fmt.Sprintf("%q has a line break in it", key), "write it on one line")
		return false
	}
	return true
}

func (r *reader) tls(in *tlsIn) TLS {
	t := TLS{ServerName: in.ServerName.S, Insecure: in.Insecure.V}
	for _, f := range []struct {
		in  str
		out *string
		key string
	}{{in.CA, &t.CA, "ca"}, {in.Cert, &t.Cert, "cert"}, {in.Key, &t.Key, "key"}} {
		if !f.in.given() {
			continue
		}
		if strings.Contains(f.in.S, "-----BEGIN") {
			r.wrong(f.in.at, fmt.Sprintf("%q needs the path of a file, this is its content", f.key), "put it into a file and write the file's path")
			continue
		}
		path := r.path(f.in.S)
		_, mode, err := r.env.read(path, maxBytes)
		if err != nil {
			r.wrong(f.in.at, fmt.Sprintf("%q names a file that can't be read: %s", f.key, fault(path, err)), "mend the path; a relative one starts at the config's folder")
			continue
		}
		if f.key == "key" && exposed(mode) {
			r.warn(f.in.at, fmt.Sprintf("%s can be read by others (mode %04o)", path, mode.Perm()), "chmod 600 "+path)
		}
		*f.out = path
	}
	if in.Cert.given() != in.Key.given() {
		r.wrong(in.at, `"cert" and "key" belong together`, "give both or none")
	}
	if t.Insecure {
		r.warn(in.Insecure.at, "the server's certificate is not checked: anyone in between can read and change what is shown", "give the authority with ca:")
	}
	return t
}

func (r *reader) aws(in awsIn, allowHTTP bool) AWS {
	a := AWS{Region: in.Region.S, Profile: in.Profile.S, Role: in.Role.S, ExternalID: in.ExternalID.S}
	if in.ExternalID.given() && !in.Role.given() {
		r.wrong(in.ExternalID.at, `"external_id" is for a role`, "add role: arn:aws:iam::…, or remove it")
	}
	r.assuming(&a, in)
	if in.Endpoint.given() {
		a.Endpoint = r.url(in.Endpoint, "endpoint", true, allowHTTP)
	}
	if c := in.Credentials; c != nil {
		a.Credentials = &Credentials{c.AccessKeyID.S, c.SecretAccessKey.V, c.SessionToken.V}
		if in.Profile.given() {
			r.wrong(in.Profile.at, `"profile" and "credentials" are two ways to log in`, "keep one", see(c.at, "the other one"))
		}
	}
	return a
}

// url checks an address. Credentials go only over https, or to this machine.
func (r *reader) url(in outer, key string, guarded, allowHTTP bool) string {
	if !in.given() {
		return ""
	}
	u, err := url.Parse(in.S)
	const fix = "write https://host, or https://host:port/path"
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		r.wrong(in.at, fmt.Sprintf("%q needs an http or https address", key), fix)
	case u.User != nil:
		r.wrong(in.at, fmt.Sprintf("%q holds a user name or a password", key), "take it out of the address; log in with auth: or token:")
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(in.S, "?#"):
		r.wrong(in.at, fmt.Sprintf("%q holds a query or a fragment", key), "end the address after the path")
	case u.Scheme == "http" && guarded && !allowHTTP && !loopback(u.Hostname()):
		r.wrong(in.at, fmt.Sprintf("%q would send credentials unencrypted to another machine", key), "write https://, or add allow_http: true when something else protects the way")
	}
	return strings.TrimRight(in.S, "/")
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// durationText writes a duration as a config does: 90s, 2m, 6h.
func durationText(d time.Duration) string {
	switch {
	case d == 0:
		return "0s"
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	case d%time.Millisecond == 0:
		return fmt.Sprintf("%dms", d/time.Millisecond)
	default:
		return d.String()
	}
}

// sourceSchema is the schema of a source: one of the kinds.
func sourceSchema() *jsonschema.Schema {
	s := &jsonschema.Schema{}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for _, in := range sourceTypes() {
			if !yield(reflect.TypeOf(in).Elem().Name()) {
				return
			}
		}
	}) {
		s.OneOf = append(s.OneOf, &jsonschema.Schema{Ref: "#/$defs/" + name})
	}
	return s
}
