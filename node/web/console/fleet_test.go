package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/devicehealth"
)

// manyDevices are n devices in blocks of a hundred: every tenth is dark, every hundredth not known, and
// the first of a thousand revoked.
func manyDevices(n int) (out []wire.Device) {
	for i := range n {
		d := wire.Device{ID: fmt.Sprintf("lift-%05d", i), Member: fmt.Sprintf("m-%05d", i), Kind: "screen", Place: fmt.Sprintf("tuen-mun/on-ting/block-%03d/hall", i/100), Revoked: i%1000 == 0}
		if i%100 == 1 {
			d.Unanswered, d.Kind = []string{"n3"}, "speaker"
		} else {
			d.Connected, d.Node, d.Condition = new(i%10 != 5), "n1", "ready"
		}
		out = append(out, d)
	}
	return out
}

var rowIDs = regexp.MustCompile(`<h3><a href="[^"]*"><bdi>([^<]*)</bdi>`)

// shown are the ids of the devices on a page.
func shown(page string) (ids []string) {
	for _, found := range rowIDs.FindAllStringSubmatch(page, -1) {
		ids = append(ids, found[1])
	}
	return ids
}

// Of ten thousand devices every one is on one page of the board, and on no other.
func TestDevices_PageThroughTenThousand(t *testing.T) {
	r := newRig(t)
	r.fake.Devices = manyDevices(10_000)
	page := r.get("devices").Body.String()
	require.Contains(t, page, "8,890 of 9,990 connected")
	require.Contains(t, page, "1,000 dark: connected to no node")
	require.Contains(t, page, "100 not known")
	require.Contains(t, page, "10 revoked, not among the 9,990")
	require.Contains(t, page, "All devices: 10,000 (10 of them revoked)</h2>", "the list has those that the sum does not count")
	require.Equal(t, 100, strings.Count(page, `href="/console/devices?place=`))
	t.Logf("the board of ten thousand devices has %d KiB", len(page)>>10)
	require.Less(t, len(page), 128<<10, "a page holds some of them, whatever there is")
	var all []string
	for next := "devices"; next != ""; {
		page := r.get(next).Body.String()
		all = append(all, shown(page)...)
		found := regexp.MustCompile(`href="/console/([^"#]*)#list">Next page`).FindStringSubmatch(page)
		if next = ""; found != nil {
			next = strings.ReplaceAll(found[1], "&amp;", "&")
		}
	}
	require.Len(t, all, 10_000)
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 10_000)
}

func TestDevices_Filter(t *testing.T) {
	r := newRig(t)
	r.fake.Devices = append(manyDevices(300), wire.Device{ID: "far", Place: "tuen-mun/on-ting-2", Connected: new(false)})
	for query, want := range map[string][]string{
		"state=unknown": {"lift-00001", "lift-00101", "lift-00201"}, "state=revoked": {"lift-00000"}, "kind=speaker": {"lift-00001", "lift-00101", "lift-00201"},
		"q=LIFT-0010": {"lift-00100", "lift-00101", "lift-00102", "lift-00103", "lift-00104", "lift-00105", "lift-00106", "lift-00107", "lift-00108", "lift-00109"},
		"q=m-00299":   {"lift-00299"}, "place=tuen-mun/on-ting-2": {"far"}, "place=tuen-mun/on-ting/block-001&state=unknown": {"lift-00101"},
		"place=nowhere": nil, "place=tuen-mun/on-ting&q=far": nil, "q=%3Cscript%3E": nil, "from=-5&q=m-00001": {"lift-00001"}, "from=999999&q=m-00001": nil, "from=x&q=m-00001": {"lift-00001"},
	} {
		got := r.get("devices?" + query)
		require.Equal(t, 200, got.Code)
		require.Equal(t, want, shown(got.Body.String()), query)
		require.NotContains(t, got.Body.String(), "By block", "who looks for something finds it at the top")
	}
}

// Not known is never shown as dark: the device may be connected to the node that does not answer.
func TestDevices_SayWhatIsNotKnown(t *testing.T) {
	r := newRig(t)
	r.fake.State.Nodes = []wire.NodeInfo{{ID: "n3", Name: "on-hong"}}
	r.fake.Devices = []wire.Device{{ID: "a", Unanswered: []string{"n3"}}, {ID: "b", Connected: new(false)}}
	page := r.get("devices").Body.String()
	require.Contains(t, page, "0 of 2 connected")
	require.Contains(t, page, "1 dark")
	require.Contains(t, page, "1 not known")
	require.Contains(t, page, "Not known: on-hong does not answer")
	require.Contains(t, r.get("devices/b").Body.String(), "Dark: connected to no node")
}

func TestDevices_FindOneAmongMany(t *testing.T) {
	r := newRig(t)
	r.fake.Devices = append(manyDevices(500), wire.Device{ID: "x安"})
	for id, found := range map[string]bool{"lift-00000": true, "lift-00317": true, "lift-00499": true, "lift-00500": false, "lift-0": false, "a": false, "x安": true, "\xff": false} {
		got := r.get("devices/" + url.PathEscape(id))
		require.Equal(t, found, got.Code == 200, "%q: %d", id, got.Code)
	}
}

func TestDevices_ChangeNothingWithoutTheWord(t *testing.T) {
	for path, right := range map[string]string{"devices/lift-0042/revoke": "REVOKE", "devices/lift-0042/rotate": "NEW"} {
		for _, word := range []string{"", "yes", right} {
			r := newRig(t)
			got := r.post(path, url.Values{"word": {word}})
			require.Equal(t, word == right, len(changing(r.fake.Calls())) == 1, "%s with %q", path, word)
			require.Equal(t, word != right, got.Code == 422)
		}
	}
}

