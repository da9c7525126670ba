package calendar_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/calendar"
	"github.com/onsale-dev/onsale/sources/sourcetest"
)

const text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"

func serving(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/calendar")
		_, _ = w.Write([]byte(body))
	})
}

func TestTheCalendarKeepsTheContract(t *testing.T) {
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			s, err := calendar.New(calendar.Options{Name: "calendar", URL: url + "/" + sourcetest.Secret + ".ics", Every: time.Minute, Bearer: sourcetest.Secret})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		Figureless: true,
		Healthy:    serving(text),
		Hostile:    serving(sourcetest.Escape + sourcetest.Secret),
	})
}

func TestACalendarIsHandedOverWhenItComesAndNotWhenItIsNone(t *testing.T) {
	body, asked := text, ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Header.Get("If-None-Match")
		if user, password, ok := r.BasicAuth(); !ok || user != "ops" || password != "a-password" || r.URL.RawQuery != "key=private" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("ETag", `"`+strings.ReplaceAll(body, "\r\n", " ")+`"`)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	var took []string
	o := calendar.Options{
		Name: "calendar", URL: server.URL + "/private-path/onsales.ics?key=private", User: "ops", Password: "a-password",
		Took: func(text []byte) { took = append(took, string(text)) },
	}
	s, err := calendar.New(o)
	if err != nil {
		t.Fatal(err)
	}
	read := func() sale.Batch { return s.Read(t.Context(), time.Now()) }
	if b := read(); b.Problem != nil || len(took) != 1 || took[0] != text || b.Calls != 1 {
		t.Fatalf("%+v %q", b, took)
	}
	if b := read(); b.Problem != nil || !strings.Contains(asked, "BEGIN:VCALENDAR") {
		t.Errorf("the second time it was asked with %q: %+v", asked, b)
	}
	for _, bad := range []string{"<html>log in</html>", "", "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"} {
		body = bad
		before := len(took)
		if b := read(); b.Problem == nil || b.Problem.Class != sale.BadData || len(took) != before {
			t.Errorf("%q was taken for a calendar: %+v", bad, b)
		}
	}
	o.Password = "another"
	if s, err = calendar.New(o); err != nil {
		t.Fatal(err)
	}
	if b := read(); b.Problem == nil || b.Problem.Class != sale.Auth {
		t.Errorf("%+v", b)
	}
	server.Close()
	if b := read(); b.Problem == nil || strings.Contains(b.Problem.Text, "private") {
		t.Errorf("the address stands in %+v", b.Problem)
	}
}

func TestAnUnchangedCalendarCostsAnAnswerWithoutABody(t *testing.T) {
	served := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"one"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		served++
		w.Header().Set("ETag", `"one"`)
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	took := 0
	s, err := calendar.New(calendar.Options{Name: "calendar", URL: server.URL, Took: func([]byte) { took++ }})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if b := s.Read(t.Context(), time.Now()); b.Problem != nil {
			t.Fatal(b.Problem)
		}
	}
	if served != 1 || took != 1 {
		t.Errorf("served %d times, handed over %d times", served, took)
	}
}

func TestASourceWithoutAnAddressIsRefused(t *testing.T) {
	for _, o := range []calendar.Options{{URL: "https://h/x.ics"}, {Name: "c"}, {Name: "c", URL: "ftp://h/secret-path"}, {Name: "c", URL: "https://a:secret-path@h"}} {
		if _, err := calendar.New(o); err == nil || strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
