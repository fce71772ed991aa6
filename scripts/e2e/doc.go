// Package e2e holds what people see to what nodes know: browsers against real nodes. Its tests
// need Debian's chromium and the build tag e2e; scripts/e2e.sh runs them and installs what is
// missing.
//
// The harness is small. newDistrict starts nodes of the built program and runs commands at them;
// newBrowser opens pages of a size, with a profile that outlives the browser, and takes pictures:
//
//	d := newDistrict(t, 2)
//	d.run(0, "alert", "send", "--event", "Fire", …)
//	p := newBrowser(t).open(d.api(0)+"/", 390, 844)
//	p.until("the board says that all is well", `document.querySelector("h1").textContent === "In agreement"`)
//	p.shot("board-phone")
//
// The program is at -program, and pictures go to the folder -shots. The package owns no rule of
// the product, and nothing imports it.
package e2e
