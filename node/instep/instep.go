// Package instep keeps the phones of one person in step: what was answered on one of them is told to the
// others that are connected to this node, so that they stop asking.
//
//	state of a phone (which alerts it shows) ─┐
//	                                          ├─> Run: who of these members has answered? ─> command
//	receipts, as far as this node knows ──────┘
//
// It is soft state: what a phone has been told is forgotten with its connection, and told again when it
// says on the next one that it shows the alert. The phone that answered hears its own answer, which does
// nothing there. It never imports api, cluster, storage but what it says of alerts and receipts, or another
// part of node but reached and stories.
package instep

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
)

const (
	every  = time.Second     // how often answers are looked for, while a phone shows what may be answered
	holds  = time.Minute     // how long a command holds
	waits  = 5 * time.Second // for the PUBACK of a phone
	atOnce = 16              // commands under way
	rests  = time.Minute     // at most, between tries with a phone that acknowledges nothing
)

// Answers is what members have answered to alerts; Known is one.
type Answers interface {
	// Who of these members has answered the alert's present revision, which that is, and with which word
	// last, by member; "" is without one.
	Who(alert string, among *roaring.Bitmap) (revision uint64, words map[uint32]string, err error)
}

// Options say what an InStep needs; all must be set.
type Options struct {
	Answers Answers
	Send    func(ctx context.Context, device string, payload []byte) error // returns when the device has acknowledged it
	Signer  contract.Signer
	Clock   func() time.Time
	Logger  *slog.Logger
}

// InStep may be used from any goroutine.
type InStep struct {
	o Options

	mu     sync.Mutex // guards what follows
	phones map[string]*phone
}

// phone is one that is connected here.
type phone struct {
	member uint32
	shows  []string
	told   map[string]answer // by alert: the answer that it was told
	failed int               // commands in a row that it did not acknowledge
	again  time.Time         // not before then: it holds up others
}

// answer is what was said to one revision; the zero one is nothing.
type answer struct {
	revision uint64
	word     string
}

// New makes one that knows no phone.
func New(o Options) *InStep { return &InStep{o: o, phones: map[string]*phone{}} }

// State notes what a phone says that it shows. Other devices do not ask for answers.
func (s *InStep) State(from channels.Endpoint, state contract.State) {
	if state.Kind != "phone" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phones[from.Device]
	if p == nil || p.member != from.Member {
		p = &phone{member: from.Member, told: map[string]answer{}}
		s.phones[from.Device] = p
	}
	p.shows = slices.Clone(state.Presenting[:min(len(state.Presenting), contract.MaxPresenting)])
	for alert := range p.told {
		if !slices.Contains(p.shows, alert) {
			delete(p.told, alert)
		}
	}
}

// Session forgets what a phone was told: its page may have been loaded anew.
func (s *InStep) Session(from channels.Endpoint, _ bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.phones, from.Device)
}

// Run tells phones until ctx ends.
func (s *InStep) Run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C: // receipts come by the thousand, and one look does for all of a second
			s.look(ctx)
		}
	}
}

// look tells every phone what it shows and its person has answered.
func (s *InStep) look(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	room := make(chan struct{}, atOnce)
	for alert, devices := range s.showing() {
		revision, untold, words, err := s.untold(alert, devices)
		if err != nil {
			s.o.Logger.Warn("reading answers to an alert", "alert", alert, "error", err)
			continue
		}
		for _, d := range untold {
			room <- struct{}{}
			sending.Go(func() {
				defer func() { <-room }()
				s.tell(ctx, d.device, alert, revision, words[d.member])
			})
		}
	}
}

// untold is which of the phones are to be told of the answers to an alert: those that were told none, or
// another one. A person may answer anew.
func (s *InStep) untold(alert string, devices []showing) (revision uint64, out []showing, words map[uint32]string, err error) {
	among := roaring.New()
	for _, d := range devices {
		among.Add(d.member)
	}
	revision, words, err = s.o.Answers.Who(alert, among)
	if err != nil {
		return 0, nil, nil, err
	}
	for _, d := range devices {
		if word, has := words[d.member]; has && d.told.revision <= revision && d.told != (answer{revision, word}) {
			out = append(out, d)
		}
	}
	return revision, out, words, nil
}

// showing is one phone that shows an alert.
type showing struct {
	device string
	member uint32
	told   answer
}

// showing is which phones show which alerts.
func (s *InStep) showing() map[string][]showing {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string][]showing{}
	now := s.o.Clock()
	for device, p := range s.phones {
		if now.Before(p.again) {
			continue
		}
		for _, alert := range p.shows {
			out[alert] = append(out[alert], showing{device, p.member, p.told[alert]})
		}
	}
	return out
}

// tell sends one command. One that was not sent is tried at the next look, and then ever more rarely.
func (s *InStep) tell(ctx context.Context, device, alert string, revision uint64, word string) {
	now := s.o.Clock().UTC()
	payload, err := s.o.Signer.Sign(contract.Command{
		ID: id(), Do: contract.DoAnswered, Alert: alert, Revision: revision, Answer: word, Time: now, Expires: now.Add(holds),
	})
	if err != nil {
		s.o.Logger.Error("signing a command", "error", err)
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, waits, fmt.Errorf("no PUBACK within %v", waits))
	defer cancel()
	err = s.o.Send(ctx, device, payload)
	if err != nil {
		s.o.Logger.Debug("telling a phone what was answered on another", "device", device, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.phones[device]
	switch {
	case p == nil:
	case err != nil:
		p.again = s.o.Clock().Add(min(every<<min(p.failed, 6), rests) - every)
		p.failed++
	default:
		p.failed, p.again = 0, time.Time{}
		if p.told[alert].revision <= revision {
			p.told[alert] = answer{revision, word}
		}
	}
}

// id is new for each command: a page that was loaded again has to be told again.
func id() string {
	raw := make([]byte, 12)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return "answered-" + base64.RawURLEncoding.EncodeToString(raw)
}
