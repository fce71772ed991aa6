package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/alertcmd"
	"almenara/node/cli/capcmd"
	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
	"almenara/node/wire/devicehealth"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/capjson"
)

const message = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>i-1</identifier><sender>hko@example.hk</sender>` +
	`<sent>2026-07-20T17:40:00+08:00</sent><status>Exercise</status><msgType>Alert</msgType><scope>Public</scope><info>` +
	`<category>Met</category><event>Flood</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty>` +
	`<expires>2026-07-20T19:40:00+08:00</expires><headline>Go upstairs</headline><area><areaDesc>Tuen Mun</areaDesc>` +
	`<circle>22.39,113.97 2</circle></area></info></alert>`

func write(t *testing.T, folder, name, text string) string {
	t.Helper()
	file := filepath.Join(folder, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestCapCheck_WalksFoldersAndFailsOnReject(t *testing.T) {
	w := newWorld(t)
	folder := t.TempDir()
	good := write(t, folder, "a/good.xml", message)
	require.Equal(t, command.ExitDone, w.run("cap", "check", good), w.err.String())
	require.Regexp(t, `^\S+good\.xml\t(accept|warn)\t\S`, w.out.String())

	bad := write(t, folder, "b/bad.XML", "<alert/>")
	write(t, folder, "b/readme.txt", "no")
	require.Equal(t, command.ExitFailed, w.run("cap", "check", folder))
	lines := strings.Split(strings.TrimSpace(w.out.String()), "\n")
	require.Len(t, lines, 2)
	require.True(t, strings.HasPrefix(lines[1], bad+"\treject\t"), lines[1])
	require.Equal(t, "almenara: 1 of 2 files would be rejected\n", w.err.String())

	require.Equal(t, command.ExitFailed, w.run("cap", "check", "--json", folder))
	var all []capcmd.Checked
	require.NoError(t, json.Unmarshal(w.out.Bytes(), &all))
	require.Equal(t, "reject", all[1].Verdict)
	require.Equal(t, command.ExitFailed, w.run("cap", "check", filepath.Join(folder, "none.xml")))
	require.Equal(t, command.ExitFailed, w.run("cap", "check", t.TempDir()))
	w.in = message
	require.Equal(t, command.ExitDone, w.run("cap", "check", "-"))
}

func TestAlertSend_SendsTheFileAsItIs(t *testing.T) {
	w := newWorld(t)
	file := write(t, t.TempDir(), "flood.xml", message)
	w.Outcome.Warnings = why.Sentences{{Text: "the clock of the sender is 3 minutes ahead"}}
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--cap", file, "--select", "kind = screen", "--wait", "held"), w.err.String())
	require.Equal(t, []string{fmt.Sprintf("TakeCAP %s %q held", message, "kind = screen")}, w.Calls())
	require.Equal(t, "Alert "+apitest.AlertID+" is in force (committed).\nIt addresses 1,204 members, 311 with a device connected now.\n"+
		"Addressed: 1,200 phone, 4 screen.\nWarning: the clock of the sender is 3 minutes ahead\nSee it arrive: almenara alert watch "+apitest.AlertID+"\n", w.out.String())
}

// What warns nobody is not done, whatever was recorded: a script must not go on.
func TestAlertSend_FailsWhenNobodyIsWarned(t *testing.T) {
	w := newWorld(t)
	file := write(t, t.TempDir(), "flood.xml", message)
	w.Outcome.Effect, w.Outcome.State = wire.EffectNone, wire.StateExpired
	require.Equal(t, command.ExitFailed, w.run("alert", "send", "--cap", file))
	require.Equal(t, "Nobody is warned. Alert "+apitest.AlertID+" is expired already; it is recorded and not broadcast (committed).\n", w.out.String())
	require.Empty(t, w.err.String())
	require.Equal(t, command.ExitFailed, w.run("alert", "send", "--cap", file, "--dry-run"))
	require.Contains(t, w.out.String(), "Nothing was sent. It has expired")
	require.Equal(t, command.ExitFailed, w.run("alert", "send", "--cap", file, "--json"))
	require.Contains(t, w.out.String(), `"effect": "none"`)
}

// Whom nobody can reach now is said, and which nodes could not say so.
func TestAlertSend_SaysWhenNoDeviceIsConnected(t *testing.T) {
	w := newWorld(t)
	file := write(t, t.TempDir(), "flood.xml", message)
	w.Outcome.Reachable = new(uint64)
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--cap", file))
	require.Contains(t, w.out.String(), "1,204 members, 0 with a device connected now.\n")
	require.Contains(t, w.out.String(), "Warning: no device of those addressed is connected in the district now; they get it when they come back.\n")
	w.Outcome.Unanswered = []string{"n2", "n3"}
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--cap", file))
	require.Contains(t, w.out.String(), "0 with a device connected now as far as is known without 2 nodes that did not answer.\n")
	require.Contains(t, w.out.String(), "is connected to a node that answered now")
	w.Outcome.ReachableFrom = wire.SourceThisNode // it was alone, or the sender waited for nobody
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--cap", file))
	require.Contains(t, w.out.String(), "0 with a device connected now to this node, which asked no other.\n")
	require.Contains(t, w.out.String(), "is connected to this node now")
	require.NotContains(t, w.out.String(), "answer")
}

func TestAlertSend_MakesAnAlertThatTheDomainTakes(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--headline", "Go upstairs", "--event", "Flood", "--status", "Exercise",
		"--select", "all", "--expires", "30m"), w.err.String())
	raw, ok := strings.CutPrefix(w.Calls()[0], "SendAlert ")
	require.True(t, ok)
	raw, _, _ = strings.Cut(raw, ` "all" committed`)
	now := time.Now()
	a, findings, err := capjson.FromJSON([]byte(raw), "duty@example.hk", "i-1", now)
	require.NoError(t, err, findings)
	require.Equal(t, alert.StatusExercise, a.Status)
	require.Equal(t, "Go upstairs", a.Infos[0].Headline)
	require.WithinDuration(t, now.Add(30*time.Minute), a.Infos[0].Expires.Time(), time.Minute)
	require.Equal(t, command.ExitUsage, w.run("alert", "send", "--headline", "x", "--event", "y", "--select", "all", "--expires", "soon"))
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--headline", "x", "--event", "y", "--select", "all", "--expires", "2026-07-20T17:40:00+08:00"))
}

func TestAlertCancel_SaysThatItIsCancelled(t *testing.T) {
	w := newWorld(t)
	w.Outcome = wire.Outcome{Alert: apitest.AlertID, MsgType: "Cancel", Effect: wire.EffectEnds, Replication: wire.ReplicationLocal, State: wire.StateCancelled}
	require.Equal(t, command.ExitDone, w.run("alert", "cancel", "--reason", "wrong estate", apitest.AlertID), w.err.String())
	require.Equal(t, "Alert "+apitest.AlertID+" is cancelled (local).\n", w.out.String())
	require.Equal(t, []string{"CancelAlert " + apitest.AlertID + ` "wrong estate" committed`}, w.Calls())
}

func TestStatus_NamesNodesByTheirNames(t *testing.T) {
	const id = "0f6fc5c9-8a28-4035-a628-60f7ceee8b40"
	w := newWorld(t)
	silent := time.Now()
	w.State.Leader, w.Devices[0].Node = id, id
	w.State.Nodes = []wire.NodeInfo{
		{ID: id, Name: "on-ting", Internode: "10.0.0.7:8490", Voter: true, Reachable: true, Leader: true}, {ID: "n2", Name: "siu-hong"},
		{ID: "n3", Name: "yau-oi", Voter: true, Reachable: true, LostLog: true},
		{ID: "n4", Name: "yau-oi-2", Voter: true, LastAnswer: silent},
	}
	require.Equal(t, command.ExitDone, w.run("status"))
	require.Contains(t, w.out.String(), "yes, on-ting leads")
	require.Contains(t, w.out.String(), id+"  on-ting   leader          10.0.0.7:8490\n")
	require.Contains(t, w.out.String(), "  siu-hong  never answered\n")
	require.Contains(t, w.out.String(), "  yau-oi    lost its log\n")
	require.Contains(t, w.out.String(), "  yau-oi-2  silent, "+silent.Format("15:04")+"\n")
	require.Equal(t, command.ExitDone, w.run("device", "list"))
	require.Contains(t, w.out.String(), "connected  on-ting  tuen-mun/on-ting\n")
}

// A script that asks for the status sees in the exit code what a person reads.
func TestStatus_ExitsByWhatItSays(t *testing.T) {
	w := newWorld(t)
	require.Equal(t, command.ExitDone, w.run("status"), w.err.String())
	w.State.Alone, w.State.Ready = true, false
	require.Equal(t, command.ExitNotReady, w.run("status"))
	require.Contains(t, w.out.String(), "ALONE")
	require.Empty(t, w.err.String())
	require.Equal(t, command.ExitNotReady, w.run("status", "--json"))
	w.State.Alone, w.State.Why = false, why.Sentence{Text: "the log is being replayed"}
	require.Equal(t, command.ExitNotReady, w.run("status"))
}

func TestAlertSend_DryRunSendsNothing(t *testing.T) {
	w := newWorld(t)
	w.Outcome.Unlocated, w.Outcome.Warnings = 3, why.Sentences{{Text: "the area is large"}}
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--headline", "x", "--event", "y", "--select", "all", "--dry-run"), w.err.String())
	require.Len(t, w.Calls(), 1)
	require.Contains(t, w.Calls()[0], "PreviewAlert {")
	require.Equal(t, "Nothing was sent. It would be in force at once.\nIt addresses 1,204 members, 311 with a device connected now.\n"+
		"3 members without a location: no shape can reach them.\nWarning: the area is large\n\n"+
		"MEMBERS  KIND\n  1,200  phone\n      4  screen\n", w.out.String())
	w.Outcome.Texts = []wire.MessageText{{Language: "en", Headline: "Fire in Block 2", Instruction: "Leave by the stairs", Areas: []string{}}}
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--headline", "x", "--event", "y", "--select", "all", "--dry-run"), w.err.String())
	require.Regexp(t, `What people would read:\n\nLanguage +en\nHeadline +Fire in Block 2\nInstruction +Leave by the stairs\n$`, w.out.String())
	w.Outcome.Texts = nil

	file := write(t, t.TempDir(), "flood.xml", message)
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--dry-run", "--cap", file, "--select", "all"), w.err.String())
	require.Equal(t, fmt.Sprintf("PreviewCAP %s %q", message, "all"), w.Calls()[2])
	require.Equal(t, command.ExitDone, w.run("alert", "send", "--dry-run", "--cap", file, "--json"), w.err.String())
	require.Contains(t, w.out.String(), `"dry_run": true`)
	require.Equal(t, command.ExitUsage, w.run("alert", "send", "--dry-run"), "as for the real thing")
	w.Err = wire.Problemf(wire.KindRefused, "nothing was sent: the area is missing")
	require.Equal(t, command.ExitFailed, w.run("alert", "send", "--dry-run", "--cap", file))
	require.Equal(t, "almenara: nothing was sent: the area is missing\n", w.err.String())
}

func TestAlertSend_DryRunSaysWhatWouldBe(t *testing.T) {
	for state, says := range map[wire.State]string{
		wire.StateInForce: "in force at once", wire.StateFuture: "come into force later", wire.StateSuperseded: "newer message supersedes it",
		wire.StateExpired: "has expired", wire.StateCancelled: "Its alert is cancelled", wire.StateRecorded: "recorded and not broadcast",
		wire.StatePending: "would wait for approval;",
	} {
		require.Contains(t, alertcmd.WouldBe(wire.Outcome{Alert: apitest.AlertID, State: state}), says)
	}
	require.Contains(t, alertcmd.WouldBe(wire.Outcome{Alert: apitest.AlertID, MsgType: "Cancel", Effect: wire.EffectEnds, State: wire.StateCancelled}), "It would cancel alert "+apitest.AlertID)
	require.Contains(t, alertcmd.WouldBe(wire.Outcome{State: wire.StateInForce, Duplicate: true}), "is known already")
}

func TestAudienceImport_EndsWithWhatHappened(t *testing.T) {
	w := newWorld(t)
	file := write(t, t.TempDir(), "members.csv", "id\n")
	for _, c := range []struct {
		in   wire.Imported
		code int
		says string
	}{
		{wire.Imported{Applied: true, Added: 2000}, command.ExitDone, "Imported: 2,000 added, 0 changed, 0 removed, 0 unchanged."},
		{wire.Imported{DryRun: true, Changed: 1}, command.ExitDone, "This was a dry run; nothing was changed."},
		{wire.Imported{Faults: why.Sentences{{Text: "line 2: the place is missing"}}}, command.ExitFailed, "Nothing was changed: 1 fault."},
		{wire.Imported{DryRun: true, Faults: why.Sentences{{Text: "line 2: x"}, {Text: "and 9 more faults"}}, FaultCount: 10}, command.ExitFailed, "Nothing was changed: 10 faults."},
		{wire.Imported{Rows: 3}, command.ExitFailed, "Nothing was changed."},
	} {
		w.Imported = c.in
		require.Equal(t, c.code, w.run("audience", "import", file), w.err.String())
		lines := strings.Split(strings.TrimSuffix(w.out.String(), "\n"), "\n")
		require.Equal(t, c.says, lines[len(lines)-1])
		require.Equal(t, c.in.DryRun && c.code == command.ExitDone, strings.Contains(w.out.String(), "It would be: 0 added, 1 changed"))
		require.Empty(t, w.err.String(), "it is said once")
		require.Equal(t, c.code, w.run("audience", "import", "--json", file))
		require.True(t, json.Valid(w.out.Bytes()))
		if c.code == command.ExitFailed {
			require.Contains(t, w.err.String(), "almenara: nothing was changed")
		}
	}
}

func TestAudienceImport_ShowsTheFirstChangesOnly(t *testing.T) {
	w := newWorld(t)
	file := write(t, t.TempDir(), "members.csv", "id\n")
	w.Imported = wire.Imported{Applied: true, Added: 250, FaultCount: 0}
	for i := range 200 { // the node gives no more than these
		w.Imported.Diff = append(w.Imported.Diff, why.Sayf("+ m%03d", i))
	}
	require.Equal(t, command.ExitDone, w.run("audience", "import", file))
	require.Equal(t, 20, strings.Count(w.out.String(), "Change: + m"))
	require.Contains(t, w.out.String(), "Change: + m019\n… and 230 more\nImported: 250 added")
	require.Equal(t, command.ExitDone, w.run("audience", "import", "--json", file))
	require.Equal(t, 200, strings.Count(w.out.String(), `"+ m`))
}

