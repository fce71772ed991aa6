//go:build e2e

package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A screen without any node still knows when an alert is over, says how old its knowledge is, and
// shows nothing of what was over before it came back.
func TestScreen_WithoutANodeShowsNothingDead(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	b := newOwnBrowser(t)
	p := d.screen(b, 0, "lift-1", 1920, 1080)
	short := d.warn(0, 40*time.Second, "Actual", text("en", "Fire", "Short", "Leave."))
	long := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Long", "Leave."))
	p.until("both are shown", showing("danger", "Short")+" && "+showing("danger", "Long"))
	d.rung(0, short.Alert, "presented", 1)
	d.rung(0, long.Alert, "presented", 1)
	d.crash(0)
	p.until("the page says that its last word is old", `document.querySelector("#age").className === "old"`)
	p.shot("last-word-old")
	p.until("what has run out is gone, and nothing else", `document.querySelectorAll(".card").length === 1 && `+showing("danger", "Long"))
	d.start(0)
	p.until("the screen is connected again", connected)
	d.rung(0, short.Alert, "cancelled", 1)
	require.Equal(t, 1, drawn(p, long.Alert))

	// The screen loses power; the alert is over before it is back.
	address := read[string](p, "location.href")
	require.NotContains(t, address, "#", "the secret is out of the address")
	b.kill()
	d.cancel(0, long.Alert)
	b.start()
	p = b.open(address, 1920, 1080)
	p.until("the screen is back", connected)
	p.until("nothing is shown", idle)
	require.Empty(t, read[[]any](p, "everDrawn"), "not for a moment")
	d.rung(0, long.Alert, "cancelled", 1)
}

// What is in force survives a power cut of the screen, and does not begin a second time.
func TestScreen_ResumesAfterAPowerCut(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	b := newOwnBrowser(t)
	p := d.screen(b, 0, "lift-1", 1920, 1080)
	a := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Leave now", ""))
	p.until("it is shown", showing("danger", "Leave now"))
	d.rung(0, a.Alert, "presented", 1)
	address := read[string](p, "location.href")
	b.kill()
	b.start()
	p = b.open(address, 1920, 1080)
	p.until("it is shown again", showing("danger", "Leave now"))
	require.Equal(t, 1, d.rungs(0, a.Alert)["presented"])
}

func TestScreen_RefusesWhatIsForgedOrReplayed(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	first := d.warn(0, time.Hour, "Actual", text("en", "Fire", "The real one", "Leave."))
	p.until("it is shown", showing("danger", "The real one"))
	d.cancel(0, first.Alert)
	p.until("it is gone", idle)

	p.script(`window.old = bodies().pop(); bring(old.slice())`) // what the node itself signed, once more
	second := d.warn(0, time.Hour, "Actual", text("en", "Fire", "The second one", "Leave."))
	p.until("it is shown", showing("danger", "The second one"))
	require.Equal(t, 1, drawn(p, first.Alert), "a cancelled alert stays over")

	// One letter of the signed text is another, and the signature that of the real one.
	p.script(`(() => {
		const forged = bodies().pop().slice()
		const text = new TextDecoder('latin1').decode(forged)
		const at = text.indexOf('.', text.indexOf('.eyJ') + 1) - 40
		forged[at] = forged[at] === 65 ? 66 : 65
		bring(forged)
	})()`)
	p.until("the page says what it refused", `almenara.receiver.health.refused && almenara.receiver.health.refused.includes("`+second.Alert+`")`)
	require.Equal(t, 1, drawn(p, second.Alert))
	d.rung(0, second.Alert, "presented", 1)
}

// The node that a screen hangs on is lost; it goes on at another, and shows nothing twice.
func TestScreen_GoesToAnotherNode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	b := newBrowser(t)
	p := d.screen(b, 0, "lift-1", 1920, 1080)
	before := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Before", "Leave."))
	p.until("it is shown", showing("danger", "Before"))
	d.rung(1, before.Alert, "presented", 1)
	d.crash(0)
	p.until("another node serves it", `sockets[sockets.length - 1].url.startsWith("ws://") && !sockets[sockets.length - 1].url.includes("`+d.nodes[0].listen+`") && almenara.receiver.silence() < 10000 && sockets[sockets.length - 1].readyState === 1`)
	during := d.warn(1, time.Hour, "Actual", text("en", "Gas", "During", "Leave."))
	p.until("what comes there is shown", showing("danger", "During"))
	d.rung(1, during.Alert, "presented", 1)
	d.cancel(2, before.Alert)
	p.until("what ends there is gone", `![...document.querySelectorAll(".card")].some(c => c.dataset.alert === "`+before.Alert+`")`)
	require.Equal(t, 1, drawn(p, before.Alert))
	require.Equal(t, 1, drawn(p, during.Alert))
}

// Presented is told of what can be seen, and of nothing else.
func TestScreen_TellsNothingOfWhatIsCovered(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	p := d.screen(newBrowser(t), 0, "lift-1", 1920, 1080)
	p.script(`document.body.insertAdjacentHTML("beforeend", '<div id="lid" style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9;background:#fff"></div>'); document.getElementById("lid").style.cssText = "position:fixed;top:0;left:0;width:100%;height:100%;z-index:9;background:#fff"`)
	a := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Covered", "Leave."))
	d.rung(0, a.Alert, "verified", 1)
	p.until("the page knows that it is covered", `almenara.receiver.health.display === "covered"`)
	require.Zero(t, d.rungs(0, a.Alert)["presented"])
	p.script(`document.getElementById("lid").remove()`)
	d.rung(0, a.Alert, "presented", 1)
	p.until("the page knows that it is seen", `almenara.receiver.health.display === "painted"`)
}
