package vectors

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
)

func fire(more ...func(*contract.Body)) contract.Body {
	b := contract.Body{
		Alert: "fire", Revision: 1784548800123, Digest: "6ohCkn1Lq3", Time: noon, Status: "Actual",
		Tier: contract.TierEmergency, Sound: "siren", Confirm: "person",
		Sender: "hkfsd.gov.hk", Sent: noon.Add(-time.Second), Expires: noon.Add(time.Hour),
		Texts: []contract.Text{
			{Language: "zh-Hant-HK", Event: "火警", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed", Headline: "大廈火警 <1 樓>",
				Instruction: "立即離開 & 勿用升降機", Areas: []string{"安定邨"}, Expires: noon.Add(time.Hour)},
			{Language: "en", Event: "Fire", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed", Headline: "Fire on floor 1",
				Instruction: "Leave by the stairs.", Areas: []string{"On Ting Estate"}, Expires: noon.Add(time.Hour)},
		},
	}
	for _, change := range more {
		change(&b)
	}
	return b
}

func manifest(more ...func(*contract.Manifest)) contract.Manifest {
	m := contract.Manifest{
		Time: noon, Node: "A", Version: 1784548800000,
		InForce: []contract.InForce{{ID: "fire", Revision: 1784548800123, Digest: "6ohCkn1Lq3", Expires: noon.Add(time.Hour)}},
		Ended:   []contract.Ended{{ID: "flood", Revision: 1784548700000, At: noon.Add(-time.Minute), Why: contract.WhyCancelled}},
	}
	for _, change := range more {
		change(&m)
	}
	return m
}

var command = contract.Command{ID: "c-1", Do: "identify", Time: noon, Expires: noon.Add(time.Minute)}

// header is a JWS header as nodes write it, of the key and the typ.
func header(n byte, typ string) map[string]any {
	return map[string]any{"alg": "EdDSA", "kid": contract.KeyID(public(n)), "typ": typ}
}

// with is a header that has one more member, or another value of it; nil takes it away.
func with(h map[string]any, name string, value any) map[string]any {
	if delete(h, name); value != nil {
		h[name] = value
	}
	return h
}

// smallOrder are public keys under which a signature can be made without a private one: the
// neutral point, written as it must be and as it must not, the points of order 2 and 4, and one
// of order 8.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
}

func smallKey(t *testing.T, n int) ed25519.PublicKey {
	t.Helper()
	key, err := hex.DecodeString(smallOrder[n])
	require.NoError(t, err)
	return key
}

// unsigned is a payload that verifies under a key of small order, although nobody signed it:
// R is the neutral point and S is 0. Which payload does depends on its digest.
func unsigned(t *testing.T, n int) string {
	t.Helper()
	public := smallKey(t, n)
	signature := make([]byte, ed25519.SignatureSize)
	signature[0] = 1
	for version := uint64(1); version < 200; version++ {
		m := manifest(func(m *contract.Manifest) { m.Version = version })
		h := map[string]any{"alg": "EdDSA", "kid": "small-" + string(rune('0'+n)), "typ": contract.TypeManifest}
		text := part(raw(t, h)) + "." + part(raw(t, m))
		if ed25519.Verify(public, []byte(text), signature) {
			return text + "." + part(signature)
		}
	}
	t.Fatal("no payload verifies")
	return ""
}

