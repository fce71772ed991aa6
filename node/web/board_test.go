package web_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/web"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

var well = wire.Status{
	Node: "n1", Ready: true, Quorum: true, Devices: 12, InForce: 3, PolicyAge: 0,
	Nodes: []wire.NodeInfo{{ID: "n1"}, {ID: "n2", Reachable: true}, {ID: "n3", Reachable: true}},
	Disk:  wire.Disk{Level: "ample"}, Clock: wire.Clock{Source: "own"},
}

// shown is the board for a status, asked with a query and an Accept-Language.
func shown(t *testing.T, s wire.Status, err error, query, accept string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", "/"+query, nil)
	r.Header.Set("Accept-Language", accept)
	w := httptest.NewRecorder()
	web.Board(func(context.Context) (wire.Status, error) { return s, err }).ServeHTTP(w, r)
	require.Equal(t, 200, w.Code)
	return w
}

func TestBoard_SaysTheStateFirst(t *testing.T) {
	alone := well
	alone.Ready, alone.Alone, alone.Quorum = false, true, false
	alone.AloneSince, alone.PolicyAge = time.Date(2026, 3, 1, 3, 7, 36, 0, time.UTC), 3723
	out := alone
	out.Quarantined, out.Why = true, why.Sayf("its disk does not hold what it wrote").Because(why.QuarantinedDisk, alone.AloneSince, why.Sayf("devices here are still warned").Because(why.DevicesWarned))
	starting := wire.Status{Node: "n1", Why: why.Sayf("the district's record has not arrived yet").Because(why.NoDistrictRecord), PolicyAge: -1}
	silent, absent, drill := well, well, well
	drill.Isolated = true
	silent.Nodes = []wire.NodeInfo{{ID: "n1", Reachable: true}, {ID: "n2", LastAnswer: alone.AloneSince}}
	absent.Nodes = []wire.NodeInfo{{ID: "n1", Reachable: true}, {ID: "n2", NeverSeen: true}}
	for _, c := range []struct {
		name    string
		status  wire.Status
		english []string
		chinese string
	}{
		{"agrees", well, []string{"<h1>In agreement</h1>", `class="good"`, "3 / 3", "<td>12</td>"}, "<h1>與區內一致</h1>"},
		{"one of two does not answer", silent, []string{"<h1>A node does not answer</h1>", `class="alone"`, "1 / 2 of its nodes", "does not answer · 2026-03-01 03:07:36 UTC"}, "沒有回應 · 2026"},
		{"one of two never came", absent, []string{"<h1>A node does not answer</h1>", `class="alone"`, "admitted, never seen"}, "從未出現"},
		{"alone", alone, []string{"<h1>Alone</h1>", `class="alone"`, "Since 2026-03-01 03:07:36 UTC", "licensed scenarios, cancels", "1h2m3s"}, "自 2026-03-01 03:07:36 UTC 起"},
		{"a drill copy, which says what it is before all", drill, []string{"<h1>DRILL COPY</h1>", `class="drill"`, "warns nobody there", "In agreement: This node agrees"}, "<h1>演習副本</h1>"},
		{"quarantined, which says more than alone", out, []string{"<h1>Quarantined</h1>", `class="bad"`, "its disk does not hold"}, "磁碟內容與寫入時不同；此處的裝置仍會收到警報"},
		{"not ready", starting, []string{"<h1>Not ready</h1>", "record has not arrived", "never received"}, "尚未收到本區的紀錄"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, text := range c.english {
				require.Contains(t, shown(t, c.status, nil, "", "").Body.String(), text)
			}
			require.Contains(t, shown(t, c.status, nil, "", "zh-HK,zh;q=0.9,en;q=0.8").Body.String(), c.chinese)
		})
	}
}

func TestBoard_LanguageOfTheQueryGoesFirst(t *testing.T) {
	require.Contains(t, shown(t, well, nil, "?lang=en", "zh-Hant").Body.String(), `<html lang="en">`)
	require.Contains(t, shown(t, well, nil, "?lang=zh-Hant", "en").Body.String(), `<html lang="zh-Hant">`)
	require.Contains(t, shown(t, well, nil, "?lang=;;", "pt;;;").Body.String(), `<html lang="en">`, "what cannot be read")
}

func TestBoard_GivesNothingAway(t *testing.T) {
	hostile := well
	hostile.Ready, hostile.Why = false, why.Sentence{Text: "<script>alert(1)</script>"}
	hostile.Name, hostile.District, hostile.Warnings = "box-7", "Sham Shui Po", why.Sentences{{Text: "somebody's name"}}
	w := shown(t, hostile, nil, "", "")
	require.NotContains(t, w.Body.String(), "<script")
	for _, hidden := range []string{"box-7", "Sham Shui Po", "somebody"} {
		require.NotContains(t, w.Body.String(), hidden)
	}
	require.Regexp(t, `href="/static/board\.[0-9a-f]{16}\.css"`, w.Body.String())
	require.Equal(t, "5", w.Header().Get("Refresh"))
	require.Contains(t, shown(t, wire.Status{}, errors.New("store is closed"), "", "").Body.String(), "cannot say how it is")
}
