package actions_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/actions"
	"github.com/onsale-dev/onsale/actions/journal"
	"github.com/onsale-dev/onsale/sale"
)

// TestMain lets the test binary stand in for a cockpit that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ONSALE_TEST_CRASH"); dir != "" {
		if err := victim(dir, os.Getenv("ONSALE_TEST_AT")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// The moments at which the victim kills itself.
const (
	beforeIntent = "before the intent"
	afterIntent  = "after the intent"
	beforeSend   = "as the request leaves"
	afterSend    = "after the system has taken it"
	atReadBack   = "while reading back"
	beforeResult = "before the result"
	afterResult  = "after the result"
	anyTime      = "at any time"
	noRoom       = "not at all: the disk takes no more"
	together     = "not at all: many confirm at once"
)

// disk is a system whose state outlives the processes that act on it: a file for what it is
// set to, and a file with one line for every write that reached it.
type disk struct {
	dir string
	at  string
}

func die(at, now string) {
	if at == now {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (d disk) rate() (float64, error) {
	data, err := os.ReadFile(filepath.Join(d.dir, "rate"))
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(string(data), 64)
}

func (d disk) set(v float64) error {
	name := filepath.Join(d.dir, "rate")
	if err := os.WriteFile(name+".new", []byte(strconv.FormatFloat(v, 'f', -1, 64)), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func (d disk) Info() actions.Info {
	return actions.Info{System: "disk", Verbs: []actions.Verb{actions.Rate}, ReadBack: actions.ReadBackPlan{Tries: 2, First: time.Millisecond}}
}

var diskTarget = actions.Target{System: "disk", Kind: "gate", Name: "harbour-2026"}

func (d disk) Preview(_ context.Context, req actions.Request, _ actions.Evidence) (actions.Preview, error) {
	v, err := d.rate()
	if err != nil {
		return actions.Preview{}, err
	}
	p := actions.Preview{Target: diskTarget, From: actions.Value{"rate": actions.Number(v)}, To: actions.Value{"rate": actions.Number(*req.To)}, ReadAt: time.Now(), Risk: actions.Normal}
	p.Change = p.From.Change(p.To)
	return p, nil
}

func (d disk) Execute(_ context.Context, p actions.Preview, key string) (actions.Receipt, error) {
	die(d.at, beforeSend)
	f, err := os.OpenFile(filepath.Join(d.dir, "writes"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return actions.Receipt{}, err
	}
	_, err = fmt.Fprintln(f, key)
	v, _ := p.To["rate"].Number()
	if err := errors.Join(err, f.Close(), d.set(v)); err != nil {
		return actions.Receipt{}, err
	}
	die(d.at, afterSend)
	return actions.Receipt{RequestID: "r"}, nil
}

func (d disk) ReadBack(context.Context, actions.Preview) (actions.State, error) {
	die(d.at, atReadBack)
	v, err := d.rate()
	return actions.State{Value: actions.Value{"rate": actions.Number(v)}, At: time.Now()}, err
}

// mortal is a journal that dies at a moment.
type mortal struct {
	*journal.Journal
	at string
}

func (m mortal) Append(ctx context.Context, r journal.Record) (journal.Record, error) {
	if r.Kind == journal.Result {
		die(m.at, beforeResult)
	}
	rec, err := m.Journal.Append(ctx, r)
	if r.Kind == journal.Result {
		die(m.at, afterResult)
	}
	return rec, err
}

func (m mortal) AppendIf(ctx context.Context, r journal.Record, check func(journal.View) error) (journal.Record, error) {
	die(m.at, beforeIntent)
	rec, err := m.Journal.AppendIf(ctx, r, check)
	die(m.at, afterIntent)
	return rec, err
}

func crashRunner(dir, at string) (*actions.Runner, *journal.Journal, error) {
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{})
	if err != nil {
		return nil, nil, err
	}
	r, err := actions.NewRunner(actions.Config{
		Journal:  mortal{j, at},
		Policy:   actions.Policy{Targets: map[sale.ID][]actions.Target{harbour: {diskTarget}}},
		Executor: func(sale.ID, actions.Verb) (actions.Executor, error) { return disk{dir, at}, nil },
	})
	return r, j, err
}

// victim sets the rate to the other of two values, and dies on the way.
func victim(dir, at string) error {
	r, _, err := crashRunner(dir, at)
	if err != nil {
		return err
	}
	now, err := disk{dir: dir}.rate()
	if err != nil {
		return err
	}
	ctx := context.Background()
	to := 1200 - now
	if at == together {
		to = 400
	}
	who := vesna
	if at == together {
		who = actions.Actor{Name: fmt.Sprint("p", os.Getpid()), Role: actions.Operator}
	}
	p := r.Preview(ctx, who, rate(to))
	if at == together && p.Refused() {
		return nil // another was done before
	}
	a, no := r.Arm(who, p, time.Minute)
	if no != nil {
		return errors.New(no.Text)
	}
	if at == noRoom { // the kernel lets no file grow past the half of a record
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 300, Max: 300}); err != nil {
			return err
		}
	}
	fmt.Println("armed")
	res := r.Run(ctx, who, actions.Confirmed{Preview: p, Arming: a.ID, At: time.Now()})
	if res.Outcome != actions.Done && (at != together || res.Outcome != actions.Refused) {
		return fmt.Errorf("%s: %s", res.Outcome, res.Text)
	}
	return nil
}

func TestOfManyProcessesThatConfirmAtOnceExactlyOneExecutes(t *testing.T) {
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for range rounds {
		dir := t.TempDir()
		if err := (disk{dir: dir}).set(800); err != nil {
			t.Fatal(err)
		}
		var all []*exec.Cmd
		for range 4 {
			cmd := exec.CommandContext(t.Context(), exe)
			cmd.Env = append(os.Environ(), "ONSALE_TEST_CRASH="+dir, "ONSALE_TEST_AT="+together)
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, cmd)
		}
		for _, cmd := range all {
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		}
		if n := len(sent(t, dir)); n != 1 {
			t.Errorf("%d processes executed", n)
		}
		rep, err := journal.Verify(filepath.Join(dir, "journal"))
		if err != nil || !rep.OK() {
			t.Errorf("%+v %v", rep, err)
		}
	}
}

func TestAKillAtEveryStepLeavesOneOutcomeAndNeverASecondExecution(t *testing.T) {
	runs := 28 // of eight moments: 224
	if testing.Short() {
		runs = 3
	}
	for _, at := range []string{beforeIntent, afterIntent, beforeSend, afterSend, atReadBack, beforeResult, afterResult, anyTime} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := (disk{dir: dir}).set(800); err != nil {
				t.Fatal(err)
			}
			for range runs {
				crashOnce(t, dir, at)
			}
			rep, err := journal.Verify(filepath.Join(dir, "journal"))
			if err != nil || !rep.OK() {
				t.Errorf("%+v %v", rep, err)
			}
		})
	}
}

