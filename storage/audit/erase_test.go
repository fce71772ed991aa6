package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage"
)

// erased is a chain of six lines, of which the third has lost a word and the seventh says so.
func erased(t *testing.T) *storage.Store {
	t.Helper()
	s := auditStore(t, 6)
	require.NoError(t, s.Update(func(tx *storage.Txn) error {
		sealed, ok, err := Rewrite(tx, 3, func(text string) (string, bool) { return strings.ReplaceAll(text, "屯門", "erased-x"), true })
		require.NoError(t, err)
		require.True(t, ok)
		_, err = Append(tx, Entry{Index: 20, At: 9000, Actor: "amy", Action: "audit lines erase", Summary: "words of 1 line", Erases: []Sealed{sealed}})
		return err
	}))
	return s
}

func TestErase_TheChainHoldsAcrossALineWithoutItsWords(t *testing.T) {
	s := erased(t)
	text := export(t, s, 0, 0)
	r := verify(t, text)
	require.True(t, r.OK(), r.Problem)
	require.EqualValues(t, 7, r.To)
	require.Contains(t, strings.Split(text, "\n")[3], "erased-x")
	part := verify(t, export(t, s, 5, 7))
	require.True(t, part.OK(), "what was before the export is not there to be held against anything: %s", part.Problem)
	require.False(t, verify(t, export(t, s, 1, 6)).OK(), "nobody has sealed it")
	require.NoError(t, s.Update(func(tx *storage.Txn) error {
		_, ok, err := Rewrite(tx, 4, func(text string) (string, bool) { return text, false })
		require.False(t, ok)
		return err
	}))
}

// Whoever puts another line in the place of one that has lost words, changes what lies before it, or calls a
// line erased that is not, is found.
func TestErase_NobodyCanMakeUseOfIt(t *testing.T) {
	lines := strings.Split(export(t, erased(t), 0, 0), "\n")
	third, fourth := lines[3], lines[4]
	hashOf := func(line string) string {
		_, rest, _ := strings.Cut(line, `"hash":"`)
		hash, _, _ := strings.Cut(rest, `"`)
		return hash
	}
	for what, change := range map[string]func([]string){
		"the words are free, the hash is not": func(l []string) { l[3] = strings.Replace(third, hashOf(third), hashOf(fourth), 1) },
		"the line before is another":          func(l []string) { l[2] = strings.Replace(l[2], "1 members", "9 members", 1) },
		"a line that nobody has sealed":       func(l []string) { l[5] = strings.Replace(l[5], `"hash":"`, `"erased":true,"hash":"`, 1) },
		"the seal is gone":                    func(l []string) { l[7] = l[7][:strings.Index(l[7], `,"erases"`)] + "}" },
		"the line says that it is as it was":  func(l []string) { l[3] = strings.Replace(third, `,"erased":true`, "", 1) },
		"the line is left out":                func(l []string) { l[3] = fourth },
	} {
		forged := append([]string{}, lines...)
		change(forged)
		require.NotEqual(t, lines, forged, what)
		require.False(t, verify(t, strings.Join(forged, "\n")).OK(), what)
	}
	// All of what lies before it, written anew with hashes that follow from each other.
	rewritten := append([]string{}, lines...)
	prev := make([]byte, sha256.Size)
	for n := 1; n <= 2; n++ {
		var l auditLine
		require.NoError(t, json.Unmarshal([]byte(lines[n]), &l))
		e := Entry{N: l.N, Index: l.Index, At: l.At, Actor: "mallory", Action: l.Action, Summary: l.Summary}
		hash, err := e.chain(prev)
		require.NoError(t, err)
		prev, l.Actor, l.Hash = hash, e.Actor, hex.EncodeToString(hash)
		raw, err := json.Marshal(l)
		require.NoError(t, err)
		rewritten[n] = string(raw)
	}
	require.False(t, verify(t, strings.Join(rewritten, "\n")).OK(), "the seal holds what was before to what was after")

	// What stands in it now is what the later line has left.
	for _, change := range [][2]string{{"erased-x", "anything"}, {"amy", "eve"}, {`"at":`, `"at":1`}} {
		forged := append([]string{}, lines...)
		forged[3] = strings.Replace(third, change[0], change[1], 1)
		require.NotEqual(t, third, forged[3])
		require.False(t, verify(t, strings.Join(forged, "\n")).OK(), change[1])
	}
}

// A line loses words for two persons, one after the other: the last says how it stands.
func TestErase_ALineThatLosesWordsTwice(t *testing.T) {
	s := erased(t)
	require.NoError(t, s.Update(func(tx *storage.Txn) error {
		sealed, ok, err := Rewrite(tx, 3, func(text string) (string, bool) { return text + " erased-y", true })
		require.NoError(t, err)
		require.True(t, ok)
		_, err = Append(tx, Entry{Index: 21, At: 9001, Actor: "amy", Action: "audit lines erase", Summary: "words of 1 line", Erases: []Sealed{sealed}})
		require.NoError(t, err)
		_, ok, err = Rewrite(tx, 7, func(string) (string, bool) { return "nothing was erased", true })
		require.False(t, ok, "a line that says what was erased stays")
		return err
	}))
	text := export(t, s, 0, 0)
	r := verify(t, text)
	require.True(t, r.OK(), r.Problem)
	lines := strings.Split(text, "\n")
	lines[3] = strings.Split(export(t, erased(t), 0, 0), "\n")[3]
	require.False(t, verify(t, strings.Join(lines, "\n")).OK(), "as it was left the first time")
}
