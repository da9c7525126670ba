package alertmanager_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/alertmanager"
)

// realAM is an Alertmanager server of its own.
type realAM struct {
	t    *testing.T
	addr string
	cmd  *exec.Cmd
	args []string
}

func realBinary(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("ONSALE_ALERTMANAGER")
	if binary == "" {
		t.Skip("NOT TESTED against a real Alertmanager: ONSALE_ALERTMANAGER names no binary (make peers fetches one)")
	}
	return binary
}

func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	return ln.Addr().String()
}

// startReal starts one that stands alone, unless more arguments say otherwise. Its notifications
// go to hook, when there is one.
func startReal(t *testing.T, cluster ...string) *realAM {
	return startRealWith(t, "", cluster...)
}

func startRealWith(t *testing.T, hook string, cluster ...string) *realAM {
	t.Helper()
	binary := realBinary(t)
	dir := t.TempDir()
	receiver := "receivers: [{name: on-call}]\n"
	if hook != "" {
		receiver = fmt.Sprintf("receivers: [{name: on-call, webhook_configs: [{url: %q}]}]\n", hook)
	}
	config := "route: {receiver: on-call, group_wait: 100ms, group_interval: 200ms, group_by: [sale, cause]}\n" + receiver
	if err := os.WriteFile(filepath.Join(dir, "am.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(cluster) == 0 {
		cluster = []string{"--cluster.listen-address="}
	}
	r := &realAM{t: t, addr: freeAddr(t)}
	r.args = append([]string{
		binary, "--config.file=" + filepath.Join(dir, "am.yml"), "--storage.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + r.addr, "--log.level=error",
	}, cluster...)
	r.start()
	t.Cleanup(r.stop)
	return r
}

func (r *realAM) start() {
	r.t.Helper()
	r.cmd = exec.Command(r.args[0], r.args[1:]...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	for range 400 {
		resp, err := http.Get("http://" + r.addr + "/-/ready")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-r.t.Context().Done():
			r.t.Fatal("Alertmanager did not start in time")
		case <-time.After(25 * time.Millisecond):
		}
	}
	r.t.Fatal("Alertmanager is not ready")
}

func (r *realAM) stop() {
	if r.cmd != nil {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
		r.cmd = nil
	}
}

func (r *realAM) proxy() http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: r.addr})
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	return proxy
}

func optionsOf(peers ...*realAM) alertmanager.Options {
	o := options()
	o.Bearer = ""
	for _, p := range peers {
		o.Peers = append(o.Peers, "http://"+p.addr)
	}
	return o
}

func TestARealAlertmanagerTellsItsReceiverOnceAndThatItIsOver(t *testing.T) {
	realBinary(t)
	told := make(chan string, 16)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var b strings.Builder
		_, _ = fmt.Fprint(&b, r.Method, " ")
		buf := make([]byte, 64<<10)
		for {
			n, err := r.Body.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				break
			}
		}
		told <- b.String()
	}))
	t.Cleanup(hook.Close)
	x := executor(t, optionsOf(startRealWith(t, hook.URL)))
	await := func(want ...string) {
		t.Helper()
		select {
		case body := <-told:
			for _, w := range want {
				if !strings.Contains(body, w) {
					t.Errorf("the receiver is told %s, without %q", body, w)
				}
			}
		case <-time.After(20 * time.Second):
			t.Fatal("the receiver is told nothing")
		}
	}
	p, _ := do(t, x, actions.Incident)
	state := holds(t, x, p)
	if !strings.Contains(state.Text, "active on 1 of 1") || !strings.Contains(state.Text, "goes to on-call") {
		t.Errorf("the state says %q", state.Text)
	}
	await(`"status":"firing"`, "declines 7.0 % (9s)", "left not known", "https://graphs.shop.example/d/sale", `"severity":"critical"`, "Copper Heron")
	p, _ = do(t, x, actions.Resolve)
	holds(t, x, p)
	await(`"status":"resolved"`)
	// The same cause again is a new incident, and is told again.
	p, _ = do(t, x, actions.Incident)
	holds(t, x, p)
	await(`"status":"firing"`)
}

