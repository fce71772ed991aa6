package intake

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

// called gives the district's place names.
func (c court) called(names ...audience.Text) {
	c.audience().PutPlace(audience.Place{Path: "d", Names: names})
}

var tuenMun = []audience.Text{{Language: "en", Text: "Tuen Mun"}, {Language: "zh-HK", Text: "屯門"}}

// typed is an alert in the JSON form, in four languages; the last one says who warns.
func typed(t *testing.T, identifier, sender string) wire.SendAlert {
	t.Helper()
	message := wire.CAPAlert{Identifier: identifier, Sender: sender, Status: "Actual"}
	for _, language := range []string{"en-US", "zh-Hant", "ur", "fr"} {
		i := wire.CAPInfo{
			Language: language, Category: []string{"Fire"}, Event: "Fire", Urgency: "Immediate", Severity: "Minor", Certainty: "Observed", Headline: "Fire",
			Expires: noon.Add(time.Hour).Format("2006-01-02T15:04:05") + "-00:00",
		}
		if language == "fr" {
			i.SenderName = "Les pompiers"
		}
		message.Info = append(message.Info, i)
	}
	message.Sent = noon.Format("2006-01-02T15:04:05") + "-00:00"
	raw, err := json.Marshal(message)
	require.NoError(t, err)
	return wire.SendAlert{Alert: raw, Select: `place under "d/here"`}
}

// sayWho are the names of the sender that the message in force has.
func (c court) sayWho(id string) (names []string) {
	m, err := c.stories.OnBook(alert.ID(id)).Current().Whole()
	require.NoError(c, err)
	for _, i := range m.Alert.Infos {
		names = append(names, i.SenderName)
	}
	return names
}

var duty = authority.Caller{Name: "duty", Roles: composer}

// People read who warns them. Screens showed "almenara.tuen-mun".
func TestSend_NamesTheDistrictWhereNobodyElseWarns(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{})
	c.called(tuenMun...)
	out, err := c.SendAlert(t.Context(), duty, typed(t, "a", ""), wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, []string{"Tuen Mun", "屯門", "Tuen Mun", "Les pompiers"}, c.sayWho(out.Alert))

	again := "Fire, again"
	out, err = c.UpdateAlert(t.Context(), duty, out.Alert, wire.UpdateAlert{Texts: []wire.CorrectText{{Language: "en-US", Headline: &again}}}, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, []string{"Tuen Mun", "屯門", "Tuen Mun", "Les pompiers"}, c.sayWho(out.Alert))
}

func TestSend_LeavesToOtherSendersWhatTheyAreCalled(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{})
	c.called(tuenMun...)
	out, err := c.TakeCAP(t.Context(), observatory, rain(t, "m", "Rain"), `place under "d/here"`, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, []string{""}, c.sayWho(out.Alert))
	out, err = c.SendAlert(t.Context(), observatory, typed(t, "b", "hko"), wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, []string{"", "", "", "Les pompiers"}, c.sayWho(out.Alert))
}

func TestSend_NamesNobodyWhereTheDistrictHasNoName(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{})
	out, err := c.SendAlert(t.Context(), duty, typed(t, "a", ""), wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, []string{"", "", "", "Les pompiers"}, c.sayWho(out.Alert))

	c.called(tuenMun...)
	again := "Fire, again"
	out, err = c.UpdateAlert(t.Context(), duty, out.Alert, wire.UpdateAlert{Texts: []wire.CorrectText{{Language: "en-US", Headline: &again}}}, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, []string{"Tuen Mun", "屯門", "Tuen Mun", "Les pompiers"}, c.sayWho(out.Alert), "a change of it says so, once there is a name")
}

// A message that comes again is the same one, also where the district was given a name, or another, meanwhile;
// a node of older software has recorded it without one.
func TestSend_TakesARepeatForOneUnderAnotherNameOfTheDistrict(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{})
	require.NoError(t, c.store.Update(func(txn *storage.Txn) error {
		return rights.Scenarios.Put(txn, rights.Scenario{ID: "fire", Lifetime: time.Hour.Milliseconds(), Select: `place under "d/here"`,
			Alert: []byte(`{"status":"Actual","info":[{"language":"en","category":["Fire"],"event":"Fire","urgency":"Immediate","severity":"Minor","certainty":"Observed","headline":"Fire"}]}`)})
	}))
	press := wire.SendAlert{Scenario: "fire", Incident: "one"}
	first, err := c.SendAlert(t.Context(), duty, typed(t, "a", ""), wire.WaitLocal)
	require.NoError(t, err)
	pressed, err := c.SendAlert(t.Context(), duty, press, wire.WaitLocal)
	require.NoError(t, err)
	for _, name := range []string{"Tuen Mun", "Tuen Mun District"} {
		c.called(audience.Text{Language: "en", Text: name})
		again, err := c.SendAlert(t.Context(), duty, typed(t, "a", ""), wire.WaitLocal)
		require.NoError(t, err)
		require.True(t, again.Duplicate)
		require.Equal(t, first.Alert, again.Alert)
		again, err = c.SendAlert(t.Context(), duty, press, wire.WaitLocal)
		require.NoError(t, err)
		require.True(t, again.Duplicate)
		require.Equal(t, pressed.Alert, again.Alert)
	}
	require.Equal(t, 2, c.journal.facts)

	other := typed(t, "a", "")
	other.Alert = json.RawMessage(string(other.Alert[:len(other.Alert)-1]) + `,"note":"other"}`)
	_, err = c.SendAlert(t.Context(), duty, other, wire.WaitLocal)
	require.Contains(t, problem(t, err, wire.KindConflict).Sentence, "known with another content")
}
