package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary stand in for another onsale: it appends and says so.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ONSALE_TEST_JOURNAL"); dir != "" {
		if err := appender(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if dir := os.Getenv("ONSALE_TEST_LIMITED"); dir != "" {
		if err := limited(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func appender(dir string) error {
	n, err := strconv.Atoi(os.Getenv("ONSALE_TEST_RECORDS"))
	if err != nil {
		return err
	}
	// Eight writers that never rest on a busy machine may keep one from its turn for longer than
	// a person would wait; what is tested here is the chain.
	j, err := Open(dir, Options{MaxBytes: 256 << 10, LockWait: time.Minute})
	if err != nil {
		return err
	}
	for i := range n {
		r := intent(fmt.Sprintf("%d/%d", os.Getpid(), i))
		r.Kind = Note
		if _, err := j.Append(context.Background(), r); err != nil {
			return err
		}
		fmt.Println(r.ID)
	}
	return j.Close()
}

func start(t *testing.T, dir string, records int) (*exec.Cmd, io.Reader) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "ONSALE_TEST_JOURNAL="+dir, "ONSALE_TEST_RECORDS="+strconv.Itoa(records))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

func TestEightProcessesAppendOneWholeChain(t *testing.T) {
	const processes, each = 8, 1250
	records := each
	if testing.Short() {
		records = 100
	}
	dir := dirOf(t)
	var wg sync.WaitGroup
	for range processes {
		cmd, out := start(t, dir, records)
		wg.Go(func() {
			if _, err := io.Copy(io.Discard, out); err != nil {
				t.Error(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rep := mustVerify(t, dir)
	if !rep.OK() || len(rep.Mended) > 0 {
		t.Errorf("%v %v", rep.Problems, rep.Mended)
	}
	got, err := List(dir, Filter{Kinds: []Kind{Note}})
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, r := range got {
		ids[r.ID] = true
	}
	if len(got) != processes*records || len(ids) != len(got) {
		t.Errorf("%d records with %d ids, want %d", len(got), len(ids), processes*records)
	}
}

func TestWhatWasSaidToBeWrittenSurvivesAKillAtAnyMoment(t *testing.T) {
	dir := dirOf(t)
	runs := 40
	if testing.Short() {
		runs = 8
	}
	said := map[string]bool{}
	for range runs {
		cmd, out := start(t, dir, 100000)
		in := bufio.NewScanner(out)
		for range 1 + rand.IntN(12) {
			if !in.Scan() {
				t.Fatal("the process ended by itself")
			}
			said[in.Text()] = true
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for in.Scan() {
			if strings.Count(in.Text(), "/") == 1 {
				said[in.Text()] = true
			}
		}
		_ = cmd.Wait()
	}
	j := open(t, dir, Options{})
	add(t, j, intent("after"))
	if rep := mustVerify(t, dir); !rep.OK() {
		t.Errorf("%+v", rep)
	}
	got, err := List(dir, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, r := range got {
		there[r.ID] = true
	}
	for id := range said {
		// A line of the process' own words may be cut by its death; its record can't be.
		if !there[id] && strings.Contains(id, "/") && !strings.HasSuffix(id, "/") {
			prefix := false
			for full := range there {
				prefix = prefix || strings.HasPrefix(full, id)
			}
			if !prefix {
				t.Errorf("%s was said to be written and is not there", id)
			}
		}
	}
}