func TestAudienceSelect_ShowsTheLargestPlacesOnly(t *testing.T) {
	w := newWorld(t)
	w.Selected.Members, w.Selected.Counts.ByPlace = nil, nil
	for i := range 45 {
		w.Selected.Counts.ByPlace = append(w.Selected.Counts.ByPlace, wire.Count{Name: fmt.Sprintf("tuen-mun/e%02d", i), Count: uint64(i + 1)})
	}
	require.Equal(t, command.ExitDone, w.run("audience", "select", "all"))
	require.NotContains(t, w.out.String(), "tuen-mun/e24\n")
	require.Contains(t, w.out.String(), "     26  tuen-mun/e25\n")
	require.Contains(t, w.out.String(), "     45  tuen-mun/e44\n    325  in 25 smaller places\n")
	require.Equal(t, command.ExitDone, w.run("audience", "select", "--json", "all"))
	require.Equal(t, 45, strings.Count(w.out.String(), "tuen-mun/e"))
}

// People know a scenario by its title; the id is what they type.
func TestAlertShow_NamesTheScenario(t *testing.T) {
	w := newWorld(t)
	w.Alerts[0].Scenario, w.Alerts[0].Incident = apitest.AlertID, "i-7"
	require.Equal(t, command.ExitDone, w.run("alert", "show", apitest.AlertID), w.err.String())
	require.Contains(t, flat(w.out.String()), "Flood ("+apitest.AlertID+"), incident i-7")
	w.Alerts[0].Scenario = "gone"
	require.Equal(t, command.ExitDone, w.run("alert", "show", apitest.AlertID), w.err.String())
	require.Contains(t, flat(w.out.String()), "gone, incident i-7")
	require.Equal(t, command.ExitDone, w.run("alert", "show", "--json", apitest.AlertID), w.err.String())
	require.Contains(t, w.out.String(), `"scenario": "gone"`)
}

