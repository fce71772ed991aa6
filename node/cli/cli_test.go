package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/api/openapi/openapitest"
	"almenara/node/authority"
	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

var update = flag.Bool("update", false, "write the golden files anew")

// world is a served API and the command line against it.
type world struct {
	*apitest.Fake
	engine   inprocess.Engine
	env      map[string]string
	in       string
	tty      bool
	drill    bool // the node is of a drill copy
	out, err bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Fake: apitest.New()}
	handler := api.New(apitest.Services(w.Fake), api.Options{Drill: func() bool { return w.drill }})
	described, err := openapitest.Read(api.OpenAPI(""))
	require.NoError(t, err)
	server := httptest.NewServer(described.Handler(t, handler))
	t.Cleanup(server.Close)
	t.Cleanup(handler.EndStreams)
	w.env = map[string]string{"ALMENARA_API": server.URL, "ALMENARA_TOKEN": apitest.Token(authority.RoleAdministrator)}
	return w
}

// run runs one command line and returns the exit code.
func (w *world) run(args ...string) int { return w.runIn(context.Background(), args...) }

func (w *world) runIn(ctx context.Context, args ...string) int {
	w.out.Reset()
	w.err.Reset()
	return Run(ctx, args, command.IO{
		In: strings.NewReader(w.in), Out: &w.out, Err: &w.err, IsTTY: w.tty, ErrTTY: w.tty, Getenv: func(name string) string { return w.env[name] },
	}, w.engine)
}

