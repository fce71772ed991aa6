package fsm

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

// A message whose original lies apart is known by the content of the whole, and its fact
// is listed for whoever fetches originals.
func TestAdopt_AnOriginalApartIsTheIdentityOfItsMessage(t *testing.T) {
	s, r, a := newScript(t), newRig(t), newOrigin("node-a")
	apart := func(content byte, kept bool) func(*factbody.Issue) {
		return func(i *factbody.Issue) {
			i.Original = &factbody.Original{SHA256: bytes.Repeat([]byte{content}, 32), Size: 1 << 20, Content: bytes.Repeat([]byte{content}, 32), Kept: kept}
		}
	}
	first := a.alert(t, "big", apart(1, true))
	require.Equal(t, command.Adopted, r.adopt(s, first)[0].Outcome)
	require.Equal(t, command.Adopted, r.adopt(s, a.alert(t, "big", apart(1, false)))[0].Outcome, "the same message")
	require.Equal(t, command.Refused, r.adopt(s, a.alert(t, "big", apart(2, false)))[0].Outcome, "the short form is the same, the whole is not")
	require.Equal(t, command.Adopted, r.adopt(s, a.alert(t, "small"))[0].Outcome)
	listed := must(r.read.KeptFacts(fact.KindOriginals, 0, 0, 0))
	require.Len(t, listed, 1)
	require.Equal(t, first.ID(), listed[0].ID)
}

// The board holds what decides which message stands. The bytes of a fact are in the store.
func TestAdopt_KeepsNoBytesOfMessagesInMemory(t *testing.T) {
	s, r, a := newScript(t), newRig(t), newOrigin("node-a")
	var bodies []weak.Pointer[byte]
	r.fsm.hooks.Adopted = func(signed fact.Signed, f fact.Fact, _ command.FactOutcome) {
		bodies = append(bodies, weak.Make(&f.Body[0]), weak.Make(&signed.Canonical[0]))
	}
	for i := range 8 {
		require.Equal(t, command.Adopted, r.adopt(s, a.alert(t, fmt.Sprint("m", i)))[0].Outcome)
	}
	require.Len(t, bodies, 16)
	runtime.GC()
	for i, body := range bodies {
		require.Nil(t, body.Value(), "bytes %d", i)
	}
	runtime.KeepAlive(r)
}
