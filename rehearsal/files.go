package rehearsal

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"github.com/onsale-dev/onsale/rehearsal/aws"
	"github.com/onsale-dev/onsale/rehearsal/capacity"
	"github.com/onsale-dev/onsale/rehearsal/shop"
)

//go:embed onsale.yaml.tmpl
var configTemplate string

// secrets are made anew at every start, and worth nothing elsewhere.
type secrets struct {
	aws, awsAct                     string // of the keys aws.AccessKey and aws.ActKey
	cloudflareRead, cloudflareWrite string
	kubeRead, kubeWrite             string // tokens
	pagerKey, pagerToken            string // the integration's key, and the one of the REST API
	gateToken, gateSecret           string // of the shop's own gate: a bearer token, and what requests are signed with
	gateRead                        string // of who may only look at that gate
	queueKey                        string
	slack                           string // the end of the webhook's address
	jiraKey, incidentIO, rootly     string
	pagerRead                       string // a read-only one beside it
	redis                           string // the password of RedisUser
}

func newSecrets() (secrets, error) {
	var all [176]byte
	if _, err := rand.Read(all[:]); err != nil {
		return secrets{}, fmt.Errorf("make the rehearsal's secrets: %w", err)
	}
	s := secrets{
		aws:             hex.EncodeToString(all[:20]),
		cloudflareRead:  hex.EncodeToString(all[20:40]),
		cloudflareWrite: hex.EncodeToString(all[40:60]),
		awsAct:          hex.EncodeToString(all[60:80]),
		kubeRead:        hex.EncodeToString(all[80:100]),
		kubeWrite:       hex.EncodeToString(all[100:120]),
		pagerKey:        hex.EncodeToString(all[120:136]),
		pagerToken:      hex.EncodeToString(all[136:156]),
		pagerRead:       hex.EncodeToString(all[156:]),
	}
	for _, secret := range []*string{&s.gateToken, &s.gateRead, &s.queueKey, &s.slack, &s.jiraKey, &s.incidentIO, &s.rootly, &s.redis} {
		*secret = rand.Text()
	}
	var sign [24]byte
	if _, err := rand.Read(sign[:]); err != nil {
		return secrets{}, fmt.Errorf("make the rehearsal's secrets: %w", err)
	}
	s.gateSecret = "whsec_" + base64.StdEncoding.EncodeToString(sign[:])
	return s, nil
}

func (p *Platform) makeDir() error {
	if p.options.Dir == "" {
		dir, err := os.MkdirTemp("", "onsale-rehearsal-")
		if err != nil {
			return fmt.Errorf("make a folder for the rehearsal: %w", err)
		}
		p.dir, p.ownDir = dir, true
		return nil
	}
	dir, err := filepath.Abs(p.options.Dir)
	if err != nil {
		return fmt.Errorf("the rehearsal's folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the rehearsal's folder: %w", err)
	}
	p.dir = dir
	return nil
}

// signature is the first line of every config that the platform wrote.
var signature = []byte("# Written by the rehearsal platform.")

// writeFiles writes the secrets, the config that reads this platform, and platform.json.
func (p *Platform) writeFiles() error {
	var err error
	if p.config, err = p.render(); err != nil {
		return err
	}
	config := p.ConfigPath()
	if had, err := os.ReadFile(config); err == nil && !bytes.HasPrefix(had, signature) {
		return fmt.Errorf("%s is not the rehearsal's: give it a folder of its own", config)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write the rehearsal's config: %w", err)
	}
	where, err := json.MarshalIndent(map[string]any{"control": p.control.url(), "services": p.URLs()}, "", "  ")
	if err != nil {
		return fmt.Errorf("write platform.json: %w", err)
	}
	for _, f := range []struct {
		name string
		data []byte
		mode os.FileMode
	}{
		{"aws-secret", []byte(p.secrets.aws), 0o600},
		{"aws-act-secret", []byte(p.secrets.awsAct), 0o600},
		{"cloudflare-token", []byte(p.secrets.cloudflareRead), 0o600},
		{"cloudflare-write-token", []byte(p.secrets.cloudflareWrite), 0o600},
		{"kubernetes-token", []byte(p.secrets.kubeRead), 0o600},
		{"kubernetes-write-token", []byte(p.secrets.kubeWrite), 0o600},
		{"kubernetes-ca.crt", p.certificate.pem, 0o644},
		{"kubeconfig-read", p.kubeconfig("reader", p.secrets.kubeRead), 0o600},
		{"kubeconfig-act", p.kubeconfig("operator", p.secrets.kubeWrite), 0o600},
		{"pagerduty-routing-key", []byte(p.secrets.pagerKey), 0o600},
		{"pagerduty-token", []byte(p.secrets.pagerToken), 0o600},
		{"gate-token", []byte(p.secrets.gateToken), 0o600},
		{"gate-read-token", []byte(p.secrets.gateRead), 0o600},
		{"gate-secret", []byte(p.secrets.gateSecret), 0o600},
		{"queue-it-key", []byte(p.secrets.queueKey), 0o600},
		{"slack-url", []byte(p.services[Slack].url() + p.slack.Path()), 0o600},
		{"jira-key", []byte(p.secrets.jiraKey), 0o600},
		{"incident-io-token", []byte(p.secrets.incidentIO), 0o600},
		{"rootly-secret", []byte(p.secrets.rootly), 0o600},
		{"redis-password", []byte(p.secrets.redis), 0o600},
		{"pagerduty-read-token", []byte(p.secrets.pagerRead), 0o600},
		{calendarFile, p.calendar(), 0o644},
		{"onsale.yaml", p.config, 0o644},
		{"platform.json", append(where, '\n'), 0o644},
	} {
		if err := p.write(f.name, f.data, f.mode); err != nil {
			return err
		}
	}
	return nil
}

