package aws

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/onsale-dev/onsale/rehearsal/systems"
	"github.com/onsale-dev/onsale/rehearsal/telemetry"
)

// The sizes that a parameter's value may have, in bytes.
const (
	standardValue = 4 << 10
	advancedValue = 8 << 10
)

type ssm struct {
	region string
	store  systems.Store
}

// NewSSM answers Systems Manager's API of one region in AWS JSON 1.1: PutParameter and GetParameter,
// CreateOpsItem, UpdateOpsItem, GetOpsItem and DescribeOpsItems.
func NewSSM(region string, store systems.Store, opts ...Option) http.Handler {
	o := settings(opts)
	s := &ssm{region: region, store: store}
	return &jsonService{
		name: "ssm", target: "AmazonSSM.", invalid: "ValidationException", options: o, guard: newGuard("ssm", region, o),
		operations: map[string]jsonOperation{
			"GetParameter":     jsonCall(false, s.getParameter),
			"PutParameter":     jsonCall(true, s.putParameter),
			"GetOpsItem":       jsonCall(false, s.getOpsItem),
			"DescribeOpsItems": jsonCall(false, s.describeOpsItems),
			"CreateOpsItem":    jsonCall(true, s.createOpsItem),
			"UpdateOpsItem":    jsonCall(true, s.updateOpsItem),
		},
	}
}

var parameterName = regexp.MustCompile(`^[a-zA-Z0-9_.\-/]+$`)

// bare takes the name out of a parameter's ARN.
func (s *ssm) bare(name string) string {
	arn := s.parameterARN("")
	if rest, ok := strings.CutPrefix(name, arn); ok {
		return "/" + rest
	}
	return name
}

// parameterARN is the ARN of a parameter; the slash that a path begins with is there once.
func (s *ssm) parameterARN(name string) string {
	return fmt.Sprintf("arn:aws:ssm:%s:%s:parameter/%s", s.region, telemetry.Account, strings.TrimPrefix(name, "/"))
}

type getParameter struct {
	Name *string `json:"Name"`
	// Decrypt is only of importance for secure strings: without it their value is not told.
	Decrypt bool `json:"WithDecryption"`
}

// getParameter answers GetParameter. A selector (name:version) finds the newest version only: the
// store keeps no other.
func (s *ssm) getParameter(_ caller, in *getParameter) (any, *apiError) {
	if in.Name == nil {
		return nil, notValid("1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null")
	}
	name, selector := s.bare(*in.Name), ""
	if i := strings.LastIndex(name, ":"); i >= 0 {
		name, selector = name[:i], name[i:]
	}
	p, ok := s.store.Parameter(name)
	if !ok {
		return nil, &apiError{shape: "ParameterNotFound", code: "ParameterNotFound", status: http.StatusBadRequest}
	}
	if selector != "" {
		if v, err := strconv.ParseInt(selector[1:], 10, 64); err != nil || v != p.Version {
			return nil, modelled("ParameterVersionNotFound", "Systems Manager could not find version %s of %s. Verify the version and try again.", selector[1:], name)
		}
	}
	out := map[string]any{
		"ARN": s.parameterARN(p.Name), "DataType": p.DataType, "LastModifiedDate": epoch(p.Modified), "Name": p.Name,
		"Type": p.Kind, "Value": p.Value, "Version": p.Version,
	}
	if p.Kind == "SecureString" && !in.Decrypt {
		out["Value"] = fmt.Sprintf("AQICAH%x", fingerprint("sealed", p.Name, p.Value))
	}
	if selector != "" {
		out["Selector"] = selector
	}
	return map[string]any{"Parameter": out}, nil
}

type putParameter struct {
	Name        *string `json:"Name"`
	Value       *string `json:"Value"`
	Kind        string  `json:"Type"`
	Overwrite   bool    `json:"Overwrite"`
	Pattern     *string `json:"AllowedPattern"`
	DataType    string  `json:"DataType"`
	Description *string `json:"Description"`
	Tier        string  `json:"Tier"`
	KeyID       *string `json:"KeyId"` // there is one key
}

