package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/storage/alert"
)

// The documented form of SendAlert.alert must be the form that the domain reads and
// writes, field by field.
func TestCAPAlert_IsTheDomainsJSON(t *testing.T) {
	named := []alert.Named{{Name: "HK-DC", Value: "L"}}
	at, err := alert.ParseDateTime("2026-07-20T17:40:00+08:00")
	require.NoError(t, err)
	raw, err := json.Marshal(alert.Alert{
		Identifier: "i-1", Sender: "hko@example.hk", Sent: at, Status: alert.StatusExercise, MsgType: alert.MsgTypeUpdate,
		Source: "duty", Scope: alert.ScopeRestricted, Restriction: "wardens", Addresses: []string{"a", "b c"}, Codes: []string{"x"},
		Note: "n", References: []alert.Key{{Sender: "s", Identifier: "i", Sent: at}}, Incidents: []string{"k"},
		Infos: []alert.Info{{
			Language: "zh-HK", Categories: []string{"Met"}, Event: "Flood", ResponseTypes: []string{"Shelter"}, Urgency: "Immediate",
			Severity: "Severe", Certainty: "Observed", AudienceText: "all", EventCodes: named, Effective: at, Onset: at, Expires: at,
			SenderName: "HKO", Headline: "h", Description: "d", Instruction: "i", Web: "https://example.hk", Contact: "c", Parameters: named,
			Resources: []alert.Resource{{Description: "map", MIMEType: "image/png", Size: 3, URI: "u", DerefURI: "QUJD", Digest: "00"}},
			Areas: []alert.Area{{
				Description: "Tuen Mun", Polygons: []string{"1,2 3,4 5,6 1,2"}, Circles: []string{"1,2 3"}, Geocodes: named, Altitude: "1", Ceiling: "2",
			}},
		}},
	})
	require.NoError(t, err)
	var form wire.CAPAlert
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&form))
	again, err := json.Marshal(form)
	require.NoError(t, err)
	require.JSONEq(t, string(raw), string(again))
}
