package node

import (
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// A state that another node brought was told to nobody: the book must read it.
func TestNode_ReadsAnInstalledState(t *testing.T) {
	o := DefaultOptions(filepath.Join(t.TempDir(), "data"))
	o.Logger, o.JournalBytes, o.SpoolBytes = slog.New(slog.DiscardHandler), 16<<20, 16<<20
	_, err := Init(o, "tuen-mun")
	require.NoError(t, err)
	n, err := New(o)
	require.NoError(t, err)
	require.NoError(t, n.Start(t.Context()))
	text := `{"info":[{"language":"en","category":["Met"],"event":"Rain","urgency":"Immediate","severity":"Severe",
		"certainty":"Observed","headline":"Rain","area":[{"areaDesc":"here","polygon":["1,1 1,2 2,2 1,1"]}]}]}`
	out, err := n.Services().Alerts.SendAlert(t.Context(), authority.Caller{Name: "duty", Roles: []string{authority.RoleComposer}}, wire.SendAlert{Alert: []byte(text)}, wire.WaitCommitted)
	require.NoError(t, err)
	require.Equal(t, wire.ReplicationCommitted, out.Replication)
	require.Zero(t, n.progress.Count(), "what is committed is not underway any more")
	require.NoError(t, n.Stop(t.Context()))

	again, err := New(o)
	require.NoError(t, err)
	require.NoError(t, again.openState(t.Context()))
	defer func() { require.NoError(t, again.Stop(t.Context())) }()
	again.book = alerts.NewBook(stories.Texts(func() stories.Facts { return again.state })) // as it was before the other node's state came
	again.learner = newLearner(again)
	again.presenter.Reread()
	require.Empty(t, again.book.Open(again.options.Clock()))
	again.stateChanged(apply.ChangedAll)
	again.presenter.Reread()
	require.Equal(t, []alert.ID{alert.ID(out.Alert)}, again.book.Open(again.options.Clock()))
}
