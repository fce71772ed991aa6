//go:build e2e

package e2e

import (
	"net/url"
	"strings"
	"testing"
)

const block = "tuen-mun/on-ting/on-lai"

// screen enrols a device and opens its page at a node, as a link does that a person opened.
func (d *district) screen(b *browser, node int, id string, width, height int64, more ...string) *tab {
	d.t.Helper()
	var enrolled []struct {
		Secret  string
		Servers []string
		RootKey string `json:"root_key"`
	}
	d.read(node, &enrolled, "device", "enrol", "--kind", "screen", "--place", block, id)
	given := url.Values{"id": {id}, "secret": {enrolled[0].Secret}, "root": {enrolled[0].RootKey}, "servers": {strings.Join(enrolled[0].Servers, ",")}, "zone": {"Asia/Hong_Kong"}}
	for i := 0; i+1 < len(more); i += 2 {
		given.Set(more[i], more[i+1])
	}
	p := b.open(d.api(node)+"/screen/#"+given.Encode(), width, height)
	p.until("the screen is connected", connected)
	return p
}

const (
	connected = `document.querySelector("#age").className === "fresh" && document.querySelector("#age").textContent.includes("connected")`
	idle      = `document.querySelector("#cards").className === "idle"`
)

// showing is true in the page once a headline stands on a card of a frame.
func showing(frame, text string) string {
	return `[...document.querySelectorAll(".card.` + frame + `")].some(c => c.getAttribute("aria-label").includes("` + text + `"))`
}

type sent struct {
	Alert    string
	Revision uint64
}

// warn sends an alert to the block.
func (d *district) warn(node int, args ...string) sent {
	d.t.Helper()
	var out sent
	d.read(node, &out, append([]string{"alert", "send", "--select", "place under tuen-mun/on-ting"}, args...)...)
	return out
}

func grave(event, headline string, more ...string) []string {
	return append([]string{"--event", event, "--severity", "Extreme", "--urgency", "Immediate", "--certainty", "Observed", "--headline", headline}, more...)
}

// rung is how many members are at a rung of an alert.
func (d *district) rung(node int, alert, rung string, want int) {
	d.t.Helper()
	d.until(rung+" is told", func() bool {
		var shown struct{ Rungs map[string]int }
		d.read(node, &shown, "alert", "show", alert)
		return shown.Rungs[rung] == want
	})
}

func TestScreen_TakesOverAndRestoresWhatRan(t *testing.T) {
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	p.until("nothing is in force", idle)
	p.shot("screen-idle")
	fire := d.warn(0, grave("Fire", "Fire in On Lai House: leave by the stairs now", "--instruction", "Do not use the lifts. Close doors behind you. Wait at the playground.")...)
	p.until("the alert is shown", showing("danger", "Fire in On Lai House"))
	p.shot("screen-emergency")
	d.rung(0, fire.Alert, "presented", 1)
	d.run(0, "alert", "cancel", "--reason", "all clear", fire.Alert)
	p.until("the alert is gone", idle)
	d.rung(0, fire.Alert, "cancelled", 1)
}
