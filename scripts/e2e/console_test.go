//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const consolePassword = "several words are good"

// operator is a person at a browser. It counts what the person has to do.
type operator struct {
	*tab
	d             *district
	clicks, words int
}

// person adds a user of the roles with a password.
func (d *district) person(name string, roles ...string) {
	d.t.Helper()
	args := []string{"user", "add"}
	for _, role := range roles {
		args = append(args, "--role", role)
	}
	var user struct{ Token string }
	d.read(0, &user, append(args, name)...)
	d.put("users/"+name+"/password", `{"password":"`+consolePassword+`"}`)
}

// put changes something over the API of the first node.
func (d *district) put(path, body string) {
	d.t.Helper()
	r, err := http.NewRequest(http.MethodPut, d.api(0)+"/api/v1/"+path, strings.NewReader(body))
	require.NoError(d.t, err)
	r.Header.Set("Authorization", "Bearer "+d.token)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	require.Less(d.t, answer.StatusCode, 300, path)
}

// estate fills a district with members, places and scenarios.
func estate(d *district) {
	d.t.Helper()
	rows, places := []string{"id,name,kind,place"}, []string{`{"path":"tuen-mun","names":{"en":"Tuen Mun","zh-Hant":"屯門"}}`, `{"path":"tuen-mun/on-ting","names":{"en":"On Ting Estate","zh-Hant":"安定邨"}}`}
	for block := 1; block <= 4; block++ {
		place := fmt.Sprintf("tuen-mun/on-ting/block-%d", block)
		places = append(places, fmt.Sprintf(`{"path":%q,"names":{"en":"Block %d","zh-Hant":"第%d座"}}`, place, block, block))
		for lift := 1; lift <= 6; lift++ {
			rows = append(rows, fmt.Sprintf("lift-%d-%d,第%d座 %d號𨋢,screen,%s", block, lift, block, lift, place))
		}
		rows = append(rows, fmt.Sprintf("speaker-%d,第%d座 揚聲器,speaker,%s", block, block, place))
	}
	d.put("places", "["+strings.Join(places, ",")+"]")
	file := filepath.Join(d.t.TempDir(), "members.csv")
	require.NoError(d.t, os.WriteFile(file, []byte(strings.Join(rows, "\n")+"\n"), 0o600))
	d.run(0, "audience", "import", file)
	for _, s := range []struct{ id, title, event, severity, status, approvals, en, zh string }{
		{"fire", "Fire in a block 大廈火警", "Fire", "Extreme", "Actual", "0", "Fire at {{where}}. Leave now", "{{where}} 火警，立即離開"},
		{"water", "Water outage 停水", "Water outage", "Minor", "Actual", "0", "No water in On Ting Estate until 18:00", "安定邨停水至 18:00"},
		{"flood", "Flooding 水浸", "Flood", "Severe", "Actual", "1", "Flooding. Stay away from the river", "水浸，遠離河道"},
		{"drill", "Fire drill 火警演習", "Fire drill", "Extreme", "Exercise", "0", "DRILL: fire at On Ting Estate", "演習：安定邨火警"},
	} {
		info := func(language, headline string) string {
			return fmt.Sprintf(`{"language":%q,"category":["Safety"],"event":%q,"urgency":"Immediate","severity":%q,"certainty":"Observed","headline":%q,"description":"This is what has happened, in a sentence or two.","instruction":"Leave by the stairs. Do not use the lifts."}`, language, s.event, s.severity, headline)
		}
		d.put("scenarios/"+s.id, fmt.Sprintf(`{"id":%q,"title":%q,"alert":{"status":%q,"info":[%s,%s]},"select":"place under tuen-mun/on-ting","minutes":60,"usual_min":20,"usual_max":40,"approvals":%s}`,
			s.id, s.title, s.status, info("en", s.en), info("zh-Hant", s.zh), s.approvals))
	}
}

// at opens the console of a node in a browser of its own and signs the person in.
func (d *district) at(i int, name string, width, height int64) *operator {
	d.t.Helper()
	o := &operator{tab: newBrowser(d.t).open(d.api(i)+"/console/", width, height), d: d}
	o.signIn(name)
	return o
}

func (o *operator) signIn(name string) {
	o.t.Helper()
	o.until("the page to sign in", `document.querySelector("input[name=password]")`)
	o.fill("name", name)
	o.fill("password", consolePassword)
	o.press(`form[action="/console/sign-in"] button.main`)
	o.until("somebody is signed in", `document.querySelector(".who a")`)
	o.clicks, o.words = 0, 0
}