// malleable is the same signature with S + L in the place of S (RFC 8032 §8.4).
func malleable(t *testing.T, jws string) string {
	t.Helper()
	at := strings.LastIndex(jws, ".") + 1
	signature, err := base64.RawURLEncoding.DecodeString(jws[at:])
	require.NoError(t, err)
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(signature[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	return jws[:at] + part(append(signature[:32:32], sum...))
}

// keysOfCases is the ring that the cases are opened with.
func keysOfCases(t *testing.T) contract.KeyRing {
	kr := ring(noon, nodeA, nodeB)
	kr.Keys = append(kr.Keys,
		contract.NewKey("C", public(6), noon.Add(time.Minute), noon.AddDate(1, 0, 0)),
		contract.NewKey("D", public(7), noon.AddDate(-1, 0, 0), noon))
	for n := range smallOrder {
		kr.Keys = append(kr.Keys, contract.Key{ID: "small-" + string(rune('0'+n)), Node: "E", Public: part(smallKey(t, n))})
	}
	return kr
}

func goodSignatures(t *testing.T) []Signature {
	good := func(name, typ string, payload any) Signature {
		return Signature{name, typ, sign(t, nodeA, payload), Good, raw(t, payload)}
	}
	later := func(m map[string]any) string {
		return forge(t, key(nodeA), with(header(nodeA, contract.TypeCommand), "cty", "later"), m)
	}
	return []Signature{
		good("body in two languages", contract.TypeBody, fire()),
		good("body of a drill", contract.TypeBody, fire(func(b *contract.Body) { b.Status, b.Tier, b.Sound = "Exercise", contract.TierDrill, "drill" })),
		good("manifest", contract.TypeManifest, manifest()),
		good("empty manifest", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.InForce, m.Ended = []contract.InForce{}, []contract.Ended{} })),
		good("second page of three", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.Page, m.Pages = 2, 3 })),
		good("command", contract.TypeCommand, command),
		good("body without sent, with a text without expires", contract.TypeBody, fire(func(b *contract.Body) { b.Sent, b.Texts[0].Expires = time.Time{}, time.Time{} })),
		{"by another node of the ring", contract.TypeBody, sign(t, nodeB, fire()), Good, raw(t, fire())},
		{
			"with members of a later version", contract.TypeCommand,
			later(map[string]any{"id": "c-1", "do": "identify", "time": noon, "expires": noon.Add(time.Minute), "later": []int{1}}),
			Good, raw(t, command),
		},
		{
			"time with an offset and nanoseconds", contract.TypeCommand,
			forge(t, key(nodeA), header(nodeA, contract.TypeCommand), `{"id":"c-1","do":"test","time":"2026-07-20T20:00:00.123456789+08:00","expires":"2026-07-20T12:01:00Z"}`),
			Good, raw(t, map[string]any{"id": "c-1", "do": "test", "time": "2026-07-20T20:00:00.123456789+08:00", "expires": "2026-07-20T12:01:00Z"}),
		},
	}
}

func forgedSignatures(t *testing.T) []Signature {
	good := sign(t, nodeA, fire())
	parts := strings.Split(good, ".")
	swap := func(n int, text string) string {
		changed := slices.Clone(parts)
		changed[n] = text
		return strings.Join(changed, ".")
	}
	late := fire(func(b *contract.Body) { b.Expires = noon.AddDate(1, 0, 0) })
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	flipped := bytes.Clone(signature)
	flipped[40] ^= 1
	text := part(raw(t, with(header(nodeA, contract.TypeBody), "alg", "HS256"))) + "." + parts[1]
	mac := hmac.New(sha256.New, public(nodeA))
	mac.Write([]byte(text))
	bad := func(name, jws string) Signature { return Signature{name, contract.TypeBody, jws, Bad, nil} }
	list := []Signature{
		bad("payload altered", swap(1, part(raw(t, late)))),
		bad("header altered", swap(0, part(raw(t, with(header(nodeA, contract.TypeBody), "cty", "x"))))),
		bad("signature altered", swap(2, part(flipped))),
		bad("signature cut", swap(2, part(signature[:63]))),
		bad("signature missing", parts[0]+"."+parts[1]+"."),
		bad("S that is not canonical", malleable(t, good)),
		bad("alg none", part(raw(t, with(header(nodeA, contract.TypeBody), "alg", "none")))+"."+parts[1]+"."),
		bad("alg HS256 with the public key as secret", text+"."+part(mac.Sum(nil))),
		bad("without alg", forge(t, key(nodeA), with(header(nodeA, contract.TypeBody), "alg", nil), fire())),
		bad("without typ", forge(t, key(nodeA), with(header(nodeA, contract.TypeBody), "typ", nil), fire())),
		bad("typ of another kind", forge(t, key(nodeA), header(nodeA, contract.TypeCommand), fire())),
		bad("a manifest in the place of a body", sign(t, nodeA, manifest())),
		bad("a critical header", forge(t, key(nodeA), with(with(header(nodeA, contract.TypeBody), "crit", []string{"later"}), "later", 1), fire())),
		bad("signed by one node with the kid of another", forge(t, key(nodeB), header(nodeA, contract.TypeBody), fire())),
		bad("signed by another district with the kid of a node", forge(t, key(otherNode), header(nodeA, contract.TypeBody), fire())),
		bad("two parts", parts[0]+"."+parts[1]),
		bad("four parts", good+"."+parts[2]),
		bad("padding", swap(2, parts[2]+"==")),
		bad("base64 of the other alphabet", swap(1, base64.RawStdEncoding.EncodeToString(raw(t, fire(func(b *contract.Body) { b.Digest = "???>>>" }))))),
		bad("no bytes", ""),
		bad("larger than 64 KiB", sign(t, nodeA, fire(func(b *contract.Body) { b.Texts[0].Description = strings.Repeat("x", 50<<10) }))),
		{"kid that nobody knows", contract.TypeBody, sign(t, otherNode, fire()), UnknownKey, nil},
		{"without kid", contract.TypeBody, forge(t, key(nodeA), with(header(nodeA, contract.TypeBody), "kid", nil), fire()), UnknownKey, nil},
		{"by the root key", contract.TypeBody, sign(t, root, fire()), UnknownKey, nil},
		{"by a key that is not valid yet", contract.TypeBody, sign(t, 6, fire()), KeyTime, nil},
		{"by a key that is valid no more", contract.TypeBody, sign(t, 7, fire()), KeyTime, nil},
		{"by a key that was valid a second earlier", contract.TypeBody, sign(t, 7, fire(func(b *contract.Body) { b.Time = noon.Add(-time.Second) })), Good, raw(t, fire(func(b *contract.Body) { b.Time = noon.Add(-time.Second) }))},
	}
	for n := range smallOrder {
		list = append(list, Signature{"nobody's, under a key of small order: " + smallOrder[n], contract.TypeManifest, unsigned(t, n), Bad, nil})
	}
	return list
}

