package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/onsale-dev/onsale/config"
)

// iamDocument is a policy as IAM takes it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type iamDocument struct {
	Version   string         `json:"Version"`
	Statement []iamStatement `json:"Statement"`
}

type iamStatement struct {
	Sid       string       `json:"Sid"`
	Effect    string       `json:"Effect"`
	Action    []string     `json:"Action"`
	Resource  []string     `json:"Resource"`
	Condition iamCondition `json:"Condition,omitempty"`
}

// iamCondition is operator → key → value.
type iamCondition map[string]map[string]string

// everything is the resource of actions that IAM can't narrow to one. Which ones those are is in the
// Service Authorization Reference: no resource type stands beside them in the table of actions.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
const everything = "*"

// largestPolicy is how many characters a managed policy may have, white space apart.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const largestPolicy = 6144

// grants collects what one login must be allowed, for reading or for acting.
type grants struct {
	login iamLogin
	by    []string // sources or controls
	list  []iamStatement
}

// allow adds actions on resources. What has the same Sid and condition becomes one statement, so a Sid
// always stands for the same actions, unless they are on everything.
func (g *grants) allow(sid string, when iamCondition, actions []string, resources ...string) {
	if len(actions) == 0 || len(resources) == 0 {
		return
	}
	i := slices.IndexFunc(g.list, func(s iamStatement) bool { return s.Sid == sid && sameCondition(s.Condition, when) })
	if i < 0 {
		g.list = append(g.list, iamStatement{Sid: sid, Effect: "Allow", Condition: when})
		i = len(g.list) - 1
	}
	g.list[i].Action = union(g.list[i].Action, actions)
	g.list[i].Resource = union(g.list[i].Resource, resources)
}

func sameCondition(a, b iamCondition) bool {
	x, _ := json.Marshal(a) // texts: can't fail, and keys are sorted
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

func union(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

// document is the policy, with a Sid for each statement alone.
func (g *grants) document() iamDocument {
	doc := iamDocument{Version: "2012-10-17", Statement: slices.Clone(g.list)}
	times := map[string]int{}
	for i := range doc.Statement {
		s := &doc.Statement[i]
		if times[s.Sid]++; times[s.Sid] > 1 {
			s.Sid += fmt.Sprint(times[s.Sid])
		}
	}
	return doc
}

// size is how many characters of a managed policy's quota a document takes.
func (d *iamDocument) size() int {
	data, _ := json.Marshal(d) // texts: can't fail
	return len(data)
}

// iamLogin is who a policy is for, as far as the config says it.
type iamLogin struct {
	Profile   string `json:"profile,omitempty"`
	Role      string `json:"role,omitempty"` // ARN
	AccessKey string `json:"access_key_id,omitempty"`
}

func loginOf(in config.AWS) iamLogin {
	l := iamLogin{Profile: in.Profile, Role: in.Role}
	if in.Credentials != nil {
		l.AccessKey = in.Credentials.AccessKeyID
	}
	return l
}

func (l iamLogin) String() string {
	switch {
	case l.Role != "":
		return "role " + l.Role
	case l.Profile != "":
		return "profile " + l.Profile
	case l.AccessKey != "":
		return "access key " + l.AccessKey
	}
	return "the default credentials"
}

// place is where the ARNs of one login and region are.
type place struct{ partition, region, account string }

// placeOf is the declared account, else that of the role; "*" is any.
func placeOf(cfg *config.Config, login iamLogin, region string) place {
	p := place{partition: "aws", region: region, account: cfg.Account}
	if parts := strings.Split(login.Role, ":"); len(parts) >= 6 && parts[4] != "" {
		p.account = parts[4]
	}
	if p.account == "" {
		p.account = "*"
	}
	switch {
	case strings.HasPrefix(region, "cn-"):
		p.partition = "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		p.partition = "aws-us-gov"
	}
	return p
}

// arn is the ARN of what belongs to a service here; what is an ARN already stays as it is.
func (p place) arn(service, resource, given string) string {
	if strings.HasPrefix(given, "arn:") {
		return given
	}
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", p.partition, service, p.region, p.account, resource)
}

// group is the ARN of an Auto Scaling group; its id is not in the config.
func (p place) group(name string) string {
	return p.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+name, name)
}

// service is the ARN of an ECS service, in the form that has the cluster in it.
func (p place) service(path, given string) string { return p.arn("ecs", "service/"+path, given) }

// queue is the ARN of a queue, which may be given by name, ARN or URL.
func (p place) queue(given string) string {
	if at := strings.Index(given, "://"); at >= 0 {
		parts := strings.Split(given[at+3:], "/") // host/account/name
		if len(parts) == 3 {
			p.account = parts[1]
		}
		given = parts[len(parts)-1]
	}
	return p.arn("sqs", given, given)
}

// parameter is the ARN of an SSM parameter: the slash of a path is there once.
func (p place) parameter(name string) string {
	return p.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"), name)
}

// ecsPath is "cluster/service" of a service that may be given by name or ARN.
func ecsPath(cluster, service string) string {
	if i := strings.Index(cluster, ":cluster/"); i >= 0 {
		cluster = cluster[i+len(":cluster/"):]
	}
	if i := strings.Index(service, ":service/"); i >= 0 {
		service = service[i+len(":service/"):]
	}
	switch {
	case strings.Contains(service, "/"):
		return service
	case cluster == "":
		cluster = "default"
	}
	return cluster + "/" + service
}
