package login

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/config"
	"github.com/onsale-dev/onsale/sale"
)

const baseKeys = "[profile base]\naws_access_key_id = REHEARSAL\naws_secret_access_key = " + secret + "\n"

func TestALoginGetsItsCredentialsInEveryWayThatPeopleHoldThem(t *testing.T) {
	hour := time.Now().Add(time.Hour).Truncate(time.Second)
	tomorrow := time.Now().Add(20 * time.Hour).Truncate(time.Second)
	container := func(m machine) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "pod-token" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			_, _ = fmt.Fprintf(w, `{"AccessKeyId":"ASIAPOD","SecretAccessKey":"s","Token":"t","Expiration":%q}`, hour.UTC().Format(time.RFC3339))
		}))
		m.t.Cleanup(s.Close)
		return s.URL
	}
	for _, c := range []struct {
		sentence string
		in       config.AWS
		prepare  func(m machine)
		key      string // or a part of it
		kind     string
		end      ending
	}{
		{"long-term keys of a profile have no end", config.AWS{Profile: "base"}, func(m machine) { m.write(".aws/config", baseKeys) }, "REHEARSAL", "aws key", ending{never: true}},
		{"a session's keys in the credentials file have an end that nobody tells", config.AWS{Profile: "day"}, func(m machine) {
			m.write(".aws/credentials", "[day]\naws_access_key_id = ASIADAY\naws_secret_access_key = s\naws_session_token = t\n")
		}, "ASIADAY", "aws key", ending{}},
		{"the environment tells its end where it was exported with one", config.AWS{}, func(m machine) {
			m.t.Setenv("AWS_ACCESS_KEY_ID", "ASIAENV")
			m.t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
			m.t.Setenv("AWS_SESSION_TOKEN", "t")
			m.t.Setenv("AWS_CREDENTIAL_EXPIRATION", hour.UTC().Format(time.RFC3339))
		}, "ASIAENV", "aws key", ending{until: hour}},
		{"SSO without a session ends with the role, or with the token where that lives longer", config.AWS{Profile: "sso"}, func(m machine) {
			m.write(".aws/config", "[profile sso]\nsso_start_url = https://acme.example/start\nsso_region = eu-central-1\nsso_account_id = 471122083344\nsso_role_name = read\n")
			m.ssoToken("https://acme.example/start", tomorrow, "")
			m.portal(hour)
		}, "ASIASSO", "aws sso", ending{until: tomorrow}},
		{"SSO with a session renews itself", config.AWS{Profile: "sso"}, func(m machine) {
			m.write(".aws/config", "[sso-session acme]\nsso_start_url = https://acme.example/start\nsso_region = eu-central-1\n[profile sso]\nsso_session = acme\nsso_account_id = 471122083344\nsso_role_name = read\n")
			m.ssoToken("acme", tomorrow, "refresh")
			m.portal(hour)
		}, "ASIASSO", "aws sso", ending{until: hour, renews: true}},
		{"a session of aws login renews itself", config.AWS{Profile: "dev"}, func(m machine) {
			m.write(".aws/config", "[profile dev]\nlogin_session = arn:aws:iam::471122083344:user/ines\nregion = eu-central-1\n")
			m.loginToken("arn:aws:iam::471122083344:user/ines", hour)
		}, "ASIALOGIN", "aws login", ending{until: hour, renews: true}},
		{"a role of a profile renews itself", config.AWS{Profile: "act"}, func(m machine) {
			m.write(".aws/config", baseKeys+"[profile act]\nrole_arn = "+role+"\nsource_profile = base\n")
			m.sts()
		}, "ASIA", "aws key, role", ending{until: hour, renews: true}},
		{"a role that the config names stands on the profile", config.AWS{Profile: "base", Role: role}, func(m machine) {
			m.write(".aws/config", baseKeys)
			m.sts()
		}, "ASIA", "aws key, role", ending{until: hour, renews: true}},
		{"a web identity, as pods of an EKS cluster have it", config.AWS{}, func(m machine) {
			m.t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", m.write("token", "jwt"))
			m.t.Setenv("AWS_ROLE_ARN", role)
			m.sts()
		}, "ASIAWEB", "aws web identity", ending{until: hour, renews: true}},
		{"the endpoint of a container, as ECS and EKS Pod Identity have it", config.AWS{}, func(m machine) {
			m.t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container(m))
			m.t.Setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", m.write("pod-token", "pod-token"))
		}, "ASIAPOD", "aws container", ending{until: hour.Add(-5 * time.Minute), renews: true}}, // the SDK counts on five minutes less,
		{"the metadata of an instance", config.AWS{}, func(m machine) {
			m.t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
			m.t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata(m, hour))
		}, "ASIAINSTANCE", "aws instance", ending{until: hour, renews: true}},
		{"a credential_process", config.AWS{Profile: "tool"}, func(m machine) {
			m.write(".aws/config", "[profile tool]\ncredential_process = "+processOf(m, hour, "")+"\n")
		}, "ASIATOOL", "aws process", ending{until: hour, renews: true}},
		{"keys of the config", config.AWS{Credentials: &config.Credentials{AccessKeyID: "REHEARSAL", SecretAccessKey: config.NewSecret(secret)}}, func(machine) {}, "REHEARSAL", "aws key", ending{never: true}},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			m := newMachine(t)
			c.prepare(m)
			b := NewBook(Options{Operator: "ines"})
			cfg := configOf(t, b, true, c.in)
			creds, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			k := b.all()[0]
			off := k.end.until.Sub(c.end.until).Abs()
			if !strings.HasPrefix(creds.AccessKeyID, c.key) || k.kind != c.kind || off > 10*time.Second || k.end.renews != c.end.renews || k.end.never != c.end.never {
				t.Errorf("%s, kind %q, %+v; want %s, kind %q, %+v", creds.AccessKeyID, k.kind, k.end, c.key, c.kind, c.end)
			}
		})
	}
}

