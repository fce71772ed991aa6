package export

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	"almenara/storage/audience"
)

// Of every command it is known what it is about: a new one gets its line in abouts.
func TestAboutOf_KnowsEveryCommand(t *testing.T) {
	named := 0
	for kind := command.Type(1); kind < 256; kind++ {
		if name := kind.String(); !strings.HasPrefix(name, "type ") && kind != command.TypeAdoptFacts {
			require.NotEqual(t, wire.AboutOther, aboutOf(name), name)
			named++
		}
	}
	require.Greater(t, named, 20)
	for action, want := range map[string]wire.AuditAbout{
		"alert adopted": wire.AboutAlerts, "fan-out": wire.AboutAlerts, "receipts adopt": wire.AboutReceipts, "fact malformed": wire.AboutOther, "": wire.AboutOther,
	} {
		require.Equal(t, want, aboutOf(action))
	}
}

// Who asks for what is seldom is answered after a bounded piece of the audit, and goes on from there.
func TestAuditLines_LookAtSoManyAtATime(t *testing.T) {
	log := recordstest.New(t, time.Now)
	e := New(Options{Store: log.Store, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	for i := range 7 {
		_, err := log.Propose(t.Context(), fmt.Sprint("p", i), &command.PutPlaces{Places: []audience.Place{{Path: "d/one"}}})
		require.NoError(t, err)
	}
	defer func(most int) { lookedAtMost = most }(lookedAtMost)
	lookedAtMost = 3
	var found []uint64
	pages := 0
	for q := (wire.AuditQuery{Who: "p1"}); ; pages++ {
		page, err := e.AuditLines(t.Context(), q)
		require.NoError(t, err)
		for _, l := range page.Lines {
			found = append(found, l.N)
		}
		if q.Before = page.Next; page.Next == 0 {
			break
		}
	}
	require.Equal(t, []uint64{2}, found)
	require.Equal(t, 2, pages, "three pages of three, three and one")
}

// Of receipts there are so many lines that nothing else would be found among them.
func TestWants_ReceiptsOnlyWhereTheyAreAskedFor(t *testing.T) {
	line := wire.AuditLine{About: wire.AboutReceipts, Action: "receipts adopt", Actor: "n1"}
	require.False(t, wants(wire.AuditQuery{Who: "n1"}, line))
	require.True(t, wants(wire.AuditQuery{Who: "n1", About: wire.AboutReceipts}, line))
}