func TestAudienceSelect_SaysWhyItIsNobody(t *testing.T) {
	w := newWorld(t)
	w.Selected = wire.Selected{Expression: "place under nowhere", Warnings: why.Sentences{why.Sayf("nowhere is no place of the district")}}
	require.Equal(t, command.ExitDone, w.run("audience", "select", "place under nowhere"))
	require.Contains(t, w.out.String(), "place under nowhere selects 0 members.\n\nWarning: nowhere is no place of the district.\n")
}

func TestDeviceEnrol_InPartsThatOneRequestTakes(t *testing.T) {
	w := newWorld(t)
	wanted := make([]wire.Enrol, 4500)
	for i := range wanted {
		wanted[i] = wire.Enrol{ID: fmt.Sprintf("d%05d", i), Kind: "screen", Place: "tuen-mun"}
	}
	raw, err := json.Marshal(wanted)
	require.NoError(t, err)
	file := write(t, t.TempDir(), "wanted.json", string(raw))
	require.Equal(t, command.ExitDone, w.run("device", "enrol", "--json", "--file", file), w.err.String())
	require.Equal(t, slices.Repeat([]string{"EnrolDevices 500"}, 9), w.Calls()[1:], "behind the question whether anybody is in that place")
	var enrolled []wire.Enrolled
	require.NoError(t, json.Unmarshal(w.out.Bytes(), &enrolled))
	require.Len(t, enrolled, 4500)
	require.Equal(t, "screen", enrolled[4499].Kind)
}