// Secrets are on one answer and on no page.
func TestDevices_ShowSecretsOnlyOnce(t *testing.T) {
	r := newRig(t)
	got := r.post("add-devices", url.Values{"list": {"lift-0042\nlift-0043"}, "kind": {"screen"}, "place": {"tuen-mun"}})
	require.Equal(t, 200, got.Code, got.Body)
	for _, secret := range []string{"secret-of-lift-0042", "secret-of-lift-0043"} {
		require.Contains(t, got.Body.String(), "<code class=\"secret\">"+secret)
	}
	require.Contains(t, got.Body.String(), "http://example.com/screen/#id=lift-0042&amp;root=root&amp;secret=secret-of-lift-0042&amp;servers=tcp%3A%2F%2F127.0.0.1%3A1883")
	require.Contains(t, got.Body.String(), `download="lift-0042.json" href="data:application/json;`)
	require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
	for _, page := range []string{"devices", "devices/lift-0042", "add-devices"} {
		require.NotContains(t, r.get(page).Body.String(), "secret-of")
	}
}

// Once devices are enrolled nothing may stand between their secrets and the person.
func TestDevices_AskNothingThatMayFailOnceThereAreSecrets(t *testing.T) {
	r := newRig(t)
	got := r.post("add-devices", url.Values{"list": {"lift-0042,screen,tuen-mun"}})
	require.Equal(t, 200, got.Code)
	calls := r.fake.Calls()
	at := slices.Index(calls, "EnrolDevices 1")
	for _, call := range calls[at+1:] {
		require.True(t, strings.HasPrefix(call, "ListDevices") || strings.HasPrefix(call, "Status"), "%s may fail: what the banner and the places say is left out then", call)
	}
}

// What was typed is still there when it was refused, and nothing was enrolled.
func TestDevices_KeepTheListThatWasRefused(t *testing.T) {
	r := newRig(t)
	r.fake.Err = wire.Problemf(wire.KindConflict, "one of the devices is enrolled already")
	got := r.post("add-devices", url.Values{"list": {"a,b,c,d,e"}})
	require.Equal(t, 409, got.Code)
	r = newRig(t)
	got = r.post("add-devices", url.Values{"list": {"a,b,c,d,e"}, "kind": {"siren"}})
	require.Equal(t, 400, got.Code)
	require.Contains(t, got.Body.String(), "a,b,c,d,e</textarea>")
	require.Contains(t, got.Body.String(), `value="siren"`)
	require.Empty(t, changing(r.fake.Calls()))
}

func TestDevices_OfferNoChangeToReaders(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"devices", "devices/lift-0042"} {
		got := r.do(httptest.NewRequest(http.MethodGet, Below+path, nil), authority.RoleViewer)
		require.Equal(t, 200, got.Code)
		require.NotContains(t, got.Body.String(), `method="post" action="/console/devices`)
		require.NotContains(t, got.Body.String(), "add-devices")
	}
}

// BenchmarkDevices is what one look at the board of a district costs.
func BenchmarkDevices(b *testing.B) {
	r := newRig(b)
	r.fake.Devices = manyDevices(10_000)
	for b.Loop() {
		if got := r.get("devices"); got.Code != 200 {
			b.Fatal(got.Code)
		}
	}
}

// What devices say is wrong is on the board, and who has it is listed: screens that would not survive
// a reload, above all.
func TestDevices_SayWhatToLookAfter(t *testing.T) {
	r := newRig(t)
	tells := func(id string, faults ...string) wire.Device {
		return wire.Device{ID: id, Place: "tuen-mun/on-ting", Connected: new(true), Health: &devicehealth.DeviceHealth{At: time.Date(2026, 7, 20, 9, 0, 0, 0, time.UTC), Level: "A", Sound: "blocked", Display: "nothing in force", Engine: "<b>Chromium", Faults: faults}}
	}
	gone := tells("gone", devicehealth.FaultReload)
	gone.Revoked = true
	r.fake.Devices = []wire.Device{tells("a", devicehealth.FaultReload), tells("b", devicehealth.FaultSilent, devicehealth.FaultReload), tells("c"), {ID: "d"}, gone}
	page := r.get("devices").Body.String()
	require.Contains(t, page, "To look after")
	require.Regexp(t, `<a href="/console/devices\?fault=no-reload#list">A reload while no node answers would leave it empty</a>: <strong>2</strong>`, page)
	require.Regexp(t, `fault=silent#list">It cannot be heard</a>: <strong>1</strong>`, page)
	require.Less(t, strings.Index(page, "It cannot be heard"), strings.Index(page, "A reload while"), "the worst first")
	require.Equal(t, []string{"a", "b"}, shown(r.get("devices?fault=no-reload").Body.String()))
	require.Empty(t, shown(r.get("devices?fault=clock").Body.String()))
	require.Empty(t, shown(r.get("devices?fault=%3Cscript%3E").Body.String()))
	one := r.get("devices/b").Body.String()
	for _, says := range []string{"What it says of itself", "It cannot be heard", "blocked by the browser: somebody must touch the page once", "A – a reload shows an error page", "nothing to show", "&lt;b&gt;Chromium"} {
		require.Contains(t, one, says)
	}
	require.NotContains(t, r.get("devices/d").Body.String(), "What it says of itself")
}