// press clicks at what is there and can be seen, and type types into a field.
func (o *operator) press(selector string) {
	o.t.Helper()
	o.until(selector, `document.querySelector(`+strconv.Quote(selector)+`)`)
	o.do(chromedp.Click(chromedp.CSS(selector)))
	o.clicks++
}

func (o *operator) fill(field, text string) {
	o.t.Helper()
	o.do(chromedp.SendKeys(chromedp.CSS(`[name="`+field+`"]`), text))
	o.words++
}

func (o *operator) page(what string) {
	o.t.Helper()
	o.until(what, `location.pathname.match(/`+strings.ReplaceAll(what, "/", `\/`)+`/)`)
}

func (o *operator) go_(path string) {
	o.t.Helper()
	o.do(chromedp.Navigate(o.d.api(0) + "/console/" + path))
}

// says waits until the page holds a text.
func (o *operator) says(text string) {
	o.t.Helper()
	o.until(text, `document.body.innerText.includes(`+strconv.Quote(text)+`)`)
}

// fresh waits until a live page that nobody touches shows what the same page shows that is loaded now.
func (o *operator) fresh(what string) {
	o.t.Helper()
	const js = `fetch(location.href).then(r => r.text()).then(text => {
		const said = page => page.querySelector("[data-live]").textContent.replace(/\s+/g, " ")
		const shown = said(document), loaded = said(new DOMParser().parseFromString(text, "text/html"))
		return shown === loaded ? "" : shown + " ≠ " + loaded
	})`
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		other := read[string](o.tab, js)
		if other == "" {
			return
		}
		require.True(o.t, time.Now().Before(end), "%s: the page shows what is no more so: %s", what, other)
	}
}

// chinese takes a picture of the page in Chinese. TestPictures_OfEveryPage opens every page in it whether pictures are
// taken or not.
func (o *operator) chinese(name string) {
	if *shots == "" {
		return
	}
	o.press(".who form button[lang=zh-Hant]")
	o.until("Chinese", `document.documentElement.lang === "zh-Hant"`)
	o.shot(name)
	o.press(".who form button[lang=en]")
	o.until("English", `document.documentElement.lang === "en"`)
}

// Every page in both languages on a desk and on a telephone, to be looked at.
func TestConsole_Pages(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer", "corrector")
	d.person("ben", "approver")
	d.person("root", "administrator")
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desk", 1366, 768}, {"phone", 390, 844}, {"narrow", 320, 640}} {
		t.Run(size.name, func(t *testing.T) {
			shot := func(page string) string { return "console-" + page + "-" + size.name }
			first := newBrowser(t).open(d.api(0)+"/console/first", size.width, size.height)
			first.accessible(t, "first")
			first.shot(shot("first"))
			amy := d.at(0, "amy", size.width, size.height)
			look := func(path, name string) {
				amy.go_(path)
				amy.until(name, `document.querySelector("h1")`)
				require.LessOrEqual(t, read[int](amy.tab, "document.documentElement.scrollWidth"), int(size.width), "%s scrolls sideways", name)
				amy.accessible(t, name)
				amy.shot(shot(name))
				amy.chinese(shot(name) + "-zh")
			}
			look("wall", "wall")
			look("fire/fire?b.where=Block+2", "fire")
			look("fire/drill", "fire-drill")
			amy.go_("fire/water")
			amy.fill("word", "SEND")
			amy.press("button.live")
			amy.says("It is sent")
			amy.shot(shot("sent"))
			id := read[string](amy.tab, `document.querySelector("[data-alert]").dataset.alert`)
			amy.go_("fire/flood")
			amy.fill("word", "SEND")
			amy.press("button.live")
			amy.says("waits for approval")
			waits := read[string](amy.tab, `document.querySelector("[data-alert]").dataset.alert`)
			look("wall", "wall-live")
			look("now", "now")
			look("alerts/"+id, "alert")
			look("alerts/"+id+"/unreached", "unreached")
			look("alerts/"+id+"/answers", "answers")
			look("alerts/"+id+"/correct", "correct")
			look("alerts/"+id+"/end", "end")
			look("approvals", "approvals-own")
			look("account", "account")
			look("contents", "contents")
			look("watch", "watch")
			look("scenarios", "scenarios")
			look("nowhere", "problem")
			root := d.at(0, "root", size.width, size.height)
			root.go_("scenarios")
			root.until("ready-made ones", `document.querySelectorAll("input[name=ready]").length > 20`)
			root.accessible(t, "scenarios")
			root.shot(shot("scenarios-ready"))
			root.chinese(shot("scenarios-ready") + "-zh")
			ben := d.at(0, "ben", size.width, size.height)
			ben.go_("alerts/" + waits + "/approve")
			ben.accessible(t, "approve")
			ben.shot(shot("approve"))
			ben.chinese(shot("approve") + "-zh")
			for _, over := range []string{id, waits} {
				amy.go_("alerts/" + over + "/end")
				amy.press("button.stop")
				amy.says("stopped")
			}
		})
	}
}