// incomplete are signed by a node of the ring, and still nothing that a device may use.
func incomplete(t *testing.T) []Signature {
	bad := func(name, typ string, payload any) Signature {
		return Signature{name, typ, forge(t, key(nodeA), header(nodeA, typ), payload), Bad, nil}
	}
	return []Signature{
		bad("payload that is no JSON", contract.TypeBody, "{"),
		bad("payload that is a list", contract.TypeBody, "[]"),
		bad("body without expires", contract.TypeBody, fire(func(b *contract.Body) { b.Expires = time.Time{} })),
		bad("body without time", contract.TypeBody, fire(func(b *contract.Body) { b.Time = time.Time{} })),
		bad("body of revision 0", contract.TypeBody, fire(func(b *contract.Body) { b.Revision = 0 })),
		bad("body of an alert whose name is no name", contract.TypeBody, fire(func(b *contract.Body) { b.Alert = "a/b" })),
		bad("revision in quotes", contract.TypeBody, `{"alert":"fire","revision":"1","time":"2026-07-20T12:00:00Z","expires":"2026-07-20T13:00:00Z"}`),
		bad("negative revision", contract.TypeBody, `{"alert":"fire","revision":-1,"time":"2026-07-20T12:00:00Z","expires":"2026-07-20T13:00:00Z"}`),
		bad("time that is no time", contract.TypeBody, `{"alert":"fire","revision":1,"time":"2026-02-30T12:00:00Z","expires":"2026-07-20T13:00:00Z"}`),
		bad("manifest without version", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.Version = 0 })),
		bad("manifest without node", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.Node = "" })),
		bad("page 3 of 2", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.Page, m.Pages = 3, 2 })),
		bad("page 1 of 1", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.Page, m.Pages = 1, 1 })),
		bad("page of nothing", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.Page = 1 })),
		bad("more pages than there may be", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.Page, m.Pages = 1, 1025 })),
		bad("manifest that lists without expires", contract.TypeManifest, manifest(func(m *contract.Manifest) { m.InForce[0].Expires = time.Time{} })),
		bad("command without id", contract.TypeCommand, `{"do":"test","time":"2026-07-20T12:00:00Z","expires":"2026-07-20T12:01:00Z"}`),
		bad("command without expires", contract.TypeCommand, `{"id":"c","do":"test","time":"2026-07-20T12:00:00Z"}`),
	}
}