func TestDeviceList_ReadsEveryPage(t *testing.T) {
	w := newWorld(t)
	w.Devices = nil
	for i := range 2500 {
		connected := i%2 == 0
		w.Devices = append(w.Devices, wire.Device{ID: fmt.Sprintf("d%05d", i), Connected: &connected})
	}
	var got []wire.Device
	require.Equal(t, command.ExitDone, w.run("device", "list", "--json", "--dark", "--limit", "5000"))
	require.NoError(t, json.Unmarshal(w.out.Bytes(), &got))
	require.Len(t, got, 1250)
	require.Len(t, w.Calls(), 3)
}

func TestAudit_ExportsWholeOrNotAtAll(t *testing.T) {
	w := newWorld(t)
	file := filepath.Join(t.TempDir(), "audit.jsonl")
	require.Equal(t, command.ExitDone, w.run("audit", "export", "--out", file), w.err.String())
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "{\"index\":1}\n{\"index\":2}\n", string(raw))
	w.AuditErr = errors.New("disk fault")
	other := filepath.Join(t.TempDir(), "other.jsonl")
	require.Equal(t, command.ExitFailed, w.run("audit", "export", "--out", other))
	left, err := filepath.Glob(filepath.Join(filepath.Dir(other), "*"))
	require.NoError(t, err)
	require.Empty(t, left)

	require.Equal(t, command.ExitFailed, w.run("audit", "verify", file))
	require.Contains(t, w.err.String(), "the chain breaks at line 1")
	empty := fmt.Sprintf("{\"from\":1,\"prev\":%q}\n{\"head\":0,\"hash\":%[1]q}\n", strings.Repeat("0", 64))
	require.Equal(t, command.ExitDone, w.run("audit", "verify", write(t, t.TempDir(), "whole.jsonl", empty)), w.err.String())
}

