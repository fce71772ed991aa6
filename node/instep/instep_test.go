package instep

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/node/reached"
	"almenara/node/stories"
	"almenara/storage/alert"
)

// person is what is known of answers, and what phones were sent.
type person struct {
	mu       sync.Mutex
	revision uint64
	answers  map[uint32]string
	fails    error
	tries    int
	sent     []string
	commands []contract.Command
	key      ed25519.PrivateKey
}

func (p *person) Who(_ string, among *roaring.Bitmap) (uint64, map[uint32]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	words := map[uint32]string{}
	for member, word := range p.answers {
		if among.Contains(member) {
			words[member] = word
		}
	}
	return p.revision, words, nil
}

func (p *person) send(_ context.Context, device string, payload []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries++
	if p.fails != nil {
		return p.fails
	}
	public := base64.RawURLEncoding.EncodeToString(p.key.Public().(ed25519.PublicKey))
	ring, err := contract.NewRing(contract.KeyRing{Time: time.Now(), Keys: []contract.Key{{ID: "k", Public: public, NotAfter: time.Now().Add(time.Hour)}}})
	if err != nil {
		return err
	}
	c, err := contract.Open[contract.Command](ring, payload)
	if err != nil {
		return err
	}
	p.sent, p.commands = append(p.sent, device), append(p.commands, c)
	return nil
}

func (p *person) told() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.sent
	p.sent = nil
	return out
}

func (p *person) answer(member uint32, text string, revision uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[member], p.revision = text, revision
}

func story(t *testing.T, tell func(p *person, s *InStep, pass func())) {
	synctest.Test(t, func(t *testing.T) {
		_, key, err := ed25519.GenerateKey(nil)
		require.NoError(t, err)
		p := &person{answers: map[uint32]string{}, revision: 1, key: key}
		s := New(Options{Answers: p, Send: p.send, Signer: contract.Signer{KeyID: "k", Key: key}, Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		tell(p, s, func() { time.Sleep(every + every/2); synctest.Wait() })
		cancel()
		synctest.Wait()
	})
}

var (
	phoneA = channels.Endpoint{Device: "a", Member: 7}
	phoneB = channels.Endpoint{Device: "b", Member: 7}
	lee    = channels.Endpoint{Device: "lee", Member: 8}
	shows  = contract.State{Kind: "phone", State: "presenting", Presenting: []string{"fire"}}
)

func TestInStep_TellsThePhonesOfWhoAnswered(t *testing.T) {
	story(t, func(p *person, s *InStep, pass func()) {
		for _, from := range []channels.Endpoint{phoneA, phoneB, lee} {
			s.State(from, shows)
		}
		pass()
		require.Empty(t, p.told(), "nobody has answered")
		p.answer(7, "help", 1)
		pass()
		require.ElementsMatch(t, []string{"a", "b"}, p.told())
		c := p.commands[0]
		require.Equal(t, []any{contract.DoAnswered, "fire", uint64(1), "help"}, []any{c.Do, c.Alert, c.Revision, c.Answer})
		require.NotEqual(t, c.ID, p.commands[1].ID, "a device carries out an id once")
		for range 5 {
			s.State(phoneA, shows)
			pass()
		}
		require.Empty(t, p.told(), "once")
		p.answer(7, "safe", 1)
		pass()
		require.ElementsMatch(t, []string{"a", "b"}, p.told(), "the person has answered anew")
		require.Equal(t, "safe", p.commands[2].Answer)
		p.answer(7, "safe", 2)
		pass()
		require.ElementsMatch(t, []string{"a", "b"}, p.told(), "another revision is another question")
	})
}

func TestInStep_TellsAgainOnTheNextConnection(t *testing.T) {
	story(t, func(p *person, s *InStep, pass func()) {
		p.answer(7, "safe", 1)
		s.State(phoneA, shows)
		pass()
		require.Equal(t, []string{"a"}, p.told())
		s.Session(phoneA, false)
		s.Session(phoneA, true)
		pass()
		require.Empty(t, p.told(), "not before it says that it shows the alert")
		s.State(phoneA, shows)
		pass()
		require.Equal(t, []string{"a"}, p.told())
	})
}

func TestInStep_TriesAgainWhatWasNotSent(t *testing.T) {
	story(t, func(p *person, s *InStep, pass func()) {
		p.fails = errors.New("busy")
		p.answer(7, "safe", 1)
		s.State(phoneA, shows)
		pass()
		require.Empty(t, p.told())
		p.mu.Lock()
		p.fails = nil
		p.mu.Unlock()
		pass()
		require.Equal(t, []string{"a"}, p.told())
	})
}

func TestInStep_LeavesScreensAlone(t *testing.T) {
	story(t, func(p *person, s *InStep, pass func()) {
		p.answer(7, "safe", 1)
		s.State(phoneA, contract.State{Kind: "screen", Presenting: []string{"fire"}})
		pass()
		require.Empty(t, p.told())
	})
}

// A phone may say that it shows anything, every second: what this node does not have costs nothing, and
// is no line in the log.
func TestAttack_WhatNoAlertIsCostsNothing(t *testing.T) {
	looked := 0
	k := Known{
		OnBook: func(alert.ID) *stories.Story { looked++; return nil },
		Now:    func() (reached.View, error) { t.Fatal("receipts were read"); return reached.View{}, nil },
	}
	var log strings.Builder
	s := New(Options{Answers: k, Clock: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	many := contract.State{Kind: "phone"}
	for i := range 2 * contract.MaxPresenting {
		many.Presenting = append(many.Presenting, fmt.Sprint("x", i))
	}
	s.State(phoneA, many)
	s.look(t.Context())
	require.Equal(t, contract.MaxPresenting, looked)
	require.Empty(t, log.String())
}

// A phone that acknowledges nothing is tried ever more rarely: each try keeps the others waiting.
func TestAttack_APhoneThatAcknowledgesNothingIsLeftAlone(t *testing.T) {
	story(t, func(p *person, s *InStep, _ func()) {
		p.fails = errors.New("no PUBACK")
		p.answer(7, "safe", 1)
		s.State(phoneA, shows)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Less(t, p.tries, 20)
		require.Greater(t, p.tries, 9, "but it is not given up")
		p.mu.Lock()
		p.fails = nil
		p.mu.Unlock()
		time.Sleep(rests + every)
		synctest.Wait()
		require.Equal(t, []string{"a"}, p.told())
	})
}
