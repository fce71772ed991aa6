package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage"
	"almenara/storage/storagetest"
)

func auditStore(t testing.TB, n int) *storage.Store {
	s := storagetest.Open(t)
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		for i := range n {
			_, err := Append(tx, Entry{Index: uint64(10 + i), At: int64(1000 * i), Actor: "amy <a&b>",
				Action: "members put", Summary: fmt.Sprintf("%d members, \"quoted\" \xFF 屯門", i)})
			require.NoError(t, err)
		}
		return nil
	})
	return s
}

func export(t testing.TB, s *storage.Store, from, to uint64) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Export(s, &b, from, to))
	return b.String()
}

func verify(t testing.TB, text string) Report {
	t.Helper()
	r, err := Verify(strings.NewReader(text))
	require.NoError(t, err)
	return r
}

func TestAudit_ExportVerifies(t *testing.T) {
	s := auditStore(t, 6)
	whole := verify(t, export(t, s, 0, 0))
	require.True(t, whole.OK(), whole.Problem)
	require.EqualValues(t, 1, whole.From)
	require.EqualValues(t, 6, whole.To)
	var head Head
	require.NoError(t, s.View(func(tx *storage.Txn) (err error) { head, err = End(tx); return err }))
	require.Equal(t, fmt.Sprintf("%x", head.Hash), whole.Head)
	part := verify(t, export(t, s, 3, 5))
	require.True(t, part.OK(), part.Problem)
	require.EqualValues(t, 3, part.From)
	require.EqualValues(t, 5, part.To)
	empty := verify(t, export(t, storagetest.Open(t), 0, 0))
	require.True(t, empty.OK(), empty.Problem)
	require.Zero(t, empty.To)
}

func TestAudit_AnyChangeIsFoundAndNamed(t *testing.T) {
	lines := strings.SplitAfter(strings.TrimSuffix(export(t, auditStore(t, 6), 0, 0), "\n"), "\n")
	lines[len(lines)-1] += "\n"
	edit := func(fn func(l []string) []string) Report {
		return verify(t, strings.Join(fn(append([]string{}, lines...)), ""))
	}
	require.True(t, edit(func(l []string) []string { return l }).OK())
	for name, c := range map[string]struct {
		broken int
		edit   func(l []string) []string
	}{
		"text changed":     {4, func(l []string) []string { l[3] = strings.Replace(l[3], "2 members", "9 members", 1); return l }},
		"actor changed":    {2, func(l []string) []string { l[1] = strings.Replace(l[1], "amy", "bob", 1); return l }},
		"time changed":     {5, func(l []string) []string { l[4] = strings.Replace(l[4], "3000", "3001", 1); return l }},
		"line left out":    {3, func(l []string) []string { return append(l[:2], l[3:]...) }},
		"lines swapped":    {3, func(l []string) []string { l[2], l[3] = l[3], l[2]; return l }},
		"line repeated":    {4, func(l []string) []string { return append(l[:3], l[2:]...) }},
		"end cut off":      {6, func(l []string) []string { return append(l[:5], l[7]) }},
		"head missing":     {8, func(l []string) []string { return l[:7] }},
		"line after head":  {9, func(l []string) []string { return append(l, l[1]) }},
		"start missing":    {1, func(l []string) []string { return l[1:] }},
		"start forged":     {1, func(l []string) []string { l[0] = strings.Replace(l[0], "000", "111", 1); return l }},
		"field added":      {3, func(l []string) []string { l[2] = strings.Replace(l[2], "{", `{"x":1,`, 1); return l }},
		"not JSON":         {3, func(l []string) []string { l[2] = "?\n"; return l }},
		"first lines gone": {1, func(l []string) []string { return append([]string{l[0]}, l[3:]...) }},
	} {
		r := edit(c.edit)
		require.False(t, r.OK(), name)
		require.NotEmpty(t, r.Problem, name)
		if name != "first lines gone" {
			require.Equal(t, c.broken, r.Broken, name)
		}
	}
	long := verify(t, lines[0]+strings.Repeat("x", maxAuditLine+1))
	require.False(t, long.OK())
	require.False(t, verify(t, "").OK())
}

func FuzzVerifyAudit(f *testing.F) {
	f.Add(export(f, auditStore(f, 3), 0, 0))
	f.Add(`{"from":1,"prev":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Verify(strings.NewReader(text))
		require.NoError(t, err)
		if r.OK() {
			require.NotEmpty(t, r.Head)
		}
	})
}

// TestAudit_ALineWithARightHashOfItsOwnBreaksTheNext rewrites a line and makes its own hash right again is found one line later.
func TestAudit_ALineWithARightHashOfItsOwnBreaksTheNext(t *testing.T) {
	lines := strings.SplitAfter(export(t, auditStore(t, 4), 0, 0), "\n")
	var before, l auditLine
	require.NoError(t, strict([]byte(lines[1]), &before))
	require.NoError(t, strict([]byte(lines[2]), &l))
	prev, err := hex.DecodeString(before.Hash)
	require.NoError(t, err)
	l.Summary = "nothing happened"
	hash, err := Entry{N: l.N, Index: l.Index, At: l.At, Actor: l.Actor, Action: l.Action, Summary: l.Summary}.chain(prev)
	require.NoError(t, err)
	l.Hash = hex.EncodeToString(hash)
	raw, err := json.Marshal(l)
	require.NoError(t, err)
	lines[2] = string(raw) + "\n"
	r := verify(t, strings.Join(lines, ""))
	require.Equal(t, 4, r.Broken, r.Problem)
}

func TestFirstOf_FindsTheFirstLineOfAnEntry(t *testing.T) {
	s := storagetest.Open(t)
	indexes := []uint64{3, 3, 5, 9, 9, 9, 20}
	storagetest.Update(t, s, func(tx *storage.Txn) error {
		for _, index := range indexes {
			_, err := Append(tx, Entry{Index: index, Actor: "amy", Action: "x"})
			require.NoError(t, err)
		}
		return nil
	})
	require.NoError(t, s.View(func(tx *storage.Txn) error {
		for index := range uint64(25) {
			first, ok, err := FirstOf(tx, index)
			require.NoError(t, err)
			require.Equal(t, slices.Contains(indexes, index), ok, index)
			if ok {
				require.EqualValues(t, slices.Index(indexes, index)+1, first.N)
			}
		}
		return nil
	}))
	require.NoError(t, storagetest.Open(t).View(func(tx *storage.Txn) error {
		_, ok, err := FirstOf(tx, 1)
		require.False(t, ok)
		return err
	}))
}
