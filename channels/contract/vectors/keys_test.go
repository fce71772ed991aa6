package vectors

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

var update = flag.Bool("update", false, "write the vectors anew")

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// key is deterministic: the same files come out of every run.
func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func public(n byte) ed25519.PublicKey { return key(n).Public().(ed25519.PublicKey) }

func signer(n byte) contract.Signer {
	return contract.Signer{KeyID: contract.KeyID(public(n)), Key: key(n)}
}

// The keys: the district's root, two nodes, and another district's root and node.
const (
	root = iota + 1
	nodeA
	nodeB
	otherRoot
	otherNode
)

// ring is the district's key ring, with the keys of these nodes.
func ring(at time.Time, nodes ...byte) contract.KeyRing {
	kr := contract.KeyRing{District: "tuen-mun", Time: at, Keys: []contract.Key{}}
	for _, n := range nodes {
		kr.Keys = append(kr.Keys, contract.NewKey(string('A'+rune(n-nodeA)), public(n), noon.AddDate(0, 0, -1), noon.AddDate(2, 0, 0)))
	}
	return kr
}

func sign(t *testing.T, n byte, v any) string {
	t.Helper()
	jws, err := signer(n).Sign(v)
	require.NoError(t, err)
	return string(jws)
}

// part is base64url without padding.
func part(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// forge signs anything under any header.
func forge(t *testing.T, private ed25519.PrivateKey, header, payload any) string {
	t.Helper()
	text := part(raw(t, header)) + "." + part(raw(t, payload))
	return text + "." + part(ed25519.Sign(private, []byte(text)))
}

// raw is JSON, or the bytes themselves.
func raw(t *testing.T, v any) []byte {
	t.Helper()
	if text, ok := v.(string); ok {
		return []byte(text)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	require.NoError(t, e.Encode(v))
	return bytes.TrimSpace(b.Bytes())
}

// hold compares a file with what it must hold, or writes it.
func hold(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	require.NoError(t, e.Encode(v))
	if *update {
		require.NoError(t, os.WriteFile(name+".json", b.Bytes(), 0o644))
		return
	}
	got, err := os.ReadFile(name + ".json")
	require.NoError(t, err)
	require.Equal(t, b.String(), string(got), "go test ./channels/contract/vectors -update writes it anew")
}
