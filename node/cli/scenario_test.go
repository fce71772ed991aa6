package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/command"
	"almenara/node/scenario/ready"
)

// What was exported is imported as it was, and a folder is put as a whole or not at all.
func TestScenario_GoesFromDistrictToDistrictAsFiles(t *testing.T) {
	w := newWorld(t)
	folder := filepath.Join(t.TempDir(), "scenarios")
	require.Equal(t, command.ExitDone, w.run("scenario", "export", folder), w.err.String())
	require.FileExists(t, filepath.Join(folder, apitest.AlertID+".json"))
	require.Equal(t, command.ExitDone, w.run("scenario", "import", "--dry-run", folder), w.err.String())
	require.Equal(t, "Scenario "+apitest.AlertID+" can be put; it addresses 2 members now.\n", w.out.String())
	require.Equal(t, command.ExitDone, w.run("scenario", "import", folder), w.err.String())
	require.Equal(t, "Scenario "+apitest.AlertID+" is in force; it addresses 2 members now.\n", w.out.String())

	write(t, folder, "odd.json", `{"id":"odd","title":"Odd","minuts":5}`)
	before := len(w.Calls())
	write(t, folder, "loose.json", `{"id":"loose","title":"Loose","approvals":2,"Approvals":0}`)
	require.Equal(t, command.ExitUsage, w.run("scenario", "put", filepath.Join(folder, "loose.json")))
	require.Contains(t, flat(w.err.String()), `it has the field "approvals" twice`, "who reads the file may have read the other one")
	require.NoError(t, os.Remove(filepath.Join(folder, "loose.json")))
	require.Equal(t, command.ExitUsage, w.run("scenario", "import", folder))
	require.Contains(t, w.err.String(), `unknown field "minuts"`)
	require.Len(t, w.Calls(), before, "nothing was asked before all files were read")
	write(t, folder, "odd.json", `{"id":"`+apitest.AlertID+`","title":"Again","alert":{},"minutes":5}`)
	require.Equal(t, command.ExitUsage, w.run("scenario", "import", folder))
	require.Contains(t, flat(w.err.String()), "are both the scenario "+apitest.AlertID)
	require.Equal(t, command.ExitUsage, w.run("scenario", "import", t.TempDir()))
}

func TestScenarioReady_IsPutByNameAndLeavesWhatTheDistrictHas(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "fire.json")
	require.Equal(t, command.ExitDone, w.run("scenario", "ready", "show", "--file", file, "block-fire"), w.err.String())
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(raw), "切勿使用升降機")
	require.Equal(t, command.ExitDone, w.run("scenario", "ready", "put", "tc10", "block-fire"), w.err.String())
	require.Equal(t, []string{
		"ListScenarios", "CheckScenario tc10", "CheckScenario block-fire",
		"PutScenario tc10 十號颶風信號 · Hurricane Signal No. 10", "PutScenario block-fire 大廈火警 · Fire in a block",
	}, w.Calls(), "all are tried before one is put")
	require.Equal(t, command.ExitUsage, w.run("scenario", "ready", "put"))
	require.Equal(t, command.ExitUsage, w.run("scenario", "ready", "put", "--all", "tc10"))
	require.Equal(t, command.ExitUsage, w.run("scenario", "ready", "show", "unheard"))
	all, err := ready.All()
	require.NoError(t, err)
	require.Equal(t, command.ExitDone, w.run("scenario", "ready", "list"))
	for _, s := range all {
		require.Contains(t, w.out.String(), s.ID)
	}
}

// The words are looked at where somebody asks for it, and change no verdict.
func TestCapCheck_SaysWhatTheTextsLack(t *testing.T) {
	w := newWorld(t)
	file := write(t, t.TempDir(), "a.xml", `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>1</identifier><sender>a@b</sender><sent>2026-07-20T17:40:00+08:00</sent>`+
		`<status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><language>en</language><category>Met</category><event>Alert</event><urgency>Immediate</urgency>`+
		`<severity>Severe</severity><certainty>Observed</certainty><headline>Flood</headline><area><areaDesc>here</areaDesc><circle>22.4,113.9 1</circle></area></info></alert>`)
	w.run("cap", "check", file)
	without := w.out.String()
	w.run("cap", "check", "--words", file)
	require.True(t, strings.HasPrefix(w.out.String(), without), "the verdict stays")
	for _, part := range []string{"(senderName)", `the event is "Alert"`, "(instruction)", "does not say when"} {
		require.Contains(t, w.out.String(), "\twords\tthe text in en")
		require.Contains(t, w.out.String(), part)
	}
	w.run("cap", "check", "--words", "--json", file)
	require.Contains(t, w.out.String(), `"rule": "hazard"`)
}
