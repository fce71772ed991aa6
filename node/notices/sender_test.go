package notices_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/authority"
	body "almenara/node/wire/notices"
	"almenara/storage/audience"
)

// Whoever passes a notice on reads in it who warns, in the language of the text, and so it goes out.
func TestDraft_NamesTheDistrict(t *testing.T) {
	o := newOffice(t, levels())
	_, err := o.log.Propose(t.Context(), "root", &command.PutPlaces{Places: []audience.Place{{Path: "d", Names: []audience.Text{{Language: "en", Text: "Sham Shui Po"}, {Language: "zh-Hant", Text: "深水埗"}}}}})
	require.NoError(t, err)
	in := free("No water")
	in.Alert = json.RawMessage(strings.Replace(string(in.Alert), `{"info":[`, `{"info":[{"language":"zh-HK","category":["Infra"],"event":"停水","urgency":"Future","severity":"Minor","certainty":"Likely","headline":"停水","area":[{"areaDesc":"此處"}]},`, 1))
	n := o.draft(in)
	senders := func(n body.Notice) (out []string) {
		newest := n.Versions[len(n.Versions)-1]
		for _, text := range newest.Texts {
			out = append(out, text.Sender)
		}
		return out
	}
	require.Equal(t, []string{"深水埗", "Sham Shui Po"}, senders(n))
	require.Contains(t, string(n.Versions[0].Alert), `"senderName":"深水埗"`, "what is sent has it")
	require.Contains(t, string(n.Versions[0].Alert), `"headline":"停水"`)

	n = o.draft(body.DraftNotice{Scenario: "outage", Blanks: map[string]string{"where": "Block 1"}})
	require.Equal(t, []string{"Sham Shui Po"}, senders(n))

	named := free("Named")
	named.Alert = json.RawMessage(strings.Replace(string(named.Alert), `"headline"`, `"senderName":"Water Supplies Department","headline"`, 1))
	require.Equal(t, []string{"Water Supplies Department"}, senders(o.draft(named)), "who is named stays")

	other := caller("ben", authority.RoleComposer)
	other.Senders = []string{"wsd.gov.hk"}
	m, err := o.DraftNotice(t.Context(), other, free("Of another sender"))
	require.NoError(t, err)
	require.Equal(t, []string{""}, senders(m), "the district says nothing in another's name")
}
