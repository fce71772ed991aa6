package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/cli/auditcmd"
	"almenara/node/cli/command"
	"almenara/node/wire"
)

// A person reads the audit as sentences, the newest last, by who, what and since.
func TestAuditShow_SaysWhoDidWhat(t *testing.T) {
	w := newWorld(t)
	begin := time.Now().Add(-3 * time.Hour)
	w.Audit = []string{`{"from":1,"prev":"00"}`}
	for n, line := range [][4]string{
		{"chief", "policy put", "2 rules, approvers []: [{Extreme  0 false  1}]", "1"}, {"n1", "receipts adopt", "12 receipts", "1"},
		{"chief", "user put", "duty, roles [composer]", "1"}, {"n1", "alert adopted", "Alert k, alert abcd revision 7, by duty, reason \"seen\"", "1"}, {"duty", "device revoke", "lift-1", "2"}, {"n1", "something new", "x", "0"},
	} {
		raw, err := json.Marshal(map[string]any{"n": n + 1, "at": begin.Add(time.Duration(n) * 30 * time.Minute).UnixMilli(), "actor": line[0], "action": line[1], "summary": line[2], "outcome": int(line[3][0] - '0')})
		require.NoError(t, err)
		w.Audit = append(w.Audit, string(raw))
	}
	w.Audit = append(w.Audit, `{"head":6,"hash":"00"}`)
	show := func(args ...string) string {
		require.Equal(t, command.ExitDone, w.run(append([]string{"audit", "show"}, args...)...), w.err.String())
		return w.out.String()
	}
	all := show()
	at := -1
	for _, says := range []string{"chief set the policy: 2 rules", "chief put the user duty", "n1 put on record: Alert k", "duty was refused: device revoke: lift-1", "n1 something new: x", "1 line about receipts left out"} {
		next := strings.Index(all, says)
		require.Greater(t, next, at, "%s in %s", says, all)
		at = next
	}
	require.Equal(t, 3, strings.Count(show("--who", "duty"), "\n20")+1, "as actor, as subject, and as author")
	require.NotContains(t, show("--what", "policy"), "user")
	require.Contains(t, show("--what", "receipts"), "12 receipts")
	require.NotContains(t, show("--since", "45m"), "device revoke")
	require.NotContains(t, show("--since", begin.Add(time.Hour).Format(time.RFC3339)), "set the policy")
	require.Contains(t, show("--limit", "2"), "3 lines before these; --limit shows more.\n")
	var lines []auditcmd.Line
	require.NoError(t, json.Unmarshal([]byte(show("--json", "--who", "chief")), &lines))
	require.Len(t, lines, 2, fmt.Sprint(lines))
	require.Equal(t, command.ExitUsage, w.run("audit", "show", "--since", "yesterday"))
}

// At 80 columns what identifies and what decides stays: who may do what, where, and how a node is.
func TestTables_KeepWhatDecidesAt80Columns(t *testing.T) {
	w := newWorld(t)
	roles, places := []string{"composer", "approver", "audience-manager", "device-manager"}, []string{"tuen-mun/on-ting/on-lai", "tuen-mun/siu-hong"}
	w.Users = []wire.User{{Name: "warden", Roles: roles, Senders: []string{"warden-of-the-estate@example.hk"}, Places: places}}
	require.Equal(t, command.ExitDone, w.run("user", "list"), w.err.String())
	for _, whole := range append(append(roles, places...), "warden-of-the-estate@example.hk") {
		require.Contains(t, w.out.String(), whole)
	}
	for range 3 {
		w.State.Nodes = append(w.State.Nodes, wire.NodeInfo{ID: "0f6fc5c9-8a28-4035-a628-60f7ceee8b40", Name: "the box in the cellar of On Lai House", Internode: "192.168.100.107:8470"})
	}
	require.Equal(t, command.ExitDone, w.run("status"), w.err.String())
	require.Contains(t, w.out.String(), "  never answered  192.168.100.107:8470\n")
	w.Rows = []wire.ReceiptRow{{Member: "lift-0042", Name: "A very long name of a very small lift lobby", Kind: "screen", Place: "tuen-mun/on-ting/on-lai/lift-2", Rung: "sent", RungFrom: wire.SourceDistrict, Reason: "dark", Since: time.Now().Add(-time.Hour)}}
	require.Equal(t, command.ExitDone, w.run("alert", "receipts", "--missing", apitest.AlertID), w.err.String())
	require.Contains(t, w.out.String(), "on-lai/lift-2  ", "where to knock")
	require.Contains(t, w.out.String(), "dark since "+time.Now().Add(-time.Hour).Format("Jan 2 15:04"))
	require.Equal(t, command.ExitDone, w.run("alert", "receipts", "--missing", "--place", "tuen-mun/on-ting/on-lai", apitest.AlertID), w.err.String())
	require.Contains(t, w.Calls(), "AlertReceipts "+apitest.AlertID+` presented "tuen-mun/on-ting/on-lai" true "" 1000`)
	require.NotContains(t, w.out.String(), "place show")
	w.Rows = nil
	require.Equal(t, command.ExitDone, w.run("alert", "receipts", "--missing", "--place", "tuen-mun/on-tin", apitest.AlertID), w.err.String())
	require.Contains(t, w.out.String(), "Nobody in tuen-mun/on-tin is listed. Is it a place of the district? almenara place show says.", "a slip is not an answer")
}
