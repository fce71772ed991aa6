// Package health makes of what a device says of itself what people and programs may use: known
// names, bounded texts, numbers that can be, and the faults that follow, each of which is a word.
//
//	state of a device ─> Of ─> devicehealth.DeviceHealth (presence, whereabouts, API, console)
//
// What a device says may be wrong or a lie, and decides nothing here. It has no clock and imports
// no other part of node but node/wire.
package health

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"almenara/channels/contract"
	"almenara/node/wire/devicehealth"
)

const (
	// textMost is how much of a text is kept, in bytes: a thousand devices fit into one answer
	// between nodes, whatever they say.
	textMost = 64
	// skewMost is how far the clock of a device may be off before it is a fault: the district's time
	// is what counts for alerts, but certificates are judged by the device's own.
	skewMost = 5 * time.Minute
	// skewPlausible bounds what is passed on, in seconds: ten years.
	skewPlausible = 10 * 366 * 24 * 3600
	// countMost bounds what devices count.
	countMost = 1 << 30
)

// Of is the health of a device that said s at a time by the node's clock; nil for a will, which
// says nothing of it.
func Of(s contract.State, at time.Time) *devicehealth.DeviceHealth {
	if s.State == contract.StateLost {
		return nil
	}
	said := func(name string) string { return text(s.Health[name]) }
	h := &devicehealth.DeviceHealth{
		At: at.UTC(), Version: text(s.Version), Engine: said(contract.HealthEngine),
		Sound: said(contract.HealthSound), Voice: said(contract.HealthVoice), Display: said(contract.HealthDisplay), Lacks: said(contract.HealthLacks),
		Store: said(contract.HealthStore), Persisted: yes(s.Health[contract.HealthPersisted]), Awake: yes(s.Health[contract.HealthAwake]),
		Keys: moment(s.Health[contract.HealthKeys], at), Drawn: said(contract.HealthDrawn), DrawnAt: moment(s.Health[contract.HealthDrawnAt], at),
		Queued: count(s.Health[contract.HealthQueued]), Reloads: count(s.Health[contract.HealthReloads]), MemoryMB: count(s.Health[contract.HealthMemory]),
		Refused: said(contract.HealthRefused), Picture: said(contract.HealthPicture), Power: said(contract.HealthPower),
	}
	if level := s.Health[contract.HealthLevel]; slices.Contains([]string{"A", "B", "C", "D"}, level) {
		h.Level = level
	}
	if math.Abs(s.ClockSkew) <= skewPlausible { // not so for a NaN either
		h.ClockSkew = s.ClockSkew
	}
	h.Faults = faults(h)
	return h
}

// faults are what somebody should look after, in the order of devicehealth.Faults.
func faults(h *devicehealth.DeviceHealth) (out []string) {
	for fault, is := range map[string]bool{
		devicehealth.FaultReload:  h.Level == "A",
		devicehealth.FaultSilent:  h.Sound != "" && !slices.Contains(contract.SoundsThatAreHeard, h.Sound),
		devicehealth.FaultUnseen:  h.Display != "" && h.Display != contract.DisplayPainted && h.Display != contract.DisplayNothing,
		devicehealth.FaultPicture: h.Picture != "" && h.Picture != contract.PictureVisible && h.Picture != contract.PictureUnknown,
		devicehealth.FaultLetters: h.Lacks != "",
		devicehealth.FaultStore:   h.Store == contract.StoreNone,
		devicehealth.FaultSleeps:  h.Awake != nil && !*h.Awake,
		devicehealth.FaultClock:   math.Abs(h.ClockSkew) > skewMost.Seconds(),
		devicehealth.FaultRefuses: h.Refused != "",
	} {
		if is {
			out = append(out, fault)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		return slices.Index(devicehealth.Faults, a) - slices.Index(devicehealth.Faults, b)
	})
	return out
}

// text is the beginning of a text, without what would steer whoever shows it.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	for len(s) > textMost {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return strings.TrimSpace(s)
}

// yes reads "yes" and "no"; nil is anything else.
func yes(s string) *bool {
	if s != "yes" && s != "no" {
		return nil
	}
	return new(s == "yes")
}

// count reads a number from 0 on; 0 for anything else.
func count(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > countMost {
		return 0
	}
	return n
}

// moment reads a time that is not to come; zero for anything else.
func moment(s string, now time.Time) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || at.Year() < 2000 || at.After(now.Add(time.Minute)) {
		return time.Time{}
	}
	return at.UTC()
}
