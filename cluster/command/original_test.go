package command

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

func TestVersion_AnAlertWithItsOriginalApartNeedsThree(t *testing.T) {
	entry := func(issue factbody.Issue) uint64 {
		body, err := issue.Encode()
		require.NoError(t, err)
		s, err := fact.Sign(fact.Fact{Kind: fact.KindAlert, Stream: fact.Alerts, Origin: "n1", Epoch: 1, Seq: 1, Body: body},
			"k", ed25519.NewKeyFromSeed(make([]byte, 32)))
		require.NoError(t, err)
		raw, err := Command{Payload: &AdoptFacts{Facts: []fact.Signed{s}}}.Encode()
		require.NoError(t, err)
		return EntryVersion(raw)
	}
	require.EqualValues(t, 1, entry(factbody.Issue{Message: []byte("small")}))
	sum := bytes.Repeat([]byte{1}, 32)
	require.EqualValues(t, 3, entry(factbody.Issue{Message: []byte("short"), Original: &factbody.Original{SHA256: sum, Size: 5, Content: sum}}))
}
