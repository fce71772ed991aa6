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