// golden compares with testdata/name, and checks the 80 columns.
func golden(t *testing.T, name, got string) {
	t.Helper()
	for _, line := range strings.Split(got, "\n") {
		require.LessOrEqual(t, terminal.ColumnsOf(line), 80, line)
	}
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestHelp_OfEveryCommandHasAnExample(t *testing.T) {
	w := newWorld(t)
	var all strings.Builder
	for _, c := range commands() {
		require.Equal(t, command.ExitDone, w.run(append(strings.Fields(c.Name), "--help")...), c.Name)
		text := w.out.String()
		require.Contains(t, text, "\nExample:\n  almenara "+c.Name, c.Name)
		require.Contains(t, text, "Usage: almenara "+c.Name)
		require.Contains(t, text, "--json")
		require.NotEmpty(t, c.Purpose)
		require.NotContains(t, c.Purpose, "\n")
		all.WriteString("$ almenara " + c.Name + " --help\n" + text + "\n")
		require.Equal(t, command.ExitDone, w.run(append([]string{"help"}, strings.Fields(c.Name)...)...))
		require.Equal(t, text, w.out.String(), "help and --help differ for %s", c.Name)
	}
	golden(t, "help.txt", all.String())
	require.Equal(t, command.ExitDone, w.run("help"))
	golden(t, "overview.txt", w.out.String())
	require.Equal(t, command.ExitUsage, w.run())
	golden(t, "overview.txt", w.out.String())
	require.Equal(t, command.ExitDone, w.run("alert"))
	golden(t, "group.txt", w.out.String())
}

// What has no effect is not offered, and still taken.
func TestHelp_OffersOnlyWhatHasAnEffect(t *testing.T) {
	w := newWorld(t)
	for name, without := range map[string][]string{
		"demo": {"--api", "--token", "--ca", "--data"}, "cap check": nil,
		"audit verify": {"--api", "--token", "--ca", "--data"}, "version": {"--api", "--token", "--ca", "--data"},
		"init": {"--api", "--token", "--ca"}, "serve": {"--api", "--token", "--ca"}, "join": {"--api", "--token", "--ca"}, "status": nil,
	} {
		require.Equal(t, command.ExitDone, w.run(append(strings.Fields(name), "--help")...))
		for _, flag := range []string{"--api", "--token", "--ca", "--data"} {
			offered := strings.Contains(w.out.String(), "      "+flag+" ")
			require.Equal(t, !slices.Contains(without, flag), offered, "%s %s", name, flag)
		}
	}
	require.Equal(t, command.ExitDone, w.run("version", "--api", "http://10.0.0.7:8480"), w.err.String())
	require.Equal(t, command.ExitDone, w.run("--token", "x", "version"), w.err.String())
	require.Equal(t, command.ExitUsage, w.run("version", "--tokne", "x"))
	require.NotContains(t, w.err.String(), "--token")
}

// The examples of the help must be command lines that parse.
func TestHelp_ExamplesParse(t *testing.T) {
	for _, c := range commands() {
		for _, line := range strings.Split(strings.ReplaceAll(c.Example, "\\\n", ""), "\n") {
			line, _, _ = strings.Cut(line, " > ")
			cmd, args, err := command.Find(commands(), splitQuoted(strings.TrimPrefix(line, "almenara ")))
			require.NoError(t, err, line)
			fs, _ := cmd.Flags(&command.Globals{})
			require.NoError(t, fs.Parse(args), line)
			require.GreaterOrEqual(t, fs.NArg(), cmd.Min, line)
			require.True(t, cmd.Max < 0 || fs.NArg() <= cmd.Max, line)
		}
	}
}

// splitQuoted splits as a shell does, as far as the examples need.
func splitQuoted(line string) []string {
	var words []string
	for i, part := range strings.FieldsFunc(strings.ReplaceAll(line, "'", `"`), func(r rune) bool { return r == '"' }) {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

func TestTables_Fit80Columns(t *testing.T) {
	w := newWorld(t)
	w.Alerts[0].Sent = time.Date(2020, 7, 20, 17, 40, 0, 0, time.Local)
	w.Alerts[0].Expires = w.Alerts[0].Sent.Add(time.Hour)
	no := false
	w.Devices = append(w.Devices,
		wire.Device{ID: "speaker-7", Kind: "speaker", Place: "tuen-mun/on-ting/" + strings.Repeat("long-", 20), Connected: &no},
		wire.Device{ID: "speaker-8", Kind: "speaker", Place: "tuen-mun/on-ting", Unanswered: []string{"n2", "n3"}})
	w.Rows = append(w.Rows, wire.ReceiptRow{
		Member: "speaker-8", Kind: "speaker", Place: "tuen-mun/on-ting/" + strings.Repeat("long-", 20), Rung: "queued", RungFrom: wire.SourceDistrict,
		Reason: wire.ReasonUnknown, Unanswered: []string{"n2", "n3"},
	})
	w.Users[0].Senders = []string{"hko@example.hk"}
	w.State = wire.Status{
		Node: "n1", Name: "on-ting", Version: "1.0", District: "tuen-mun", Role: "leader", Leader: "n1", Term: 4, Quorum: true,
		Applied: 12345, Committed: 12346, Ready: true, Members: 1204, Devices: 311, InForce: 1, API: "http://10.0.0.7:8480",
		MQTT: []string{"tcp://10.0.0.7:1883"}, Nodes: []wire.NodeInfo{{ID: "n1", Name: "安定", Internode: "10.0.0.7:8490", Voter: true, Leader: true, Reachable: true}},
	}
	w.Selected.Counts.ByPlace = []wire.Count{{Name: "tuen-mun/on-ting", Count: 1}}
	w.Imported = wire.Imported{DryRun: true, Rows: 2000, Encoding: "UTF-8", Format: "comma", Added: 1999, Warnings: why.Sentences{{Text: "line 3: no language"}}}
	file := filepath.Join(t.TempDir(), "members.csv")
	require.NoError(t, os.WriteFile(file, []byte("id\n"), 0o600))
	var all strings.Builder
	for _, line := range []string{
		"alert list", "alert show " + apitest.AlertID, "alert show --missing presented " + apitest.AlertID,
		"audience select all", "audience list", "device list", "device list --dark", "user list", "status",
		"user add --role composer duty", "node remove n3", "device revoke a b", "alert send --dry-run --headline x --event y --select all",
	} {
		require.Equal(t, command.ExitDone, w.run(strings.Fields(line)...), "%s: %s", line, w.err.String())
		require.Empty(t, w.err.String())
		all.WriteString("$ almenara " + line + "\n" + w.out.String() + "\n")
	}
	require.Equal(t, command.ExitDone, w.run("audience", "import", "--dry-run", file), w.err.String())
	all.WriteString("$ almenara audience import --dry-run members.csv\n" + w.out.String())
	golden(t, "tables.txt", all.String())
}

func TestJSON_IsWhatTheAPISays(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, command.ExitDone, w.run("alert", "list", "--json"))
	var alerts []wire.Alert
	require.NoError(t, json.Unmarshal(w.out.Bytes(), &alerts))
	require.Equal(t, w.Alerts, alerts)
	for _, args := range [][]string{
		{"--json", "status"}, {"version", "--json"}, {"device", "enrol", "--json", "x"}, {"user", "list", "--json"}, {"audience", "list", "--json"},
		{"alert", "show", "--json", apitest.AlertID}, {"device", "revoke", "--json", "x"}, {"node", "invite", "--json"},
	} {
		require.Equal(t, command.ExitDone, w.run(args...), w.err.String())
		require.True(t, json.Valid(w.out.Bytes()), w.out.String())
	}
}

func TestExit_Codes(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{wire.Problemf(wire.KindRefused, "the area is missing"), command.ExitFailed, "almenara: the area is missing\n"},
		{wire.Problemf(wire.KindUnknownOutcome, "it may have happened"), command.ExitUnknown, "almenara: it may have happened\n"},
		{wire.Problemf(wire.KindNoQuorum, "no majority"), command.ExitFailed, "almenara: no majority\n"},
		{errors.New("inner"), command.ExitFailed, "almenara: the node met a fault of its own; its log says more\n"},
	} {
		w.Err = c.err
		require.Equal(t, c.code, w.run("device", "revoke", "x"))
		require.Equal(t, c.says, w.err.String())
		require.Empty(t, w.out.String())
	}
	w.Err = nil
	w.Err = &wire.Problem{Kind: wire.KindRefused, Sentence: "two rows are wrong", Details: []string{"line 3", "line\x1b[2J 4"}}
	require.Equal(t, command.ExitFailed, w.run("user", "revoke", "x"))
	require.Equal(t, "almenara: two rows are wrong\n  line 3\n  line [2J 4\n", w.err.String())
	w.Err = nil
	w.env["ALMENARA_TOKEN"] = "wrong"
	require.Equal(t, command.ExitFailed, w.run("status"))
	require.Contains(t, w.err.String(), "give --token")
	w.env["ALMENARA_API"] = "http://127.0.0.1:1"
	require.Equal(t, command.ExitFailed, w.run("status"))
	require.Equal(t, "almenara: no node answers at http://127.0.0.1:1 (connection refused); give the address with --api, or the data folder of a node on this machine with --data\n", w.err.String())
}

func TestUsage_SaysOneSentenceAndTheNearestName(t *testing.T) {
	w := newWorld(t)
	for line, says := range map[string]string{
		"statsu":                               `there is no command "statsu"; did you mean "status"?`,
		"xyzzy-quux":                           `there is no command "xyzzy-quux"; see almenara help`,
		"alert sned":                           `there is no command "alert sned"; did you mean "alert send"?`,
		"alert frobnicate":                     `there is no command "alert frobnicate"; alert takes send, approve, correct, update, cancel, list, show, receipts, report, watch, code, told, contradictions, remind`,
		"status --hsah":                        "almenara status has no flag --hsah; did you mean --hash?",
		"status --nothing-like":                "almenara status has no flag --nothing-like; see almenara status --help",
		"status -x":                            "almenara status has no flag -x; see almenara status --help",
		"--jsno status":                        "almenara has no flag --jsno; did you mean --json?",
		"status extra":                         "almenara status takes no argument; see almenara status --help",
		"alert show":                           "almenara alert show takes ALERT; see almenara alert show --help",
		"alert list --limit x":                 `invalid argument "x" for "--limit" flag: strconv.ParseInt: parsing "x": invalid syntax; see almenara alert list --help`,
		"alert send":                           "alert send needs --scenario, --cap, or --headline and --event",
		"alert send --headline x --event y":    "alert send needs --select with these texts; who is meant is never guessed",
		"alert send --cap x --headline y":      "alert send takes --cap or the texts, not both",
		"user add x":                           "user add needs at least one --role",
		"simulate --devices 0":                 "",
		"status --api not-an-address":          `"not-an-address" is not the address of a node, such as http://127.0.0.1:8480`,
		"help nothing":                         `there is no command "nothing"; see almenara help`,
		"alert show --missing a --reached b c": "alert show takes --reached or --missing, not both",
	} {
		code := w.run(strings.Fields(line)...)
		if says == "" {
			continue
		}
		require.Equal(t, command.ExitUsage, code, line)
		require.Equal(t, "almenara: "+says+"\n", w.err.String(), line)
		require.Empty(t, w.Calls())
	}
}

func TestToken_ComesFromFlagThenEnvironmentThenFolder(t *testing.T) {
	w := newWorld(t)
	data := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(data, "operator.token"), []byte(apitest.Token(authority.RoleDeviceManager)+"\n"), 0o600))
	who := func(args ...string) string {
		require.Equal(t, command.ExitDone, w.run(append([]string{"device", "revoke", "x"}, args...)...), w.err.String())
		return w.By().Name
	}
	require.Equal(t, authority.RoleAdministrator, who("--data", data))
	delete(w.env, "ALMENARA_TOKEN")
	require.Equal(t, authority.RoleDeviceManager, who("--data", data))
	w.env["ALMENARA_DATA"] = data
	require.Equal(t, authority.RoleDeviceManager, who())
	require.Equal(t, authority.RoleAdministrator, who("--token", apitest.Token(authority.RoleAdministrator)))
}

