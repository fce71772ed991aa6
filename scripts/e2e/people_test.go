//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// upload puts a file into a form.
func (o *operator) upload(field, file string) {
	o.t.Helper()
	o.do(chromedp.SetUploadFiles(chromedp.CSS(`[name="`+field+`"]`), []string{file}))
}

// csv is a file of members.
func csv(t testing.TB, rows string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "members.csv")
	require.NoError(t, os.WriteFile(name, []byte("id,name,kind,place\n"+rows), 0o600))
	return name
}

// The audience manager sees what a file would change, and then applies it, on three nodes.
func TestPeople_ImportWithADiff(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("mei", "audience-manager")
	o := d.at(0, "mei", 1366, 768)
	o.go_("import")
	o.upload("file", csv(t, "lift-1-1,第1座 1號𨋢 新,screen,tuen-mun/on-ting/block-1\nlift-5-1,第5座,screen,tuen-mun/on-ting/block-1\n"))
	o.press("main form[enctype] button")
	o.until("it would add one and change one", `document.querySelector("[data-added]")?.innerText === "1" && document.querySelector("[data-changed]").innerText === "1"`)
	o.says("Nothing is changed yet")
	o.says("lift-5-1")
	var counted struct{ Counts struct{ Total int } }
	d.read(0, &counted, "audience", "select", "id = lift-5-1")
	require.Zero(t, counted.Counts.Total, "a look changes nothing")
	o.shot("people-import-diff-desk")
	o.accessible(t, "import with its diff")
	o.press(`form[action="/console/import/apply"] button`)
	o.says("It is imported")
	d.until("every node has it", func() bool {
		for i := range 3 {
			raw, err := d.try(i, "--json", "audience", "select", "id = lift-5-1")
			if err != nil || json.Unmarshal(raw, &counted) != nil || counted.Counts.Total != 1 {
				return false
			}
		}
		return true
	})

	o.go_("import")
	o.upload("file", csv(t, "lift-6-1,第6座,screen,\n"))
	o.press("main form[enctype] button")
	o.says("Nothing was changed: 1 fault")
	require.False(t, read[bool](o.tab, `!!document.querySelector('form[action="/console/import/apply"]')`))
	o.shot("people-import-faults-desk")
}

// Counts follow what is typed, and the field keeps the focus.
func TestPeople_SelectAsOneTypes(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("vera", "viewer")
	o := d.at(0, "vera", 1366, 768)
	o.go_("audience")
	o.says("28 members")
	o.fill("expr", "kind = speaker")
	o.until("four are counted without a press", `document.querySelector("[data-found]").innerText.includes("4 members")`)
	require.Equal(t, "expr", read[string](o.tab, `document.activeElement.name`))
	o.fill("expr", " and (")
	o.until("what it lacks is said", `document.querySelector("[data-found] .wrong")`)
	require.Equal(t, "kind = speaker and (", read[string](o.tab, `document.activeElement.value`))
	require.NotContains(t, read[string](o.tab, "document.body.innerText"), "揚聲器", "names are none of a viewer's business")
}

// A device that is enrolled on a page connects with the secret that the page showed, is seen on the
// board, and is cut off at once when it is revoked.
func TestPeople_EnrolAndRevoke(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("dan", "device-manager")
	o := d.at(0, "dan", 390, 844)
	o.go_("add-devices")
	o.fill("list", "lift-1-1\nlift-1-2")
	o.press("main button.main")
	o.until("the secrets are shown", `document.querySelectorAll("code.secret").length === 2`)
	o.shot("people-sheet-phone")
	o.accessible(t, "the sheet with secrets")
	link := read[string](o.tab, `document.querySelector("details.link code").textContent`)
	file := read[string](o.tab, `decodeURIComponent(document.querySelector("a[download='lift-1-1.json']").href.split(",")[1])`)
	var enrolled struct{ ID, Secret string }
	require.NoError(t, json.Unmarshal([]byte(file), &enrolled), "what device run takes")
	require.Equal(t, "lift-1-1", enrolled.ID)

	screen := newBrowser(t).open(link, 800, 480)
	board := func() string {
		o.go_("devices?q=lift-1-1")
		return read[string](o.tab, `document.querySelector("li.row .state")?.innerText ?? ""`)
	}
	d.until("the board has it as connected", func() bool { return board() == "Connected to n1" })
	o.accessible(t, "the board")
	o.shot("people-devices-phone")
	o.press("li.row h3 a")
	o.page("/console/devices/lift-1-1")
	o.accessible(t, "a device")
	o.shot("people-device-phone")
	o.do(chromedp.SendKeys(chromedp.CSS(`form[action$="/revoke"] [name=word]`), "revoke"))
	o.press(`form[action$="/revoke"] button`)
	o.says("The device is revoked and its connection ended")
	d.until("it is connected nowhere", func() bool {
		var devices []struct {
			ID        string
			Connected *bool
			Revoked   bool
		}
		raw, err := d.try(1, "--json", "device", "list")
		if err != nil || json.Unmarshal(raw, &devices) != nil {
			return false
		}
		for _, device := range devices {
			if device.ID == "lift-1-1" {
				return device.Revoked && device.Connected != nil && !*device.Connected
			}
		}
		return false
	})
	_ = screen
}

