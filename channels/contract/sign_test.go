package contract

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// key is deterministic, so that failures can be repeated.
func key(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

func public(n byte) ed25519.PublicKey { return key(n).Public().(ed25519.PublicKey) }

func signer(n byte) Signer { return Signer{KeyID: KeyID(public(n)), Key: key(n)} }

func keyRing(ns ...byte) KeyRing {
	kr := KeyRing{District: "tuen-mun", Time: noon}
	for _, n := range ns {
		kr.Keys = append(kr.Keys, NewKey("node", public(n), noon.Add(-time.Hour), noon.Add(time.Hour)))
	}
	return kr
}

func ring(t testing.TB, ns ...byte) Ring {
	t.Helper()
	r, err := NewRing(keyRing(ns...))
	require.NoError(t, err)
	return r
}

func body() Body {
	return Body{
		Alert: "abc", Revision: 7, Time: noon, Status: "Actual", Tier: TierEmergency, Expires: noon.Add(time.Hour),
		Texts: []Text{{Language: "zh-HK", Headline: "大廈火警 <1 樓>", Instruction: "立即離開 & 勿用升降機", Areas: []string{"安定邨"}}},
	}
}

func signed(t testing.TB, s Signer, v any) []byte {
	t.Helper()
	jws, err := s.Sign(v)
	require.NoError(t, err)
	return jws
}

func TestOpen_ReturnsWhatWasSigned(t *testing.T) {
	jws := signed(t, signer(1), body())
	got, err := Open[Body](ring(t, 1, 2), jws)
	require.NoError(t, err)
	require.Equal(t, body(), got)
	require.Equal(t, jws, signed(t, signer(1), body()), "EdDSA is deterministic")
	require.LessOrEqual(t, len(jws), signer(1).SignedSize(len(mustJSON(t, body()))))
}

func mustJSON(t testing.TB, v any) []byte {
	t.Helper()
	b, err := encode(v)
	require.NoError(t, err)
	return b
}

func TestOpen_RefusesOtherKindsOfPayload(t *testing.T) {
	m := Manifest{Time: noon, Node: "n1", Version: 1}
	_, err := Open[Body](ring(t, 1), signed(t, signer(1), m))
	require.ErrorIs(t, err, ErrSignature)
	require.ErrorContains(t, err, TypeManifest)
	_, err = Open[Manifest](ring(t, 1), signed(t, signer(1), Command{ID: "c", Time: noon, Expires: noon}))
	require.ErrorIs(t, err, ErrSignature)
}

func TestOpen_RefusesTamperedAndUnknown(t *testing.T) {
	jws := string(signed(t, signer(1), body()))
	parts := strings.Split(jws, ".")
	other := strings.Split(string(signed(t, signer(1), Body{Alert: "x", Revision: 1, Time: noon, Expires: noon})), ".")

	_, err := Open[Body](ring(t, 1), []byte(parts[0]+"."+other[1]+"."+parts[2]))
	require.ErrorIs(t, err, ErrSignature)
	_, err = Open[Body](ring(t, 2), []byte(jws))
	require.ErrorIs(t, err, ErrUnknownKey)
	large := body()
	large.Texts[0].Description = strings.Repeat("a", MaxSigned)
	_, err = Open[Body](ring(t, 1), signed(t, signer(1), large))
	require.ErrorIs(t, err, ErrSignature, "too large, however well signed")
	forged := Signer{KeyID: signer(1).KeyID, Key: key(9)}
	_, err = Open[Body](ring(t, 1), signed(t, forged, body()))
	require.ErrorIs(t, err, ErrSignature)
}

// TestOpen_RefusesOtherAlgorithms builds the two classic confusions: no signature
// at all, and an HMAC keyed with the public key.
func TestOpen_RefusesOtherAlgorithms(t *testing.T) {
	payload := base64.RawURLEncoding.EncodeToString(mustJSON(t, body()))
	header := base64.RawURLEncoding.EncodeToString([]byte(
		`{"alg":"none","kid":"` + KeyID(public(1)) + `","typ":"` + TypeBody + `"}`))
	_, err := Open[Body](ring(t, 1), []byte(header+"."+payload+"."))
	require.ErrorIs(t, err, ErrSignature)

	hmac, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: []byte(public(1)), KeyID: KeyID(public(1))},
	}, (&jose.SignerOptions{}).WithType(TypeBody))
	require.NoError(t, err)
	object, err := hmac.Sign(mustJSON(t, body()))
	require.NoError(t, err)
	compact, err := object.CompactSerialize()
	require.NoError(t, err)
	_, err = Open[Body](ring(t, 1), []byte(compact))
	require.ErrorIs(t, err, ErrSignature)
	require.ErrorContains(t, err, "HS256")
}

