package checkin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/node/authority"
	"almenara/node/known"
	"almenara/node/residents/picture"
	"almenara/node/wire"
	"almenara/node/wire/visits"
	"almenara/node/wire/why"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
)

// Below and Upper are where the page of a code is; Upper is the same in capitals, of which QR codes are smaller.
const (
	Below = "/r/at/"
	Upper = "/R/AT/"
)

// MostCodes is how many codes are made at a time.
const MostCodes = 200

// PlaceCodes implements service.CheckIns.
func (c *CheckIns) PlaceCodes(_ context.Context, by authority.Caller, places []string) (out visits.PlaceCodes, err error) {
	if err := authority.Door(by, authority.ReadAudience); err != nil {
		return out, err
	}
	if c.o.Base == "" {
		return out, wire.Problemf(wire.KindRefused, "no code was made: this node does not know under which address residents' phones reach it; start it with --residents https://NODE:8480").Because(why.NoResidents)
	}
	if len(places) == 0 || len(places) > MostCodes {
		return out, wire.Problemf(wire.KindMalformed, "codes are made for 1 to %d places at a time, and %d were given", MostCodes, len(places)).Because(why.SheetCodes, MostCodes, len(places))
	}
	now := c.o.Clock()
	places = slices.Clone(places)
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		if !known.Has(c.o.Audience(), audience.Path(place)) || !own(by, place) {
			return out, wire.Problemf(wire.KindNotFound, "no code was made: %.100q is no place of the district that %s is for", place, by.Name).Because(why.NoPlaceHere, place)
		}
		link := strings.ToUpper(c.o.Base + Upper + newCode(c.o.Signer, place, now))
		modules, code, err := picture.Draw(link)
		if err != nil {
			return out, err
		}
		out.Codes = append(out.Codes, visits.PlaceCode{Place: place, Names: c.namesOf(audience.Path(place)), Link: link, Until: day(now).Add(CodeLife), Modules: modules, Picture: code})
	}
	return out, nil
}

// own reports whether a place is one of the caller's, who may be limited to some.
func own(by authority.Caller, place string) bool {
	return len(by.Places) == 0 || slices.ContainsFunc(by.Places, func(p string) bool { return audience.Path(place).Under(audience.Path(p)) })
}

// CheckIns implements service.CheckIns.
func (c *CheckIns) CheckIns(ctx context.Context, by authority.Caller, q visits.Query) (out visits.CheckIns, err error) {
	if err := authority.Door(by, authority.ReadReports); err != nil {
		return out, err
	}
	now := c.o.Clock()
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = q.To.Add(-24 * time.Hour)
	}
	span := visited.Visit{Place: q.Place, From: q.From, To: q.To}
	if err := span.Plausible(now); err != nil {
		return out, wire.Problemf(wire.KindMalformed, "the span of time cannot be used: %v", err).Because(why.SpanUnfit, err)
	}
	if q.Place != "" && !known.Has(c.o.Audience(), audience.Path(q.Place)) {
		return out, wire.Problemf(wire.KindNotFound, "%.100q is no place of the district", q.Place).Because(why.NoPlaceHere, q.Place)
	}
	out = visits.CheckIns{From: q.From.UTC(), To: q.To.UTC(), Places: []visits.PlaceCheckIns{}}
	if q.Place != "" {
		out.Visited = span.String()
	}
	counts, unanswered := c.everywhere(ctx, question{q.Place, hourOf(q.From.Add(-Stay)) + 1, hourOf(q.To.Add(time.Hour - 1))})
	out.Unanswered = unanswered
	of := map[string]int{}
	for _, one := range counts {
		if own(by, one.Place) && one.Count > 0 {
			of[one.Place] += one.Count
			out.Total += one.Count
		}
	}
	for _, place := range slices.Sorted(maps.Keys(of)) {
		out.Places = append(out.Places, visits.PlaceCheckIns{Place: place, Count: of[place]})
	}
	return out, nil
}

// NodesPath is where a node tells the others what it counted; POST a question.
const NodesPath = "/node/checkins"

// patience is how long another node is waited for.
const patience = time.Second

const mostQuestion = 4 << 10 // bytes

// Nodes are the nodes that count.
type Nodes struct {
	Others func() []string // ids of the other ones
	Call   func(ctx context.Context, node, path string, body []byte) ([]byte, error)
}

// question asks for the counts at or below a place, from an hour to another, not including that.
type question struct {
	Place string `json:"place"`
	From  uint32 `json:"from"`
	To    uint32 `json:"to"`
}

// everywhere asks every node at once, and gives the ids of those that did not answer in time.
func (c *CheckIns) everywhere(ctx context.Context, q question) (all []Count, unanswered []string) {
	all = c.o.Counts.Of(q.Place, q.From, q.To)
	body, err := json.Marshal(q)
	if err != nil {
		return all, nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errors.New("the node did not answer in a second"))
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	for _, id := range c.o.Nodes.Others() {
		asking.Go(func() {
			var told []Count
			raw, err := c.o.Nodes.Call(ctx, id, NodesPath, body)
			if err == nil {
				err = json.Unmarshal(raw, &told)
			}
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				unanswered = append(unanswered, id)
			}
			all = append(all, told...)
		})
	}
	asking.Wait()
	slices.Sort(unanswered)
	return all, unanswered
}

// Handler answers the other nodes.
func (c *CheckIns) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostQuestion))
		if err == nil {
			err = json.Unmarshal(raw, &q)
		}
		if err != nil {
			http.Error(w, "the question cannot be read", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(c.o.Counts.Of(q.Place, q.From, q.To))
	})
}
