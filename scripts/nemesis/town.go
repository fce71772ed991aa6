//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/storage/alert"
)

// district is the place path of the made-up district.
const district = "harbour"

// senderName is the CAP sender of the central system.
const senderName = "nemesis@example.org"

// codes is the geocode scheme that the CAP messages of the test cite.
const codes = "estate-code"

// estates are the places that are warned, one at a time.
var estates = []string{"east", "north", "west"}

// kinds are dealt to the devices in turn.
var kinds = []string{"screen", "speaker", "phone"}

func estatePlace(estate string) string { return district + "/" + estate }

// places is the place tree.
func places() []wire.Place {
	all := []wire.Place{{Path: district}}
	for _, e := range estates {
		all = append(all, wire.Place{Path: estatePlace(e), Geocodes: []wire.Geocode{{ValueName: codes, Value: e}}})
	}
	return all
}

// fixture is the i-th device.
func fixture(i int) wire.Enrol {
	kind := kinds[(i/len(estates))%len(kinds)]
	return wire.Enrol{ID: fmt.Sprintf("%s-%04d", kind, i+1), Kind: kind, Place: estatePlace(estates[i%len(estates)]) + "/block-1"}
}

// estateOf is the estate of a place.
func estateOf(place string) string { return strings.Split(place, "/")[1] }

// members are the people of the town, who have no device; imports tag them.
const members = 40

func memberID(i int) string { return fmt.Sprintf("resident-%03d", i+1) }

// table is a CSV that gives members one batch.
func table(batch string, ids []string) string {
	var b strings.Builder
	b.WriteString("id,kind,place,tags\n")
	for _, id := range ids {
		fmt.Fprintf(&b, "%s,person,%s,batch=%s\n", id, estatePlace(estates[0]), batch)
	}
	return b.String()
}

// tale is one alert as its sender knows it.
type tale struct {
	estate  string
	status  alert.Status
	keys    []alert.Key // of its messages, sent or not known to be
	expires time.Time
	ended   bool // a cancel was tried
}

// id is the alert's id: that of its first key.
func (t *tale) id() string { return string(t.keys[0].ID()) }

// sender writes the messages of the test. Not safe for concurrent use.
type sender struct {
	rand  *rand.Rand
	run   string
	count int
	tales []*tale
}

// letter is one message, ready to be sent as CAP or as JSON, to any node and more
// than once.
type letter struct {
	message alert.Alert
	tale    *tale
	json    bool
}

func (s *sender) identifier() string {
	s.count++
	return fmt.Sprintf("%s-%05d", s.run, s.count)
}

// raise begins an alert, one in four of them so short that it runs out while the
// district is still at odds.
func (s *sender) raise(now time.Time) letter {
	life := 20 * time.Minute
	if s.rand.IntN(4) == 0 {
		life = time.Duration(4+s.rand.IntN(12)) * time.Second
	}
	t := &tale{estate: estates[s.rand.IntN(len(estates))], status: alert.StatusActual, expires: now.Add(life).Truncate(time.Second)}
	if s.rand.IntN(6) == 0 {
		t.status = alert.StatusExercise
	}
	l := s.write(t, alert.MsgTypeAlert, now)
	s.tales = append(s.tales, t)
	return l
}

// update goes on with an alert that may be in force; false when there is none that
// was written to at least a second ago.
func (s *sender) update(now time.Time) (letter, bool) {
	t, ok := s.open(now)
	if !ok {
		return letter{}, false
	}
	t.expires = now.Add(time.Duration(10+s.rand.IntN(1200)) * time.Second).Truncate(time.Second)
	return s.write(t, alert.MsgTypeUpdate, now), true
}

// cancel ends an alert.
func (s *sender) cancel(now time.Time) (letter, bool) {
	t, ok := s.open(now)
	if !ok {
		return letter{}, false
	}
	t.ended = true
	return s.write(t, alert.MsgTypeCancel, now), true
}

// open picks one of the newest alerts that has not run out.
func (s *sender) open(now time.Time) (*tale, bool) {
	var some []*tale
	for _, t := range s.tales {
		if !t.ended && t.expires.After(now.Add(time.Second)) && now.Sub(t.keys[len(t.keys)-1].Sent.Time()) > 2*time.Second {
			some = append(some, t)
		}
	}
	some = some[max(0, len(some)-8):]
	if len(some) == 0 {
		return nil, false
	}
	return some[s.rand.IntN(len(some))], true
}

// write makes the next message of an alert. The key of a cancel is no part of it.
func (s *sender) write(t *tale, as alert.MsgType, now time.Time) letter {
	l := letter{tale: t, json: s.rand.IntN(2) == 0}
	l.message = alert.Alert{
		Identifier: s.identifier(), Sender: senderName, Sent: alert.NewDateTime(now.UTC().Truncate(time.Second)),
		Status: t.status, MsgType: as, Scope: alert.ScopePublic, References: append([]alert.Key(nil), t.keys...),
	}
	if as == alert.MsgTypeCancel {
		return l
	}
	t.keys = append(t.keys, l.message.Key())
	l.message.Infos = []alert.Info{{
		Language: "en", Categories: []string{"Fire"}, Event: "Fire", Urgency: "Immediate", Severity: "Extreme",
		Certainty: "Observed", Headline: l.message.Identifier, Instruction: "Leave by the stairs.",
		Expires: alert.NewDateTime(t.expires.UTC()),
		Areas:   []alert.Area{{Description: t.estate, Geocodes: []alert.Named{{Name: codes, Value: t.estate}}}},
	}}
	return l
}

// body is the message in JSON. Half of what is sent so names its audience by a
// selection too.
func (l letter) body() (wire.SendAlert, error) {
	raw, err := json.Marshal(l.message)
	in := wire.SendAlert{Alert: raw}
	if l.message.MsgType != alert.MsgTypeCancel {
		in.Select = "place under " + estatePlace(l.tale.estate)
	}
	return in, err
}
