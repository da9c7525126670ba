package config

import (
	"fmt"
	"regexp"
	"strings"
)

// What is peculiar to the systems that speak the Prometheus API: AWS's signatures, Mimir's tenants,
// Thanos' stores, the price of a query.

// SigV4 is AWS request signing. Endpoint is never set: the source's URL is what is asked.
type SigV4 struct {
	AWS
	Service string // "aps" or "monitoring"
}

// PrometheusDialect is what a server wants or takes beside Prometheus' own API. The zero value asks
// for nothing of the kind.
type PrometheusDialect struct {
	Tenants         []string // of Mimir or Cortex; several need tenant federation there
	Dedup           *bool    // Thanos; nil: the server's own default
	PartialResponse *bool    // Thanos; nil: the server's own default
	WarnSamples     int64    // Amazon Managed Prometheus; 0: no threshold
	MaxSamples      int64    // Amazon Managed Prometheus; 0: no threshold
}

const (
	managedService    = "aps"
	cloudWatchService = "monitoring"

	tenantHeader = "X-Scope-Orgid" // as net/textproto writes it
	maxTenant    = 150             // bytes, as Mimir takes them
)

type sigv4In struct {
	place
	Region      outer          `json:"region" jsonschema:"required,pattern=^[a-z]{2}(-[a-z]+)+-[0-9]$" hint:"write a region's code: eu-central-1" jsonschema_description:"The AWS region."`
	Profile     outer          `json:"profile" jsonschema_description:"A profile of the shared AWS config."`
	Role        outer          `json:"role" jsonschema:"pattern=^arn:[a-z-]+:iam::[0-9]{12}:role/.+$" hint:"write the role's ARN: arn:aws:iam::123456789012:role/onsale-read" jsonschema_description:"The ARN of a role to assume."`
	ExternalID  outer          `json:"external_id" jsonschema_description:"The external id that the role asks for."`
	MFASerial   outer          `json:"mfa_serial" hint:"write the device's ARN: arn:aws:iam::123456789012:mfa/NAME, or its serial number" jsonschema_description:"The MFA device whose code the role asks for, as its ARN or serial number. The screen asks for the code."`
	RoleLasts   span           `json:"role_lasts" jsonschema_description:"How long the role's credentials last, 15m to 12h. Default 1h."`
	Identity    toggle         `json:"source_identity" jsonschema_description:"true tells AWS the operator's name as SourceIdentity too. The role must allow sts:SetSourceIdentity."`
	Credentials *credentialsIn `json:"credentials" jsonschema_description:"Fixed credentials. Default: the usual AWS chain."`
	Service     str            `json:"service" jsonschema:"enum=aps,enum=monitoring" jsonschema_description:"aps, or monitoring for PromQL in CloudWatch. Default: aps."`
}

func (sigv4In) what() string { return "sigv4" }

// dialectIn is what a prometheus source may have of other systems' own.
type dialectIn struct {
	Tenants     []outer   `json:"tenants" jsonschema:"minItems=1,maxItems=32" jsonschema_description:"Mimir and Cortex: the tenants to read, sent as X-Scope-OrgID. Several need tenant federation on the server."`
	Thanos      *thanosIn `json:"thanos" jsonschema_description:"What to ask of a Thanos querier."`
	WarnSamples whole     `json:"warn_samples" jsonschema:"minimum=1" jsonschema_description:"Amazon Managed Prometheus: warn of a query that processes more samples than this."`
	MaxSamples  whole     `json:"max_samples" jsonschema:"minimum=1" jsonschema_description:"Amazon Managed Prometheus: refuse, unbilled, a query that would process more samples than this. All signals of a poll are one query."`
}

type thanosIn struct {
	place
	Dedup           toggle `json:"dedup" jsonschema_description:"true takes replicas for one series. Default: the querier's own."`
	PartialResponse toggle `json:"partial_response" jsonschema_description:"false makes a store that does not answer an error; true takes what the others have, with a warning. Default: the querier's own."`
}

func (thanosIn) what() string { return "thanos" }

// tenantName is what Mimir and Cortex take: https://grafana.com/docs/mimir/latest/configure/about-tenant-ids/
var tenantName = regexp.MustCompile(`^[A-Za-z0-9!_.*'()-]+$`)

// dialect reads what is peculiar, and refuses what the declared server would not understand.
func (r *reader) dialect(p *PrometheusSource, in dialectIn) {
	p.Tenants = r.tenants(p, in.Tenants)
	if t := in.Thanos; t != nil {
		if len(t.at.entries) == 0 {
			r.wrong(t.at, `"thanos" is empty`, "add dedup or partial_response, or remove it")
		}
		p.Dedup, p.PartialResponse = t.Dedup.asked(), t.PartialResponse.asked()
	}
	managed := p.SigV4 != nil && p.SigV4.Service == managedService
	for _, f := range []struct {
		in  whole
		key string
		out *int64
	}{{in.WarnSamples, "warn_samples", &p.WarnSamples}, {in.MaxSamples, "max_samples", &p.MaxSamples}} {
		if f.in.given() && !managed {
			r.wrong(f.in.at, fmt.Sprintf("%q is for Amazon Managed Prometheus", f.key), "remove it, or log in with auth: {sigv4: {region: …}}")
		}
		*f.out = int64(f.in.V)
	}
	if in.WarnSamples.given() && in.MaxSamples.given() && p.WarnSamples >= p.MaxSamples {
		r.wrong(in.WarnSamples.at, `"warn_samples" is not below "max_samples"`, "a query over max_samples is refused: warn at fewer", see(in.MaxSamples.at, "the most"))
	}
}

// asked is what was written, or nil.
func (t *toggle) asked() *bool {
	if !t.given() {
		return nil
	}
	return &t.V
}

func (r *reader) tenants(p *PrometheusSource, in []outer) []string {
	var all []string
	seen := map[string]bool{}
	for _, t := range in {
		switch {
		case !t.given():
			continue
		case strings.Contains(t.S, "|"):
			r.wrong(t.at, fmt.Sprintf("%s is several tenants in one", quote(t.at)), "list them: tenants: [a, b]")
		case !tenantName.MatchString(t.S) || len(t.S) > maxTenant || t.S == "." || t.S == "..":
			r.wrong(t.at, fmt.Sprintf("%s is no tenant of Mimir or Cortex", quote(t.at)), "use up to 150 letters, digits and !-_.*'()")
		case seen[t.S]:
			r.wrong(t.at, fmt.Sprintf("the tenant %s is here twice", quote(t.at)), "remove one of them")
		}
		seen[t.S] = true
		all = append(all, t.S)
	}
	if _, twice := p.Headers[tenantHeader]; twice && len(in) > 0 && in[0].given() {
		r.wrong(in[0].at, `the tenant is already set by the header "X-Scope-OrgID"`, "keep one of the two")
	}
	return all
}
