package incidents

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

func says(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	})
}

// inJSON is the escape text as it stands in a JSON string.
func inJSON(t *testing.T) string {
	t.Helper()
	data, err := json.Marshal(sourcetest.Escape + sourcetest.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return string(data[1 : len(data)-1])
}

func common(name string) Common {
	return Common{Name: name, Sales: []sale.ID{"lantern", "kestrel"}}
}

const pdOpen = `{"incidents":[
 {"id":"Q1","incident_number":4181,"title":"Lantern: errors 5.8 %","status":"triggered","incident_key":"onsale/lantern/error_ratio","html_url":"https://x.pagerduty.com/incidents/Q1","created_at":"2026-12-04T10:04:40Z","last_status_change_at":"2026-12-04T10:04:40Z","acknowledgements":[]},
 {"id":"Q2","incident_number":4182,"title":"Kestrel","status":"acknowledged","incident_key":"onsale/kestrel/by-hand","html_url":"https://x.pagerduty.com/incidents/Q2","created_at":"2026-12-04T10:01:00Z","acknowledgements":[{"at":"2026-12-04T10:05:21Z","acknowledger":{"summary":"Ines Horvat"}}]},
 {"id":"Q3","incident_number":4183,"title":"something else","status":"triggered","incident_key":null,"created_at":"2026-12-04T10:01:00Z"},
 {"id":"Q4","incident_number":4184,"title":"another shop","status":"triggered","incident_key":"onsale/lanterns/error_ratio","created_at":"2026-12-04T10:01:00Z"}
],"limit":100,"offset":0,"more":false}`

func TestPagerDutyKeepsTheContract(t *testing.T) {
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			s, err := NewPagerDuty(PagerDutyOptions{Common: common("pager"), Token: sourcetest.Secret, URL: url})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Healthy:   says(pdOpen),
		Incidents: map[sale.ID]sale.IncidentStatus{"lantern": sale.IncidentOpen, "kestrel": sale.IncidentAcknowledged},
		Hostile:   says(strings.NewReplacer("Lantern: errors 5.8 %", inJSON(t), "Ines Horvat", inJSON(t), "error_ratio", inJSON(t), "https://x.pagerduty.com", "https://x.pagerduty.com/"+inJSON(t)).Replace(pdOpen)),
		Fail: func(w http.ResponseWriter, _ *http.Request, status int, message string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"message": message, "code": 2006}})
		},
		Header:       http.Header{"Content-Type": {"application/json"}},
		WrongTypes:   [][]byte{[]byte(`{"incidents":7}`), []byte(`{"incidents":[7]}`), []byte(`{"incidents":null}`), []byte(`{"incidents":[{"incident_number":"x"}]}`)},
		CallsPerPoll: 1,
	})
}

func amAlertJSON(saleID, cause, state string) string {
	silenced := "[]"
	if state == "suppressed" {
		silenced = `["s1"]`
	}
	return fmt.Sprintf(`{"labels":{"alertname":"OnsaleIncident","sale":%q,"cause":%q,"severity":"critical"},"annotations":{"summary":"errors 5.8 %%"},
 "startsAt":"2026-12-04T10:04:40Z","endsAt":"2126-12-04T14:04:40Z","updatedAt":"2026-12-04T10:04:40Z","receivers":[{"name":"page"}],
 "status":{"state":%q,"silencedBy":%s,"inhibitedBy":[]},"fingerprint":"x"}`, saleID, cause, state, silenced)
}

// amWire answers as one peer of an Alertmanager.
func amWire(alerts string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/silences") {
			_, _ = w.Write([]byte(`[{"id":"s1","startsAt":"2026-12-04T10:05:21Z","createdBy":"ivana","status":{"state":"active"}}]`))
			return
		}
		_, _ = w.Write([]byte(alerts))
	})
}

func TestAlertmanagerKeepsTheContract(t *testing.T) {
	healthy := "[" + amAlertJSON("lantern", "error_ratio", "active") + "," + amAlertJSON("kestrel", "by-hand", "suppressed") + "," + amAlertJSON("another", "x", "active") + "]"
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			s, err := NewAlertmanager(AlertmanagerOptions{Common: common("am"), Bearer: sourcetest.Secret, Peers: []string{url}})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Healthy:      amWire(healthy),
		Incidents:    map[sale.ID]sale.IncidentStatus{"lantern": sale.IncidentOpen, "kestrel": sale.IncidentAcknowledged},
		Hostile:      amWire(strings.NewReplacer("errors 5.8 %", inJSON(t), "error_ratio", inJSON(t)).Replace(healthy)),
		Header:       http.Header{"Content-Type": {"application/json"}},
		WrongTypes:   [][]byte{[]byte(`[7]`), []byte(`[{"labels":[]}]`), []byte(`[{"startsAt":7}]`)},
		Nothing:      "[]",
		CallsPerPoll: 2,
	})
}

// opsWire answers DescribeOpsItems and GetOpsItem.
func opsWire(list string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		_, _ = w.Write([]byte(list))
	})
}

const opsOpen = `{"OpsItemSummaries":[
 {"OpsItemId":"oi-1","Title":"Lantern: errors 5.8 %","Status":"Open","Source":"onsale","CreatedTime":1764842680,"LastModifiedBy":"arn:aws:iam::1:user/ines","OperationalData":{"/aws/dedup":{"Value":"{\"dedupString\":\"onsale/lantern/incident\"}","Type":"SearchableString"}}},
 {"OpsItemId":"oi-2","Title":"Kestrel","Status":"InProgress","Source":"onsale","CreatedTime":1764842680,"LastModifiedTime":1764842780,"LastModifiedBy":"arn:aws:iam::1:user/ines","OperationalData":{"/aws/dedup":{"Value":"{\"dedupString\":\"onsale/kestrel/incident\"}","Type":"SearchableString"}}},
 {"OpsItemId":"oi-3","Title":"nobody's","Status":"Open","Source":"onsale","CreatedTime":1764842680}]}`

func opsSource(t *testing.T, url string, c Common) *Source {
	t.Helper()
	login := aws.Config{Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", sourcetest.Secret, "")}
	c.Secrets = []string{sourcetest.Secret}
	s, err := NewOpsItem(OpsItemOptions{Common: c, Region: "eu-central-1", API: NewOpsClient(login, url, nil)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOpsItemKeepsTheContract(t *testing.T) {
	sourcetest.Contract(t, sourcetest.Harness{
		New:       func(t *testing.T, url string) sources.Source { return opsSource(t, url, common("ops")) },
		Healthy:   opsWire(opsOpen),
		Incidents: map[sale.ID]sale.IncidentStatus{"lantern": sale.IncidentOpen, "kestrel": sale.IncidentAcknowledged},
		Hostile:   opsWire(strings.NewReplacer("Lantern: errors 5.8 %", inJSON(t), "user/ines", "user/"+inJSON(t), "oi-1", inJSON(t)).Replace(opsOpen)),
		Fail: func(w http.ResponseWriter, _ *http.Request, status int, message string) {
			code := map[int]string{401: "UnrecognizedClientException", 403: "AccessDeniedException", 404: "OpsItemNotFoundException", 429: "ThrottlingException", 500: "InternalServerError", 503: "ServiceUnavailable"}[status]
			if code == "" {
				code = message
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
		},
		Header:       http.Header{"Content-Type": {"application/x-amz-json-1.1"}},
		WrongTypes:   [][]byte{[]byte(`{"OpsItemSummaries":7}`), []byte(`{"OpsItemSummaries":[7]}`), []byte(`{"OpsItemSummaries":[{"Status":7}]}`)},
		CallsPerPoll: 1,
	})
}