// putParameter answers PutParameter. There is no compare-and-set: the last one wins.
func (s *ssm) putParameter(who caller, in *putParameter) (any, *apiError) {
	switch {
	case in.Name == nil || in.Value == nil || *in.Value == "":
		return nil, notValid("1 validation error detected: Value null at 'name' or 'value' failed to satisfy constraint: Member must not be null")
	case len(*in.Name) > 2048 || !parameterName.MatchString(*in.Name):
		return nil, notValid("Parameter name must be a fully qualified name: only a mix of letters, numbers and the following 4 symbols .-/_ is allowed")
	case strings.HasPrefix(strings.ToLower(strings.TrimPrefix(*in.Name, "/")), "aws") || strings.HasPrefix(strings.ToLower(strings.TrimPrefix(*in.Name, "/")), "ssm"):
		return nil, &apiError{shape: "AccessDeniedException", code: "AccessDeniedException", status: http.StatusBadRequest, message: "No access to reserved parameter name: " + *in.Name + "."}
	}
	p, err := s.store.PutParameter(*in.Name, who.key, func(p *systems.Parameter, exists bool) error {
		if exists && !in.Overwrite {
			return modelled("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
		}
		if problem := in.fill(p, exists); problem != nil {
			return problem
		}
		return nil
	})
	if err != nil {
		return nil, own(err)
	}
	return map[string]any{"Version": p.Version, "Tier": p.Tier}, nil
}

// own is the service's error that a change of the store came back with.
func own(err error) *apiError {
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return modelled("InternalServerError", "%s", err)
}

// fill sets what was given, and what a new parameter has by default.
func (in *putParameter) fill(p *systems.Parameter, exists bool) *apiError {
	switch {
	case in.Kind == "" && !exists:
		return notValid("A parameter type is required when you create a parameter.")
	case in.Kind != "" && exists && in.Kind != p.Kind:
		return modelled("HierarchyTypeMismatchException", "Parameter Store does not support changing a parameter type in a hierarchy.")
	case in.Kind != "" && in.Kind != "String" && in.Kind != "StringList" && in.Kind != "SecureString":
		return modelled("UnsupportedParameterType", "The parameter type %s is not supported.", in.Kind)
	case in.Tier != "" && in.Tier != "Standard" && in.Tier != "Advanced" && in.Tier != "Intelligent-Tiering":
		return notValid("1 validation error detected: Value '%s' at 'tier' failed to satisfy constraint: Member must satisfy enum value set: [Standard, Advanced, Intelligent-Tiering]", in.Tier)
	case in.Tier == "Standard" && p.Tier == "Advanced":
		return notValid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier.")
	}
	pattern := p.AllowedPattern
	if in.Pattern != nil {
		pattern = *in.Pattern
	}
	form, err := regexp.Compile(pattern)
	if err != nil {
		return modelled("InvalidAllowedPatternException", "The request does not meet the regular expression requirement: %s", pattern)
	}
	if at := form.FindStringIndex(*in.Value); pattern != "" && (at == nil || at[0] != 0 || at[1] != len(*in.Value)) {
		return modelled("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", pattern)
	}
	tier := in.Tier
	if tier == "" {
		tier = p.Tier
	}
	if tier == "Intelligent-Tiering" && len(*in.Value) > standardValue || tier == "Advanced" {
		tier = "Advanced"
	} else {
		tier = "Standard"
	}
	if most := map[string]int{"Standard": standardValue, "Advanced": advancedValue}[tier]; len(*in.Value) > most {
		return notValid("%s tier parameters support a maximum parameter value of %d characters.", tier, most)
	}
	p.Value, p.AllowedPattern, p.Tier = *in.Value, pattern, tier
	if in.Kind != "" {
		p.Kind = in.Kind
	}
	if in.DataType != "" || p.DataType == "" {
		p.DataType = "text"
		if in.DataType != "" {
			p.DataType = in.DataType
		}
	}
	if in.Description != nil {
		p.Description = *in.Description
	}
	return nil
}
