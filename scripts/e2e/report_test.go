//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// saved is a file that a page offers, as the person's browser would save it.
func (o *operator) saved(path string) string {
	o.t.Helper()
	return read[string](o.tab, `fetch("/console/`+path+`").then(r => r.ok ? r.text() : Promise.reject(r.status))`)
}

// sheets is how many sheets of paper the page takes.
func (o *operator) sheets() int {
	o.t.Helper()
	printed, err := chromedp.Call(o.ctx, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	require.NoError(o.t, err)
	if *shots != "" {
		require.NoError(o.t, os.WriteFile(filepath.Join(*shots, "report.pdf"), printed.Data, 0o644))
	}
	return len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(printed.Data, -1))
}

// After an alert: what it came to on one page, who did it in the audit, and the chain that is verified
// without a node.
func TestReport_WhatAnAlertCameTo(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	estate(d)
	d.person("amy", "composer")
	d.person("ann", "auditor")
	d.screen(newBrowser(t), 0, "lobby", 1280, 720)
	amy := d.at(0, "amy", 1366, 768)
	id := amy.send("fire", map[string]string{"where": "Block 2"}, "SEND")
	amy.until("it was presented", `Number(document.querySelector('[data-rung="presented"]').textContent) >= 1`)
	amy.fresh("the page of an alert that a screen shows")
	amy.go_("alerts/" + id + "/correct")
	amy.press("button[name=false-alarm]")
	amy.says("CORRECTION: false alarm")
	amy.go_("alerts/" + id + "/end")
	amy.fill("reason", "it was steam")
	amy.press("button.stop")
	amy.says("It is stopped")

	amy.press(`a[href="/console/alerts/` + id + `/report"]`)
	amy.page("/report$")
	for _, text := range []string{"the button was pressed", "Changed: ", "Stopped", "it was steam", "the first device shows it", "Dark: "} {
		amy.says(text)
	}
	require.Equal(t, 1, amy.sheets(), "it is one sheet of A4")
	require.Contains(t, amy.saved("alerts/"+id+"/report.csv"), "event,first,")
	elsewhere := d.at(1, "amy", 1366, 768)
	elsewhere.go_("alerts/" + id + "/report")
	elsewhere.says("it was steam")

	ann := d.at(2, "ann", 1366, 768)
	ann.go_("audit?holds=" + id)
	ann.says("alert on record")
	ann.says("it was steam")
	require.Contains(t, ann.saved("audit/lines.csv?about=people"), "user put")
	file := filepath.Join(t.TempDir(), "almenara-audit.jsonl")
	chain := ann.saved("audit/chain.jsonl")
	require.NoError(t, os.WriteFile(file, []byte(chain), 0o600))
	var verified struct{ OK bool }
	d.read(0, &verified, "audit", "verify", file)
	require.True(t, verified.OK, "the command that the page names says so")
	forged := strings.Replace(chain, "it was steam", "it was smoke", 1)
	require.NotEqual(t, chain, forged)
	require.NoError(t, os.WriteFile(file, []byte(forged), 0o600))
	_, err := d.try(0, "audit", "verify", file)
	require.Error(t, err, "a line that was changed is found")
	amy.go_("audit")
	amy.says("You may not do this")
}

// Whoever cannot sign in finds what to do.
func TestHandbook_WithoutSigningIn(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	at := &operator{tab: newBrowser(t).open(d.api(0)+"/console/sign-in", 390, 844), d: d}
	at.press(`footer a[href="/console/handbook"]`)
	at.page("/handbook$")
	at.do(chromedp.SetValue(chromedp.CSS("input[name=q]"), "quarantined"))
	at.press("form[role=search] button")
	at.press(`.hits a[href$="#banner.quarantined"]`)
	at.says("almenara rejoin")
}

func TestReport_Pages(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	estate(d)
	d.person("amy", "composer", "auditor")
	d.screen(newBrowser(t), 0, "lobby", 1280, 720)
	first := d.at(0, "amy", 1366, 768)
	id := first.send("fire", map[string]string{"where": "Block 2"}, "SEND")
	first.until("it was presented", `Number(document.querySelector('[data-rung="presented"]').textContent) >= 1`)
	first.go_("alerts/" + id + "/correct")
	first.press("button[name=false-alarm]")
	first.says("CORRECTION: false alarm")
	for _, size := range []struct {
		name          string
		width, height int64
	}{{"desk", 1366, 768}, {"phone", 390, 844}} {
		amy := d.at(0, "amy", size.width, size.height)
		for name, path := range map[string]string{
			"ability": "ability", "report": "alerts/" + id + "/report", "audit": "audit", "handbook": "handbook", "handbook-search": "handbook?q=disk", "handbook-faults": "handbook/faults",
			"handbook-first-hour": "handbook/first-hour", "handbook-who": "handbook/who", "handbook-record": "handbook/record", "handbook-duty": "handbook/duty", "handbook-contract": "handbook/contract",
		} {
			amy.go_(path)
			amy.accessible(t, name)
			require.LessOrEqual(t, read[int](amy.tab, "document.documentElement.scrollWidth"), int(size.width), "%s is wider than the screen", name)
			shot := "report-" + name + "-" + size.name
			amy.shot(shot)
			if *shots == "" {
				continue
			}
			amy.do(chromedp.EmulateViewport(size.width, 2400)) // what is further down
			amy.shot(shot + "-long")
			amy.chinese(shot + "-zh-long")
			amy.do(chromedp.EmulateViewport(size.width, size.height))
			amy.chinese(shot + "-zh")
		}
		amy.do(chromedp.EmulateViewport(320, 600))
		for _, path := range []string{"alerts/" + id + "/report", "audit", "handbook/faults", "handbook/who"} {
			amy.go_(path)
			require.LessOrEqual(t, read[int](amy.tab, "document.documentElement.scrollWidth"), 320, "%s is wider than 320 px", path)
		}
	}
}
