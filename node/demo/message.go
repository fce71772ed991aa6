package demo

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/audience/areas"
)

// builtIn is the alert of a demo without a message of its own.
const builtIn = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>DEMO-RAIN-1</identifier>
  <sender>observatory@example.org</sender>
  <sent>2026-01-01T00:00:00+08:00</sent>
  <status>Actual</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>zh-HK</language>
    <category>Met</category>
    <event>黑色暴雨警告</event>
    <responseType>Shelter</responseType>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <expires>2026-01-01T02:00:00+08:00</expires>
    <senderName>示範天文台</senderName>
    <headline>黑色暴雨警告現正生效</headline>
    <instruction>請留在室內安全地方，遠離低窪地區及斜坡。</instruction>
    <area><areaDesc>海景區（虛構）</areaDesc><circle>22.3960,113.9740 2.5</circle></area>
  </info>
  <info>
    <language>en</language>
    <category>Met</category>
    <event>Black Rainstorm Warning</event>
    <responseType>Shelter</responseType>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <expires>2026-01-01T02:00:00+08:00</expires>
    <senderName>Demonstration Observatory</senderName>
    <headline>Black Rainstorm Warning in force</headline>
    <instruction>Stay indoors in a safe place, away from low ground and slopes.</instruction>
    <area><areaDesc>Harbour View (made up)</areaDesc><circle>22.3960,113.9740 2.5</circle></area>
  </info>
</alert>
`

// aim is one info block and whom it addresses.
type aim struct{ target audience.Target }

// message is the alert as the demo sends it.
type message struct {
	alert    *alert.Alert
	raw      []byte
	aims     []aim
	selected string
	said     []string
}

// prepare makes a message fit to be sent now: its times are moved, and where its
// area says nothing that a machine can read, the made-up district is named by a
// selection.
func prepare(raw []byte, now time.Time) (*message, error) {
	if len(raw) == 0 {
		raw = []byte(builtIn)
	}
	a, _, err := capxml.Parse(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case a.MsgType != alert.MsgTypeAlert:
		return nil, fmt.Errorf("the demo sends a message of type Alert, this one is of type %s", a.MsgType)
	case len(a.Infos) == 0:
		return nil, errors.New("the message has no info block, so there is nothing to show")
	}
	m := &message{alert: alert.Shift(a, now).Clone()}
	m.said = append(m.said, fmt.Sprintf("Times moved from %s to now: sent %s, expires %s.",
		a.Sent, m.alert.Sent, alert.NewDateTime(m.alert.Expires().UTC())))
	m.bringForward()
	m.makeRoom()
	if m.raw, err = capxml.Write(m.alert); err != nil {
		return nil, err
	}
	return m, m.takeAim()
}

// bringForward makes a message that would become effective later effective now.
func (m *message) bringForward() {
	for i := range m.alert.Infos {
		info := &m.alert.Infos[i]
		if info.Effective.Time().After(m.alert.Sent.Time()) {
			m.said = append(m.said, fmt.Sprintf("Info block %d would be effective from %s; it is made effective now.", i+1, info.Effective))
			info.Effective = m.alert.Sent
		}
	}
}

// roomKm is the radius of the area that a message gets whose own area is a point.
const roomKm = " 1.0"

// makeRoom widens areas that hold nobody. Outside of the demo such an area is
// refused: a node never widens.
func (m *message) makeRoom() {
	for i := range m.alert.Infos {
		for n := range m.alert.Infos[i].Areas {
			area := &m.alert.Infos[i].Areas[n]
			if usable(*area) {
				continue
			}
			at := firstPoint(*area)
			m.said = append(m.said, fmt.Sprintf("The area %q holds nobody, and a node refuses it; for the demo it is the kilometre around %s.", area.Description, at))
			area.Polygons, area.Circles = nil, []string{at + roomKm}
		}
	}
}

// usable reports whether the shapes of an area can be read.
func usable(area alert.Area) bool {
	if len(area.Polygons)+len(area.Circles) == 0 {
		return true
	}
	_, err := areas.TargetOf(alert.Info{Areas: []alert.Area{area}}, alert.ScopePublic, nil, audience.Selection{}, anyScheme)
	return err == nil
}

// anyScheme knows every geocode: the town is given the codes that are cited.
func anyScheme(string) bool { return true }

// firstPoint is the first position of an area's shapes.
func firstPoint(area alert.Area) string {
	for _, shape := range append(area.Circles, area.Polygons...) {
		if fields := strings.Fields(shape); len(fields) > 0 {
			return fields[0]
		}
	}
	return "0,0"
}

// takeAim reads the areas.
func (m *message) takeAim() error {
	inTown := "place under " + district + " and not place under " + district + "/" + estates[len(estates)-1].slug
	if m.alert.Scope == alert.ScopeRestricted {
		m.selected = "kind = phone and " + inTown
		m.said = append(m.said, "The message is Restricted: it goes to the phones that the selection names.")
	}
	for i, info := range m.alert.Infos {
		t, err := m.target(info)
		if errors.Is(err, audience.ErrNoArea) && m.selected == "" {
			m.selected = inTown
			m.said = append(m.said, "Its area is in words only, so the district is named by a selection.")
			t, err = m.target(info)
		}
		if err != nil {
			return fmt.Errorf("info block %d: %w", i+1, err)
		}
		m.aims = append(m.aims, aim{t})
	}
	return nil
}

func (m *message) target(info alert.Info) (audience.Target, error) {
	var limit audience.Selection
	if m.selected != "" {
		var err error
		if limit, err = audience.Parse(m.selected); err != nil {
			return audience.Target{}, err
		}
	}
	return areas.TargetOf(info, m.alert.Scope, m.alert.Addresses, limit, anyScheme)
}
