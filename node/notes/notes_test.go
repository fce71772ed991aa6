package notes

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

// made is what was put on record.
type made chan []byte

func (m made) Create(_ context.Context, kind fact.Kind, _ fact.Stream, body []byte) (*exchange.Progress, error) {
	m <- append([]byte{byte(kind)}, body...)
	return nil, nil
}

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func newNotes(e Exchange) *Notes {
	return New(e, func() time.Time { return noon }, slog.New(slog.DiscardHandler))
}

func TestRun_PutsOnRecordWhatWasQueued(t *testing.T) {
	facts := make(made, 8)
	q := newNotes(facts)
	q.Fanout("rain", 7, 3)
	lie := Refused{By: "amy", Key: "k", Digest: "d", Alert: "rain"}
	q.Refusal(lie)
	q.Refusal(lie)
	lie.By = "bob"
	q.Refusal(lie)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { q.Run(ctx); close(done) }()
	fanout := <-facts
	require.Equal(t, byte(fact.KindFanout), fanout[0])
	body, err := factbody.Fanout{Alert: "rain", Revision: 7, Devices: 3, At: noon.UnixMilli()}.Encode()
	require.NoError(t, err)
	require.Equal(t, body, fanout[1:])
	for _, by := range []string{"amy", "bob"} {
		body, err := factbody.Refusal{Key: "k", Alert: "rain", Digest: "d", Author: by, At: noon.UnixMilli()}.Encode()
		require.NoError(t, err)
		require.Equal(t, append([]byte{byte(fact.KindRefusal)}, body...), <-facts, "once for each author")
	}
	cancel()
	<-done
	require.Empty(t, facts)
}

func TestNotes_RecordsARefusalOnce(t *testing.T) {
	q := newNotes(nil)
	require.True(t, q.first("lie"))
	require.False(t, q.first("lie"))
	for i := range 2 * maxRefusals {
		q.first(fmt.Sprint(i))
	}
	require.LessOrEqual(t, len(q.refused), maxRefusals)
}
