package intake

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/factbody"
	"almenara/storage/rights"
)

const spanBeforeNoon = "2026-07-20T09:00:00Z/2026-07-20T11:00:00Z "

// recalling is a block for who was at a place before noon.
func recalling(place string) alert.Info {
	i := block("Minor", "Future", "Likely")
	i.Parameters = []alert.Named{{Name: visited.Parameter, Value: spanBeforeNoon + place}}
	return i
}

// Whoever is limited to places recalls visitors of those alone, approves no other recall, and a licence is for its
// place, however few members are addressed.
func TestRule_RecallsVisitorsOfOnesOwnPlacesAlone(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{}, licensed())
	warden := authority.Caller{Name: "duty", Roles: composer, Places: []string{here}}
	send := func(by authority.Caller, place string) error {
		_, err := c.rule(incoming{by: by, direct: true, alert: saying("m", 0, recalling(place)), scenario: rights.Scenario{ID: "fire"}, reason: "seen"}, to(t, here))
		return err
	}
	require.NoError(t, send(warden, here))
	require.NoError(t, send(warden, here+"/market"))
	require.Contains(t, problem(t, send(warden, there), wire.KindForbidden).Sentence, "it recalls visitors of d/there, outside d/here")
	problem(t, send(warden, here+"after"), wire.KindForbidden)
	problem(t, send(warden, "d"), wire.KindForbidden)
	require.NoError(t, send(authority.Caller{Name: "duty", Roles: composer}, there))

	waits := c.lay("waits", saying("waits", 0, recalling(there)), factbody.Issue{Targets: to(t, here), Author: "amy", Approvals: 1})
	_, err := c.rules.Check(authority.Caller{Name: "bob", Roles: []string{authority.RoleApprover}, Places: []string{here}}, authority.Approve, authority.About{Message: authority.Message{
		Key: waits.Entry.Key, Author: "amy", Infos: waits.Alert.Infos, Targets: waits.Targets,
	}})
	problem(t, err, wire.KindForbidden)

	c.isolate(0)
	require.NoError(t, send(authority.Caller{Name: "duty", Roles: composer}, here))
	require.Contains(t, problem(t, send(authority.Caller{Name: "duty", Roles: composer}, there), wire.KindRefused).Sentence, "where your licence holds")
}

// Who may only correct brings no further visitors in.
func TestCorrects_RecallsNoFurtherVisitors(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{Rules: []rights.PolicyRule{{Approvals: 1}}})
	standing := saying("standing", -10, recalling(here+"/market"))
	c.lay("standing", standing, factbody.Issue{Targets: to(t, here), Author: "amy"})
	for place, want := range map[string]uint32{here + "/market": 0, here + "/market/stall": 0, here: 1} {
		update := saying("update", 0, recalling(place))
		update.MsgType, update.References = alert.MsgTypeUpdate, []alert.Key{standing.Key()}
		r, err := c.rule(incoming{by: authority.Caller{Name: "amy", Roles: composer}, alert: update, direct: true}, to(t, here))
		require.NoError(t, err)
		require.Equal(t, want, r.Approvals, place)
	}
}

func TestSend_RefusesARecallOfAPlaceThatThereIsNot(t *testing.T) {
	t.Parallel()
	c := newCourt(t, rights.Policy{})
	form := func(place string) wire.SendAlert {
		raw, err := json.Marshal(map[string]any{"info": []any{map[string]any{
			"language": "en", "category": []string{"Health"}, "event": "Recall", "urgency": "Future", "severity": "Minor", "certainty": "Likely", "headline": "Do not eat it",
			"expires": "2026-07-20T15:00:00-00:00", "parameter": []any{map[string]string{"valueName": visited.Parameter, "value": spanBeforeNoon + place}},
		}}})
		require.NoError(t, err)
		return wire.SendAlert{Alert: raw, Select: "all"}
	}
	by := authority.Caller{Name: "amy", Roles: composer}
	_, err := c.PreviewAlert(t.Context(), by, form(here))
	require.NoError(t, err)
	_, err = c.PreviewAlert(t.Context(), by, form(here+"/nowhere"))
	require.Contains(t, problem(t, err, wire.KindRefused).Sentence, "which is no place of the district")
	require.Zero(t, c.journal.facts)
}