func TestBar_IsDrawnOnATerminalOnly(t *testing.T) {
	for _, tty := range []bool{false, true} {
		w := newWorld(t)
		w.tty = tty
		w.Imported.Applied = true
		w.Importing = func(ctx context.Context, progress func(wire.Progress)) {
			progress(wire.Progress{Phase: wire.PhaseFolding, Done: 1500, Total: 2000})
			select {
			case <-time.After(400 * time.Millisecond): // until the line has gone out
			case <-ctx.Done():
			}
		}
		file := filepath.Join(t.TempDir(), "members.csv")
		require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("x"), 100_000), 0o600))
		require.Equal(t, command.ExitDone, w.run("audience", "import", file), w.err.String())
		require.Equal(t, tty, strings.Contains(w.err.String(), "100 %  97 of 97 kB, uploading"), w.err.String())
		require.Equal(t, tty, strings.Contains(w.err.String(), " 75 %  1,500 of 2,000 rows, folding in"), w.err.String())
		require.Equal(t, command.ExitDone, w.run("audience", "import", "--json", file))
		require.Empty(t, w.err.String(), "no bar beside JSON")
	}
}

var errBroken = errors.New("broken pipe")

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestOutput_ThatCannotBeWrittenIsAFailure(t *testing.T) {
	w := newWorld(t)
	code := Run(context.Background(), []string{"status"}, command.IO{
		Out: brokenWriter{}, Err: io.Discard, Getenv: func(name string) string { return w.env[name] },
	}, inprocess.Engine{})
	require.Equal(t, command.ExitFailed, code)
}
