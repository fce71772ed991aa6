//go:build e2e

package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Nothing sounds before somebody has pressed for it; then an emergency and a drill are told apart without a
// look, on the page of what is in force, on the wall view and where they were sent from, each once.
func TestSound_LiveAndDrillDiffer(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer")
	d.person("eve", "viewer")
	amy, eve := d.at(0, "amy", 1366, 768), d.at(0, "eve", 1366, 768)
	const last = `document.querySelector("[data-sound]").dataset.last`

	eve.go_("now")
	eve.until("it is off", `document.querySelector("[data-sound]").innerText === "Sound: off"`)
	amy.send("fire", map[string]string{"where": "Block 1"}, "SEND")
	require.Equal(t, "undefined", read[string](amy.tab, "String("+last+")"), "nothing sounds before it was pressed for")
	eve.until("the alert is there", `document.querySelector("[data-tone=live]")`)
	require.Equal(t, "undefined", read[string](eve.tab, "String("+last+")"))

	eve.press("[data-sound]")
	eve.until("it is on, and heard", `document.querySelector("[data-sound]").innerText === "Sound: on" && `+last+` === "armed"`)
	amy.send("water", nil, "SEND")
	eve.until("the advisory is there", `document.querySelectorAll("[data-alert]").length === 2`)
	require.Equal(t, "armed", read[string](eve.tab, last), "what is no emergency does not sound")
	amy.send("drill", nil, "DRILL")
	eve.until("the drill sounded", last+` === "drill"`)
	amy.send("fire", map[string]string{"where": "Block 2"}, "SEND")
	eve.until("the emergency sounded", last+` === "live"`)

	eve.go_("watch")
	eve.until("it is on still, and silent of what was heard", `document.querySelector("[data-sound]").innerText === "Sound: on" && document.querySelectorAll("[data-tone]").length === 4 && `+last+` === undefined`)
	eve.accessible(t, "watch")
	require.Empty(t, read[string](eve.tab, `[...document.querySelectorAll("[data-live] a, [data-live] button")].map(n => n.outerHTML).join()`), "there is nothing to press")
	amy.go_("now")
	amy.press("[data-sound]")
	amy.send("fire", map[string]string{"where": "Block 3"}, "SEND")
	amy.until("who sent it hears it", last+` === "live"`)
	eve.until("and the operations room", last+` === "live"`)
	eve.shot("console-watch-desk")
	amy.go_("now")
	amy.until("once", `document.querySelectorAll("[data-tone=live]").length === 3 && `+last+` === undefined`)
	eve.press("[data-sound]")
	eve.until("it is off again", `document.querySelector("[data-sound]").innerText === "Sound: off"`)
}