// send presses the scenario on the wall and sends it; what it takes is counted.
func (o *operator) send(scenario string, blanks map[string]string, word string) (alert string) {
	o.t.Helper()
	o.go_("wall")
	o.clicks, o.words = 0, 0
	o.press(`a.fire[href="/console/fire/` + scenario + `"]`)
	o.page("/console/fire/")
	for name, text := range blanks {
		o.fill("b."+name, text)
		o.press("form[method=get] button")
	}
	o.until("whom it reaches", `document.querySelector("#audience")`)
	o.fill("word", word)
	o.press("form.send button")
	o.until("the alert", `location.pathname.startsWith("/console/alerts/") && document.querySelector("[data-alert]")`)
	require.LessOrEqual(o.t, o.clicks, 4)
	return read[string](o.tab, `document.querySelector("[data-alert]").dataset.alert`)
}

// From the wall to the correction, with what it takes a tired person.
func TestConsole_SendCorrectStop(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 1366, 768)

	amy.go_("fire/water")
	amy.fill("word", "DRILL")
	amy.press("form.send button")
	amy.says("Nothing was sent: the word is SEND")

	first := amy.send("fire", map[string]string{"where": "Block 2"}, "send")
	require.Equal(t, [2]int{3, 2}, [2]int{amy.clicks, amy.words}, "a press, the blank, a look, the word, a press")
	second := amy.send("water", nil, "SEND")
	require.Equal(t, [2]int{2, 1}, [2]int{amy.clicks, amy.words})
	require.NotEqual(t, first, second)
	amy.go_("wall")
	amy.until("both are red", `document.querySelectorAll(".wall li.live").length === 2`)
	again := amy.send("fire", map[string]string{"where": "Block 2"}, "SEND")
	require.Equal(t, first, again, "the same press is the same alert")
	amy.says("known already")
	third := amy.send("fire", map[string]string{"where": "Block 3"}, "SEND")
	require.NotEqual(t, first, third, "another fire is another alert")

	d.person("cat", "viewer")
	cat := d.at(0, "cat", 390, 844) // another page that stays open, and says by itself what is corrected
	cat.go_("now")
	amy.go_("now")
	amy.clicks, amy.words = 0, 0
	amy.press(`[data-alert="` + first + `"] a[href$="/correct"]`)
	amy.page("/correct$")
	amy.press("button[name=false-alarm]")
	amy.page("/console/alerts/" + first)
	require.Equal(t, [2]int{2, 0}, [2]int{amy.clicks, amy.words}, "a correction takes two presses")
	amy.says("CORRECTION: false alarm")
	amy.says("更正：誤發警報")
	cat.until("the title that counts now", `document.querySelector('[data-alert="`+first+`"] h2').textContent.startsWith("CORRECTION: false alarm")`)

	amy.go_("wall")
	amy.press(`[data-alert="` + second + `"] a.stop`)
	amy.page("/end$")
	amy.press("button.stop")
	amy.says("It is stopped")
	amy.send("water", nil, "SEND")
	amy.says("It is sent") // what was stopped can be sent again, as another alert
}

// An administrator adds ready-made scenarios; the wall has them.
func TestConsole_ReadyMade(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("root", "administrator")
	root := d.at(0, "root", 1366, 768)
	root.go_("scenarios")
	root.do(chromedp.SetValue(chromedp.CSS("select[name=place]"), "tuen-mun/on-ting"))
	root.press("input[value=rain-black]")
	root.press("main button.main")
	root.says("rain-black")
	id := root.send("rain-black", map[string]string{"issued": "14:40"}, "發出")
	root.go_("alerts/" + id)
	root.says("黑色暴雨")
}

