package export_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/node/export"
	"almenara/node/records/recordstest"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/audience"
)

func TestExportAudit_GivesTheLinesThatThereAre(t *testing.T) {
	log := recordstest.New(t, time.Now)
	e := export.New(export.Options{Store: log.Store, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	for _, place := range []string{"d/one", "d/two"} {
		_, err := log.Propose(t.Context(), "chief", &command.PutPlaces{Places: []audience.Place{{Path: audience.Path(place)}}})
		require.NoError(t, err)
	}
	var out strings.Builder
	require.NoError(t, e.ExportAudit(t.Context(), &out, 1, 0))
	require.Equal(t, 2, strings.Count(out.String(), "places put"))
	require.Contains(t, out.String(), `"head":2`)
	var p *wire.Problem
	require.ErrorAs(t, e.ExportAudit(t.Context(), &out, 9, 0), &p)
	require.Equal(t, wire.KindNotFound, p.Kind)
}

func lines(t *testing.T, e *export.Export, q wire.AuditQuery) (out []string, next uint64) {
	t.Helper()
	page, err := e.AuditLines(t.Context(), q)
	require.NoError(t, err)
	for _, l := range page.Lines {
		out = append(out, l.Action+" by "+l.Actor)
	}
	return out, page.Next
}

func TestAuditLines_AreThoseThatAreAskedFor(t *testing.T) {
	now := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	log := recordstest.New(t, func() time.Time { return now })
	e := export.New(export.Options{Store: log.Store, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	propose := func(by string, what command.Payload) {
		_, err := log.Propose(t.Context(), by, what)
		require.NoError(t, err)
		now = now.Add(time.Minute)
	}
	propose("chief", &command.PutPlaces{Places: []audience.Place{{Path: "d/one"}}})
	propose("chief", &command.PutUser{User: storage.User{Name: "amy", Roles: []string{"composer"}, TokenHash: make([]byte, 32)}})
	propose("amy", &command.PutPlaces{Places: []audience.Place{{Path: "d/two"}}})
	all, next := lines(t, e, wire.AuditQuery{})
	require.Equal(t, []string{"places put by amy", "user put by chief", "places put by chief"}, all)
	require.Zero(t, next)
	for name, c := range map[string]struct {
		q    wire.AuditQuery
		want []string
	}{
		"by and about a person": {wire.AuditQuery{Who: "AMY"}, all[:2]},
		"about people":          {wire.AuditQuery{About: wire.AboutPeople}, all[1:2]},
		"what it holds":         {wire.AuditQuery{Holds: "user"}, all[1:2]},
		"since":                 {wire.AuditQuery{Since: now.Add(-90 * time.Second)}, all[:1]},
		"until":                 {wire.AuditQuery{Until: now.Add(-150 * time.Second)}, all[2:]},
		"refused":               {wire.AuditQuery{OnlyRefused: true}, nil},
		"nothing":               {wire.AuditQuery{Who: "nobody"}, nil},
	} {
		got, _ := lines(t, e, c.q)
		require.Equal(t, c.want, got, name)
	}
	first, next := lines(t, e, wire.AuditQuery{Limit: 2})
	rest, end := lines(t, e, wire.AuditQuery{Limit: 2, Before: next})
	require.Equal(t, all, append(first, rest...), "page by page")
	require.Zero(t, end)
}
