package export_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/node/authority"
	"almenara/node/export"
	"almenara/node/folder"
	"almenara/node/originals"
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

// A node writes copies for other nodes whenever they need one: an operator's backup waits for that.
func TestBackup_WaitsForAnotherCopy(t *testing.T) {
	begun, goOn, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var asked atomic.Bool
	store, err := storage.Open(t.TempDir(), storage.Options{Logger: slog.New(slog.DiscardHandler), FreeSpace: func(string) (uint64, error) {
		if asked.Load() {
			select {
			case begun <- struct{}{}:
				<-goOn
			case <-goOn:
			}
		}
		return 1 << 40, nil
	}})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	district, err := identity.NewDistrict("tuen-mun")
	require.NoError(t, err)
	id, err := identity.New(district, []string{"127.0.0.1:8470"})
	require.NoError(t, err)
	tried := 0
	e := export.New(export.Options{Store: store, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Of: func() folder.BackupOf {
		if tried++; tried == 3 {
			close(goOn)
			<-done
		}
		large, err := originals.ArchiveFolder(t.TempDir())
		require.NoError(t, err)
		return folder.BackupOf{ID: id, Name: "box-1", Now: time.Now(), Originals: large}
	}})
	asked.Store(true)
	go func() {
		defer close(done)
		if d, err := store.Dump(); err == nil {
			_ = d.Close()
		}
	}()
	<-begun
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = e.Backup(gone, authority.Caller{})
	var p *wire.Problem
	require.ErrorAs(t, err, &p, "for no longer than the caller waits")
	require.Equal(t, wire.KindBusy, p.Kind)

	r, size, err := e.Backup(t.Context(), authority.Caller{})
	require.NoError(t, err)
	written, err := io.Copy(io.Discard, r)
	require.NoError(t, err)
	require.Equal(t, size, written)
	require.NoError(t, r.Close())
}