// One writes, another approves in a browser of another kind; nobody approves what is theirs.
func TestConsole_TwoPersons(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer", "approver")
	d.person("ben", "approver")
	amy, ben := d.at(0, "amy", 1366, 768), d.at(0, "ben", 390, 844)
	id := amy.send("flood", nil, "SEND")
	amy.says("waits for approval")
	amy.go_("alerts/" + id + "/approve")
	amy.says("somebody else must approve")
	amy.until("no button", `!document.querySelector("form[action$=\"/approve\"]")`)
	row := `document.querySelector('[data-alert="` + id + `"]')`
	amy.go_("now")
	amy.until("it waits, and nobody corrects what nobody was told", row+`.textContent.includes("written") && !`+row+`.querySelector("a[href$='/correct']")`)

	ben.go_("approvals")
	ben.press(`a[href="/console/alerts/` + id + `/approve"]`)
	ben.says("Flooding. Stay away from the river")
	ben.says("水浸，遠離河道")
	ben.fill("reason", "seen from the window")
	ben.press("form.send button")
	ben.says("It is sent")
	amy.until("the open page says that it is sent, and what can be done now", `!`+row+`.textContent.includes("written") && `+row+`.querySelector("a[href$='/correct']")`)
	amy.go_("alerts/" + id)
	amy.says("Approved by ben")
}

// What moves on a page leaves the hand and the focus where they are, and says when it is old.
func TestConsole_Live(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	amy, other := d.at(0, "amy", 1366, 768), d.at(0, "amy", 1366, 768)
	first := amy.send("fire", map[string]string{"where": "Block 2"}, "SEND")
	amy.go_("now")
	button := `[data-alert="` + first + `"] a.stop`
	amy.script(`document.querySelector('` + button + `').focus()`)
	top := read[float64](amy.tab, `document.querySelector('`+button+`').getBoundingClientRect().top`)
	second := other.send("water", nil, "SEND")
	amy.until("the new alert is there", `document.querySelector('[data-alert="`+second+`"]')`)
	require.True(t, read[bool](amy.tab, `document.activeElement === document.querySelector('`+button+`')`), "the focus stayed")
	require.InDelta(t, top, read[float64](amy.tab, `document.querySelector('`+button+`').getBoundingClientRect().top`), 0.5, "nothing moved")
	other.go_("alerts/" + second + "/end")
	other.press("button.stop")
	other.says("It is stopped")
	amy.until("what is over says so", `document.querySelector('[data-alert="`+second+`"]').innerText.includes("Over")`)

	amy.go_("alerts/" + first)
	amy.until("it is active", `document.querySelector("[data-part=state]").innerText.includes("active")`)
	other.go_("alerts/" + first + "/end")
	other.press("button.stop")
	amy.until("the page of one alert moves, too", `document.querySelector("[data-part=state]").innerText.includes("stopped")`)
	amy.fresh("the page of an alert that was stopped")

	d.crash(0)
	amy.until("the page says that it is old", `document.body.classList.contains("stale") && document.querySelector("[data-at]").innerText.includes("NOT UP TO DATE")`)
	amy.shot("console-stale")
	d.start(0)
	amy.until("the page is new again", `!document.body.classList.contains("stale")`)
}

// A session opens on every node, also on one that is alone, and ends everywhere at once.
func TestConsole_SessionOnAnotherNode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("amy", "composer")
	amy := d.at(0, "amy", 1366, 768)
	// A node that does not know the session yet asks to sign in.
	open := func(i int, what string) {
		t.Helper()
		d.until(what, func() bool {
			amy.do(chromedp.Navigate(d.api(i) + "/console/wall"))
			return read[bool](amy.tab, `document.querySelector(".wall") !== null`)
		})
	}
	open(1, "signed in at the second node")
	open(2, "signed in at the third node")
	d.stop(0)
	d.crash(1)
	d.until("the third node is alone", func() bool {
		var is struct{ Alone bool }
		return d.get(2, "status", &is) == nil && is.Alone
	})
	open(2, "still signed in")
	amy.says("alone since")
	amy.shot("console-alone")
	amy.do(chromedp.Navigate(d.api(2) + "/console/fire/water"))
	amy.says("As it is, this cannot be sent")
	another := &operator{tab: newBrowser(t).open(d.api(2)+"/console/", 390, 844), d: d}
	another.signIn("amy")
	another.says("signed in at this node only")
	another.shot("console-alone-signed-in")

	d.start(0)
	d.start(1)
	d.until("they agree again", func() bool {
		var is struct{ Quorum bool }
		return d.get(2, "status", &is) == nil && is.Quorum
	})
	amy.do(chromedp.Navigate(d.api(1) + "/console/account"))
	amy.press(`form[action="/console/sign-out-everywhere"] button`)
	amy.page("/console/sign-in")
	d.until("signed out at the other node", func() bool {
		another.do(chromedp.Navigate(d.api(2) + "/console/wall"))
		return read[bool](another.tab, `location.pathname === "/console/sign-in"`)
	})
}