func TestAlertShow_SaysWhatWaitsAndHowToApproveIt(t *testing.T) {
	w := newWorld(t)
	a := &w.Alerts[0]
	a.State, a.CountsFrom = wire.StatePending, wire.SourceThisNode
	a.Messages = []wire.Message{{
		MsgType: "Alert", Revision: 1, Pending: true, Digest: strings.Repeat("ab", 32),
		Texts: []wire.MessageText{
			{Language: "en", Event: "Flood", Headline: "Go upstairs", Description: strings.Repeat("The water rises. ", 10),
				Instruction: "Take the stairs.", SenderName: "Observatory", Areas: []string{"On Ting", "Siu Hong"}, Category: []string{"Met", "Safety"}, Severity: "Severe", Urgency: "Immediate", Certainty: "Observed", Web: "https://example.hk", Contact: "Mrs Lee, 2345 6789"},
			{Language: "zh-HK", Event: "水浸", Headline: "上樓\x1b[2J", Areas: []string{"安定邨"}},
		},
	}}
	require.Equal(t, command.ExitDone, w.run("alert", "show", apitest.AlertID), w.err.String())
	golden(t, "show_pending.txt", w.out.String())
	require.Equal(t, command.ExitDone, w.run("alert", "list"), w.err.String())
	require.Contains(t, w.out.String(), "alert show ALERT says what it says")
	require.Contains(t, w.out.String(), "What this node knows")
}

