package demo

import (
	"errors"
	"fmt"
	"time"

	"almenara/storage/alert"
	"almenara/storage/audience"
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
	a, _, err := alert.Parse(raw)
	if err != nil {
		return nil, err
	}
	switch {
	case a.MsgType != alert.MsgTypeAlert:
		return nil, fmt.Errorf("the demo sends a message of type Alert, this one is of type %s", a.MsgType)
	case len(a.Infos) == 0:
		return nil, errors.New("the message has no info block, so there is nothing to show")
	}
	m := &message{alert: alert.Shift(a, now)}
	m.said = append(m.said, fmt.Sprintf("Times moved from %s to now: sent %s, expires %s.",
		a.Sent, m.alert.Sent, m.alert.Expires().In(m.alert.Sent.Time().Location()).Format("2006-01-02T15:04:05-07:00")))
	if m.raw, err = m.alert.XML(); err != nil {
		return nil, err
	}
	return m, m.takeAim()
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
	everyScheme := func(string) bool { return true } // the town is given the codes that are cited
	return audience.TargetOf(info, m.alert.Scope, m.alert.Addresses, limit, everyScheme)
}
