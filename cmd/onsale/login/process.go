package login

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
)

// process runs a profile's credential_process as the SDK does, apart from what it may touch: it gets
// no terminal, its standard input is empty, and what it says on standard error becomes the words of
// the error. The SDK would hand it the terminal that the screen is drawn on.
type process struct{ command string }

func newProcess(command string) process { return process{command} }

// mostSaid bounds what is kept of a process' standard error, in bytes.
const mostSaid = 2000

func (p process) Retrieve(ctx context.Context) (aws.Credentials, error) {
	said := &tail{}
	creds, err := processcreds.NewProviderCommand(processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		shell := []string{"sh", "-c"}
		if runtime.GOOS == "windows" {
			shell = []string{"cmd.exe", "/C"}
		}
		cmd := exec.CommandContext(ctx, shell[0], shell[1], p.command)
		cmd.Env, cmd.Stderr = os.Environ(), said
		cmd.WaitDelay = time.Second // a child of its own may hold the pipes
		withoutTerminal(cmd)
		return cmd, nil
	})).Retrieve(ctx)
	if err != nil {
		return creds, &processError{said: said.String(), err: err}
	}
	return creds, nil
}

// ProviderSources says where the credentials come from.
func (process) ProviderSources() []aws.CredentialSource {
	return []aws.CredentialSource{aws.CredentialSourceProfileProcess, aws.CredentialSourceProcess}
}

// processError says how a credential_process failed. What it printed on standard output is left out:
// it may hold the secret.
type processError struct {
	said string
	err  error
}

func (e *processError) Error() string {
	words := "credential_process failed"
	var exit *exec.ExitError
	switch {
	case strings.Contains(e.err.Error(), "timed out"):
		words = "credential_process did not answer within a minute"
	case errors.As(e.err, &exit):
		words = "credential_process: " + exit.String()
	case strings.Contains(e.err.Error(), "process output"):
		words = "credential_process did not print the JSON of version 1 with keys in it"
	}
	if said := strings.TrimSpace(e.said); said != "" {
		words += ": " + said
	}
	return words
}

// tail keeps the last bytes that were written to it.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p[max(len(p)-mostSaid, 0):]...)
	t.data = bytes.Clone(t.data[max(len(t.data)-mostSaid, 0):])
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
