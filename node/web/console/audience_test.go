package console

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// upload sends a file to be tried.
func (r *rig) upload(content string, fields ...string) *httptest.ResponseRecorder {
	body, kind := withFile(content, fields...)
	q := httptest.NewRequest(http.MethodPost, Below+"import", strings.NewReader(body))
	q.Header.Set("Content-Type", kind)
	return r.do(q, authority.RoleAdministrator)
}

func uploadID(t *testing.T, page string) string {
	t.Helper()
	found := regexp.MustCompile(`name="upload" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, found, page)
	return found[1]
}

// What is applied is the file that was looked at, with what was said of it.
func TestImport_AppliesWhatWasShown(t *testing.T) {
	for _, fields := range [][]string{nil, {"replace"}} {
		r := newRig(t)
		got := r.upload("id,kind,place\nr-1,screen,tuen-mun\n", fields...)
		require.Equal(t, 200, got.Code, got.Body)
		require.Contains(t, got.Body.String(), "Nothing is changed yet")
		require.Contains(t, got.Body.String(), "&#43; r-1")
		require.Empty(t, changing(r.fake.Calls()))
		r.fake.Imported.Applied = true
		got = r.post("import/apply", url.Values{"upload": {uploadID(t, got.Body.String())}})
		require.Equal(t, 200, got.Code)
		require.Contains(t, got.Body.String(), "It is imported")
		want := "Import 34 false false"
		if fields != nil {
			want = "Import 34 false true"
		}
		require.Equal(t, []string{want}, changing(r.fake.Calls()))
	}
}

func TestImport_AppliesAFileOnce(t *testing.T) {
	r := newRig(t)
	id := uploadID(t, r.upload("id\n").Body.String())
	require.Equal(t, 200, r.post("import/apply", url.Values{"upload": {id}}).Code)
	for _, again := range []string{id, "", "x"} {
		got := r.post("import/apply", url.Values{"upload": {again}})
		require.Equal(t, 303, got.Code)
		require.Equal(t, Below+"import?gone=1", got.Header().Get("Location"))
	}
	require.Len(t, changing(r.fake.Calls()), 1)
	require.Contains(t, r.get("import?gone=1").Body.String(), "does not wait here any more")
}

// A file with faults cannot be applied, and neither can one that changes nothing.
func TestImport_OffersNothingToApplyWhereThereIsNothing(t *testing.T) {
	for _, in := range []wire.Imported{{Added: 1, Faults: why.Sentences{{Text: "line 2: no place"}}, FaultCount: 7}, {Unchanged: 3}} {
		r := newRig(t)
		r.fake.Imported = in
		page := r.upload("id\n").Body.String()
		require.NotContains(t, page, "import/apply")
		require.Equal(t, len(in.Faults) > 0, strings.Contains(page, "line 2: no place"))
		require.Equal(t, len(in.Faults) == 0, strings.Contains(page, "The file changes nothing"))
	}
}

// While nothing can be agreed the file goes on waiting, so that nobody has to look for it again.
func TestImport_KeepsTheFileThatCouldNotBeApplied(t *testing.T) {
	r := newRig(t)
	id := uploadID(t, r.upload("id\n").Body.String())
	r.fake.Err = wire.Problemf(wire.KindNoQuorum, "this needs a majority")
	got := r.post("import/apply", url.Values{"upload": {id}})
	require.Equal(t, wire.HTTPStatus(wire.KindNoQuorum), got.Code)
	require.Contains(t, got.Body.String(), "this needs a majority")
	r.fake.Err = nil
	require.Equal(t, 200, r.post("import/apply", url.Values{"upload": {id}}).Code)
}

// Devices that nobody would reach any more are named, and it takes a tick to go on.
func TestImport_NamesDevicesThatItLeavesAlone(t *testing.T) {
	r := newRig(t)
	r.fake.Imported = wire.Imported{Removed: 1, Orphaned: 2, OrphanedFirst: []string{"lift-1", "lift-2"}}
	page := r.upload("id\n", "replace").Body.String()
	require.Contains(t, page, "lift-1")
	require.Contains(t, page, `name="yes" value="yes" required`)
}

func TestImport_NeedsAFile(t *testing.T) {
	r := newRig(t)
	q := httptest.NewRequest(http.MethodPost, Below+"import", strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n--b--"))
	q.Header.Set("Content-Type", "multipart/form-data; boundary=b")
	got := r.do(q, authority.RoleAdministrator)
	require.Equal(t, 422, got.Code)
	require.Contains(t, got.Body.String(), "choose a file first")
	require.NotContains(t, strings.Join(r.fake.Calls(), " "), "Import")
}

// Names and numbers are told to whoever may read them by the API, and to nobody else.
func TestAudience_TellsOfPersonsAsTheAPIDoes(t *testing.T) {
	for role, told := range map[string]bool{authority.RoleAudienceManager: true, authority.RoleAdministrator: true, authority.RoleViewer: false, authority.RoleComposer: false, authority.RoleDeviceManager: false} {
		r := newRig(t)
		r.fake.Selected = wire.Selected{Expression: "kind = person", Counts: wire.Counts{Total: 1}, Members: []wire.Member{{
			ID: "r-1", Name: "Chan Tai Man", Kind: "person", Place: "tuen-mun", Tags: map[string]string{"care": "oxygen"}, Endpoints: []string{"sms:+85290000000"}, Languages: []string{"yue"},
		}}}
		page := r.do(httptest.NewRequest(http.MethodGet, Below+"audience?expr=kind+%3D+person", nil), role).Body.String()
		for _, text := range []string{"Chan Tai Man", "oxygen", "+85290000000", "yue"} {
			require.Equal(t, told, strings.Contains(page, strings.ReplaceAll(text, "+", "&#43;")), "%s as %s", text, role)
		}
		require.Contains(t, page, "r-1")
		r.fake.Selected.Expression, r.fake.Selected.Counts.Total = "has care", 1003
		page = r.do(httptest.NewRequest(http.MethodGet, Below+"audience?expr=has+care", nil), role).Body.String()
		require.Equal(t, told, strings.Contains(page, "1,003 members"), role)
		require.Equal(t, !told, strings.Contains(page, "1,000 members"), role)
		r.fake.Selected.Counts.Total = 3
		page = r.do(httptest.NewRequest(http.MethodGet, Below+"audience?expr=has+care", nil), role).Body.String()
		require.Equal(t, told, strings.Contains(page, "3 members"), "so few are told to nobody else: %s", role)
	}
}

func TestAudience_CountsEverybodyAtFirst(t *testing.T) {
	r := newRig(t)
	r.get("audience")
	r.get("audience?expr=+")
	require.Equal(t, 2, strings.Count(strings.Join(r.fake.Calls(), "\n"), `Select "all" "" 50`))
}

// What cannot be read is no page of its own: the field keeps what was typed.
func TestAudience_SaysWhatASelectionLacks(t *testing.T) {
	r := newRig(t)
	r.fake.Err = wire.Problemf(wire.KindMalformed, "position 8: a value is missing")
	got := r.get("audience?expr=kind+%3D")
	require.Equal(t, 200, got.Code)
	require.Contains(t, got.Body.String(), "position 8: a value is missing")
	require.Contains(t, got.Body.String(), `value="kind ="`)
}

// A path that is cut short counts nobody.
func TestAudience_SaysWhyItIsNobody(t *testing.T) {
	r := newRig(t)
	r.fake.Selected = wire.Selected{Expression: "place under on-ting", Warnings: why.Sentences{why.Sayf("none").Because(why.NoSuchPlace, "on-ting")}}
	require.Contains(t, r.get("audience?expr=place+under+on-ting").Body.String(), "The district has no place on-ting: give its whole path, district first.")
}

func TestPlaces_AreAListAndAMap(t *testing.T) {
	r := newRig(t)
	r.fake.Places = []wire.Place{
		{Path: "tuen-mun/on-ting", Names: map[string]string{"en": "On Ting"}, Lat: new(22.4), Lon: new(113.97)},
		{Path: "tuen-mun", Names: map[string]string{"en": "Tuen Mun"}, Shape: []string{"22.3,113.9 22.5,113.9 22.5,114.0 22.3,113.9"}},
		{Path: "tuen-mun/on-ting/b1/f2", Names: map[string]string{"en": "Floor 2"}},
	}
	r.fake.Selected.Counts = wire.Counts{ByPlace: []wire.Count{{Name: "tuen-mun/on-ting", Count: 1200}}}
	page := r.get("places").Body.String()
	require.Contains(t, r.fake.Calls(), `Select "all" "" 1`)
	require.Contains(t, page, "<path")
	require.Contains(t, page, "<circle")
	require.Contains(t, page, "<b>1,200 members</b>")
	require.NotContains(t, page, "Floor 2", "floors are searched for")
	require.Contains(t, r.get("places?q=floor").Body.String(), "Floor 2")
	require.Contains(t, r.get("places?q=nowhere").Body.String(), "There is no such place")
}
