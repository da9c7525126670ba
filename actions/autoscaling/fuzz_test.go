package autoscaling

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/sale"
)

// FuzzAnswer sends any bytes as AWS's answers: nothing may panic, a refusal of a write is never
// invented out of a success, and every text is fit to be shown.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("<member><AutoScalingGroupName>web-prod</AutoScalingGroupName><MinSize>2</MinSize><MaxSize>9</MaxSize><DesiredCapacity>3</DesiredCapacity><SuspendedProcesses><member><ProcessName>AZRebalance\u202e</ProcessName></member></SuspendedProcesses></member>"), 200, true)
	f.Add([]byte(queryError("Throttling", "\u202e")), 400, false)
	f.Add([]byte("<![CDATA["), 500, false)
	f.Fuzz(func(t *testing.T, body []byte, status int, inside bool) {
		if status < 200 || status > 599 {
			return
		}
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			sent, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(sent))
			text := string(body)
			if name := form.Get("Action"); inside {
				list := map[string]string{"DescribeAutoScalingGroups": "AutoScalingGroups", "DescribeScheduledActions": "ScheduledUpdateGroupActions", "DescribeScalingActivities": "Activities", "DescribeInstanceRefreshes": "InstanceRefreshes"}[name]
				text = "<" + name + "Response><" + name + "Result><" + list + ">" + text + "</" + list + "></" + name + "Result></" + name + "Response>"
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
		})}
		cfg := aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider("k", secret, "")}
		x, err := New(Options{API: NewClient(cfg, "http://asg.invalid", client), Group: "web-prod", Most: 50, Floor: 1})
		if err != nil {
			t.Fatal(err)
		}
		p, err := x.Preview(t.Context(), ask(actions.ScaleUp, 8), actions.Evidence{})
		said := append([]string{p.Change, p.How, p.RevertsIt, p.UndoText}, p.Warnings...)
		if q := problemIn(err); q != nil {
			said = append(said, q.Text, q.Hint)
		}
		p.Target = actions.Target{System: System, Name: "web-prod"}
		p.To = actions.Value{MinSize: actions.Number(8)}
		_, err = x.Execute(t.Context(), p, "k")
		var rejected *actions.RejectedError
		if ok := asRejected(err, &rejected); ok && status/100 == 2 {
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
