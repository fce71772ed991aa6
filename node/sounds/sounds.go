// Package sounds gives speakers that are a page what they are to play: what is in force, spoken by
// recorded clips or by espeak-ng, as WAV files named by the digest of what they say.
//
//	page ─> GET /speaker/sound/NAME.wav ─> Sounds.Get ─> lines in force ─> speaker.Both, once
//
// Only what is in force is ever spoken, so nobody can have this box read out or compute what they
// like. What was rendered is kept in memory. It imports no other part of node but node/wire.
package sounds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/channels/speaker"
	"almenara/node/wire"
	"almenara/node/wire/looks"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/loglimit"
)

const (
	// mostWaiting is how many may wait for their turn.
	mostWaiting = 16
	// keptBytes bounds the rendered sounds in memory: some 12 minutes.
	keptBytes = 24 << 20
	// renderWithin bounds one rendering; a page that waits longer uses its own voice.
	renderWithin = 30 * time.Second
	// previewWithin bounds a preview: whoever writes waits for it.
	previewWithin = 3 * time.Second
	// keptAnswers bounds what is known of previews.
	keptAnswers = 1000
	// again is how long a line that could not be spoken is not tried anew.
	again = time.Minute
)

// Speech is what speaks, as speaker.Both does.
type Speech interface {
	speaker.Speech
	// By says what would speak a text, without speaking it.
	By(ctx context.Context, language, text string) speaker.By
}

// clipsFolder holds recorded clips, in the data folder; it may be absent.
const clipsFolder = "clips"

// WithClips is the speech of the recorded clips in a data folder, and of espeak-ng beside them.
func WithClips(dir string, log *slog.Logger) Speech {
	clips := speaker.OpenClips(filepath.Join(dir, clipsFolder))
	if count, err := clips.Check(); err != nil {
		log.Error("recorded clips cannot be used", "error", err)
	} else if count > 0 {
		log.Info("recorded clips are used", "clips", count)
	}
	return speaker.Both{Clips: clips}
}

// Options say what a Sounds needs. None may be nil.
type Options struct {
	InForce func() *channels.Situation // what is in force now; nil before anything is known
	Speech  Speech
	Clock   func() time.Time
	Logger  *slog.Logger
}

// Sounds renders and keeps. Its methods may be called from any goroutine.
type Sounds struct {
	o      Options
	failed loglimit.Lines
	turn   chan struct{} // one rendering at a time: a small box has other work
	places chan struct{} // of those who wait

	index atomic.Pointer[index]

	mu    sync.Mutex // guards what follows
	kept  map[string][]byte
	order []string // names, the oldest first
	bytes int
	not   map[string]time.Time // names that could not be spoken, and when that was tried
	// speaks is what would speak the lines of previews, by name.
	speaks map[string]speaker.By
}

// New makes one.
func New(o Options) *Sounds {
	return &Sounds{o: o, turn: make(chan struct{}, 1), places: make(chan struct{}, mostWaiting), kept: map[string][]byte{}, not: map[string]time.Time{}, speaks: map[string]speaker.By{}, failed: loglimit.Lines{Most: 1, Per: time.Minute}}
}

// Get is the WAV file of a name. It refuses with wire.KindNotFound where nothing that is in force has
// it, or no voice can speak it, and with wire.KindBusy where too many wait. It renders at most once,
// and waits for its turn until ctx ends.
func (s *Sounds) Get(ctx context.Context, name string) ([]byte, error) {
	if wav, known := s.have(name); known {
		return wav, orNone(wav)
	}
	line, ok := s.find(name)
	if !ok {
		return nil, errNone()
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return nil, wire.Problemf(wire.KindBusy, "too much waits to be spoken; ask again in a moment").Because(why.SpeechBusy)
	}
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to speak: %w", context.Cause(ctx))
	}
	defer func() { <-s.turn }()
	if wav, known := s.have(name); known {
		return wav, orNone(wav)
	}
	// What was begun is finished: the next one who asks has it then.
	rendering, cancel := context.WithTimeout(context.WithoutCancel(ctx), renderWithin)
	defer cancel()
	samples, err := s.o.Speech.Speak(rendering, line.Language, line.Text)
	if err != nil || len(samples) == 0 {
		if !errors.Is(err, speaker.ErrUnspoken) {
			s.failed.Log(s.o.Logger, slog.LevelWarn, "a text could not be spoken", "language", line.Language, "error", err)
		}
		s.note(name)
		return nil, errNone()
	}
	wav := speaker.WAV(samples)
	s.keep(name, wav)
	return wav, nil
}

