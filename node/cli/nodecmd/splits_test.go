package nodecmd

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/cli/command"
	"almenara/node/wire/splits"
)

func TestSplits_FitAScreen(t *testing.T) {
	start := time.Date(2026, 7, 20, 3, 12, 4, 0, time.Local)
	s := splits.Split{
		From: start, To: start.Add(756 * time.Second), LateReceipts: 1203,
		Halves: []splits.SplitHalf{{Nodes: []string{"box-1", "box-2"}, Majority: true}, {Nodes: []string{"box-3"}}},
		Nodes:  []splits.SplitNode{{Name: "box-3", From: start, To: start.Add(756 * time.Second), Why: "lost"}},
		Alerts: []splits.SplitAlert{{
			Alert: "abcdefghijklmnopqrstuvwxyz", MsgType: "Alert", Status: "Actual", Headline: "Fire in block 4", Issued: start.Add(time.Minute),
			Node: "box-3", Alone: true, Author: "wong", Reason: "smoke was seen on the third floor", Policy: 41, Receipts: 101,
			Scenario: "fire", Incident: "i-6", Licence: "l-1", Within: "on-ting/parted", Approvals: 1,
			Approved: []splits.SplitApproval{{By: "chan", At: start.Add(90 * time.Second), Node: "box-3", Alone: true, Reason: "seen too"}},
			Told:     []splits.SplitTold{{Node: "box-3", Devices: 12, At: start.Add(time.Minute)}, {Node: "box-1", Devices: 100, At: start.Add(757 * time.Second), Late: true}},
			Notes:    []string{"Issued under policy 41; 42 had revoked the operator wong at 03:12:30, by administrator."},
		}},
	}
	var out strings.Builder
	split((&command.Env{IO: command.IO{Width: 80}}), &out, s)
	require.Equal(t, `Split from 2026-07-20 03:12:04 +00:00 to 03:24:40, 12 min 36 s
  Majority or off:  box-1, box-2
  Without majority: box-3
  box-3 was without a majority: 03:12:04 to 03:24:40.
  1,203 receipts came in late and are counted.

  03:13:04  Alert: Fire in block 4
            by wong at box-3, which was without a majority, under policy 41,
            because "smoke was seen on the third floor"
            scenario fire, incident i-6
            under licence l-1 in on-ting/parted
            03:13:34 approved by chan at box-3, which was without a majority,
            because "seen too"
            alert abcdefghijklmnopqrstuvwxyz
            03:13:04 box-3 told 12 devices
            03:24:41 box-1 told 100 devices, late
            101 receipts came in late
          ! Issued under policy 41; 42 had revoked the operator wong at
            03:12:30, by administrator.
`, out.String())
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, len(strings.TrimSuffix(line, "\n")), 80)
	}
}

// Rounded counts read as such: 0 is not nobody.
func TestSplits_SayWhatIsRounded(t *testing.T) {
	var out strings.Builder
	splitAlert(&command.Env{IO: command.IO{Width: 80}}, &out, splits.SplitAlert{RoundedTo: 5, Receipts: 10, Told: []splits.SplitTold{{Node: "box-1"}, {Node: "box-2", Devices: 5}}})
	for _, want := range []string{"box-1 told fewer than 5 devices\n", "box-2 told at least 5 devices\n", "at least 10 receipts came in late\n"} {
		require.Contains(t, out.String(), want)
	}
}
