package sources

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/onsale-dev/onsale/sale"
)

func TestAFailedCallOfAWSIsToldWithTheProfileAndThePermission(t *testing.T) {
	words := &AWS{
		Profile: "read", Region: "eu-central-1", Secrets: []string{"s3cret"}, Endpoint: "see the endpoint", Reads: "rds:DescribeDBInstances", On: " on all resources",
		Refused: "see the config", Own: func(code string, p *sale.Problem) bool {
			if code == "NoSuchThing" {
				p.Class, p.Hint = sale.NotFound, "name another"
			}
			return code == "NoSuchThing"
		},
	}
	api := func(code, message string) error { return &smithy.GenericAPIError{Code: code, Message: message} }
	in := func(service, operation string, err error) error {
		return &smithy.OperationError{ServiceID: service, OperationName: operation, Err: err}
	}
	told := &sale.Problem{Class: sale.Auth, Text: "the session of sso has ended", Hint: "aws sso login --sso-session night"}
	for _, c := range []struct {
		name  string
		err   error
		class sale.Class
		hint  string
	}{
		{"a refusal", in("RDS", "DescribeDBClusters", api("AccessDenied", "no")), sale.Auth, "allow rds:DescribeDBClusters on all resources to profile read"},
		{"a refusal of the load balancers", in("Elastic Load Balancing v2", "DescribeTargetHealth", api("AccessDenied", "no")), sale.Auth, "allow elasticloadbalancing:DescribeTargetHealth on all"},
		{"a refusal on the way", in("RDS", "DescribeDBClusters", in("STS", "AssumeRole", api("AccessDenied", "no"))), sale.Auth, "allow sts:AssumeRole"},
		{"a refusal of nobody knows what", api("AccessDenied", "no"), sale.Auth, "allow rds:DescribeDBInstances"},
		{"a session that ended", api("ExpiredToken", "old"), sale.Auth, "the session has ended; run: aws sso login --profile read"},
		{"a clock that is off", api("RequestTimeTooSkewed", "late"), sale.Auth, "check this machine's clock"},
		{"a code of the service's own", api("NoSuchThing", "no"), sale.NotFound, "name another"},
		{"a throttle", api("ThrottlingException", "slow"), sale.Throttled, "limit in eu-central-1"},
		{"what can't be decoded", &smithy.DeserializationError{Err: errors.New("s3cret \x1b[2J")}, sale.BadData, "see the endpoint"},
		{"what the login knows better", in("RDS", "DescribeDBInstances", fmt.Errorf("get identity: %w", told)), sale.Auth, "aws sso login --sso-session night"},
	} {
		p := words.Problem(c.err)
		if p.Class != c.class || !strings.Contains(p.Hint, c.hint) || p.Text == "" {
			t.Errorf("%s: %+v, want %s with %q", c.name, p, c.class, c.hint)
		}
		if strings.Contains(p.Text, "s3cret") || strings.Contains(p.Text, "\x1b") {
			t.Errorf("%s shows %q", c.name, p.Text)
		}
	}
}