func errNone() error {
	return wire.Problemf(wire.KindNotFound, "nothing that is in force has this name, or nobody here can speak it").Because(why.NoSpeech)
}

func orNone(wav []byte) error {
	if wav == nil {
		return errNone()
	}
	return nil
}

// index is the lines of one situation, by name.
type index struct {
	of    *channels.Situation
	lines map[string]speaker.Line
}

// find is the line of a name, among what is in force.
func (s *Sounds) find(name string) (speaker.Line, bool) {
	now := s.o.InForce()
	if now == nil {
		return speaker.Line{}, false
	}
	x := s.index.Load()
	if x == nil || x.of != now {
		x = indexOf(now)
		s.index.Store(x)
	}
	line, ok := x.lines[name]
	return line, ok
}

// Preview says how a message would be heard here, before it is sent: its texts in the order in which they
// are said.
func (s *Sounds) Preview(status alert.Status, infos []alert.Info) (out []looks.SpokenText) {
	m := &alert.Alert{Status: status, MsgType: alert.MsgTypeAlert, Infos: infos}
	look := lookOf(m)
	if look.Sound == "none" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), previewWithin)
	defer cancel()
	for _, line := range speaker.Lines(channels.Texts(m), look) {
		out = append(out, looks.SpokenText{Language: line.Language, By: string(s.by(ctx, line))})
	}
	return out
}

// by says what would speak a line. It is asked again while somebody writes, and runs a program: what was
// found is kept, unless it took too long.
func (s *Sounds) by(ctx context.Context, line speaker.Line) speaker.By {
	name := line.Name()
	s.mu.Lock()
	by, known := s.speaks[name]
	s.mu.Unlock()
	if known {
		return by
	}
	if by = s.o.Speech.By(ctx, line.Language, line.Text); ctx.Err() != nil {
		return by
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.speaks) >= keptAnswers {
		clear(s.speaks)
	}
	s.speaks[name] = by
	return by
}

// lookOf is how devices present a message.
func lookOf(m *alert.Alert) rules.Look {
	p := alert.PresentationOf(m.Status, m.Infos)
	return rules.LookOf(&contract.Body{Status: string(m.Status), Tier: contract.Tier(p.Tier), Sound: p.Sound})
}

func indexOf(now *channels.Situation) *index {
	x := &index{now, map[string]speaker.Line{}}
	for i := range now.InForce {
		m := now.InForce[i].Message
		if m == nil {
			continue // devices are not given it either
		}
		for _, line := range speaker.Lines(channels.Texts(m), lookOf(m)) {
			x.lines[line.Name()] = line
		}
	}
	return x
}

// have is what is known of a name: its sound, or nil where it could not be spoken lately.
func (s *Sounds) have(name string) (wav []byte, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wav, ok := s.kept[name]; ok {
		return wav, true
	}
	tried, ok := s.not[name]
	return nil, ok && s.o.Clock().Sub(tried).Abs() < again
}

func (s *Sounds) note(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.not) > 1000 {
		clear(s.not)
	}
	s.not[name] = s.o.Clock()
}

// keep keeps a sound; the oldest ones give way.
func (s *Sounds) keep(name string, wav []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.not, name)
	s.kept[name], s.order, s.bytes = wav, append(s.order, name), s.bytes+len(wav)
	for s.bytes > keptBytes && len(s.order) > 1 {
		s.bytes -= len(s.kept[s.order[0]])
		delete(s.kept, s.order[0])
		s.order = slices.Delete(s.order, 0, 1)
	}
}
