package rights

import (
	"testing"

	"almenara/storage"
	"almenara/storage/storagetest"

	"github.com/stretchr/testify/require"
)

func TestTable_KeepsWhatIsRemovedAndPagesByKey(t *testing.T) {
	s := storagetest.Open(t)
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		for _, id := range []string{"c", "a", "b"} {
			require.NoError(t, Scenarios.Put(tx, Scenario{ID: id, Removed: id == "b"}))
		}
		return Licences.Put(tx, Licence{ID: "of another table"})
	})
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		ids := func(some []Scenario, err error) (out []string) {
			require.NoError(t, err)
			for _, sc := range some {
				out = append(out, sc.ID)
			}
			return out
		}
		require.Equal(t, []string{"a", "b", "c"}, ids(Scenarios.All(tx)))
		require.Equal(t, []string{"a", "c"}, ids(Scenarios.Live(tx)))
		require.Equal(t, []string{"a", "b"}, ids(Scenarios.After(tx, "", 2)))
		require.Equal(t, []string{"b", "c"}, ids(Scenarios.After(tx, "a", 0)), "what stands after the key, without it")
		var each []Scenario
		require.NoError(t, Scenarios.Each(tx, func(sc Scenario) error { each = append(each, sc); return nil }))
		require.Equal(t, []string{"a", "b", "c"}, ids(each, nil))
		gone, ok, err := Scenarios.Get(tx, "b")
		require.True(t, ok && gone.Removed, "a tombstone is a record")
		require.NoError(t, err)
		_, ok, err = Scenarios.Get(tx, "d")
		require.False(t, ok)
		return err
	}))
	storagetest.Update(t, s, func(tx *storage.Txn) error { return Scenarios.Delete(tx, "b") })
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		_, ok, err := Scenarios.Get(tx, "b")
		require.False(t, ok)
		return err
	}))
}

func TestSingleAndNumber_AreZeroBeforeThereIsOne(t *testing.T) {
	s := storagetest.Open(t)
	read := func() (p Policy, version uint64, known bool, err error) {
		err = s.View(func(tx *storage.Txn) error {
			if p, err = PolicyRecord.Value(tx); err != nil {
				return err
			}
			if _, known, err = PolicyRecord.Get(tx); err != nil {
				return err
			}
			version, err = PolicyVersion.Value(tx)
			return err
		})
		return p, version, known, err
	}
	p, version, known, err := read()
	require.NoError(t, err)
	require.Zero(t, version)
	require.False(t, known)
	require.Empty(t, p.Approvers)
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		require.NoError(t, PolicyVersion.Put(tx, 1<<40))
		return PolicyRecord.Put(tx, Policy{Approvers: []string{"warden"}})
	})
	p, version, known, err = read()
	require.NoError(t, err)
	require.EqualValues(t, 1<<40, version)
	require.True(t, known)
	require.Equal(t, []string{"warden"}, p.Approvers)
	storagetest.Update(t, s, func(tx *storage.Txn) error { return tx.Set(keyPolicyVersion, []byte("short")) })
	_, _, _, err = read()
	require.ErrorIs(t, err, storage.ErrDamaged)
}
