//go:build e2e

package e2e

import "testing"

func TestBoard_SaysThatAllIsWell(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 2)
	p := newBrowser(t).open(d.api(1)+"/?lang=en", 390, 844)
	p.until("the nodes agree", `document.querySelector("h1").textContent === "In agreement"`)
	p.shot("board-phone")
}
