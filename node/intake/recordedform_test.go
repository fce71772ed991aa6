package intake

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/judge/judgetest"
	"almenara/storage/alert/capxml"
)

// As long as one node is of older software, what it would not read is put on record in
// the strict form of CAP, so that all nodes record the same.
func TestRecordedForm_IsWhatEveryNodeReads(t *testing.T) {
	changed := 0
	for _, c := range judgetest.Cases(time.Now()) {
		raw := []byte(c.Message)
		a, found, err := capxml.Parse(raw)
		if err != nil {
			continue
		}
		same, err := recordedForm(raw, a, found, func() bool { return true })
		require.NoError(t, err)
		require.Equal(t, raw, same, "the bytes as they came")
		strict, err := recordedForm(raw, a, found, func() bool { return false })
		require.NoError(t, err)
		again, now, err := capxml.Parse(strict)
		require.NoError(t, err)
		require.True(t, capxml.ReadAlike(strict, now), c.Name)
		require.Equal(t, a.Digest(), again.Digest(), c.Name)
		if string(strict) != c.Message {
			changed++
		}
	}
	require.GreaterOrEqual(t, changed, 2)
}
