//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// What stories about screens have in common.

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
func showing(frame, headline string) string {
	return `[...document.querySelectorAll(".card.` + frame + `")].some(c => c.getAttribute("aria-label").includes("` + headline + `"))`
}

// drawn is how often an alert was ever put on the glass of this page: once for each revision.
func drawn(p *tab, alert string) int {
	return read[int](p, `everDrawn.filter(d => d.alert === "`+alert+`").length`)
}

type sent struct {
	Alert    string
	Revision uint64
}

// info is what an alert says in one language.
type info map[string]any

func text(language, event, headline, instruction string) info {
	return info{
		"language": language, "category": []string{"Fire"}, "event": event, "urgency": "Immediate", "severity": "Extreme", "certainty": "Observed",
		"headline": headline, "instruction": instruction, "area": []map[string]any{{"areaDesc": "安定邨 On Ting"}},
	}
}

func (i info) with(key string, value any) info { i[key] = value; return i }

// minor makes an advisory of it.
func (i info) minor() info {
	return i.with("urgency", "Expected").with("severity", "Moderate").with("certainty", "Likely")
}

// warn sends an alert to the estate through a node, which holds for so long.
func (d *district) warn(node int, lasts time.Duration, status string, infos ...info) sent {
	d.t.Helper()
	for _, i := range infos {
		i["expires"] = time.Now().Add(lasts).Format("2006-01-02T15:04:05-07:00")
	}
	body, err := json.Marshal(map[string]any{"select": "place under tuen-mun/on-ting", "alert": map[string]any{"status": status, "info": infos}})
	require.NoError(d.t, err)
	r, err := http.NewRequest(http.MethodPost, d.api(node)+"/api/v1/alerts", bytes.NewReader(body))
	require.NoError(d.t, err)
	r.Header.Set("Authorization", "Bearer "+d.token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	require.NoError(d.t, err)
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	require.NoError(d.t, err)
	require.Less(d.t, answer.StatusCode, 300, "%s", raw)
	var out sent
	require.NoError(d.t, json.Unmarshal(raw, &out))
	return out
}

func (d *district) cancel(node int, alert string) {
	d.t.Helper()
	d.run(node, "alert", "cancel", "--reason", "all clear", alert)
}

// rung waits until so many members are at a rung of an alert.
func (d *district) rung(node int, alert, rung string, want int) {
	d.t.Helper()
	d.until(rung+" is told", func() bool { return d.rungs(node, alert)[rung] == want })
}

func (d *district) rungs(node int, alert string) map[string]int {
	d.t.Helper()
	var shown struct{ Rungs map[string]int }
	require.NoError(d.t, d.get(node, "alerts/"+alert, &shown))
	return shown.Rungs
}
