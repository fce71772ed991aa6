package originals

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/factbody"
)

// spoken is an alert with an outline, and attachments of so many bytes of base64.
func spoken(attached ...int) *alert.Alert {
	info := alert.Info{
		Language: "en", Categories: []string{"Met"}, Event: "Flood", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed",
		Headline: "Flood", Description: "Leave.", Parameters: []alert.Named{{Name: alert.ParameterConfirm, Value: alert.ConfirmPerson}, {Name: "map", Value: strings.Repeat("m", 2000)}},
		Areas: []alert.Area{
			{Description: "North", Polygons: []string{"1,1 1,2 2,2 1,1"}, Geocodes: []alert.Named{{Name: "HK-DC", Value: "A"}}},
			{Description: "North", Circles: []string{"1,1 2"}, Geocodes: []alert.Named{{Name: "HK-DC", Value: "B"}}},
		},
	}
	for _, n := range attached {
		info.Resources = append(info.Resources, alert.Resource{Description: "Spoken", MIMEType: "audio/mpeg", URI: "spoken.mp3", DerefURI: strings.Repeat("AAAA", n/4)})
	}
	return &alert.Alert{
		Identifier: "i", Sender: "s", Sent: mustTime("2026-07-20T17:40:00+08:00"), Status: "Actual", MsgType: "Alert", Scope: "Public", Infos: []alert.Info{info},
	}
}

func mustTime(text string) alert.DateTime {
	d, err := alert.ParseDateTime(text)
	if err != nil {
		panic(err)
	}
	return d
}

// reduced is what a fact of at most so many bytes carries of a.
func reduced(t *testing.T, a *alert.Alert, most int) (*alert.Alert, []string) {
	t.Helper()
	before := a.Digest()
	body, warnings, err := reduce(factbody.Issue{}, a, most)
	require.NoError(t, err)
	require.LessOrEqual(t, len(body), most)
	require.Equal(t, before, a.Digest(), "the message itself is as it was")
	issue, err := factbody.DecodeIssue(body)
	require.NoError(t, err)
	out, _, err := capxml.Parse(issue.Message)
	require.NoError(t, err)
	return out, warnings.Texts()
}

func TestReduce_TakesTheLeastThatIsNeeded(t *testing.T) {
	got, warnings := reduced(t, spoken(20<<10, 70<<10), 180<<10)
	info := got.Infos[0]
	require.Empty(t, warnings, "that no device gets so large a one is a matter of the message, and said there")
	require.NotEmpty(t, info.Resources[0].DerefURI, "which a device may get")
	require.Empty(t, info.Resources[1].DerefURI)
	require.Empty(t, info.Resources[1].URI, "a relative link without its attachment leads nowhere")
	require.Equal(t, []alert.Named{{Name: alert.ParameterConfirm, Value: alert.ConfirmPerson}}, info.Parameters)
	require.Len(t, info.Areas, 2)
	require.Empty(t, info.Areas[0].Polygons)
	require.Equal(t, "A", info.Areas[0].Geocodes[0].Value)

	got, warnings = reduced(t, spoken(20<<10, 40<<10, 10<<10), 40<<10)
	require.Contains(t, warnings[0], "an attachment is")
	require.Empty(t, got.Infos[0].Resources[1].DerefURI, "the largest goes first")

	got, warnings = reduced(t, spoken(20<<10), 1000)
	require.Contains(t, warnings[0], "an attachment is")
	require.Equal(t, []alert.Area{{Description: "North"}}, got.Infos[0].Areas)

	_, _, err := reduce(factbody.Issue{}, spoken(), 500)
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, wire.KindTooLarge, p.Kind)
}

// Whatever real senders write can be shortened, and says the same.
func TestReduce_OfRealMessages(t *testing.T) {
	root := os.Getenv("ALMENARA_TESTDATA")
	if root == "" {
		t.Skip("ALMENARA_TESTDATA is not set")
	}
	count := 0
	err := filepath.WalkDir(filepath.Join(root, "cap"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		a, _, err := capxml.Parse(raw)
		if err != nil {
			return nil
		}
		count++
		got, _ := reduced(t, a, alert.MaxMessageBytes)
		want := a.Clone()
		for _, one := range []*alert.Alert{want, got} {
			for i := range one.Infos {
				one.Infos[i].Areas, one.Infos[i].Resources, one.Infos[i].Parameters = nil, nil, nil
			}
		}
		require.Equal(t, want.Digest(), got.Digest(), path)
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, count, 50)
}
