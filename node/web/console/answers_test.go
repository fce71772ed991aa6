package console

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api/apitest"
	"almenara/node/wire"
)

// Who needs help stands above everybody, however many answered since.
func TestAnswers_ShowWhoNeedsHelpFirst(t *testing.T) {
	r := newRig(t)
	r.fake.Rows = nil
	for i := range 600 {
		r.fake.Rows = append(r.fake.Rows, wire.ReceiptRow{Member: fmt.Sprint("m-", i), Rung: "acknowledged", Answer: "safe", At: night.Add(time.Duration(i) * time.Second)})
	}
	r.fake.Rows = append(r.fake.Rows,
		wire.ReceiptRow{Member: "quiet", Rung: "acknowledged", At: night},
		wire.ReceiptRow{Member: "lee", Rung: "acknowledged", Answer: "help", At: night.Add(-time.Hour)})
	got := r.get("alerts/" + apitest.AlertID + "/answers").Body.String()
	rows := strings.Split(got, "<tr")
	require.Contains(t, rows[2], "<bdi>lee</bdi>")
	require.Contains(t, rows[2], "need help")
	require.Contains(t, rows[3], "<bdi>m-599</bdi>", "then the newest")
	require.NotContains(t, got, "quiet", "who said nothing has not answered")
	require.Contains(t, got, "There are more answers")
	require.Contains(t, got, "<b>600</b>")
}
