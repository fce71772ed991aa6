package residents

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/residents/picture"
	"almenara/node/shortid"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/member"
)

const (
	codesEvery  = time.Second     // how often it is looked which screens are without a code
	codeWaits   = 5 * time.Second // for the PUBACK of a screen
	codesAtOnce = 16              // commands under way
	codeRests   = time.Minute     // between tries with a screen that acknowledges nothing
)

// Upper is where links are opened, in capitals, of which QR codes are smaller.
const Upper = "/R/"

// codes are the screens that are connected here and show something.
type codes struct {
	mu      sync.Mutex
	screens map[string]*screen
}

type screen struct {
	member uint32
	shows  []alert.ID
	told   map[alert.ID]time.Time // the period of the code that it was given last
	again  time.Time              // not before then: it holds up others
}

// State notes what a screen says that it shows. Other devices have nowhere to show a code.
func (r *Residents) State(from channels.Endpoint, state contract.State) {
	if state.Kind != "screen" || r.o.Base == "" {
		return
	}
	c := &r.codes
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.screens[from.Device]
	if s == nil || s.member != from.Member {
		s = &screen{member: from.Member, told: map[alert.ID]time.Time{}}
		c.screens[from.Device] = s
	}
	s.shows = nil
	for _, id := range state.Presenting[:min(len(state.Presenting), contract.MaxPresenting)] {
		s.shows = append(s.shows, alert.ID(id))
	}
}

// Session forgets what a screen was given: its page may have been loaded anew.
func (r *Residents) Session(from channels.Endpoint, _ bool) {
	r.codes.mu.Lock()
	defer r.codes.mu.Unlock()
	delete(r.codes.screens, from.Device)
}

// Run gives screens their codes until ctx ends. Without a Base it gives none.
func (r *Residents) Run(ctx context.Context) {
	if r.o.Base == "" {
		return
	}
	ticker := time.NewTicker(codesEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.look(ctx)
		}
	}
}

// due is a screen that is to be given a code.
type due struct {
	device string
	member uint32
	alert  alert.ID
}

// look gives a code to every screen that shows an alert which asks for one, and has none of this period.
func (r *Residents) look(ctx context.Context) {
	now := r.o.Clock()
	var sending sync.WaitGroup
	defer sending.Wait()
	room := make(chan struct{}, codesAtOnce)
	for _, d := range r.due(now) {
		room <- struct{}{}
		sending.Go(func() {
			defer func() { <-room }()
			err := r.give(ctx, d, now)
			r.codes.mu.Lock()
			defer r.codes.mu.Unlock()
			s := r.codes.screens[d.device]
			switch {
			case s == nil:
			case err != nil:
				r.o.Logger.Debug("giving a screen a code", "device", d.device, "error", err)
				s.again = now.Add(codeRests)
			default:
				s.told[d.alert] = now.Truncate(Renewed)
			}
		})
	}
}

// due lists the screens without a code of this period.
func (r *Residents) due(now time.Time) (out []due) {
	situation := r.o.InForce()
	if situation == nil {
		return nil
	}
	asking := map[alert.ID]*roaring.Bitmap{} // whose screens show a code
	for _, it := range situation.InForce {
		if it.Message == nil || !now.Before(it.Expires) || len(alert.ResidentsAsked(it.Message.Infos)) == 0 {
			continue
		}
		to := roaring.New()
		for _, p := range it.Parts {
			for _, n := range p.Infos {
				if n < len(it.Message.Infos) && len(alert.ResidentsAsked(it.Message.Infos[n:n+1])) > 0 {
					to.Or(p.To)
				}
			}
		}
		asking[it.Alert] = to
	}
	c := &r.codes
	c.mu.Lock()
	defer c.mu.Unlock()
	for device, s := range c.screens {
		for id := range s.told {
			if asking[id] == nil {
				delete(s.told, id)
			}
		}
		if now.Before(s.again) {
			continue
		}
		for _, id := range s.shows {
			if to := asking[id]; to != nil && to.Contains(s.member) && s.told[id].Before(now.Truncate(Renewed)) {
				out = append(out, due{device, s.member, id})
			}
		}
	}
	return out
}

// give sends a screen the code of its block.
func (r *Residents) give(ctx context.Context, d due, now time.Time) error {
	var place string
	err := r.o.Store.View(func(t *storage.Txn) error {
		id, err := member.ID(t, d.member)
		if err != nil {
			return err
		}
		rec, _, err := member.Get(t, id)
		place = string(rec.Member.Place)
		return err
	})
	if err != nil || place == "" {
		return fmt.Errorf("looking up where the screen hangs: %w", err)
	}
	link, err := newLink(r.o.Signer, d.alert, Block(place), now)
	if err != nil {
		return err
	}
	address := strings.ToUpper(r.o.Base + Upper + link)
	modules, code, err := picture.Draw(address)
	if err != nil {
		return err
	}
	payload, err := r.o.Signer.Sign(contract.Command{
		ID: "answer-" + shortid.New(), Do: contract.DoAnswer, Alert: string(d.alert), Time: now.UTC(), Expires: now.Truncate(Renewed).Add(2 * Renewed).UTC(),
		Link: address, Modules: modules, Code: code,
	})
	if err != nil {
		return fmt.Errorf("signing a command: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, codeWaits, fmt.Errorf("no PUBACK within %v", codeWaits))
	defer cancel()
	return r.o.Send(ctx, d.device, payload)
}
