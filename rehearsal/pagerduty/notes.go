package pagerduty

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// mostNotes is how many notes an incident can hold (REST API, POST /incidents/{id}/notes).
const mostNotes = 2000

type noteJSON struct {
	ID      string    `json:"id"`
	User    reference `json:"user"`
	Channel struct {
		Summary string `json:"summary"`
	} `json:"channel"`
	Content string `json:"content"`
	Created string `json:"created_at"`
	Updated string `json:"updated_at"`
}

func (n Note) json() noteJSON {
	out := noteJSON{ID: n.ID, User: refer("user", "PUSER02", n.By), Content: n.Content, Created: stamp(n.At), Updated: stamp(n.At)}
	out.Channel.Summary = "The PagerDuty website or APIs"
	return out
}

// notes answers GET /incidents/{id}/notes, the newest first.
func (s *Server) notes(w http.ResponseWriter, r *http.Request) {
	in, ok := s.find(w, r)
	if !ok {
		return
	}
	all := []noteJSON{}
	for _, n := range slices.Backward(in.Notes) {
		all = append(all, n.json())
	}
	respond(w, http.StatusOK, map[string]any{"notes": all})
}

// annotate answers POST /incidents/{id}/notes. The header From names the user that the note is by.
func (s *Server) annotate(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.find(w, r); !ok {
		return
	}
	from := r.Header.Get("From")
	if !strings.Contains(from, "@") {
		refuseREST(w, http.StatusBadRequest, 2001, "Invalid Input Provided", "From Header is required: the e-mail address of a user")
		return
	}
	var body struct {
		Note *struct {
			Content *string `json:"content"`
		} `json:"note"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&body); err != nil || body.Note == nil || body.Note.Content == nil || *body.Note.Content == "" {
		refuseREST(w, http.StatusBadRequest, 2001, "Invalid Input Provided", "Note content cannot be empty")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	for _, in := range s.incidents {
		if in.ID != r.PathValue("id") {
			continue
		}
		if len(in.Notes) >= mostNotes {
			refuseREST(w, http.StatusBadRequest, 2001, "Invalid Input Provided", fmt.Sprintf("an incident holds at most %d notes", mostNotes))
			return
		}
		n := Note{ID: fmt.Sprintf("N%s%04d", in.ID[1:], len(in.Notes)+1), Content: *body.Note.Content, By: from, At: now}
		in.Notes = append(in.Notes, n)
		in.logged("annotate", now, "Note by "+from)
		s.options.Tell(Happening{At: now, What: "annotated", Incident: in.ID, DedupKey: in.DedupKey, Text: n.Content})
		respond(w, http.StatusOK, map[string]any{"note": n.json()})
		return
	}
}
