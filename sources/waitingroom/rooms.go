package waitingroom

import "context"

// Rooms lists the names of a zone's waiting rooms, in Cloudflare's order. The options are those of a
// source without queries. An error is a *sale.Problem.
func Rooms(ctx context.Context, o Options) ([]string, error) {
	s, err := New(o)
	if err != nil {
		return nil, err
	}
	rooms, err := s.api.rooms(ctx)
	if err != nil {
		problem := s.problem(err)
		return nil, &problem
	}
	names := make([]string, len(rooms))
	for i := range rooms {
		names[i] = rooms[i].Name
	}
	return names, nil
}