// write replaces a file in one step, so that no reader sees half of it, and remembers it for Stop.
func (p *Platform) write(name string, data []byte, mode os.FileMode) error {
	path := filepath.Join(p.dir, name)
	tmp, err := os.CreateTemp(p.dir, name+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(mode), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(tmp.Name()))
	}
	p.files = append(p.files, path)
	return nil
}

// Dir returns the folder that holds the platform's files.
func (p *Platform) Dir() string { return p.dir }

// ConfigPath returns the file that Config was written to.
func (p *Platform) ConfigPath() string { return filepath.Join(p.dir, "onsale.yaml") }

// Config returns the cockpit's config for this platform.
func (p *Platform) Config() []byte { return bytes.Clone(p.config) }

// render fills the template. Every text in it is quoted: names, folders and URLs alike.
func (p *Platform) render() ([]byte, error) {
	t, err := template.New("onsale.yaml").Funcs(template.FuncMap{
		"q":           quote,
		"template_of": templateOf,
		"time":        func(t time.Time) string { return t.Local().Format(time.RFC3339) },
	}).Option("missingkey=error").Parse(configTemplate)
	if err != nil {
		return nil, fmt.Errorf("the rehearsal's config: %w", err)
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]any{
		"Dir": p.dir, "Prometheus": p.services[Prometheus].url(), "Alertmanager": p.services[Alertmanager].url(),
		"CloudWatch": p.services[CloudWatch].url(), "CloudWatchUSEast1": p.services[CloudWatchEdge].url(),
		"SQS": p.services[SQS].url(), "Cloudflare": p.services[Cloudflare].url(),
		"AutoScaling": p.services[AutoScaling].url(), "ELB": p.services[ELB].url(), "ECS": p.services[ECS].url(),
		"ApplicationAutoScaling": p.services[ApplicationAutoScaling].url(), "ECSCluster": aws.ECSCluster, "RDS": p.services[RDS].url(),
		"RateWindow": int(rateWindow(p.options.Speed).Seconds()), "RampEvery": int(rampEvery(p.options.Speed).Seconds()), "Namespace": shop.Namespace, "Workloads": workloads(),
		"PagerDuty": p.services[PagerDuty].url(), "Gate": p.services[Gate].url(), "Redis": p.services[Redis].addr, "RedisUser": RedisUser, "Dated": Dated, "CalendarFile": calendarFile, "Sales": p.world.Sales(),
	})
	if err != nil {
		return nil, fmt.Errorf("the rehearsal's config: %w", err)
	}
	return out.Bytes(), nil
}

// workload is how the pods of some sales are read: by the object that scales them.
type workload struct{ Template, Object, Resource string }

// workloads are read by the HPA that was made for them, or by the ScaledObject, of which KEDA makes one.
func workloads() []workload {
	return []workload{{"on_pods_hpa", "hpa", "$asg"}, {"on_pods_keda", "scaledobject", "$asg"}}
}

// templateOf is the template of the config for what carries a sale.
func templateOf(d shop.Declared) string {
	switch {
	case d.Kind == capacity.Instances:
		return "on_instances"
	case d.Kind == capacity.Tasks:
		return "on_tasks"
	case d.Scaler == capacity.KEDA:
		return "on_pods_keda"
	}
	return "on_pods_hpa"
}

// kubeconfig is the file by which a user of the rehearsal's cluster logs in, as kubectl takes it.
func (p *Platform) kubeconfig(user, token string) []byte {
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- {name: %[1]s, cluster: {server: %[2]q, certificate-authority-data: %[6]s}}
users:
- {name: %[3]s, user: {token: %[4]q}}
contexts:
- {name: %[1]s, context: {cluster: %[1]s, user: %[3]s, namespace: %[5]s}}
current-context: %[1]s
`, shop.ClusterName, p.services[Kubernetes].url(), user, token, shop.Namespace, base64.StdEncoding.EncodeToString(p.certificate.pem))
}

// quote writes a JSON string, which is a YAML string too.
func quote(text string) (string, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}
