package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
)

const (
	// AlarmsKind is the kind of a source of alarms in a config.
	AlarmsKind = "cloudwatch-alarms"
	// DefaultAlarmsEvery is the cadence of polls unless AlarmsOptions.Every says otherwise.
	DefaultAlarmsEvery = 15 * time.Second

	alarmsPage     = 100 // DescribeAlarms' own most
	maxMuteRules   = 50  // looked at in one look
	mutesEvery     = time.Minute
	tagsPerPoll    = 20
	tagsKeptFor    = time.Hour
	tagsTriedAgain = 5 * time.Minute
)

// AlarmsAPI is the part of the SDK's client that a source of alarms needs; *cloudwatch.Client has
// it. It needs cloudwatch:DescribeAlarms on "*" (composite alarms can be had no other way), and to
// say what is muted cloudwatch:ListAlarmMuteRules and cloudwatch:GetAlarmMuteRule.
type AlarmsAPI interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
	ListAlarmMuteRules(context.Context, *cloudwatch.ListAlarmMuteRulesInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListAlarmMuteRulesOutput, error)
	GetAlarmMuteRule(context.Context, *cloudwatch.GetAlarmMuteRuleInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetAlarmMuteRuleOutput, error)
	ListTagsForResource(context.Context, *cloudwatch.ListTagsForResourceInput, ...func(*cloudwatch.Options)) (*cloudwatch.ListTagsForResourceOutput, error)
}

// AlarmsOptions declare a source of alarms: those of one account in one region.
type AlarmsOptions struct {
	Name    string
	Region  string
	Profile string   // the credentials' profile, for hints alone; may be empty
	Secrets []string // never appear in a text, whatever AWS echoes
	API     AlarmsAPI
	Every   time.Duration // 0: 15 s
	Prefix  string        // only alarms whose name begins so; "": all
	Whose   sources.Whose
}

// Alarms reads what CloudWatch says of its own alarms: metric, composite and log alarms, and which
// of them page nobody. It implements sources.Source. A poll walks the pages of DescribeAlarms
// once; the mute rules are looked at once a minute. The first million requests of a month are
// free, so no cost is counted.
type Alarms struct {
	opts  AlarmsOptions
	mutes mutes
	tags  map[string]tagged // by ARN
}

// mutes is which alarms are muted now, as far as it could be read.
type mutes struct {
	by      map[string]string // alarm to the words for its rule
	at      time.Time
	problem *sale.Problem
}

type tagged struct {
	tags map[string]string
	till time.Time
}

// NewAlarms makes a source of alarms. Nothing is sent.
func NewAlarms(o AlarmsOptions) (*Alarms, error) {
	switch {
	case o.Name == "":
		return nil, errors.New("a source needs a name")
	case o.API == nil:
		return nil, fmt.Errorf("cloudwatch-alarms source %q: no API client given", o.Name)
	case o.Every < 0:
		return nil, fmt.Errorf("cloudwatch-alarms source %q: every %s: must not be negative", o.Name, o.Every)
	case o.Every == 0:
		o.Every = DefaultAlarmsEvery
	}
	return &Alarms{opts: o, tags: map[string]tagged{}}, nil
}

// Info implements sources.Source.
func (s *Alarms) Info() sale.SourceInfo {
	gives := "metric, composite and log alarms"
	if s.opts.Prefix != "" {
		gives += " " + sale.Clean(s.opts.Prefix, 40) + "*"
	}
	return sale.SourceInfo{
		Name: s.opts.Name, Kind: AlarmsKind, Every: s.opts.Every, Cadence: sale.Cadence{Period: s.opts.Every},
		Gives: gives, Limit: "9/s", ReadsAlarms: true,
	}
}

// Read implements sources.Source. The alarms are whole or not there at all: half a list would
// show alarms as gone that still fire.
func (s *Alarms) Read(ctx context.Context, now time.Time) (b sale.Batch) {
	ctx, meter := sources.Metered(ctx)
	defer func() {
		if p := recover(); p != nil {
			b = sale.Batch{Problem: &sale.Problem{Class: sale.BadData, Text: s.clean(fmt.Sprintf("the answer could not be decoded: %v", p), maxProblemText), Hint: hintEndpoint}}
		}
		b.Calls = meter.Calls()
	}()
	found, cut, err := s.walk(ctx)
	if err != nil {
		b.Problem = s.problem(err)
		return b
	}
	s.look(ctx, now)
	if s.mutes.problem != nil {
		b.Warnings = append(b.Warnings, "whether an alarm is muted is not known: "+s.mutes.problem.Text)
	}
	if cut {
		b.Warnings = append(b.Warnings, fmt.Sprintf("more than %d alarms: set prefix to read fewer", sources.MaxAlarms))
	}
	asked := 0
	for i := range found {
		f := &found[i]
		if s.opts.Whose.NeedsTags() {
			f.tags = s.tagsOf(ctx, now, f.arn, &asked)
		}
		f.alarm.Sale = s.opts.Whose.Sale(f.name, f.labels, f.tags)
		if muted := s.mutes.by[f.name]; muted != "" {
			f.alarm.Muted = muted
		}
		b.Alarms = append(b.Alarms, f.alarm)
	}
	return b
}

