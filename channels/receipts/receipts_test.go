package receipts_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/receipts"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// A device speaks for its member, whatever it writes, and one unreadable receipt refuses all.
func TestRead_SpeaksForTheMemberAlone(t *testing.T) {
	id := alert.Key{Sender: "a", Identifier: "b"}.ID()
	at := time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)
	told := []contract.Receipt{
		{Alert: string(id), Revision: 1, Rung: contract.RungPresented, At: at, Seq: 1},
		{Alert: string(id), Revision: 1, Rung: contract.RungAcknowledged, At: at, Seq: 2, Answer: "safe"},
	}
	raw, err := json.Marshal(told)
	require.NoError(t, err)
	rs, err := receipts.Read(7, raw)
	require.NoError(t, err)
	require.Equal(t, []receipt.Receipt{
		{Alert: id, Revision: 1, Member: 7, Rung: receipt.Presented, At: at},
		{Alert: id, Revision: 1, Member: 7, Rung: receipt.Acknowledged, At: at, Answer: "safe"},
	}, rs)

	told[1].Alert = "../elsewhere"
	raw, err = json.Marshal(told)
	require.NoError(t, err)
	_, err = receipts.Read(7, raw)
	require.Error(t, err)
	_, err = receipts.Read(7, []byte("{"))
	require.ErrorIs(t, err, contract.ErrMalformed)
}

// Devices prove neither that they were written to nor that the bytes arrived.
func TestRungs_AreTheDevicesOwn(t *testing.T) {
	require.NotContains(t, receipts.Rungs(), receipt.Sent)
	require.NotContains(t, receipts.Rungs(), receipt.Delivered)
	require.Contains(t, receipts.Rungs(), receipt.Presented)
	require.Contains(t, receipts.Rungs(), receipt.Cancelled)
}
