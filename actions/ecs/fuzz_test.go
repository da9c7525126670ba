package ecs

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzAnswer sends any bytes as AWS's answers: nothing may panic, a refusal of a write is never
// invented out of a success, and every text is fit to be shown.
func FuzzAnswer(f *testing.F) {
	service := `{"services":[{"serviceName":"web","status":"ACTIVE\u202e","desiredCount":3,"runningCount":3,"pendingCount":0,"events":[{"createdAt":4000000000,"message":"unable to place \u0007"}]}]}`
	f.Add([]byte(service), []byte(`{"ScalableTargets":[{"ResourceId":"service/pl-prod/web","ScalableDimension":"ecs:service:DesiredCount","MinCapacity":2,"MaxCapacity":9}]}`), 200)
	f.Add([]byte(service), []byte(jsonError("ThrottlingException", "\u202e")), 400)
	f.Add([]byte("[["), []byte("{"), 500)
	f.Fuzz(func(t *testing.T, service, other []byte, status int) {
		if status < 200 || status > 599 {
			return
		}
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			code, text := 200, string(service)
			if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeServices") {
				code, text = status, string(other)
			}
			return &http.Response{StatusCode: code, Header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
		})}
		cfg := aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider("k", secret, "")}
		x, err := New(Options{ECS: NewClient(cfg, "http://ecs.invalid", client), Scaling: NewScalingClient(cfg, "http://aas.invalid", client), Cluster: "pl-prod", Service: "web", Most: 50, Floor: 1})
		if err != nil {
			t.Fatal(err)
		}
		p, err := x.Preview(t.Context(), ask(actions.ScaleUp, 8), actions.Evidence{})
		said := append([]string{p.Change, p.How, p.RevertsIt, p.UndoText}, p.Warnings...)
		if q := problemIn(err); q != nil {
			said = append(said, q.Text, q.Hint)
		}
		p.Target = actions.Target{System: System, Name: "pl-prod/web"}
		p.From, p.To = actions.Value{MinCapacity: actions.Number(2)}, actions.Value{MinCapacity: actions.Number(8)}
		_, err = x.Execute(t.Context(), p, "k")
		var rejected *actions.RejectedError
		if errors.As(err, &rejected) && status/100 == 2 {
			t.Errorf("an answer of %d is called a refusal: %v", status, err)
		}
		if q := problemIn(err); q != nil {
			said = append(said, q.Text, q.Hint)
		}
		for _, text := range said {
			if text != sale.Clean(text, 2*maxWarning) {
				t.Errorf("%q is not fit to be shown", text)
			}
		}
	})
}
