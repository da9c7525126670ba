package alertmanager

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual *bool  `json:"isEqual"` // nil is true
}

func (m *matcher) expression() (*regexp.Regexp, error) {
	return regexp.Compile("^(?:" + m.Value + ")$")
}

// matches tells whether a label set is one that the matcher means. A label that is not there is "".
func (m *matcher) matches(labels map[string]string) bool {
	hit := labels[m.Name] == m.Value
	if m.IsRegex {
		re, err := m.expression()
		hit = err == nil && re.MatchString(labels[m.Name])
	}
	return hit == (m.IsEqual == nil || *m.IsEqual)
}

func all(matchers []matcher, labels map[string]string) bool {
	return !slices.ContainsFunc(matchers, func(m matcher) bool { return !m.matches(labels) })
}

var filterForm = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(.*?)\s*$`)

// parseFilters reads matchers as a query has them: sale="lantern".
func parseFilters(texts []string) ([]matcher, error) {
	var out []matcher
	for _, text := range texts {
		parts := filterForm.FindStringSubmatch(text)
		if parts == nil {
			return nil, fmt.Errorf("bad matcher format: %s", text)
		}
		value := parts[3]
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		equal := parts[2][0] == '='
		m := matcher{parts[1], value, parts[2][len(parts[2])-1] == '~', &equal}
		if _, err := m.expression(); m.IsRegex && err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

type silence struct {
	ID        string        `json:"id"`
	Matchers  []matcher     `json:"matchers"`
	StartsAt  time.Time     `json:"startsAt"`
	EndsAt    time.Time     `json:"endsAt"`
	CreatedBy string        `json:"createdBy"`
	Comment   string        `json:"comment"`
	UpdatedAt time.Time     `json:"updatedAt"`
	Status    *silenceState `json:"status"`
}

type silenceState struct {
	State string `json:"state"`
}

func (x *silence) state(now time.Time) string {
	switch {
	case !x.EndsAt.After(now):
		return "expired"
	case x.StartsAt.After(now):
		return "pending"
	}
	return "active"
}

func (x *silence) shown(now time.Time) silence {
	out := *x
	out.Status = &silenceState{x.state(now)}
	return out
}

// wrong is why a silence can't be made, or "".
func (x *silence) wrong(now time.Time) string {
	names := false
	for i := range x.Matchers {
		m := &x.Matchers[i]
		if m.Name == "" {
			return "invalid silence: invalid label matcher " + strconv.Itoa(i) + ": invalid label name \"\""
		}
		if _, err := m.expression(); m.IsRegex && err != nil {
			return "invalid silence: invalid label matcher " + strconv.Itoa(i) + ": " + err.Error()
		}
		names = names || !m.matches(nil)
	}
	switch {
	case len(x.Matchers) == 0:
		return "invalid silence: at least one matcher required"
	case !names:
		return "invalid silence: at least one matcher must not match the empty string"
	case x.EndsAt.Before(x.StartsAt):
		return "failed to create silence: start time must be before end time"
	case x.EndsAt.Before(now):
		return "failed to create silence: end time can't be in the past"
	}
	return ""
}

// silencing lists the silences that mute a label set now. The caller holds the lock.
func (s *Server) silencing(labels map[string]string, now time.Time) []string {
	by := []string{}
	for _, x := range s.silences {
		if x.state(now) == "active" && all(x.Matchers, labels) {
			by = append(by, x.ID)
		}
	}
	return by
}

// find returns a silence by its id, or nil. The caller holds the lock.
func (s *Server) find(id string) *silence {
	for _, x := range s.silences {
		if x.ID == id {
			return x
		}
	}
	return nil
}

func (s *Server) listSilences(w http.ResponseWriter, r *http.Request) {
	want, err := parseFilters(r.URL.Query()["filter"])
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	s.silences = slices.DeleteFunc(s.silences, func(x *silence) bool { return now.Sub(x.EndsAt) > retention })
	list := []silence{}
	for _, x := range s.silences {
		named := map[string]string{}
		for _, m := range x.Matchers {
			named[m.Name] = m.Value
		}
		if all(want, named) {
			list = append(list, x.shown(now))
		}
	}
	answer(w, http.StatusOK, list)
}

func (s *Server) getSilence(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.find(r.PathValue("id")); x != nil {
		answer(w, http.StatusOK, x.shown(s.options.Now()))
		return
	}
	w.WriteHeader(http.StatusNotFound)
}

// makeSilence makes a silence; with the id of one that lasts it takes that one's place.
func (s *Server) makeSilence(w http.ResponseWriter, r *http.Request) {
	var in silence
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		refuse(w, http.StatusBadRequest, "parsing silence body from \"\" failed, because "+err.Error())
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	if in.StartsAt.Before(now) {
		in.StartsAt = now
	}
	if why := in.wrong(now); why != "" {
		refuse(w, http.StatusBadRequest, why)
		return
	}
	if in.ID != "" {
		was := s.find(in.ID)
		if was == nil {
			refuse(w, http.StatusNotFound, "silence not found")
			return
		}
		if was.state(now) != "expired" {
			was.EndsAt, was.UpdatedAt = now, now
		}
	}
	in.ID, in.UpdatedAt, in.Status = newID(), now, nil
	s.silences = append(s.silences, &in)
	s.options.Tell(Happening{"silence made", in.ID, in.CreatedBy, in.Comment})
	answer(w, http.StatusOK, map[string]string{"silenceID": in.ID})
}

func (s *Server) expireSilence(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	x := s.find(r.PathValue("id"))
	switch {
	case x == nil:
		w.WriteHeader(http.StatusNotFound)
		return
	case x.state(now) == "expired":
		refuse(w, http.StatusInternalServerError, "silence "+x.ID+" already expired")
		return
	}
	x.EndsAt, x.UpdatedAt = now, now
	s.options.Tell(Happening{"silence expired", x.ID, x.CreatedBy, x.Comment})
	w.WriteHeader(http.StatusOK)
}

// newID is a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
