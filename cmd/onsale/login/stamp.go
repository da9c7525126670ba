package login

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	awsconfig "github.com/aws/aws-sdk-go-v2/config"
)

// files are where people and their tools leave credentials on this machine: the shared files, and
// what aws sso login and aws login keep.
func files() []string {
	configFile, credentialsFile := os.Getenv("AWS_CONFIG_FILE"), os.Getenv("AWS_SHARED_CREDENTIALS_FILE")
	if configFile == "" {
		configFile = awsconfig.DefaultSharedConfigFilename()
	}
	if credentialsFile == "" {
		credentialsFile = awsconfig.DefaultSharedCredentialsFilename()
	}
	all := []string{configFile, credentialsFile}
	home := filepath.Dir(filepath.Dir(awsconfig.DefaultSharedConfigFilename()))
	logins := os.Getenv("AWS_LOGIN_CACHE_DIRECTORY")
	if logins == "" {
		logins = filepath.Join(home, ".aws", "login", "cache")
	}
	for _, dir := range []string{filepath.Join(home, ".aws", "sso", "cache"), logins} {
		found, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err == nil {
			all = append(all, found...)
		}
	}
	return all
}

// stampOf changes when one of the files does: its time, its size, or whether it is there.
func stampOf() string {
	var b strings.Builder
	for _, name := range files() {
		b.WriteString(name)
		if info, err := os.Stat(name); err == nil {
			b.WriteString(info.ModTime().UTC().Format(time.RFC3339Nano) + " " + strconv.FormatInt(info.Size(), 10))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
