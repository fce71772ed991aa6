//go:build nodejs

package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

// schedules is how many random schedules are held beside each other, of steps calls each.
const (
	schedules = 4000
	steps     = 120
)

// call is one call of the rules, as channels/contract/js/tests/schedule.mjs reads it.
type call struct {
	Call     string             `json:"call"`
	Now      int64              `json:"now"` // milliseconds since 1970
	Manifest *contract.Manifest `json:"manifest,omitempty"`
	Body     *contract.Body     `json:"body,omitempty"`
	Command  *contract.Command  `json:"command,omitempty"`
	Alert    string             `json:"alert,omitempty"`
	Revision uint64             `json:"revision"`
	Answer   string             `json:"answer"`
}

// schedule makes calls that a device could come to make, and many that it should not.
type schedule struct {
	*rand.Rand
	now      time.Time
	versions map[string]uint64
	calls    int
}

func (s *schedule) next() call {
	s.calls++
	s.now = s.now.Add(s.pause())
	c := call{Now: s.now.UnixMilli(), Alert: s.alert(), Revision: s.revision()}
	switch n := s.IntN(42); {
	case n < 2:
		return call{Call: "connected", Now: c.Now}
	case n < 3:
		return call{Call: "cut", Now: c.Now}
	case n < 16:
		m := s.manifest()
		return call{Call: "manifest", Now: c.Now, Manifest: &m}
	case n < 29:
		b := s.body()
		return call{Call: "body", Now: c.Now, Body: &b}
	case n < 30:
		return call{Call: "command", Now: c.Now, Command: &contract.Command{
			ID: fmt.Sprint("c", s.IntN(3)), Do: "test", Time: s.now, Expires: s.now.Add(s.some(2*time.Minute) - time.Minute),
		}}
	case n < 32:
		c.Call = "tick"
	case n < 35:
		c.Call = "presented"
	case n < 37:
		c.Call = "stopped"
	case n < 38:
		c.Call = "failed"
	case n >= 40:
		c.Call = "unconfirmed"
	default:
		c.Call, c.Answer = "acknowledge", []string{"", "safe", "我們安全", strings.Repeat("字", 22)}[s.IntN(4)]
	}
	return c
}

func (s *schedule) some(most time.Duration) time.Duration {
	return time.Duration(s.Int64N(int64(most/time.Millisecond))) * time.Millisecond
}

func (s *schedule) pause() time.Duration {
	switch s.IntN(60) {
	case 0:
		return time.Duration(s.IntN(3)/2) * 30 * time.Hour
	case 1:
		return -s.some(20 * time.Second) // somebody set the clock
	case 2, 3, 4, 5:
		return s.some(3 * time.Minute)
	}
	return s.some(6 * time.Second)
}

func (s *schedule) alert() string { return fmt.Sprint("a", s.IntN(4)) }

// revision grows as the schedule goes on, mostly.
func (s *schedule) revision() uint64 {
	if s.IntN(10) == 0 {
		return uint64(1 + s.IntN(9))
	}
	return uint64(1 + s.calls/15 + s.IntN(2))
}

func (s *schedule) digest(revision uint64) string {
	if s.IntN(8) == 0 {
		return "other"
	}
	return digest(revision)
}

func (s *schedule) expires(id string) time.Time {
	return s.now.Add(time.Duration(id[1]-'0')*3*time.Minute + s.some(2*time.Minute) - time.Minute)
}

// reminded is a reminder of about now, mostly none.
func (s *schedule) reminded() time.Time {
	if s.IntN(3) > 0 {
		return time.Time{}
	}
	return s.now.Add(s.some(2*time.Minute) - time.Minute)
}

func (s *schedule) manifest() contract.Manifest {
	name := []string{"A", "B", "C"}[s.IntN(3)]
	if s.IntN(5) > 0 {
		s.versions[name]++
	}
	m := contract.Manifest{
		Time: s.now.Add(time.Duration(int(name[0])-'B')*9*time.Second - s.some(25*time.Second)*time.Duration(s.IntN(2))), Node: name,
		Version: max(1, s.versions[name]-min(uint64(s.IntN(8)/6), s.versions[name])),
	}
	if s.IntN(3) == 0 {
		m.Pages = 2 + s.IntN(2)
		m.Page = 1 + s.IntN(m.Pages)
	}
	for range s.IntN(4) {
		id, revision := s.alert(), s.revision()
		m.InForce = append(m.InForce, contract.InForce{ID: id, Revision: revision, Digest: s.digest(revision), Expires: s.expires(id), Reminded: s.reminded()})
	}
	for range s.IntN(8) / 6 {
		end := contract.Ended{ID: s.alert(), Revision: s.revision() - 1, At: s.now}
		end.Why = []string{contract.WhyCancelled, contract.WhyExpired, contract.WhyDrillOver, contract.WhySuperseded, "other", ""}[s.IntN(6)]
		if s.IntN(2) == 0 {
			end.Expires = s.expires(end.ID)
		}
		m.Ended = append(m.Ended, end)
	}
	return m
}

