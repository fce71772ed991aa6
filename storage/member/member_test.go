package member

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/storagetest"
)

func TestMembers_OrdinalsAreNeverReusedAndRemovalLeavesNoPersonalData(t *testing.T) {
	s := storagetest.Open(t)
	put := func(id, name string, index uint64) (ordinal uint32) {
		m := audience.Member{ID: id, Name: name, Kind: "person", Place: "tm"}
		storagetest.Update(t, s, func(tx *storage.Txn) (err error) {
			head, known, err := Head(tx, m.ID)
			require.NoError(t, err)
			ordinal, err = Replace(tx, head, known, audience.EncodeMember(&m), index)
			return err
		})
		return ordinal
	}
	require.EqualValues(t, 0, put("a", "Chan Tai Man", 1))
	require.EqualValues(t, 1, put("b", "Lee", 2))
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		head, gone, err := Remove(tx, "a", 3)
		require.True(t, gone)
		require.EqualValues(t, 0, head.Ordinal)
		return err
	})
	require.EqualValues(t, 2, put("c", "", 4))
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		rec, ok, err := Get(tx, "a")
		require.True(t, ok && rec.Removed)
		require.Equal(t, audience.Member{ID: "a"}, rec.Member)
		raw, _ := tx.Get(storage.Key(prefMember, "a"))
		require.NotContains(t, string(raw), "Chan")
		var live []string
		require.NoError(t, Heads(tx, "", func(r Record) bool {
			if !r.Removed {
				live = append(live, r.Member.ID)
			}
			return true
		}))
		require.Equal(t, []string{"b", "c"}, live)
		return err
	}))
	require.EqualValues(t, 0, put("a", "Chan", 5), "the same member gets its own ordinal back")
}