// crashOnce kills one cockpit, starts the next and looks at what it makes of it.
func crashOnce(t *testing.T, dir, at string) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "ONSALE_TEST_CRASH="+dir, "ONSALE_TEST_AT="+at)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if at == anyTime {
		var armed [6]byte
		if _, err := out.Read(armed[:]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(rand.IntN(12000)) * time.Microsecond) // the moment is the test's input
		_ = cmd.Process.Kill()
	}
	err = cmd.Wait()
	var died *exec.ExitError
	if at != anyTime && (!errors.As(err, &died) || died.Exited()) {
		t.Fatalf("the cockpit was not killed: %v", err)
	}
	before := sent(t, dir)
	r, j, err := crashRunner(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := r.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := sent(t, dir); len(after) != len(before) {
		t.Fatalf("settling sent something: %v → %v", before, after)
	}
	judge(t, dir, at, before)
}

func sent(t *testing.T, dir string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "writes"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return strings.Fields(string(data))
}

// judge holds the journal against what the system saw.
func judge(t *testing.T, dir, at string, writes []string) {
	t.Helper()
	records, err := journal.List(filepath.Join(dir, "journal"), journal.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, key := range writes {
		times[key]++
	}
	intents, ends := map[string]bool{}, map[string][]string{}
	last := ""
	for _, rec := range records {
		switch rec.Kind {
		case journal.Intent:
			intents[rec.ID] = true
			last = rec.ID
		case journal.Result, journal.Refused, journal.Unknown:
			ends[rec.ID] = append(ends[rec.ID], rec.Outcome)
		}
	}
	for key, n := range times {
		if !intents[key] || n != 1 {
			t.Errorf("a write with key %s: %d times, intent journalled %v", key, n, intents[key])
		}
	}
	for id := range intents {
		if len(ends[id]) != 1 {
			t.Errorf("intent %s has the ends %v, want exactly one", id, ends[id])
		} else if ends[id][0] == "done" && times[id] != 1 {
			t.Errorf("intent %s is called done, and the system never saw it", id)
		}
	}
	want := map[string]string{afterIntent: "unknown", beforeSend: "unknown", afterSend: "done", atReadBack: "done", beforeResult: "done", afterResult: "done"}[at]
	if want != "" && (len(ends[last]) != 1 || ends[last][0] != want) {
		t.Errorf("killed %s: the outcome is %v, want %s", at, ends[last], want)
	}
	if at == beforeIntent && len(intents) > 0 {
		t.Errorf("killed %s: there is an intent", at)
	}
}

func TestOnADiskThatTakesNoMoreNothingIsSent(t *testing.T) {
	dir := t.TempDir()
	if err := (disk{dir: dir}).set(800); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "ONSALE_TEST_CRASH="+dir, "ONSALE_TEST_AT="+noRoom)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "refused: the intent could not be journalled") {
		t.Errorf("%v: %s", err, out)
	}
	if n := len(sent(t, dir)); n != 0 {
		t.Errorf("%d writes reached the system without an intent on the disk", n)
	}
	r, j, err := crashRunner(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if settled, err := r.Settle(t.Context()); err != nil || len(settled) != 0 {
		t.Errorf("%+v %v", settled, err)
	}
	if rep, err := journal.Verify(filepath.Join(dir, "journal")); err != nil || !rep.OK() {
		t.Errorf("%+v %v", rep, err)
	}
}
