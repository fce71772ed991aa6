package checkin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/durable"
)

// The bounds of what a node counts.
const (
	mostCounts = 50_000 // of a place and an hour: a thousand places for two days of busy hours, or a hundred for weeks
	saveEvery  = time.Minute
)

// Count is how often phones checked in at a place in an hour: all that a node keeps of it.
type Count struct {
	Place string `json:"place"`
	Hour  uint32 `json:"hour"` // since 1970
	Count int    `json:"count"`
}

type placeHour struct {
	place string
	hour  uint32
}

// Counts are those of this node, in a file of its own, which is written every minute: a power cut loses the last one.
// Its methods may be called from any goroutine.
type Counts struct {
	path  string
	clock func() time.Time
	log   *slog.Logger

	saving sync.Mutex // held while the file is written

	mu      sync.Mutex // guards what follows
	by      map[placeHour]int
	changed bool
}

// OpenCounts reads the file. One that cannot be read is begun anew, with a line in the log: nobody is warned by it.
func OpenCounts(path string, clock func() time.Time, log *slog.Logger) *Counts {
	c := &Counts{path: path, clock: clock, log: log, by: map[placeHour]int{}}
	raw, err := os.ReadFile(path)
	var all []Count
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Warn("how often phones checked in cannot be read and is begun anew", "error", err)
	}
	for _, one := range all {
		if len(c.by) < mostCounts && one.Count > 0 {
			c.by[placeHour{one.Place, one.Hour}] = one.Count
		}
	}
	return c
}

func (c *Counts) add(place string, hour uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := placeHour{place, hour}
	if _, known := c.by[key]; !known && len(c.by) >= mostCounts {
		c.forget()
	}
	c.by[key], c.changed = c.by[key]+1, true
}

// forget drops what is older than phones keep it and, where that is little, the oldest tenth. mu is held.
func (c *Counts) forget() {
	hours := make([]uint32, 0, len(c.by))
	for key := range c.by {
		hours = append(hours, key.hour)
	}
	slices.Sort(hours)
	oldest := max(hours[len(hours)/10], hourOf(c.clock().Add(-visited.Kept)))
	for key := range c.by {
		if key.hour <= oldest && len(c.by) > mostCounts*9/10 {
			delete(c.by, key)
		}
	}
}

// Of are the counts at or below a place, "" for any, of the hours from one to another, not including that.
func (c *Counts) Of(place string, from, to uint32) (out []Count) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, n := range c.by {
		if key.hour >= from && key.hour < to && (place == "" || audience.Path(key.place).Under(audience.Path(place))) {
			out = append(out, Count{key.place, key.hour, n})
		}
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(cmp.Compare(a.Hour, b.Hour), cmp.Compare(a.Place, b.Place)) })
	return out
}

// Run writes the file of counts until ctx ends, and once more then.
func (c *CheckIns) Run(ctx context.Context) { c.o.Counts.run(ctx) }

// run writes the file until ctx ends, and once more then.
func (c *Counts) run(ctx context.Context) {
	ticker := time.NewTicker(saveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			c.save()
			return
		case <-ticker.C:
			c.save()
		}
	}
}

// save writes the file if anything has changed, without what is older than phones keep it.
func (c *Counts) save() {
	c.saving.Lock()
	defer c.saving.Unlock()
	now := c.clock()
	c.mu.Lock()
	changed := c.changed
	c.changed = false
	c.mu.Unlock()
	if !changed {
		return
	}
	raw, err := json.Marshal(c.Of("", hourOf(now.Add(-visited.Kept)), hourOf(now)+1))
	if err == nil {
		err = durable.WriteFile(c.path, raw)
	}
	if err != nil {
		c.log.Warn("how often phones checked in cannot be written", "error", err)
		c.mu.Lock()
		c.changed = true
		c.mu.Unlock()
	}
}
