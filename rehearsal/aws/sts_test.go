package aws

import (
	"context"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	stssdk "github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestTheCallerIsToldWhoItIs(t *testing.T) {
	s := serve(t, NewSTS("471122083344", WithSecret(testSecret), WithServiceTime(0)))
	out, err := stsAt(s.URL, keys(AccessKey, testSecret)).GetCallerIdentity(context.Background(), &stssdk.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != "471122083344" || *out.Arn != "arn:aws:iam::471122083344:user/rehearsal" || *out.UserId == "" {
		t.Errorf("%s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
}

func TestTheCredentialsOfARoleWorkUntilTheyExpire(t *testing.T) {
	p := fixturePlatform()
	clock := time.Now()
	at := func() time.Time { return clock }
	identity := serve(t, NewSTS("471122083344", WithSecret(testSecret), WithServiceTime(0), WithClock(at)))
	metrics := serve(t, NewCloudWatch(testRegion, p, p, noon, WithSecret(testSecret), WithServiceTime(0), WithClock(at)))
	out, err := stsAt(identity.URL, keys(AccessKey, testSecret)).AssumeRole(context.Background(), &stssdk.AssumeRoleInput{
		RoleArn: awssdk.String("arn:aws:iam::471122083344:role/team/reader"), RoleSessionName: awssdk.String("ines@onsale"), DurationSeconds: awssdk.Int32(900),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := out.Credentials.Expiration.Sub(clock.Truncate(time.Second)); got != 900*time.Second {
		t.Errorf("they last %v", got)
	}
	temporary := credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	list := func(who awssdk.CredentialsProvider) string {
		_, err := cloudWatchAt(metrics.URL, who).ListMetrics(context.Background(), &cloudwatch.ListMetricsInput{})
		return codeOf(err)
	}
	if got := list(temporary); got != "none" {
		t.Errorf("the credentials are refused: %s", got)
	}
	who, err := stsAt(identity.URL, temporary).GetCallerIdentity(context.Background(), &stssdk.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:sts::471122083344:assumed-role/reader/ines@onsale" || *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId {
		t.Errorf("%v, %v", who, err)
	}
	if got := list(credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, "wrong", *out.Credentials.SessionToken)); got != "SignatureDoesNotMatch" {
		t.Errorf("a wrong secret: %s", got)
	}
	if got := list(credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, "")); got != "InvalidClientTokenId" {
		t.Errorf("no token: %s", got)
	}
	if got := list(credentials.NewStaticCredentialsProvider("ASIAOTHER", *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)); got != "InvalidClientTokenId" {
		t.Errorf("another key: %s", got)
	}
	clock = clock.Add(901 * time.Second)
	if got := list(temporary); got != "ExpiredToken" {
		t.Errorf("after they expired: %s", got)
	}
}

func TestARoleIsRefusedInTheWordsOfSTS(t *testing.T) {
	s := serve(t, NewSTS("471122083344", WithSecret(testSecret), WithServiceTime(0)))
	c := stsAt(s.URL, keys(AccessKey, testSecret))
	for _, k := range []struct {
		name, role, session string
		seconds             int32
		code                string
	}{
		{"no role", "reader", "me", 900, "ValidationError"},
		{"a session name with a space", "arn:aws:iam::471122083344:role/reader", "my name", 900, "ValidationError"},
		{"too short", "arn:aws:iam::471122083344:role/reader", "me", 899, "ValidationError"},
		{"too long", "arn:aws:iam::471122083344:role/reader", "me", 43201, "ValidationError"},
		{"another account's", "arn:aws:iam::999988887777:role/reader", "me", 900, "AccessDenied"},
	} {
		t.Run(k.name, func(t *testing.T) {
			_, err := c.AssumeRole(context.Background(), &stssdk.AssumeRoleInput{RoleArn: &k.role, RoleSessionName: &k.session, DurationSeconds: &k.seconds})
			if codeOf(err) != k.code {
				t.Errorf("got %v, want %s", err, k.code)
			}
		})
	}
	_, err := c.GetSessionToken(context.Background(), &stssdk.GetSessionTokenInput{})
	if codeOf(err) != "InvalidAction" || !strings.Contains(err.Error(), "Could not find operation GetSessionToken for version 2011-06-15") {
		t.Errorf("an operation that is not served: %v", err)
	}
}

func TestARoleThatWantsMFATakesEachCodeOnce(t *testing.T) {
	code := "271828"
	const device = "arn:aws:iam::471122083344:mfa/ines"
	s := serve(t, NewSTS("471122083344", WithSecret(testSecret), WithServiceTime(0), WithMFA(device, func() string { return code })))
	assume := func(device, code string) string {
		in := &stssdk.AssumeRoleInput{RoleArn: awssdk.String("arn:aws:iam::471122083344:role/act"), RoleSessionName: awssdk.String("ines@onsale")}
		if device != "" {
			in.SerialNumber, in.TokenCode = &device, &code
		}
		_, err := stsAt(s.URL, keys(AccessKey, testSecret)).AssumeRole(context.Background(), in)
		return codeOf(err)
	}
	for _, c := range []struct{ sentence, device, code, want string }{
		{"without a code it is refused", "", "", "AccessDenied"},
		{"another device's code too", "arn:aws:iam::471122083344:mfa/otto", "271828", "AccessDenied"},
		{"a wrong code too", device, "314159", "AccessDenied"},
		{"the right one is taken", device, "271828", "none"},
		{"but not again", device, "271828", "AccessDenied"},
	} {
		if got := assume(c.device, c.code); got != c.want {
			t.Errorf("%s: %s", c.sentence, got)
		}
	}
	code = "161803"
	if got := assume(device, "161803"); got != "none" {
		t.Errorf("the next code: %s", got)
	}
}
