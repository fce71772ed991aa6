package completion

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"almenara/node/cli/command"
)

func table() []command.Command {
	setup := func(fs *pflag.FlagSet) command.Runner {
		fs.String("headline", "", "one line that says it all")
		return func(context.Context, *command.Env, []string) error { return nil }
	}
	return append([]command.Command{
		{Name: "alert send", Purpose: "send an alert", Args: "FILE", Example: "almenara alert send flood.xml", Setup: setup},
		{Name: "alert list", Purpose: "list alerts", Example: "almenara alert list", Setup: setup},
		{Name: "status", Purpose: "say how a node is", Example: "almenara status", Setup: setup},
	}, Commands(nil)...)
}

// What a script asks about is answered with the commands and flags of the table.
func TestAnswer_CompletesCommandsAndFlags(t *testing.T) {
	ask := func(args ...string) string {
		args = append([]string{cobra.ShellCompNoDescRequestCmd}, args...)
		require.True(t, Asked(args))
		var out bytes.Buffer
		require.Zero(t, Answer(args, &out, table()))
		return out.String()
	}
	require.Contains(t, ask(""), "alert\n")
	require.Contains(t, ask("st"), "status\n")
	require.Contains(t, ask("alert", ""), "send\n")
	require.NotContains(t, ask("alert", "l"), "send\n")
	require.Contains(t, ask("alert", "send", "--head"), "--headline\n")
	require.False(t, Asked([]string{"alert", "send"}))
	require.False(t, Asked(nil))
}

func TestScript_IsOneThatItsShellReads(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var out bytes.Buffer
		require.NoError(t, script(&out, tree(table()), shell))
		require.Contains(t, out.String(), cobra.ShellCompRequestCmd)
		if path, err := exec.LookPath(shell); err == nil {
			check := exec.CommandContext(t.Context(), path, "-n")
			check.Stdin = bytes.NewReader(out.Bytes())
			said, err := check.CombinedOutput()
			require.NoError(t, err, "%s: %s", shell, said)
		}
	}
	require.ErrorContains(t, script(&bytes.Buffer{}, tree(table()), "powershell"), "bash, zsh and fish")
}

func TestManual_HasAPageForEachCommand(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "man1")
	pages, err := manual(tree(table()), folder)
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(folder, "*.1"))
	require.NoError(t, err)
	require.Len(t, files, pages)
	page, err := os.ReadFile(filepath.Join(folder, "almenara-alert-send.1"))
	require.NoError(t, err)
	for _, text := range []string{"send an alert", "headline", "flood.xml"} {
		require.True(t, strings.Contains(string(page), text), text)
	}
}