func TestWatch_EndsWhenAllHavePresented(t *testing.T) {
	w := newWorld(t)
	w.Alerts[0].Rungs.Presented = 4
	require.Equal(t, command.ExitDone, w.run("alert", "watch", apitest.AlertID), w.err.String())
	require.Equal(t, "in-force: 4/4 presented, 3 delivered, 4 sent\n", w.out.String())
}

func TestWatch_SaysWhatWasNotProven(t *testing.T) {
	w := newWorld(t)
	w.Alerts[0].State = "cancelled"
	require.Equal(t, command.ExitUnknown, w.run("alert", "watch", apitest.AlertID))
	require.Contains(t, w.err.String(), "2 of 4 presented it")
	w.Alerts[0].State = "in-force"
	require.Equal(t, command.ExitUnknown, w.run("alert", "watch", "--for", "30ms", apitest.AlertID))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.Equal(t, command.ExitUnknown, w.runIn(ctx, "alert", "watch", apitest.AlertID))
	require.Equal(t, command.ExitFailed, w.run("alert", "watch", "other"))
	require.Equal(t, "almenara: there is no alert other\n", w.err.String())
}

func TestEngine_GetsTheFlagsAndNamesTheResult(t *testing.T) {
	w := newWorld(t)
	for _, args := range [][]string{{"demo"}, {"init", "--district", "x"}, {"serve"}, {"join", "x"}, {"simulate", "--devices", "1"}} {
		require.Equal(t, command.ExitFailed, w.run(args...), "without an engine")
	}
	w.engine = inprocess.Engine{
		Init: func(_ context.Context, o inprocess.InitOptions) (inprocess.InitResult, error) {
			require.Equal(t, inprocess.InitOptions{Data: "d", District: "tuen-mun", Name: "n", Listen: inprocess.Listen{API: ":1", MQTT: ":2"}}, o)
			return inprocess.InitResult{Node: "n1", TokenFile: "d/operator.token"}, nil
		},
		Join: func(_ context.Context, o inprocess.JoinOptions) (inprocess.JoinResult, error) {
			require.Equal(t, "invitation", o.Token)
			return inprocess.JoinResult{}, errors.New("the invitation has expired")
		},
		Serve: func(ctx context.Context, o inprocess.ServeOptions, ready func(inprocess.ServeInfo)) error {
			require.NotNil(t, o.Log)
			ready(inprocess.ServeInfo{Node: "n1", API: "http://x"})
			return ctx.Err()
		},
	}
	require.Equal(t, command.ExitDone, w.run("init", "--data", "d", "--district", "tuen-mun", "--name", "n", "--listen", ":1", "--mqtt", ":2"))
	require.Contains(t, w.out.String(), "d/operator.token")
	require.Equal(t, command.ExitUsage, w.run("init"))
	require.Equal(t, command.ExitFailed, w.run("join", "invitation"))
	require.Equal(t, "almenara: the invitation has expired\n", w.err.String())
	require.Equal(t, command.ExitDone, w.run("serve"))
	require.Contains(t, w.out.String(), "http://x")
}