func TestOpen_IgnoresAKeyInTheHeader(t *testing.T) {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key(9)},
		(&jose.SignerOptions{EmbedJWK: true}).WithType(TypeBody).WithHeader("kid", KeyID(public(1))))
	require.NoError(t, err)
	object, err := s.Sign(mustJSON(t, body()))
	require.NoError(t, err)
	compact, err := object.CompactSerialize()
	require.NoError(t, err)
	_, err = Open[Body](ring(t, 1), []byte(compact))
	require.Error(t, err)
}

func TestOpen_HoldsThePayloadToItsKeysValidity(t *testing.T) {
	for name, at := range map[string]time.Time{
		"before": noon.Add(-2 * time.Hour), "after": noon.Add(time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			b := body()
			b.Time = at
			_, err := Open[Body](ring(t, 1), signed(t, signer(1), b))
			require.ErrorIs(t, err, ErrKeyTime)
		})
	}
}

func TestSign_RefusesWhatNoDeviceCouldUse(t *testing.T) {
	for name, v := range map[string]any{
		"no expires":  Body{Alert: "a", Revision: 1, Time: noon},
		"wild id":     Body{Alert: "a/#", Revision: 1, Time: noon, Expires: noon},
		"no version":  Manifest{Time: noon, Node: "n"},
		"no id":       Command{Time: noon, Expires: noon},
		"no time":     KeyRing{},
		"other types": State{},
	} {
		_, err := signer(1).Sign(v)
		require.Error(t, err, name)
	}
}

func TestOpenKeys_TakesTheRootKeyOnly(t *testing.T) {
	jws := signed(t, Signer{KeyID: "root", Key: key(100)}, keyRing(1, 2))
	r, err := OpenKeys(public(100), jws)
	require.NoError(t, err)
	require.Equal(t, 2, r.Len())
	require.True(t, r.Time().Equal(noon))
	_, err = Open[Body](r, signed(t, signer(2), body()))
	require.NoError(t, err)

	_, err = OpenKeys(public(1), jws)
	require.ErrorIs(t, err, ErrSignature)
	for _, root := range []ed25519.PublicKey{nil, {}, make([]byte, 5)} {
		_, err = OpenKeys(root, jws)
		require.ErrorIs(t, err, ErrSignature)
		require.ErrorContains(t, err, "no root key")
	}
	_, err = OpenKeys(public(100), signed(t, Signer{KeyID: "root", Key: key(100)}, body()))
	require.ErrorIs(t, err, ErrSignature, "typ is checked here too")
}

func TestNewRing_TakesAllOrNothing(t *testing.T) {
	twice := keyRing(1, 1)
	_, err := NewRing(twice)
	require.ErrorContains(t, err, "twice")
	broken := keyRing(1)
	broken.Keys[0].Public = "AAAA"
	_, err = NewRing(broken)
	require.ErrorContains(t, err, "not an Ed25519")
	_, err = NewRing(KeyRing{Keys: make([]Key, MaxKeys+1)})
	require.ErrorContains(t, err, "at most")
	_, err = (Ring{}).Lookup("x", noon)
	require.ErrorIs(t, err, ErrUnknownKey)
}

// TestKeyID_IsTheThumbprint uses the key and thumbprint of RFC 8037 appendix A.3.
func TestKeyID_IsTheThumbprint(t *testing.T) {
	x, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	require.NoError(t, err)
	whole, err := base64.RawURLEncoding.DecodeString("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")
	require.NoError(t, err)
	require.Equal(t, base64.RawURLEncoding.EncodeToString(whole[:16]), KeyID(x))
}

func FuzzOpen(f *testing.F) {
	r := ring(f, 1)
	f.Add(signed(f, signer(1), body()))
	f.Add(signed(f, signer(1), Manifest{Time: noon, Node: "n", Version: 1}))
	f.Add(signed(f, Signer{KeyID: "root", Key: key(100)}, keyRing(1)))
	f.Add([]byte("e30.e30.e30"))
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."))
	f.Fuzz(func(t *testing.T, jws []byte) {
		if b, err := Open[Body](r, jws); err == nil {
			again, err := json.Marshal(b)
			require.NoError(t, err)
			require.NotEmpty(t, again)
		}
		_, _ = Open[Manifest](r, jws)
		_, _ = Open[Command](r, jws)
		_, _ = OpenKeys(public(100), jws)
	})
}

func BenchmarkSign(b *testing.B) {
	s, v := signer(1), body()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Sign(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	r, jws := ring(b, 1), signed(b, signer(1), body())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Open[Body](r, jws); err != nil {
			b.Fatal(err)
		}
	}
}