func TestTwoRealPeersAreEachSentEverything(t *testing.T) {
	a, b := startReal(t), startReal(t)
	x := executor(t, optionsOf(a, b))
	p, receipt := do(t, x, actions.Incident)
	if !strings.Contains(receipt.Text, a.addr) || !strings.Contains(receipt.Text, b.addr) {
		t.Errorf("the receipt says %q", receipt.Text)
	}
	if state := holds(t, x, p); !strings.Contains(state.Text, "active on 2 of 2") {
		t.Errorf("the state says %q", state.Text)
	}
	all, err := x.Incidents(t.Context(), saleID)
	if err != nil || len(all) != 1 || len(all[0].Peers) != 2 || !all[0].Peers[0].Shows || !all[0].Peers[1].Shows {
		t.Fatalf("%+v, %v", all, err)
	}
	if left := time.Until(all[0].EndsAt); left < 3*time.Hour || left > 5*time.Hour || all[0].Status != alertmanager.Active {
		t.Errorf("ends in %s, %s; want about four hours, active", left, all[0].Status)
	}

	// One that is started anew has lost the alert: it is seen, and renewing brings it back.
	b.stop()
	state, err := x.ReadBack(t.Context(), p)
	if err == nil || !strings.Contains(err.Error(), b.addr) {
		t.Errorf("with a peer down it holds %s, %v: the peer must be named", state.Value, err)
	}
	b.start()
	state, err = x.ReadBack(t.Context(), p)
	if err != nil || state.Value.Holds(p.To) || !strings.Contains(state.Text, "not on "+b.addr) {
		t.Errorf("with an empty peer it holds %s %q, %v", state.Value, state.Text, err)
	}
	if _, err := x.Renew(t.Context(), saleID, all[0].Cause); err != nil {
		t.Fatal(err)
	}
	holds(t, x, p)

	// Acknowledge is a silence at each, as they form no cluster.
	p, receipt = do(t, x, actions.Acknowledge)
	if !strings.Contains(receipt.Text, a.addr) || !strings.Contains(receipt.Text, b.addr) {
		t.Errorf("peers that stand alone must each be silenced: %q", receipt.Text)
	}
	if state := holds(t, x, p); !strings.Contains(state.Text, "SILENCED") {
		t.Errorf("the state says %q", state.Text)
	}
	again, err := x.Preview(t.Context(), ask(actions.Acknowledge), seen())
	if err != nil || !again.Refused() || !strings.Contains(again.Refusals[0].Text, "silenced already, by onsale until") {
		t.Errorf("a second silence: %+v, %v", again.Refusals, err)
	}
	p, _ = do(t, x, actions.Resolve)
	if state := holds(t, x, p); !strings.Contains(state.Text, "active on 0 of 2") {
		t.Errorf("the state says %q", state.Text)
	}
	// The silence outlives the incident, which must be said before the next one.
	if p := preview(t, x, ask(actions.Incident), seen()); !strings.Contains(joined(p.Warnings), "nobody would be told") {
		t.Errorf("warnings %q do not name the silence", p.Warnings)
	}
}

func TestTwoRealPeersOfAClusterAreSilencedOnce(t *testing.T) {
	realBinary(t)
	gossip := freeAddr(t)
	common := []string{"--cluster.settle-timeout=1ms", "--cluster.gossip-interval=20ms", "--cluster.pushpull-interval=500ms"}
	a := startReal(t, append(common, "--cluster.listen-address="+gossip, "--cluster.advertise-address="+gossip)...)
	own := freeAddr(t)
	b := startReal(t, append(common, "--cluster.listen-address="+own, "--cluster.advertise-address="+own, "--cluster.peer="+gossip)...)
	x := executor(t, optionsOf(a, b))
	p, _ := do(t, x, actions.Incident)
	holds(t, x, p)
	p, receipt := do(t, x, actions.Acknowledge)
	if !strings.Contains(receipt.Text, "taken by "+a.addr) || strings.Contains(receipt.Text, b.addr) {
		t.Errorf("a cluster is silenced once: %q", receipt.Text)
	}
	holds(t, x, p)
}
