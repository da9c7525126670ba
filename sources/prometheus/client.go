package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// wire is the HTTP side of a source: two endpoints, one request each, one retry layer (the poller's).
type wire struct {
	api      v1.API
	answers  *answers
	client   *http.Client
	lookback time.Duration
	bare     bool // CloudWatch, whose parameters are query, time, start, end, step and limit
	secrets  []string
}

func newWire(o Options, u *url.URL) (*wire, error) {
	w := &wire{lookback: o.Lookback, bare: o.ofCloudWatch(), secrets: append([]string(nil), o.Secrets...)}
	base, err := w.transport(o, u)
	if err != nil {
		return nil, fmt.Errorf("prometheus: source %s: %s", o.Name, sources.Redact(err.Error(), w.secrets...))
	}
	w.client = sources.NewClient(sources.ClientOptions{Version: o.Version, Transport: base})
	w.answers = &answers{next: w.client.Transport, parameters: o.parameters(), signed: o.Signing != nil}
	w.client.Transport = w.answers
	bare := *u
	bare.User = nil
	client, err := api.NewClient(api.Config{Address: bare.String(), Client: w.client})
	if err != nil {
		return nil, fmt.Errorf("prometheus: source %s: %w", o.Name, err)
	}
	w.api = v1.NewAPI(client)
	return w, nil
}

// transport builds what adds credentials and TLS, and learns the secrets that must stay hidden.
func (w *wire) transport(o Options, u *url.URL) (http.RoundTripper, error) {
	if o.RoundTripper != nil {
		return o.RoundTripper, nil
	}
	cfg := config.DefaultHTTPClientConfig
	if o.HTTP != nil {
		cfg = *o.HTTP
	}
	if cfg.BasicAuth == nil && cfg.Authorization == nil && u.User != nil {
		password, _ := u.User.Password()
		cfg.BasicAuth = &config.BasicAuth{Username: u.User.Username(), Password: config.Secret(password)}
	}
	if cfg.ProxyURL.URL == nil && !cfg.ProxyFromEnvironment {
		cfg.ProxyFromEnvironment = true
	}
	w.learn(cfg)
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	rt, err := config.NewRoundTripperFromConfig(cfg, "onsale", config.WithDialContextFunc(dialer.DialContext))
	if err != nil || o.Signing == nil {
		return rt, err
	}
	return newSigner(*o.Signing, rt)
}

func (w *wire) learn(cfg config.HTTPClientConfig) {
	add := func(secret config.Secret) {
		if secret != "" {
			w.secrets = append(w.secrets, string(secret))
		}
	}
	add(cfg.BearerToken)
	if cfg.BasicAuth != nil {
		add(cfg.BasicAuth.Password)
	}
	if cfg.Authorization != nil {
		add(cfg.Authorization.Credentials)
	}
	if cfg.HTTPHeaders != nil {
		for _, header := range cfg.HTTPHeaders.Headers {
			for _, secret := range header.Secrets {
				add(secret)
			}
		}
	}
}

func (w *wire) options(ctx context.Context) []v1.Option {
	if w.bare {
		return nil
	}
	var opts []v1.Option
	if at, ok := ctx.Deadline(); ok {
		// Whole seconds: the API reads "4s" and refuses "4.9s".
		if left := time.Until(at).Truncate(time.Second); left > 0 {
			opts = append(opts, v1.WithTimeout(left)) // the server need not go on when nobody waits
		}
	}
	if w.lookback > 0 {
		opts = append(opts, v1.WithLookbackDelta(w.lookback))
	}
	return opts
}

// instant evaluates a query at the server's own now.
func (w *wire) instant(ctx context.Context, query string) (model.Value, []string, error) {
	return w.asking(func() (model.Value, v1.Warnings, v1.Infos, error) {
		return w.api.Query(ctx, query, time.Time{}, w.options(ctx)...)
	})
}

// over evaluates a query over a range.
func (w *wire) over(ctx context.Context, query string, r v1.Range) (model.Value, []string, error) {
	return w.asking(func() (model.Value, v1.Warnings, v1.Infos, error) {
		return w.api.QueryRange(ctx, query, r, w.options(ctx)...)
	})
}

// asking asks by POST, and once by GET when POST is what a proxy with read-only rights
// refuses (403, 405, 501). Whichever works is kept, so a steady poll is one request.
func (w *wire) asking(ask func() (model.Value, v1.Warnings, v1.Infos, error)) (model.Value, []string, error) {
	value, warnings, infos, err := ask()
	if err != nil && w.answers.mayTryGet(err) {
		w.answers.get = true
		value, warnings, infos, err = ask()
		w.answers.settle(err)
	}
	said := append(append([]string(nil), warnings...), infos...)
	if err == nil && value == nil {
		err = notAnAnswer("no result in it")
	}
	return value, said, err
}

