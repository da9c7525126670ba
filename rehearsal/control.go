package rehearsal

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/onsale-dev/onsale/rehearsal/shop"
)

const maxControl = 64 << 10

// controlHandler is the platform's own door:
//
//	GET  /           what runs: scenario, seed, speed, time, the services and their faults
//	GET  /health     "ok", or what went wrong in the platform itself
//	GET  /scenarios  the nights that can be started
//	GET  /truth      the world's own account, see shop.Truth
//	POST /fault      {"service", "kind"} breaks or mends a service
//	POST /capacity   {"group", "launches", "unhealthy", "contended", "refresh"} makes trouble for a
//	                 group of machines, see shop.Trouble
//	POST /time       {"speed"} sets the simulated seconds per second
func (p *Platform) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, p.state()) })
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if err := p.Err(); err != nil {
			refuse(w, http.StatusInternalServerError, err)
			return
		}
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /scenarios", func(w http.ResponseWriter, _ *http.Request) {
		out := []map[string]string{}
		for _, s := range Scenarios() {
			out = append(out, map[string]string{"name": s.Name, "story": s.Story})
		}
		reply(w, http.StatusOK, out)
	})
	mux.HandleFunc("GET /truth", func(w http.ResponseWriter, _ *http.Request) { reply(w, http.StatusOK, p.Truth()) })
	mux.HandleFunc("POST /fault", func(w http.ResponseWriter, r *http.Request) {
		var f struct {
			Service string `json:"service"`
			Kind    string `json:"kind"`
		}
		p.order(w, r, &f, func() error { return p.Fault(f.Service, f.Kind) })
	})
	mux.HandleFunc("POST /capacity", func(w http.ResponseWriter, r *http.Request) {
		var c struct {
			Group     string `json:"group"`
			Launches  string `json:"launches"` // ok or insufficient
			Unhealthy int    `json:"unhealthy"`
			Contended int    `json:"contended"`
			Refresh   bool   `json:"refresh"`
		}
		p.order(w, r, &c, func() error {
			return p.world.Trouble(c.Group, shop.Trouble{Launches: c.Launches, Unhealthy: c.Unhealthy, Contended: c.Contended, Refresh: c.Refresh})
		})
	})
	mux.HandleFunc("POST /time", func(w http.ResponseWriter, r *http.Request) {
		var t struct {
			Speed *float64 `json:"speed"`
		}
		p.order(w, r, &t, func() error {
			if t.Speed == nil {
				return errors.New("speed is missing")
			}
			return p.SetSpeed(*t.Speed)
		})
	})
	return mux
}

// order reads a strict JSON body and carries it out; what can't be done is the caller's mistake.
func (p *Platform) order(w http.ResponseWriter, r *http.Request, into any, do func() error) {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxControl))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, errors.New("one JSON object is expected, and nothing after it"))
		return
	}
	if err := do(); err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	reply(w, http.StatusOK, p.state())
}

// state is what GET / tells.
func (p *Platform) state() map[string]any {
	faults := map[string]map[string]string{}
	for name, s := range p.services {
		faults[name] = map[string]string{"url": s.url(), "kind": s.fault()}
	}
	return map[string]any{
		"scenario": p.world.Scenario().Name, "seed": p.options.Seed, "speed": p.Speed(), "at": p.world.Now(),
		"story_seconds": p.world.Story().Seconds(), "services": faults,
	}
}

func refuse(w http.ResponseWriter, status int, err error) {
	reply(w, status, map[string]string{"error": err.Error()})
}

func reply(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that left needs no answer
}
