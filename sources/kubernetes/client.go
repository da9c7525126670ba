package kubernetes

import (
	"errors"
	"fmt"
	"net/http"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/onsale-dev/onsale/sources"
)

// ClientOptions say which cluster is read, and as whom.
type ClientOptions struct {
	// Kubeconfig is a file; "" is what kubectl would use: $KUBECONFIG, then ~/.kube/config.
	Kubeconfig string
	// Context is one of the kubeconfig; "" is its current one.
	Context string
	// InCluster takes the service account of the pod that onsale runs in.
	InCluster bool
	// Config is used as it is instead of all of the above.
	Config *rest.Config
	// Version is onsale's own, for the User-Agent.
	Version string
}

// Client is a dynamic client over a transport with bounded answers and a meter. It never retries by
// itself: the poller asks again at its next turn.
type Client struct {
	dynamic.Interface
	// Host is the API server's address.
	Host    string
	secrets []string
	http    *http.Client
}

// CloseIdleConnections closes what is kept open between polls.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

// NewClient makes a client. It sends nothing; a kubeconfig's own login plugin runs at the first
// request, without a terminal. A file that can't be read, a context that is not there and a
// certificate that is none are errors here.
func NewClient(o ClientOptions) (*Client, error) {
	config, err := configOf(o)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.QPS = -1 // the poller has a budget of its own
	config.UserAgent = sources.UserAgent(o.Version)
	config.WarningHandler = rest.NoWarnings{}
	config.WarningHandlerWithContext = rest.NoWarnings{}
	if config.ExecProvider != nil {
		config.ExecProvider.StdinUnavailable = true
		config.ExecProvider.StdinUnavailableMessage = "onsale has the terminal: log in before it starts"
	}
	client, err := httpClient(config, o.Version)
	if err != nil {
		return nil, fmt.Errorf("kubernetes client: %w", err)
	}
	api, err := dynamic.NewForConfigAndClient(config, client)
	if err != nil {
		return nil, fmt.Errorf("kubernetes client: %w", err)
	}
	c := &Client{Interface: api, Host: config.Host, http: client}
	for _, secret := range []string{config.BearerToken, config.Password} {
		if secret != "" {
			c.secrets = append(c.secrets, secret)
		}
	}
	return c, nil
}

func configOf(o ClientOptions) (*rest.Config, error) {
	switch {
	case o.Config != nil:
		return o.Config, nil
	case o.InCluster:
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("kubernetes client: not in a pod with a service account: %w", err)
		}
		return config, nil
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	rules.Warner = func(error) {} // a terminal may be showing the cockpit
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: o.Context}).ClientConfig()
	if err != nil {
		if clientcmd.IsEmptyConfig(err) {
			return nil, errors.New("kubernetes client: no kubeconfig found: name the file, set KUBECONFIG, or say that onsale runs in the cluster")
		}
		return nil, fmt.Errorf("kubernetes client: kubeconfig: %w", err)
	}
	return config, nil
}

// httpClient puts the config's credentials and trust into our own transport.
func httpClient(config *rest.Config, version string) (*http.Client, error) {
	trust, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	transport := sources.NewTransport(trust)
	if config.Proxy != nil {
		transport.Proxy = config.Proxy
	}
	signed, err := rest.HTTPWrappersForConfig(config, transport)
	if err != nil {
		return nil, err
	}
	client := sources.NewClient(sources.ClientOptions{Version: version, Transport: closing{signed, transport}})
	client.Transport = &once{client.Transport}
	return client, nil
}

// closing lets CloseIdleConnections through the credentials to the pool.
type closing struct {
	http.RoundTripper
	pool *http.Transport
}

func (c closing) CloseIdleConnections() { c.pool.CloseIdleConnections() }

// once keeps client-go from sending a request again: up to ten times for an answer with
// Retry-After or a cut connection, asleep in between, beyond what the poller allows.
type once struct{ next http.RoundTripper }

func (o *once) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := o.next.RoundTrip(req)
	if err != nil {
		return nil, &wireError{err}
	}
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
		resp.Header.Del("Retry-After") // the meter has it
	}
	return resp, nil
}

func (o *once) CloseIdleConnections() {
	if c, ok := o.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// wireError hides its cause from client-go, which would take it for one that a retry mends.
type wireError struct{ cause error }

func (e *wireError) Error() string { return "the request was not answered" }

// Timeout tells net/http's own error what it asks.
func (e *wireError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.cause, &t) && t.Timeout()
}