func TestDemo_KeepsOpenUntilTheEndAndClosesAlways(t *testing.T) {
	w := newWorld(t)
	proven, closed := true, 0
	ctx, cancel := context.WithCancel(context.Background())
	w.engine.Demo = func(_ context.Context, o inprocess.DemoOptions, out io.Writer) (inprocess.DemoResult, error) {
		require.Equal(t, 300, o.Devices)
		require.Equal(t, 3, o.Nodes)
		fmt.Fprintln(out, "three nodes run")
		cancel()
		return inprocess.DemoResult{
			Headline: "演習", Status: "Exercise", Proven: proven, Agree: proven, Missing: 1, Stopped: "n1", Leader: "n2", Kinds: []inprocess.KindProof{{Kind: "screen", Addressed: 300, Presented: 300}},
			Close: func(context.Context) error { closed++; return nil },
		}, nil
	}
	require.Equal(t, command.ExitDone, w.runIn(ctx, "demo", "--keep"), w.err.String())
	golden(t, "demo.txt", w.out.String())
	require.Equal(t, 1, closed)
	proven = false
	require.Equal(t, command.ExitUnknown, w.run("demo", "--json"))
	require.True(t, json.Valid(w.out.Bytes()), "steps go to the other stream")
	require.Equal(t, 2, closed)
}

func TestSimulate_EnrolsOrReadsItsDevices(t *testing.T) {
	w := newWorld(t)
	var got inprocess.SimulateOptions
	result := inprocess.SimulateResult{Proven: true, Alerts: []string{"a"}, Seconds: 1.5, Kinds: []inprocess.SimulatedKind{{Kind: "screen", Presented: 2}}}
	w.engine.Simulate = func(_ context.Context, o inprocess.SimulateOptions, _ func(inprocess.SimulateResult)) (inprocess.SimulateResult, error) {
		got = o
		return result, nil
	}
	require.Equal(t, command.ExitDone, w.run("simulate", "--devices", "4", "--for", "2m", "--expect-alert", "1"), w.err.String())
	require.Equal(t, []string{"Status false", "EnrolDevices 4"}, w.Calls())
	require.Len(t, got.Devices, 4)
	require.Equal(t, "phone", got.Devices[2].Kind)
	require.Equal(t, "tuen-mun", got.Devices[2].Place)
	require.Equal(t, 1, got.Expect)
	require.Equal(t, 2*time.Minute, got.For)

	kept := filepath.Join(t.TempDir(), "kept.json")
	require.Equal(t, command.ExitDone, w.run("simulate", "--devices", "2", "--keep", kept), w.err.String())
	enrolled := got.Devices
	require.Equal(t, command.ExitDone, w.run("simulate", "--file", kept), w.err.String())
	require.Equal(t, enrolled, got.Devices)
	require.Equal(t, command.ExitUsage, w.run("simulate", "--file", kept, "--keep", kept))

	require.Equal(t, command.ExitDone, w.run("device", "enrol", "--json", "--kind", "screen", "x", "y"))
	file := write(t, t.TempDir(), "devices.json", w.out.String())
	result.Proven = false
	require.Equal(t, command.ExitUnknown, w.run("simulate", "--file", file, "--servers", "tcp://a,tcp://b"))
	require.Len(t, got.Devices, 2)
	require.Equal(t, []string{"tcp://a", "tcp://b"}, got.Servers)
	require.Equal(t, command.ExitUsage, w.run("simulate"))
	require.Equal(t, command.ExitUsage, w.run("simulate", "--file", file, "--devices", "3"))
}

