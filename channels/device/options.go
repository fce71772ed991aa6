package device

import (
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/past"
	"almenara/channels/device/rules"
)

// Options describe one device.
type Options struct {
	ID      string            // device id, client id and user name; required
	Secret  string            // the password from enrolment
	Kind    string            // screen, speaker, phone, …; told in the state
	Version string            // of the device's software; told in the state
	Servers []string          // every node: tcp://, tls:// or ssl://, ws://, wss://; required
	TLS     *tls.Config       // for tls, ssl and wss; nil: the system's roots
	RootKey ed25519.PublicKey // from enrolment; required

	// Present shows or speaks what Start, Replace and Resume ask for, and ends it on
	// Stop. It returns when that is so: nil is told as presented, an error as
	// failed, and after ErrPending the device tells what Local says. It is
	// called by one goroutine at a time and must not block for long.
	// Nil: a device without a screen, for which everything counts as shown.
	Present func(rules.Effect) error

	// Command carries out test, identify, reload and silence, and returns at once; what a test came
	// to is given to Local.Tested. While an alert is presented, a test is answered as busy without
	// asking. Nil: a test counts as passed, like what Present is given, and the rest is ignored.
	Command func(contract.Command)

	// Health gives what the state tells of the device's health: 32 entries at most, of 128 bytes at
	// most. It is asked whenever something is published, and must return at once. Nil: nothing.
	Health func() map[string]string

	// Seen reports whether an alert that was begun can be seen or heard here now: what cannot is not listed as
	// presented in the state. It is asked whenever something is published, and must return at once. Nil: all can.
	Seen func(alert string) bool

	// OnEvent hears what happens. It is called by several goroutines and must
	// return at once.
	OnEvent func(Event)

	// ConfirmAfter is how long it takes until a person confirms what asks for a
	// person's confirmation, with Answer. Zero: nobody is there.
	ConfirmAfter time.Duration
	Answer       string

	// Memory is what Save was given before the power cut; nil: a new device. Save
	// stores it durably before what it describes is carried out; nil: forgotten.
	Memory []byte
	Save   func([]byte) error

	// Wall is the clock of the box, for Local.Unconfirmed; nil, or without Save: nothing is shown again without a node.
	Wall past.Wall

	Clock  func() time.Time // nil: the system's clock at New, then monotonic
	Logger *slog.Logger     // nil: no logs

	// FirstServer is the index of the server to try first, modulo their number. The
	// others follow in order.
	FirstServer int
	// RetryMin and RetryMax bound the pause before connecting again, which doubles
	// in between; zero: 250 ms and 5 s. A device that waits longer is dark.
	RetryMin, RetryMax time.Duration
	// KeepAlive is MQTT's; zero: 30 s. Timeout bounds every exchange with a node,
	// zero: 5 s; a PUBACK, which waits for the node's disks, may take four times it.
	KeepAlive, Timeout time.Duration

	turns chan struct{} // room for devices of one process that connect at the same time; nil: no limit
}

// withDefaults fills in what is zero and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	switch {
	case !contract.ValidDeviceID(o.ID):
		return o, fmt.Errorf("%.70q is not a device id", o.ID)
	case len(o.Servers) == 0:
		return o, errors.New("no servers")
	case len(o.RootKey) != ed25519.PublicKeySize:
		return o, errors.New("no root key")
	case len(o.Answer) > contract.MaxAnswer:
		return o, fmt.Errorf("answer is longer than %d bytes", contract.MaxAnswer)
	}
	if o.Save == nil {
		o.Wall = nil
	}
	if o.Present == nil {
		o.Present = func(rules.Effect) error { return nil }
	}
	if o.Health == nil {
		o.Health = func() map[string]string { return nil }
	}
	if o.Seen == nil {
		o.Seen = func(string) bool { return true }
	}
	if o.OnEvent == nil {
		o.OnEvent = func(Event) {}
	}
	if o.Clock == nil {
		o.Clock = monotonic()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.RetryMin = orElse(o.RetryMin, 250*time.Millisecond)
	o.RetryMax = max(orElse(o.RetryMax, 5*time.Second), o.RetryMin)
	o.KeepAlive = orElse(o.KeepAlive, 30*time.Second)
	o.Timeout = orElse(o.Timeout, 5*time.Second)
	return o, nil
}

func orElse(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// monotonic is a clock that nobody can set while the device runs: the manifests
// correct it, and a second correction underneath would be counted twice.
func monotonic() func() time.Time {
	start := time.Now()
	return func() time.Time { return start.Add(time.Since(start)).Round(0) }
}