// seenAlarm is an alarm with what it is matched by, as it came.
type seenAlarm struct {
	alarm        sale.ForeignAlarm
	name, arn    string
	labels, tags map[string]string
}

// walk reads all pages. cut is true when there were more alarms than are kept.
func (s *Alarms) walk(ctx context.Context) (found []seenAlarm, cut bool, err error) {
	in := &cloudwatch.DescribeAlarmsInput{
		// Without AlarmTypes AWS gives metric alarms only.
		AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm, types.AlarmTypeLogAlarm},
		MaxRecords: aws.Int32(alarmsPage),
	}
	if s.opts.Prefix != "" {
		in.AlarmNamePrefix = aws.String(s.opts.Prefix)
	}
	for pages := 0; ; pages++ {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		out, err := s.opts.API.DescribeAlarms(ctx, in)
		if err != nil {
			return nil, false, err
		}
		if out == nil || pages == 0 && out.MetricAlarms == nil && out.CompositeAlarms == nil && out.LogAlarms == nil {
			return nil, false, &sale.Problem{Class: sale.BadData, Text: "CloudWatch answered without any list of alarms", Hint: hintEndpoint}
		}
		found = append(found, s.page(out)...)
		next := aws.ToString(out.NextToken)
		switch {
		case next == "":
			return found, false, nil
		case len(found) >= sources.MaxAlarms || pages >= sources.MaxAlarms/alarmsPage:
			return found[:min(len(found), sources.MaxAlarms)], true, nil
		case next == aws.ToString(in.NextToken):
			return nil, false, &sale.Problem{Class: sale.BadData, Text: "CloudWatch gave the same page twice", Hint: hintEndpoint}
		}
		in.NextToken = out.NextToken
	}
}

func (s *Alarms) problem(err error) *sale.Problem {
	p := describe(err, s.opts.Profile, s.opts.Secrets)
	if p.Class == sale.Throttled {
		p.Hint = "others share this account's quota of DescribeAlarms (9/s): poll less often, or read fewer by prefix"
	}
	return &p
}

func (s *Alarms) clean(text string, cells int) string {
	return sale.Clean(sources.Redact(text, s.opts.Secrets...), cells)
}

// look reads which mute rules are active and what they mute, when it is time to.
func (s *Alarms) look(ctx context.Context, now time.Time) {
	if !s.mutes.at.IsZero() && now.Sub(s.mutes.at) < mutesEvery {
		return
	}
	fresh := mutes{by: map[string]string{}, at: now}
	in := &cloudwatch.ListAlarmMuteRulesInput{Statuses: []types.AlarmMuteRuleStatus{types.AlarmMuteRuleStatusActive}}
	out, err := s.opts.API.ListAlarmMuteRules(ctx, in)
	if err != nil {
		fresh.problem = s.problem(err)
		s.mutes = fresh
		return
	}
	for i := range out.AlarmMuteRuleSummaries[:min(len(out.AlarmMuteRuleSummaries), maxMuteRules)] {
		arn := aws.ToString(out.AlarmMuteRuleSummaries[i].AlarmMuteRuleArn)
		name := arn[strings.LastIndexByte(arn, ':')+1:]
		rule, err := s.opts.API.GetAlarmMuteRule(ctx, &cloudwatch.GetAlarmMuteRuleInput{AlarmMuteRuleName: aws.String(name)})
		if err != nil {
			fresh.problem = s.problem(err)
			continue
		}
		if rule.MuteTargets == nil {
			continue
		}
		words := "muted by rule " + s.clean(name, 60)
		if rule.ExpireDate != nil {
			words += ", which expires " + rule.ExpireDate.UTC().Format("2006-01-02 15:04Z")
		}
		for _, alarm := range rule.MuteTargets.AlarmNames {
			fresh.by[alarm] = words
		}
	}
	s.mutes = fresh
}

// tagsOf is an alarm's tags, asked for a few alarms a poll and kept for an hour.
func (s *Alarms) tagsOf(ctx context.Context, now time.Time, arn string, asked *int) map[string]string {
	known, ok := s.tags[arn]
	if ok && now.Before(known.till) || arn == "" || *asked >= tagsPerPoll {
		return known.tags
	}
	*asked++
	out, err := s.opts.API.ListTagsForResource(ctx, &cloudwatch.ListTagsForResourceInput{ResourceARN: aws.String(arn)})
	if err != nil {
		known.till = now.Add(tagsTriedAgain)
	} else {
		known = tagged{tags: map[string]string{}, till: now.Add(tagsKeptFor)}
		for _, t := range out.Tags {
			known.tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
	}
	if len(s.tags) > 2*sources.MaxAlarms {
		clear(s.tags) // alarms come and go; memory must not
	}
	s.tags[arn] = known
	return known.tags
}

var _ sources.Source = (*Alarms)(nil)
