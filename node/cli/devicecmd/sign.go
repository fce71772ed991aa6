package devicecmd

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/channels/sign"
)

// signBox writes what is in force to a sign, the newest over the others, and clears it with the
// last one. What a sign shows nobody knows, so nothing is told as presented.
type signBox struct {
	to string

	mu     sync.Mutex
	shown  map[string]string // alert to its text
	latest []string
}

func (s *signBox) present(e rules.Effect) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shown == nil {
		s.shown = map[string]string{}
	}
	delete(s.shown, e.Alert)
	if e.Action != rules.Stop {
		text, err := signText(e)
		if err != nil {
			return err
		}
		s.shown[e.Alert] = text
		s.latest = append(s.latest, e.Alert)
	}
	for len(s.latest) > 0 && s.shown[s.latest[len(s.latest)-1]] == "" {
		s.latest = s.latest[:len(s.latest)-1]
	}
	err := s.write()
	if err == nil && e.Action != rules.Stop {
		return device.ErrPending
	}
	return err
}

// signText is the first text that a sign has letters for.
func signText(e rules.Effect) (string, error) {
	var err error
	for _, t := range e.Body.Texts {
		text := t.Headline
		if text == "" {
			text = t.Event
		}
		if e.Look.Tier == contract.TierDrill {
			text = "DRILL: " + text
		}
		if err = sign.Show(io.Discard, text); err == nil {
			return text, nil
		}
	}
	return "", err
}

func (s *signBox) write() error {
	w, err := s.open()
	if err != nil {
		return fmt.Errorf("reaching the sign: %w", err)
	}
	defer w.Close()
	if len(s.latest) == 0 {
		return sign.Clear(w)
	}
	return sign.Show(w, s.shown[s.latest[len(s.latest)-1]])
}

// reach opens the way to the sign and writes nothing.
func (s *signBox) reach() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, err := s.open()
	if err != nil {
		return fmt.Errorf("reaching the sign: %w", err)
	}
	return w.Close()
}

func (s *signBox) open() (io.WriteCloser, error) {
	if host, tcp := strings.CutPrefix(s.to, "tcp://"); tcp {
		return net.DialTimeout("tcp", host, 5*time.Second)
	}
	return os.OpenFile(s.to, os.O_WRONLY, 0)
}
