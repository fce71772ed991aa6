package outbox

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

func TestOutbox_IsBoundedAndNeverRenumbers(t *testing.T) {
	var o Outbox
	for range maxOutbox + 10 {
		o.Add(contract.Receipt{Alert: "a"})
	}
	require.Len(t, o.Waiting, maxOutbox)
	require.EqualValues(t, 11, o.Waiting[0].Seq)
	batch := o.Batch()
	require.Len(t, batch, maxBatch)
	o.Done(batch[maxBatch-1].Seq)
	require.EqualValues(t, 11+maxBatch, o.Waiting[0].Seq)
	o.Done(maxOutbox + 10)
	require.Empty(t, o.Batch())
	o.Add(contract.Receipt{})
	require.EqualValues(t, maxOutbox+11, o.Waiting[0].Seq)
}