func TestSignatures(t *testing.T) {
	v := Signatures{Root: part(public(root)), Ring: sign(t, root, keysOfCases(t))}
	v.Cases = slices.Concat(goodSignatures(t), forgedSignatures(t), incomplete(t))
	hold(t, "signatures", v)

	opened, err := contract.OpenKeys(public(root), []byte(v.Ring))
	require.NoError(t, err)
	for _, c := range v.Cases {
		payload, err := open(opened, c)
		switch c.Result {
		case Good:
			require.NoError(t, err, c.Name)
			require.JSONEq(t, string(c.Payload), string(raw(t, payload)), c.Name)
		case Bad:
			require.ErrorIs(t, err, contract.ErrSignature, c.Name)
		case UnknownKey:
			require.ErrorIs(t, err, contract.ErrUnknownKey, c.Name)
		case KeyTime:
			require.ErrorIs(t, err, contract.ErrKeyTime, c.Name)
		}
	}
}

func open(ring contract.Ring, c Signature) (any, error) {
	switch c.Opens {
	case contract.TypeManifest:
		return contract.Open[contract.Manifest](ring, []byte(c.JWS))
	case contract.TypeCommand:
		return contract.Open[contract.Command](ring, []byte(c.JWS))
	}
	return contract.Open[contract.Body](ring, []byte(c.JWS))
}

func TestRings(t *testing.T) {
	kr := ring(noon, nodeA, nodeB)
	changed := func(change func(*contract.KeyRing)) contract.KeyRing {
		c := kr
		c.Keys = slices.Clone(kr.Keys)
		change(&c)
		return c
	}
	h := header(root, contract.TypeKeys)
	v := Rings{Root: part(public(root)), Cases: []RingCase{
		{"of two nodes", sign(t, root, kr), Good, []string{kr.Keys[0].ID, kr.Keys[1].ID}},
		{"without keys", sign(t, root, ring(noon)), Good, nil},
		{"without limits of time", sign(t, root, changed(func(k *contract.KeyRing) { k.Keys[0].NotBefore, k.Keys[0].NotAfter = time.Time{}, time.Time{} })), Good, []string{kr.Keys[0].ID, kr.Keys[1].ID}},
		{"with another kid in the header", forge(t, key(root), with(header(root, contract.TypeKeys), "kid", "any"), kr), Good, []string{kr.Keys[0].ID, kr.Keys[1].ID}},
		{"signed by a node", sign(t, nodeA, kr), Bad, nil},
		{"signed by the root of another district", sign(t, otherRoot, kr), Bad, nil},
		{"typ of a manifest", forge(t, key(root), with(h, "typ", contract.TypeManifest), kr), Bad, nil},
		{"S that is not canonical", malleable(t, sign(t, root, kr)), Bad, nil},
		{"without time", forge(t, key(root), header(root, contract.TypeKeys), changed(func(k *contract.KeyRing) { k.Time = time.Time{} })), Bad, nil},
		{"two keys of one id", forge(t, key(root), header(root, contract.TypeKeys), changed(func(k *contract.KeyRing) { k.Keys[1].ID = k.Keys[0].ID })), Bad, nil},
		{"a key without id", forge(t, key(root), header(root, contract.TypeKeys), changed(func(k *contract.KeyRing) { k.Keys[1].ID = "" })), Bad, nil},
		{"a key of 31 bytes", forge(t, key(root), header(root, contract.TypeKeys), changed(func(k *contract.KeyRing) { k.Keys[1].Public = part(public(nodeB)[:31]) })), Bad, nil},
	}}
	hold(t, "rings", v)
	for _, c := range v.Cases {
		opened, err := contract.OpenKeys(public(root), []byte(c.JWS))
		require.Equal(t, c.Result == Good, err == nil, "%s: %v", c.Name, err)
		for _, kid := range c.Keys {
			_, err := opened.Lookup(kid, noon)
			require.NoError(t, err, c.Name)
		}
		require.Equal(t, len(c.Keys), opened.Len(), c.Name)
	}
}

func TestUnsigned_WouldVerifyWithoutTheGuard(t *testing.T) {
	for n := range smallOrder {
		text, signature, _ := strings.Cut(unsigned(t, n), ".")
		payload, signature, _ := strings.Cut(signature, ".")
		raw, err := base64.RawURLEncoding.DecodeString(signature)
		require.NoError(t, err)
		require.True(t, ed25519.Verify(smallKey(t, n), []byte(text+"."+payload), raw))
	}
}
