package waitingroom

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/onsale-dev/onsale/sources"
)

// api is the part of Cloudflare's REST API that is read.
type api struct {
	base, token string
	client      *http.Client
}

const (
	perPage  = 1000 // the most that the API allows, a multiple of 5
	maxPages = 10
)

// rooms lists every waiting room of the zone.
func (a *api) rooms(ctx context.Context) ([]room, error) {
	var all []room
	for page := 1; page <= maxPages; page++ {
		var some []room
		query := url.Values{"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(perPage)}}
		e, err := a.get(ctx, "?"+query.Encode(), &some)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if page >= e.ResultInfo.TotalPages {
			break
		}
	}
	return all, nil
}

func (a *api) status(ctx context.Context, room string) (status, error) {
	var s status
	_, err := a.get(ctx, "/"+url.PathEscape(room)+"/status", &s)
	return s, err
}

// event returns an event with the values that it inherits from its room filled in.
func (a *api) event(ctx context.Context, room, id string) (*event, error) {
	var e event
	_, err := a.get(ctx, "/"+url.PathEscape(room)+"/events/"+url.PathEscape(id)+"/details", &e)
	if err != nil {
		return nil, err
	}
	return &e, nil
}

func (a *api) get(ctx context.Context, rest string, into any) (envelope, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.base+rest, nil)
	if err != nil {
		return envelope{}, err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	req.Header.Set("Accept", "application/json")
	resp, err := a.client.Do(req)
	if err != nil {
		return envelope{}, err
	}
	if err := sources.CheckStatus(resp); err != nil {
		return envelope{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return envelope{}, fmt.Errorf("reading the answer: %w", err)
	}
	return decode(body, into)
}