// answers turns an error status into an error that still holds the body and the Retry-After,
// and sends the client library's POST as GET where the server wants that. It is used by one
// goroutine at a time.
type answers struct {
	next       http.RoundTripper
	parameters url.Values // of every query, in the address; they are never changed
	signed     bool       // a refusal may be AWS's own
	get        bool
	tried      bool // GET did not help either
}

func (a *answers) RoundTrip(req *http.Request) (*http.Response, error) {
	if a.get && req.Method == http.MethodPost && req.Body != nil {
		asGet, err := getOf(req)
		if err != nil {
			return nil, err
		}
		req = asGet
	}
	if len(a.parameters) > 0 {
		req = with(req, a.parameters)
	}
	resp, err := a.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode >= 400 {
		refused := sources.CheckStatus(resp)
		if a.signed {
			refused = ofAWS(resp.Header, refused)
		}
		return nil, refused
	}
	if resp.StatusCode < 300 {
		err = open(resp)
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

// open looks at the first byte, so that what can't be an answer is not read to its end.
func open(resp *http.Response) error {
	var first [1]byte
	_, err := io.ReadFull(resp.Body, first[:])
	switch {
	case errors.Is(err, io.EOF):
		err = notAnAnswer("an empty body")
	case err != nil:
	case strings.Contains(resp.Header.Get("Content-Type"), "text/html"), first[0] == '<':
		err = &sale.Problem{
			Class: sale.BadData, Text: "an HTML page instead of the API's answer",
			Hint: "a login page or another program answers there: see the url and the credentials",
		}
	case first[0] != '{':
		err = notAnAnswer("the body is not a JSON object")
	default:
		resp.Body = &opened{first: first[:], ReadCloser: resp.Body}
		return nil
	}
	_ = resp.Body.Close()
	return err
}

func notAnAnswer(why string) *sale.Problem {
	return &sale.Problem{
		Class: sale.BadData, Text: "not a Prometheus answer: " + why,
		Hint: "see that the url is where /api/v1/query begins, with the path prefix if there is one",
	}
}

// opened is a body whose first byte has been looked at.
type opened struct {
	first []byte
	io.ReadCloser
}

func (o *opened) Read(p []byte) (int, error) {
	if len(o.first) > 0 {
		n := copy(p, o.first)
		o.first = o.first[n:]
		return n, nil
	}
	return o.ReadCloser.Read(p)
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the pool.
func (a *answers) CloseIdleConnections() {
	if c, ok := a.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func getOf(req *http.Request) (*http.Request, error) {
	args, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err != nil {
		return nil, err
	}
	get := req.Clone(req.Context())
	get.Method, get.Body, get.GetBody, get.ContentLength = http.MethodGet, nil, nil, 0
	get.URL.RawQuery = string(args)
	get.Header.Del("Content-Type")
	return get, nil
}

// with adds parameters to the address, where servers read them beside those of a form.
func with(req *http.Request, parameters url.Values) *http.Request {
	more := req.Clone(req.Context())
	if more.URL.RawQuery != "" {
		more.URL.RawQuery += "&"
	}
	more.URL.RawQuery += parameters.Encode()
	return more
}

func (a *answers) mayTryGet(err error) bool {
	var status *sources.StatusError
	if a.get || a.tried || !errors.As(err, &status) {
		return false
	}
	return status.Status == http.StatusForbidden || status.Status == http.StatusMethodNotAllowed || status.Status == http.StatusNotImplemented
}

// settle keeps GET when it was let through, whatever the answer to the query itself.
func (a *answers) settle(err error) {
	var status *sources.StatusError
	if err == nil || isRefused(err) {
		return
	}
	a.get = false
	a.tried = errors.As(err, &status) && (status.Status == http.StatusForbidden || status.Status == http.StatusMethodNotAllowed)
}

// envelope is the API's error body.
type envelope struct {
	Status string `json:"status"`
	Type   string `json:"errorType"`
	Error  string `json:"error"`
}

func envelopeOf(err error) (envelope, *sources.StatusError, bool) {
	var status *sources.StatusError
	var e envelope
	if !errors.As(err, &status) {
		return e, nil, false
	}
	return e, status, json.Unmarshal(status.Body, &e) == nil && e.Status == "error"
}
