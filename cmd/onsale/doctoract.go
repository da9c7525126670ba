package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

// This file asks the controls as a key does before anything is confirmed: an executor's preview reads
// its target with the credentials that act, and asks the system, where it can be asked, whether they may.

// controls previews one action on each target of every control.
func (d *doctor) controls(ctx context.Context, cfg *config.Config, store *sale.Store) {
	made := newExecutors(cfg, d.program.logins())
	made.opened = func(sale.ID) []string { return nil }
	var asking sync.WaitGroup
	for i := range cfg.Controls {
		c := &cfg.Controls[i]
		asking.Go(func() {
			if !d.login(ctx, cfg, c) {
				return
			}
			d.control(ctx, cfg, c, made, store)
		})
	}
	asking.Wait()
}

// control tells of one control in one line: its first failure counts, for it is mended first.
func (d *doctor) control(ctx context.Context, cfg *config.Config, c *config.Control, made *executors, store *sale.Store) {
	began := time.Now()
	targets := 0
	var shown actions.Preview
	for i := range cfg.Sales {
		s := &cfg.Sales[i]
		for j := range s.Actions {
			if s.Actions[j].Control != c.Name {
				continue
			}
			verb := actions.Verb(s.Actions[j].Verb)
			pre, err := d.preview(ctx, made, store, s.ID, verb)
			if err != nil {
				var p *sale.Problem
				if !errors.As(err, &p) {
					classified := sources.Classify(err, sources.About{})
					p = &classified
				}
				mend := mendOf(p)
				if c.WaitingRoom != nil && p.Class == sale.Auth {
					mend = cloudflareMend(ctx, c.WaitingRoom)
				}
				d.say(symptom{"act", c.Name, c.Kind, fails, made.redact(fmt.Sprintf("%s %s: %s", verb, s.ID, p.Text)), mend})
				return
			}
			if no := forbids(&pre); no != nil {
				d.say(symptom{"act", c.Name, c.Kind, fails, made.redact(fmt.Sprintf("%s %s: %s", verb, s.ID, no.Text)), cmp.Or(no.Hint, "grant it to the role that acts: onsale iam prints AWS policies")})
				return
			}
			targets++
			shown = pre
			break // one action per sale: the others read the same target
		}
	}
	if targets == 0 {
		d.say(symptom{"act", c.Name, c.Kind, warns, "no action uses it", "declare one: actions: {…: {via: " + c.Name + "}}, or remove it"})
		return
	}
	d.say(symptom{"act", c.Name, c.Kind, fine, fmt.Sprintf("%d targets previewed in %s, such as %s; nothing was changed", targets, time.Since(began).Round(time.Millisecond), cmp.Or(shown.Target.String(), c.Name)), ""})
}

// preview is what the key would show, with evidence as it is known now. A broken executor is an error.
func (d *doctor) preview(ctx context.Context, made *executors, store *sale.Store, id sale.ID, verb actions.Verb) (pre actions.Preview, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("internal error: %v", v)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ex, err := made.find(id, verb)
	if err != nil {
		return pre, err
	}
	return ex.Preview(ctx, actions.Request{Sale: id, Verb: verb}, actions.EvidenceOf(store.Snapshot().Sale(id), time.Now()))
}

// forbidden are the words of systems that say no to whoever asks, and not to what is asked just now.
var forbidden = regexp.MustCompile(`(?i)forbidden|no role lets|not authori[sz]ed|access ?denied|permission|unauthori[sz]ed|not found|does not exist|another account`)

// forbids is the refusal that would be there at any time, or nil: "it is paused already" is none.
func forbids(pre *actions.Preview) *actions.Refusal {
	for i := range pre.Refusals {
		if no := &pre.Refusals[i]; no.Guard == actions.GuardTarget && forbidden.MatchString(no.Text) {
			return no
		}
	}
	return nil
}

var deniedAction = regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)`)

// mendOf names the very permission where the system did.
func mendOf(p *sale.Problem) string {
	if m := deniedAction.FindStringSubmatch(p.Text); m != nil {
		return "allow " + m[1] + " for this role: onsale iam prints the whole policy"
	}
	return p.Hint
}

// login proves the credentials of a control apart from what they may do, where that can be asked: a
// wrong account is told before its answers are believed. It reports whether to go on.
func (d *doctor) login(ctx context.Context, cfg *config.Config, c *config.Control) bool {
	if in := controlLogin(c); in != nil && (in.Endpoint == "" || os.Getenv("AWS_ENDPOINT_URL_STS") != "") {
		return d.identity(ctx, cfg, c, in)
	}
	if c.PagerDuty != nil && c.PagerDuty.Token.IsSet() && // its preview leaves the REST API alone
		status(ctx, strings.TrimSuffix(c.PagerDuty.APIURL, "/")+"/abilities", "Token token="+c.PagerDuty.Token.Reveal()) == http.StatusUnauthorized {
		d.say(symptom{"act", c.Name, c.Kind, fails, "the token is not accepted", "make a new REST API key in PagerDuty; a read-only one can't acknowledge"})
		return false
	}
	return true
}

// identity asks STS who the credentials are, which needs no permission.
func (d *doctor) identity(ctx context.Context, cfg *config.Config, c *config.Control, in *config.AWS) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	login, err := d.program.loadAWS(ctx, *in)
	if err == nil {
		var who *sts.GetCallerIdentityOutput
		if who, err = sts.NewFromConfig(login).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err == nil {
			if is := aws.ToString(who.Account); cfg.Account != "" && is != cfg.Account {
				d.say(symptom{"act", c.Name, c.Kind, fails, fmt.Sprintf("its credentials are of account %s, the config acts on %s", is, cfg.Account), "see the profile and the role of controls." + c.Name})
				return false
			}
			return true
		}
	}
	p := sources.Classify(err, sources.About{Secrets: awsSecrets(*in)})
	if strings.Contains(p.Text, "SSO") || strings.Contains(p.Text, "sso") {
		p.Hint = strings.TrimSpace("aws sso login --profile " + in.Profile)
	}
	d.say(symptom{"act", c.Name, c.Kind, fails, p.Text, mendOf(&p)})
	return false
}

// controlLogin is how a control logs in to AWS, or nil.
func controlLogin(c *config.Control) *config.AWS {
	switch {
	case c.AutoScaling != nil:
		return &c.AutoScaling.AWS
	case c.ECS != nil:
		return &c.ECS.AWS
	case c.ApplicationAutoScaling != nil:
		return &c.ApplicationAutoScaling.AWS
	case c.Parameter != nil:
		return &c.Parameter.AWS
	case c.OpsItem != nil:
		return &c.OpsItem.AWS
	}
	return nil
}

// cloudflareMend tells a token that is valid and may too little from one that is none. A token that an
// account owns is not known under /user, so a no there proves nothing by itself.
// https://developers.cloudflare.com/api/resources/user/subresources/tokens/methods/verify/
func cloudflareMend(ctx context.Context, c *config.WaitingRoomControl) string {
	if status(ctx, strings.TrimSuffix(c.URL, "/")+"/user/tokens/verify", "Bearer "+c.Token.Reveal()) == http.StatusOK {
		return `the token is valid: give it "Waiting Rooms Write" for zone ` + c.Zone
	}
	return `make a token with "Waiting Rooms Write" for zone ` + c.Zone
}

// status is how a system answers a token, 0 when it does not.
func status(ctx context.Context, url, authorization string) int {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", authorization)
	resp, err := actingClient().Do(req)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
