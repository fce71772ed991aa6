package cli

import (
	"os"
	"path/filepath"
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
		"ListScenarios", "PutScenario tc10 十號颶風信號 · Hurricane Signal No. 10", "PutScenario block-fire 大廈火警 · Fire in a block",
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