// An administrator adds somebody, who signs in from another browser at another node, may not do what
// the role does not let, and is out at once when revoked. A licence is granted before it is needed.
func TestPeople_AddLicenseRevoke(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("root", "administrator")
	root := d.at(0, "root", 1366, 768)
	root.go_("people")
	root.fill("name", "warden")
	root.press(`input[name=role][value=viewer]`)
	root.script(`document.querySelector('option[value="tuen-mun/on-ting"]').selected = true`)
	root.press("main button.main")
	root.until("the token", `document.querySelector("code.secret")`)
	token := read[string](root.tab, `document.querySelector("code.secret").textContent`)
	root.shot("people-token-desk")
	root.accessible(t, "a token")

	warden := &operator{tab: newBrowser(t).open(d.api(1)+"/console/first", 390, 844), d: d}
	warden.fill("token", token)
	warden.fill("password", consolePassword)
	warden.fill("again", consolePassword)
	warden.press("main button.main")
	warden.until("the warden is in", `document.querySelector(".who a")?.innerText === "warden"`)
	at := func(path string) { warden.do(chromedp.Navigate(d.api(1) + "/console/" + path)) }
	for _, path := range []string{"people", "import", "add-devices"} {
		at(path)
		warden.says("You may not do this.")
	}
	require.False(t, read[bool](warden.tab, `!!document.querySelector('nav a[href="/console/people"]')`), "what the role may not is not shown")
	at("devices")
	require.False(t, read[bool](warden.tab, `!!document.querySelector('main a[href="/console/add-devices"]')`))

	root.go_("licences")
	root.press(`input[name=scenario][value=fire]`)
	root.script(`document.querySelector('select[name=operator] option[value=warden]').selected = true`)
	root.script(`document.querySelector('select[name=place] option[value="tuen-mun/on-ting"]').selected = true`)
	root.press("main button.main")
	root.says("The licence is granted.")
	root.shot("people-licences-desk")
	root.accessible(t, "licences")
	var licences []struct{ Operator, Place string }
	d.read(2, &licences, "licence", "list")
	require.Equal(t, "warden", licences[0].Operator)
	require.Equal(t, "tuen-mun/on-ting", licences[0].Place)

	root.go_("people/warden")
	root.accessible(t, "a person")
	root.do(chromedp.SendKeys(chromedp.CSS(`form[action$="/revoke"] [name=word]`), "REVOKE"))
	root.press(`form[action$="/revoke"] button`)
	root.says("This user is revoked.")
	d.until("the warden is out at the other node", func() bool {
		at("now")
		return read[bool](warden.tab, `location.pathname === "/console/sign-in"`)
	})
}

// Every page in both languages on a desk and on a telephone, to be looked at.
func TestPeople_Pages(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("root", "administrator")
	d.person("陳大文", "composer", "corrector")
	d.person("ben", "approver")
	d.put("places", `[{"path":"tuen-mun/on-ting","names":{"en":"On Ting Estate","zh-Hant":"安定邨"},"shape":["22.385,113.970 22.392,113.972 22.391,113.979 22.384,113.978 22.385,113.970"]},
		{"path":"tuen-mun/on-ting/block-1","names":{"en":"Block 1","zh-Hant":"第1座"},"lat":22.387,"lon":113.973},{"path":"tuen-mun/on-ting/block-2","names":{"en":"Block 2","zh-Hant":"第2座"},"lat":22.389,"lon":113.976}]`)
	d.run(0, "licence", "grant", "--scenario", "fire", "--place", "tuen-mun/on-ting", "--for", "480h", "陳大文")
	for i := range 12 {
		d.run(0, "device", "enrol", fmt.Sprintf("lift-%d-%d", i/6+1, i%6+1))
	}
	d.run(0, "device", "revoke", "lift-2-6")
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desk", 1366, 768}, {"phone", 390, 844}, {"narrow", 320, 640}} {
		t.Run(size.name, func(t *testing.T) {
			o := d.at(0, "root", size.width, size.height)
			for _, path := range []string{"people", "people/ben", "licences", "ends", "devices", "devices?place=tuen-mun%2Fon-ting%2Fblock-1&state=dark", "devices/lift-1-1", "devices/lift-2-6", "add-devices", "audience", "audience?expr=kind+%3D+speaker", "import", "places"} {
				o.go_(path)
				o.until("the page", `document.querySelector("h1")`)
				name := "people-" + strings.NewReplacer("/", "-", "?", "-", "%2F", "-", "&", "-", "=", "-", "+", "").Replace(path) + "-" + size.name
				o.accessible(t, name)
				require.LessOrEqual(t, read[int](o.tab, "document.documentElement.scrollWidth"), int(size.width), "%s is wider than the glass", name)
				o.shot(name)
				if size.name != "narrow" {
					o.chinese(name + "-zh")
				}
			}
		})
	}
}
