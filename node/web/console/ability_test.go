package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/caution"
	"almenara/node/wire/why"
)

func TestAbility_ThePageOfTheMorning(t *testing.T) {
	r := newRig(t)
	r.fake.State.Ends = []wire.Ending{{Kind: "key", Name: why.Sayf("the key of node n1").Because(why.ThingKey, "n1"), At: night.Add(26*24*time.Hour + time.Hour)}}
	page := r.get("ability").Body.String()
	for _, text := range []string{"50.0 %", "1 of 2 devices proved", "2026-07-20", "The key of node n1 ends in 26 d 1 h", "dark: connected to no node", `href="/console/devices/lift-0043"`, "Test all devices now, silently"} {
		require.Contains(t, page, text)
	}
	drills := r.get("ability/drills").Body.String()
	require.Contains(t, drills, "50.0 % · 50.0 %")
	require.Contains(t, drills, "<polyline")

	w := r.post("ability/test", url.Values{"place": {"tuen-mun/on-ting"}})
	require.Equal(t, "/console/ability?begun=3", w.Header().Get("Location"))
	require.Contains(t, r.fake.Calls(), `TestDevices ["tuen-mun/on-ting"]`)
	require.Contains(t, r.get("ability?begun=3").Body.String(), "3 devices are being tested silently.")
}

func TestDevice_IsTestedAndIdentifiesItself(t *testing.T) {
	r := newRig(t)
	require.Contains(t, r.post("devices/lift-0042/test", nil).Body.String(), "The test: passed. It proved: display")
	require.Contains(t, r.post("devices/lift-0042/identify", nil).Body.String(), "It identifies itself now")
	r.fake.Tested = able.DeviceTest{Stands: able.DeviceFailed, Why: why.Sentence{Text: "the page is hidden"}}
	failed := r.post("devices/lift-0042/test", nil).Body.String()
	require.Contains(t, failed, "The test: would not show or sound.")
	require.Contains(t, failed, "the page is hidden")
	require.NotContains(t, r.do(httptest.NewRequest(http.MethodGet, Below+"devices/lift-0042", nil), authority.RoleViewer).Body.String(), "/test")
}

func TestNow_HasACardOfContradictions(t *testing.T) {
	r := newRig(t)
	require.NotContains(t, r.get("now").Body.String(), "contradict")
	r.fake.Contrary.Contradictions = []caution.Contradiction{{Why: caution.ContraryResponse, Says: []caution.ContrarySaying{
		{Alert: "one", Headline: "Leave", Sender: "city", From: "The City", Author: "amy", Sent: night, Response: []string{"Evacuate"}, Severity: "Severe", Urgency: "Immediate"},
		{Alert: "two", Headline: "Stay", Sender: "ministry", Author: "ben", Sent: night, Response: []string{"Shelter"}, Severity: "Severe", Urgency: "Past"},
	}}}
	page := r.get("now").Body.String()
	for _, text := range []string{"Two senders contradict each other", "The City", "ministry", `href="/console/alerts/two"`, "do contrary things", "Stay inside"} {
		require.Contains(t, page, text)
	}
	require.NotContains(t, page, "more pair")
	r.fake.Contrary.More = 3
	for _, path := range []string{"now", "watch"} {
		require.Contains(t, r.get(path).Body.String(), "3 more pairs contradict each other", path)
	}
	r.fake.Contrary.More, r.fake.Contrary.AtLeast = 980, true
	require.Contains(t, r.get("now").Body.String(), "At least 980 more pairs")
}

func TestFire_AsksWhetherOneMoreNoticeIsNeeded(t *testing.T) {
	r := newRig(t)
	path := "fire/" + apitest.AlertID + "?b.where=Block+2"
	require.NotContains(t, r.get(path).Body.String(), "within an hour")
	r.fake.Outcome.Noise = &caution.Noise{Place: "tuen-mun", Count: 6}
	require.Contains(t, r.get(path).Body.String(), "This is notice number 6 within an hour at tuen-mun. Is it really needed?")
}

// The pages of the ability to warn share one style, which both load.
func TestAbility_SharesItsStyle(t *testing.T) {
	r := newRig(t)
	shared := regexp.MustCompile(`/console/static/_able\.[0-9a-f]+\.css`)
	style := shared.FindString(r.get("ability").Body.String())
	require.NotEmpty(t, style)
	require.Equal(t, style, shared.FindString(r.get("ability/drills").Body.String()))
	require.Contains(t, r.get(strings.TrimPrefix(style, Below)).Body.String(), "polyline")
}