func TestSimulate_ShowsHowTheDevicesStand(t *testing.T) {
	faulty := inprocess.SimulatedKind{Kind: "speaker, rebooting", Devices: 3333, Connected: 3300, Online: 3100, Showing: 3000, Verified: 3290, Presented: 3280, Late: 12}
	begins := inprocess.SimulateResult{Devices: 10_000, Connected: 9_900, Never: 100, Online: 9_800, Seconds: 3.2, Kinds: []inprocess.SimulatedKind{
		{Kind: "screen", Devices: 6667, Connected: 6600, Online: 6700}, {Kind: "speaker, rebooting", Devices: 3333, Connected: 3300, Online: 3100},
	}}
	later := begins
	later.Alerts, later.Late, later.Seconds = []string{"A"}, 12, 9
	later.Kinds = []inprocess.SimulatedKind{{Kind: "screen", Devices: 6667, Connected: 6600, Online: 6700, Showing: 6600, Verified: 6600, Presented: 6590}, faulty}
	later.There = inprocess.Pace{Due: 6600, InTime: 6590, P50MS: 1200, P99MS: 4100, LastMS: 11_000}
	shown := func(tty bool) string {
		w := newWorld(t)
		w.tty = tty
		w.engine.Simulate = func(_ context.Context, _ inprocess.SimulateOptions, told func(inprocess.SimulateResult)) (inprocess.SimulateResult, error) {
			told(begins)
			told(begins)
			told(later)
			return later, nil
		}
		require.Equal(t, command.ExitUnknown, w.run("simulate", "--devices", "2", "--expect-alert", "1"))
		require.Contains(t, w.err.String(), "100 of 10,000 devices never connected")
		return w.out.String()
	}
	plain := shown(false)
	require.Equal(t, 1, strings.Count(plain, "9,800 of 10,000 devices online, 100 never connected so far; no alert yet\n"), plain)
	require.Contains(t, plain, "100 never connected so far; 1 alert: 9,600 showing, 9,890 verified, 9,870 presented, 12 late\n")
	require.NotContains(t, plain, "\x1b")
	drawn := shown(true)
	require.Contains(t, drawn, "\x1b[6A\x1b[J", "drawn over the last one")
	for line := range strings.Lines(drawn) {
		require.LessOrEqual(t, terminal.ColumnsOf(strings.TrimSuffix(line[strings.LastIndex(line, "J")+1:], "\n")), 80, line)
	}
	require.Regexp(t, `speaker, rebooting +3,333 +3,100 +3,000 +3,290 +3,280 +12 +33\n`, drawn)
}

func TestDevices_ShowWhatTheySayOfThemselves(t *testing.T) {
	w := newWorld(t)
	w.Devices = nil
	for i := range 1500 {
		d := wire.Device{ID: fmt.Sprintf("d%05d", i), Kind: "screen", Connected: new(true)}
		if i%500 == 3 {
			d.Health = &devicehealth.DeviceHealth{At: time.Date(2026, 7, 20, 9, 0, 0, 0, time.UTC), Level: "A", Sound: "blocked", Persisted: new(false), Faults: []string{devicehealth.FaultSilent, devicehealth.FaultReload}}
		}
		w.Devices = append(w.Devices, d)
	}
	for fault, want := range map[string]int{devicehealth.FaultReload: 3, "any": 3, devicehealth.FaultClock: 0} {
		var got []wire.Device
		require.Equal(t, command.ExitDone, w.run("device", "list", "--json", "--fault", fault), w.err.String())
		require.NoError(t, json.Unmarshal(w.out.Bytes(), &got))
		require.Len(t, got, want, fault)
	}
	require.Equal(t, command.ExitUsage, w.run("device", "list", "--fault", "reload"))
	require.Contains(t, w.err.String(), "no-reload")
	require.Equal(t, command.ExitDone, w.run("device", "list", "--fault", "silent"))
	require.Regexp(t, `d00503 +screen +connected +- .* silent, no-reload\n`, w.out.String())
	require.Equal(t, command.ExitDone, w.run("device", "show", "d01003"), w.err.String())
	for _, says := range []string{"faults", "silent, no-reload", "level", "kept for good  no"} {
		require.Contains(t, w.out.String(), says)
	}
	require.Equal(t, command.ExitFailed, w.run("device", "show", "d0100"))
	require.Contains(t, w.err.String(), "there is no device")
}