func TestARoleIsAssumedOnTopOfACredentialProcess(t *testing.T) {
	m := newMachine(t)
	asked := m.sts()
	m.write(".aws/config", "[profile tool]\ncredential_process = "+processOf(m, time.Time{}, "REHEARSAL")+"\n[profile act]\nrole_arn = "+role+"\nsource_profile = tool\nexternal_id = ticket\nduration_seconds = 1800\n")
	who, err := identity(t, configOf(t, NewBook(Options{Operator: "Ines Müller"}), true, config.AWS{Profile: "act"}))
	if err != nil || who != "arn:aws:sts::471122083344:assumed-role/onsale-act/Ines-M-ller@onsale" {
		t.Errorf("%s, %v", who, err)
	}
	if got := asked.all(); len(got) != 1 || got[0]["ExternalId"] != "ticket" || got[0]["DurationSeconds"] != "1800" {
		t.Errorf("%v", got)
	}
}

func TestCloudTrailIsToldWhoItWas(t *testing.T) {
	for _, c := range []struct {
		sentence        string
		in              config.AWS
		session, source string
		seconds         string
	}{
		{"a role of the config", config.AWS{Profile: "base", Role: role, SourceIdentity: true, RoleLasts: 4 * time.Hour}, "ines@onsale", "ines@onsale", "14400"},
		{"a role of a profile, for an hour", config.AWS{Profile: "act"}, "ines@onsale", "", "3600"},
		{"a profile that names its session keeps it", config.AWS{Profile: "named", SourceIdentity: true}, "night-shift", "ines@onsale", "3600"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			m := newMachine(t)
			asked := m.sts()
			m.write(".aws/config", baseKeys+"[profile act]\nrole_arn = "+role+"\nsource_profile = base\n[profile named]\nrole_arn = "+role+"\nsource_profile = base\nrole_session_name = night-shift\n")
			if _, err := identity(t, configOf(t, NewBook(Options{Operator: "ines"}), true, c.in)); err != nil {
				t.Fatal(err)
			}
			got := asked.all()
			if len(got) != 1 || got[0]["RoleSessionName"] != c.session || got[0]["SourceIdentity"] != c.source || got[0]["DurationSeconds"] != c.seconds {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestASessionNameIsOneThatSTSTakes(t *testing.T) {
	for operator, want := range map[string]string{
		"ivana": "ivana@onsale", "ACME\\ivana": "ACME-ivana@onsale", "Ivana Horvat": "Ivana-Horvat@onsale", "": "unknown@onsale", " ": "unknown@onsale",
		strings.Repeat("x", 80): strings.Repeat("x", 57) + "@onsale",
	} {
		if got := SessionName(operator); got != want {
			t.Errorf("%q: %q", operator, got)
		}
	}
}

func FuzzASessionNameIsOneThatSTSTakes(f *testing.F) {
	f.Add("ivana\x1b[31m\n")
	f.Add("名前")
	f.Fuzz(func(t *testing.T, operator string) {
		name := SessionName(operator)
		if len(name) < 2 || len(name) > 64 || notInSession.MatchString(name) || !strings.HasSuffix(name, "@onsale") {
			t.Errorf("%q", name)
		}
	})
}

// processOf is a command that prints credentials; without an end for the zero time.
func processOf(m machine, end time.Time, key string) string {
	expiration, session := "", `,"SessionToken":"t"`
	if key == "" {
		key = "ASIATOOL"
	} else {
		session = ""
	}
	if !end.IsZero() {
		expiration = fmt.Sprintf(`,"Expiration":%q`, end.UTC().Format(time.RFC3339))
	}
	m.write("keys.json", fmt.Sprintf(`{"Version":1,"AccessKeyId":%q,"SecretAccessKey":%q%s%s}`, key, secret, session, expiration))
	return "cat " + m.home + "/keys.json"
}

// metadata serves version 2 of an instance's metadata.
func metadata(m machine, end time.Time) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/latest/api/token" && r.Method == http.MethodPut:
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "300")
			_, _ = fmt.Fprint(w, "imds-token")
		case r.Header.Get("X-Aws-Ec2-Metadata-Token") != "imds-token":
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasSuffix(r.URL.Path, "/security-credentials/") || strings.HasSuffix(r.URL.Path, "/security-credentials"):
			_, _ = fmt.Fprint(w, "onsale-read")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/onsale-read"):
			_, _ = fmt.Fprintf(w, `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIAINSTANCE","SecretAccessKey":"s","Token":"t","Expiration":%q,"LastUpdated":%q}`, end.UTC().Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	m.t.Cleanup(s.Close)
	return s.URL
}

func TestWhatIsMissingIsSaidWithItsRemedy(t *testing.T) {
	for _, c := range []struct {
		sentence   string
		in         config.AWS
		prepare    func(m machine)
		text, hint string
	}{
		{"a profile that is not there", config.AWS{Profile: "gone"}, func(machine) {}, "no profile gone on this machine", "aws configure list-profiles"},
		{"an SSO session that ended", config.AWS{Profile: "sso"}, func(m machine) {
			m.write(".aws/config", "[profile sso]\nsso_start_url = https://acme.example/start\nsso_region = eu-central-1\nsso_account_id = 471122083344\nsso_role_name = read\n")
			m.ssoToken("https://acme.example/start", time.Now().Add(-time.Hour), "")
		}, "sso: the SSO session has ended", "run: aws sso login --profile sso;"},
		{"an SSO session under a role names the profile that has it", config.AWS{Profile: "act"}, func(m machine) {
			m.write(".aws/config", "[sso-session acme]\nsso_start_url = https://acme.example/start\nsso_region = eu-central-1\n[profile sso]\nsso_session = acme\nsso_account_id = 471122083344\nsso_role_name = read\n[profile act]\nrole_arn = "+role+"\nsource_profile = sso\n")
		}, "act: the SSO session has ended", "run: aws sso login --profile sso;"},
		{"a token that the portal does not take", config.AWS{Profile: "sso"}, func(m machine) {
			m.write(".aws/config", "[profile sso]\nsso_start_url = https://acme.example/start\nsso_region = eu-central-1\nsso_account_id = 471122083344\nsso_role_name = read\n")
			m.portal(time.Now())
			m.ssoTokenNamed("https://acme.example/start", "another-token")
		}, "sso: the SSO session has ended", "run: aws sso login --profile sso;"},
		{"a session of aws login that ended", config.AWS{Profile: "dev"}, func(m machine) {
			m.write(".aws/config", "[profile dev]\nlogin_session = arn:aws:iam::471122083344:user/ines\n")
		}, "dev: the session of aws login has ended", "run: aws login --profile dev;"},
		{"no credentials at all", config.AWS{}, func(machine) {}, "this machine: there are no AWS credentials on this machine", "name a profile: or a role:"},
		{"a code with nobody to ask", config.AWS{Profile: "act"}, func(m machine) {
			m.write(".aws/config", baseKeys+"[profile act]\nrole_arn = "+role+"\nsource_profile = base\nmfa_serial = "+device+"\n")
		}, "act: this login wants an MFA code, and there is nobody to ask", "run it in a terminal"},
		{"a role of another account", config.AWS{Profile: "base", Role: "arn:aws:iam::999988887777:role/x"}, func(m machine) {
			m.write(".aws/config", baseKeys)
			m.sts()
		}, "x: AccessDenied: User: arn:aws:iam::471122083344:user/rehearsal is not authorized", "trust policy"},
		{"a process that fails says what it said, and never what it printed", config.AWS{Profile: "tool"}, func(m machine) {
			script := m.write("tool.sh", "echo not for your eyes\nprintf 'vault is \\033[31msealed' >&2\nexit 3\n")
			m.write(".aws/config", "[profile tool]\ncredential_process = sh "+script+"\n")
		}, "tool: credential_process: exit status 3: vault is", "credential_process in a shell"},
		{"a process that prints no JSON", config.AWS{Profile: "tool"}, func(m machine) {
			m.write(".aws/config", "[profile tool]\ncredential_process = echo canary-secret\n")
		}, "tool: credential_process did not print the JSON of version 1 with keys in it", "in a shell"},
	} {
		t.Run(c.sentence, func(t *testing.T) {
			m := newMachine(t)
			c.prepare(m)
			c.in.Region = "eu-central-1"
			cfg, err := NewBook(Options{}).Config(t.Context(), false, c.in)
			if err == nil {
				_, err = identity(t, cfg)
			}
			p := problemOf(t, err)
			if p.Class != sale.Auth || !strings.Contains(p.Text, c.text) || !strings.Contains(p.Hint, c.hint) {
				t.Errorf("%s: %q, %q", p.Class, p.Text, p.Hint)
			}
			for _, never := range []string{"canary", "eyes", secret, "\x1b"} {
				if strings.Contains(err.Error()+p.Text+p.Hint, never) {
					t.Errorf("%q is in %v", never, err)
				}
			}
		})
	}
}