func (s *schedule) body() contract.Body {
	id, revision := s.alert(), s.revision()
	return contract.Body{
		Alert: id, Revision: revision, Digest: s.digest(revision), Time: s.now.Add(s.some(20*time.Second) - 10*time.Second),
		Status: []string{"Actual", "Actual", "Exercise", "Test", "System"}[s.IntN(5)], Expires: s.expires(id),
		Tier:  []contract.Tier{contract.TierEmergency, contract.TierAdvisory, contract.TierDrill, "later"}[s.IntN(4)],
		Sound: []string{"siren", "chime", "drill", "none", "later"}[s.IntN(5)],
	}
}

// answer gives a call to the rules in Go and says what they asked for, in the words of
// schedule.mjs.
func answer(t *testing.T, r **Rules, c call) string {
	now := time.UnixMilli(c.Now).UTC()
	var effects []Effect
	switch c.Call {
	case "new":
		*r = New()
	case "connected":
		(*r).Connected()
	case "cut":
		raw, err := (*r).Export()
		require.NoError(t, err)
		*r, err = Import(raw)
		require.NoError(t, err)
	case "manifest":
		effects = (*r).Manifest(*c.Manifest, now)
	case "body":
		effects = (*r).Body(*c.Body, now)
	case "command":
		effects = (*r).Command(*c.Command, now)
	case "tick":
		effects = (*r).Tick(now)
	case "unconfirmed":
		effects = (*r).Unconfirmed(now, func(b *contract.Body) *contract.Body { return b })
	case "presented":
		effects = (*r).Presented(c.Alert, c.Revision, now)
	case "stopped":
		effects = (*r).Stopped(c.Alert, c.Revision, now)
	case "failed":
		effects = (*r).Failed(c.Alert, c.Revision, now)
	case "acknowledge":
		effects = (*r).Acknowledge(c.Alert, c.Revision, c.Answer, now)
	}
	words := make([]string, 0, len(effects)+4)
	for _, e := range effects {
		words = append(words, word(e))
	}
	next := "next none"
	if at, ok := (*r).Next(); ok {
		next = fmt.Sprint("next ", at.UnixMilli())
	}
	words = append(words, next, "shown "+strings.Join((*r).Presenting(), ","), fmt.Sprint("changed ", (*r).Changed()),
		fmt.Sprint("skew ", (*r).Skew().Milliseconds()))
	return strings.Join(words, "; ")
}

func word(e Effect) string {
	switch e.Action {
	case Tell:
		return fmt.Sprintf("tell %s/%d %s %d %s", e.Alert, e.Revision, e.Receipt.Rung, e.Receipt.At.UnixMilli(), e.Receipt.Answer)
	case Stop:
		return fmt.Sprintf("stop %s/%d %s", e.Alert, e.Revision, e.Reason)
	case Do:
		return "do " + e.Command.ID
	}
	return fmt.Sprintf("%s %s/%d %s %s %s", e.Action, e.Alert, e.Revision, e.Body.Digest, e.Look.Tier, e.Look.Sound)
}

func TestJavaScript_AsksForTheSameUnderAnySchedule(t *testing.T) {
	var calls []call
	first := uint64(2026) // others by hand, with RULES_SEED
	if seed := os.Getenv("RULES_SEED"); seed != "" {
		_, err := fmt.Sscan(seed, &first)
		require.NoError(t, err)
	}
	t.Logf("RULES_SEED=%d and the %d after it", first, schedules-1)
	var input bytes.Buffer
	lines := json.NewEncoder(&input)
	for n := range uint64(schedules) {
		s := &schedule{Rand: rand.New(rand.NewPCG(first+n, 11)), now: noon, versions: map[string]uint64{}}
		calls = append(calls, call{Call: "new"})
		for range steps {
			calls = append(calls, s.next())
		}
	}
	for _, c := range calls {
		require.NoError(t, lines.Encode(c))
	}
	run := exec.CommandContext(t.Context(), "node", "../../contract/js/tests/schedule.mjs")
	run.Stdin = &input
	var complaint bytes.Buffer
	run.Stderr = &complaint
	output, err := run.Output()
	require.NoError(t, err, complaint.String())
	got := strings.Split(strings.TrimSuffix(string(output), "\n"), "\n")
	require.Len(t, got, len(calls))

	var r *Rules
	asked := map[string]int{}
	begun := 0
	for i, c := range calls {
		if c.Call == "new" {
			begun = i
		}
		want := answer(t, &r, c)
		if got[i] != want {
			for _, before := range calls[max(begun, i-25) : i+1] {
				raw, _ := json.Marshal(before)
				t.Log(string(raw))
			}
			t.Fatalf("schedule %d, call %d:\nGo         %s\nJavaScript %s", first+uint64(begun/(steps+1)), i-begun, want, got[i])
		}
		for _, effect := range strings.Split(want, "; ") {
			asked[strings.Fields(effect)[0]]++
		}
	}
	for _, action := range []string{"start", "replace", "resume", "stop", "tell", "do"} {
		require.Greater(t, asked[action], schedules/10, "the schedules are worth something: %v", asked)
	}
	t.Log(asked)
	require.False(t, slices.Contains(got, ""))
}
