package answers

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil, nil), func() map[string]any { return map[string]any{"answers": &answersPage{}} })
}

var night = time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)

func TestCounts_PutHelpFirst(t *testing.T) {
	q := &frame.Request{Lang: words.All()[0]}
	var said []wire.ReceiptRow
	for i := range 30 {
		said = append(said, wire.ReceiptRow{Member: fmt.Sprint("m", i), Answer: []string{"safe", "safe", "done", "out of here"}[i%4], At: night})
	}
	said = append(said, wire.ReceiptRow{Member: "last", Answer: help, At: night.Add(-time.Hour)})
	got := counts(q, said)
	require.Equal(t, count{"need help", "1"}, got[0], "however few they are")
	require.Equal(t, "safe", got[1].Text)
	require.Contains(t, got, count{"out of here", "7"}, "in a device's own words")
}
