package waitingroom_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/onsale-dev/onsale/sale"
	"github.com/onsale-dev/onsale/sources"
	"github.com/onsale-dev/onsale/sources/sourcetest"
	"github.com/onsale-dev/onsale/sources/waitingroom"
)

const zone = "023e105f4ecef8ad9ca31a8372d0c353"

// zoneOf answers for one zone: the rooms' list, and what stands behind each other path.
func zoneOf(rooms string, paths map[string]string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		rest, ok := strings.CutPrefix(r.URL.Path, "/zones/"+zone+"/waiting_rooms")
		if ok && rest == "" {
			_, _ = w.Write([]byte(`{"success":true,"errors":[],"messages":[],"result":` + rooms + `,"result_info":{"page":1,"per_page":1000,"total_pages":1}}`))
			return
		}
		if body, found := paths[rest]; ok && found {
			_, _ = w.Write([]byte(`{"success":true,"errors":[],"messages":[],"result":` + body + `}`))
			return
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"success":false,"errors":[{"code":1001,"message":"no such waiting room"}],"result":null}`))
	})
}

const (
	plainRoom  = `[{"id":"r1","name":"lantern","new_users_per_minute":800,"total_active_users":6000,"queue_all":false,"suspended":false,"queueing_method":"fifo"}]`
	queueing   = `{"status":"queueing","event_id":"","estimated_queued_users":12400,"estimated_total_active_users":4800,"max_estimated_time_minutes":16}`
	twoRooms   = `[{"id":"r1","name":"lantern","new_users_per_minute":800,"total_active_users":6000},{"id":"r2","name":"kestrel","new_users_per_minute":400,"total_active_users":3400}]`
	duringShow = `{"status":"queueing","event_id":"e1","estimated_queued_users":1,"estimated_total_active_users":2,"max_estimated_time_minutes":3}`
)

func TestWhatIsReadOfARoom(t *testing.T) {
	tests := []struct {
		name          string
		rooms, status string
		event         string
		want          map[waitingroom.Field]float64 // fields not here must be missing
		notes         []string                      // codes, in order
	}{
		{
			name: "a queueing room gives its estimates and its limits", rooms: plainRoom, status: queueing,
			want: map[waitingroom.Field]float64{waitingroom.QueuedUsers: 12400, waitingroom.ActiveUsers: 4800, waitingroom.Wait: 960, waitingroom.NewUsersPerMinute: 800, waitingroom.TotalActiveUsers: 6000, waitingroom.QueueAll: 0},
		},
		{
			name:   "queue_all, which the status hides, makes the rate zero and the wait unknown",
			rooms:  strings.Replace(plainRoom, `"queue_all":false`, `"queue_all":true`, 1),
			status: queueing,
			want:   map[waitingroom.Field]float64{waitingroom.QueuedUsers: 12400, waitingroom.ActiveUsers: 4800, waitingroom.NewUsersPerMinute: 0, waitingroom.TotalActiveUsers: 6000, waitingroom.QueueAll: 1},
			notes:  []string{"queue_all"},
		},
		{
			name: "an active event's limits win over the room's", rooms: plainRoom, status: duringShow,
			event: `{"id":"e1","name":"onsale","event_start_time":"2026-12-04T09:45:00Z","event_end_time":"2026-12-04T11:45:00Z","new_users_per_minute":400,"total_active_users":3000,"queueing_method":"fifo"}`,
			want:  map[waitingroom.Field]float64{waitingroom.QueuedUsers: 1, waitingroom.ActiveUsers: 2, waitingroom.Wait: 180, waitingroom.NewUsersPerMinute: 400, waitingroom.TotalActiveUsers: 3000, waitingroom.QueueAll: 0},
			notes: []string{"event"},
		},
		{
			name: "an event without limits of its own leaves the room's", rooms: plainRoom, status: duringShow,
			event: `{"id":"e1","name":"onsale","event_start_time":"2026-12-04T09:45:00Z","event_end_time":"2026-12-04T11:45:00Z","new_users_per_minute":null,"total_active_users":null}`,
			want:  map[waitingroom.Field]float64{waitingroom.QueuedUsers: 1, waitingroom.ActiveUsers: 2, waitingroom.Wait: 180, waitingroom.NewUsersPerMinute: 800, waitingroom.TotalActiveUsers: 6000, waitingroom.QueueAll: 0},
			notes: []string{"event"},
		},
		{
			name:   "a suspended room has no limits in force and says so loudly",
			rooms:  strings.Replace(plainRoom, `"suspended":false`, `"suspended":true`, 1),
			status: `{"status":"not_queueing","event_id":"","estimated_queued_users":0,"estimated_total_active_users":9000,"max_estimated_time_minutes":0}`,
			want:   map[waitingroom.Field]float64{waitingroom.QueuedUsers: 0, waitingroom.ActiveUsers: 9000, waitingroom.Wait: 0, waitingroom.QueueAll: 0},
			notes:  []string{"room_suspended"},
		},
		{
			name: "a figure that the status does not give is missing, not zero", rooms: plainRoom,
			status: `{"status":"queueing","event_id":"","estimated_queued_users":null}`,
			want:   map[waitingroom.Field]float64{waitingroom.NewUsersPerMinute: 800, waitingroom.TotalActiveUsers: 6000, waitingroom.QueueAll: 0},
		},
		{
			name: "a negative estimate is refused", rooms: plainRoom,
			status: `{"status":"queueing","event_id":"","estimated_queued_users":-4,"estimated_total_active_users":1,"max_estimated_time_minutes":1}`,
			want:   map[waitingroom.Field]float64{waitingroom.ActiveUsers: 1, waitingroom.Wait: 60, waitingroom.NewUsersPerMinute: 800, waitingroom.TotalActiveUsers: 6000, waitingroom.QueueAll: 0},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(zoneOf(test.rooms, map[string]string{"/r1/status": test.status, "/r1/events/e1/details": test.event}))
			defer server.Close()
			var queries []waitingroom.Query
			for _, f := range waitingroom.Fields() {
				queries = append(queries, waitingroom.Query{Key: sale.Key{Sale: "lantern", Signal: sale.Signal(f)}, Room: "lantern", Field: f})
			}
			now := time.Date(2026, 12, 4, 10, 8, 41, 0, time.UTC)
			batch := newSource(t, server.URL, queries).Read(context.Background(), now)
			if batch.Problem != nil {
				t.Fatal(batch.Problem)
			}
			got := map[waitingroom.Field]float64{}
			for _, r := range batch.Readings {
				got[waitingroom.Field(r.Signal)] = r.Value
				if age := now.Sub(r.At); age != 50*time.Second {
					t.Errorf("%s is dated %v before it was read, want the oldest that an estimate may be, 50s", r.Signal, age)
				}
			}
			if len(got) != len(test.want) || len(got)+len(batch.Missing) != len(queries) {
				t.Errorf("got %v and %d missing, want %v", got, len(batch.Missing), test.want)
			}
			for f, v := range test.want {
				if got[f] != v {
					t.Errorf("%s = %v, want %v", f, got[f], v)
				}
			}
			var codes []string
			for _, n := range batch.Notes {
				codes = append(codes, n.Code)
			}
			if strings.Join(codes, ",") != strings.Join(test.notes, ",") {
				t.Errorf("notes %v, want %v", codes, test.notes)
			}
		})
	}
}

func TestARoomThatIsNotThereHidesNoOther(t *testing.T) {
	server := httptest.NewServer(zoneOf(plainRoom, map[string]string{"/r1/status": queueing}))
	defer server.Close()
	batch := newSource(t, server.URL, []waitingroom.Query{
		{Key: sale.Key{Sale: "lantern", Signal: sale.Waiting}, Room: "lantern", Field: waitingroom.QueuedUsers},
		{Key: sale.Key{Sale: "kestrel", Signal: sale.Waiting}, Room: "kestrel", Field: waitingroom.QueuedUsers},
	}).Read(context.Background(), time.Now())
	if batch.Problem != nil || len(batch.Readings) != 1 || len(batch.Missing) != 1 {
		t.Fatalf("got problem %v, %d readings, %d missing; want one of each room", batch.Problem, len(batch.Readings), len(batch.Missing))
	}
	if p := batch.Missing[0].Problem; p.Class != sale.NotFound || !strings.Contains(p.Hint, "lantern") {
		t.Errorf("problem %+v: want not_found and a hint that names the rooms there are", p)
	}
}

func TestADeclarationThatCanNotBeReadIsRefusedAtOnce(t *testing.T) {
	_, err := waitingroom.New(waitingroom.Options{Name: "gate", BaseURL: "http://127.0.0.1:1", Zone: zone, Token: "t", Queries: []waitingroom.Query{{Key: sale.Key{Sale: "a", Signal: "b"}, Field: "people"}}})
	if err == nil || !strings.Contains(err.Error(), "queued_users") {
		t.Errorf("error %v: want one that lists the fields", err)
	}
}

func newSource(t *testing.T, url string, queries []waitingroom.Query) *waitingroom.Source {
	t.Helper()
	s, err := waitingroom.New(waitingroom.Options{Name: "gate", BaseURL: url, Zone: zone, Token: sourcetest.Secret, Every: 30 * time.Second, Queries: queries})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWaitingRoomKeepsTheContract(t *testing.T) {
	lantern, kestrel := sale.Key{Sale: "lantern", Signal: sale.Waiting}, sale.Key{Sale: "kestrel", Signal: sale.Waiting}
	both := map[string]string{"/r1/status": queueing, "/r2/status": queueing}
	escaped, err := json.Marshal(sourcetest.Escape)
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Contract(t, sourcetest.Harness{
		New: func(t *testing.T, url string) sources.Source {
			return newSource(t, url, []waitingroom.Query{
				{Key: lantern, Unit: sale.Users, Room: "lantern", Field: waitingroom.QueuedUsers},
				{Key: kestrel, Unit: sale.Users, Room: "kestrel", Field: waitingroom.QueuedUsers},
			})
		},
		Healthy:        zoneOf(twoRooms, both),
		Want:           map[sale.Key]sale.Unit{lantern: sale.Users, kestrel: sale.Users},
		Partial:        zoneOf(twoRooms, map[string]string{"/r1/status": queueing}),
		PartialMissing: []sale.Key{kestrel},
		Hostile: zoneOf(strings.ReplaceAll(twoRooms, `"id"`, `"queue_all":true,"queueing_method":"reject","description":`+string(escaped)+`,"id"`),
			map[string]string{
				"/r1/status": strings.Replace(duringShow, "e1", "e1", 1), "/r2/status": queueing,
				"/r1/events/e1/details": `{"name":` + string(escaped) + `,"event_start_time":` + string(escaped) + `,"event_end_time":"x"}`,
			}),
		Fail: func(w http.ResponseWriter, _ *http.Request, status int, message string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]any{"success": false, "result": nil, "errors": []map[string]any{{"code": 10000, "message": message}}})
		},
		Header:       http.Header{"Content-Type": {"application/json"}},
		WrongTypes:   [][]byte{[]byte(`{"success":true,"result":{"rooms":7}}`), []byte(`{"success":true,"result":[7]}`), []byte(`{"success":false,"errors":[]}`), []byte(`{"success":true,"result":null}`)},
		CallsPerPoll: 3,
	})
}
