package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/signin"
	"almenara/node/signin/passkeys"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

var (
	here    = passkeys.Page{Host: "on-ting.example.hk", Origin: "https://on-ting.example.hk:8480"}
	text64  = base64.RawURLEncoding
	browser = "a browser's random text"
)

// key is an authenticator with one passkey, written by what WebAuthn says and nothing of the library.
type key struct {
	t        *testing.T
	id       []byte
	private  *ecdsa.PrivateKey
	host     string // it answers for
	origin   string // that the browser says
	count    uint32
	verifies bool // who the person is
}

func newKey(t *testing.T) *key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	k := &key{t: t, id: []byte(rand.Text()), private: private, host: here.Host, origin: here.Origin, verifies: true}
	return k
}

// data is the authenticator data, with the key where it is new.
func (k *key) data(fresh bool) []byte {
	host := sha256.Sum256([]byte(k.host))
	flags := byte(1)
	if k.verifies {
		flags |= 4
	}
	if fresh {
		flags |= 64
	}
	k.count++
	out := binary.BigEndian.AppendUint32(append(host[:], flags), k.count)
	if !fresh {
		return out
	}
	x, y := k.private.X.FillBytes(make([]byte, 32)), k.private.Y.FillBytes(make([]byte, 32))
	public, err := cbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: x, -3: y})
	require.NoError(k.t, err)
	out = binary.BigEndian.AppendUint16(append(out, make([]byte, 16)...), uint16(len(k.id)))
	return append(append(out, k.id...), public...)
}

func (k *key) client(kind string, challenge []byte) []byte {
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": text64.EncodeToString(challenge), "origin": k.origin, "crossOrigin": false})
	require.NoError(k.t, err)
	return raw
}

func (k *key) answer(response map[string]any) string {
	raw, err := json.Marshal(map[string]any{"id": text64.EncodeToString(k.id), "rawId": text64.EncodeToString(k.id), "type": "public-key", "response": response})
	require.NoError(k.t, err)
	return string(raw)
}

func (k *key) made(challenge []byte) string {
	object, err := cbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": k.data(true)})
	require.NoError(k.t, err)
	return k.answer(map[string]any{"clientDataJSON": text64.EncodeToString(k.client("webauthn.create", challenge)), "attestationObject": text64.EncodeToString(object)})
}

func (k *key) signed(challenge []byte) string {
	client, data := k.client("webauthn.get", challenge), k.data(false)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, sum[:])
	require.NoError(k.t, err)
	return k.answer(map[string]any{"clientDataJSON": text64.EncodeToString(client), "authenticatorData": text64.EncodeToString(data), "signature": text64.EncodeToString(signature)})
}

// withKey is amy with one passkey.
func withKey(t *testing.T) (*district, *node, *key, []string) {
	t.Helper()
	d, n := signedUp(t)
	k := newKey(t)
	codes, err := n.addKey(t, k, n.who(t, ""))
	require.NoError(t, err)
	d.pass(time.Second)
	return d, n, k, codes
}

// who is amy with a new session.
func (n *node) who(t *testing.T, code string) signin.Who {
	t.Helper()
	begun, err := n.begin(t, code)
	require.NoError(t, err)
	w, err := n.Find(begun.Cookie)
	require.NoError(t, err)
	return w
}

func (n *node) addKey(t *testing.T, k *key, w signin.Who) ([]string, error) {
	t.Helper()
	challenge, _, _, err := n.NewPasskey(w)
	require.NoError(t, err)
	return n.AddPasskey(t.Context(), w, "phone", k.made(challenge), password, here, home)
}

// byKey signs in by an answer alone.
func (n *node) byKey(t *testing.T, answer string) (signin.Begun, error) {
	t.Helper()
	return n.Begin(t.Context(), signin.Attempt{Passkey: answer, Browser: browser, At: here, Address: home})
}

func TestPasskey_LetsInOnEveryNode(t *testing.T) {
	d, n, k, _ := withKey(t)
	other := d.node()
	begun, err := other.byKey(t, k.signed(n.AskPasskey(browser)))
	require.NoError(t, err, "one node asked, and another one takes the answer")
	require.True(t, n.opens(t, begun.Cookie))
	w, err := n.Find(begun.Cookie)
	require.NoError(t, err)
	all, err := n.Passkeys(w)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "phone", all[0].Name)
	require.Equal(t, d.clock(), all[0].Used.UTC())
}

func TestPasskey_IsASecondFactorOfThePassword(t *testing.T) {
	_, n, _, codes := withKey(t)
	require.Len(t, codes, 10, "whoever loses the key comes in by one of them")
	_, err := n.begin(t, "")
	refused(t, err, wire.KindUnauthenticated)
	_, err = n.begin(t, codes[0])
	require.NoError(t, err)
	_, err = n.begin(t, codes[0])
	refused(t, err, wire.KindUnauthenticated)
}

// Each is refused, whatever else of it is right.
func TestPasskey_RefusesWhatIsNotTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(*testing.T, *district, *node, *key) string
		says   string
	}{
		"nothing that was asked": {func(_ *testing.T, _ *district, _ *node, k *key) string {
			return k.signed([]byte("0123456789abcdef0123456789abcdef"))
		}, "nothing that was asked"},
		"asked of another browser": {func(_ *testing.T, _ *district, n *node, k *key) string {
			return k.signed(n.AskPasskey("another browser"))
		}, "nothing that was asked"},
		"asked by another district": {func(t *testing.T, _ *district, _ *node, k *key) string {
			_, foreign := signedUp(t)
			return k.signed(foreign.AskPasskey(browser))
		}, "nothing that was asked"},
		"asked for another purpose": {func(t *testing.T, _ *district, n *node, k *key) string {
			challenge, _, _, err := n.NewPasskey(signin.Who{})
			require.NoError(t, err)
			return k.signed(challenge)
		}, "nothing that was asked"},
		"asked long ago": {func(_ *testing.T, d *district, n *node, k *key) string {
			asked := n.AskPasskey(browser)
			d.pass(passkeys.GoodFor + time.Second)
			return k.signed(asked)
		}, "nothing that was asked"},
		"the page of another site": {func(_ *testing.T, _ *district, n *node, k *key) string {
			k.origin = "https://on-ting.example.evil"
			return k.signed(n.AskPasskey(browser))
		}, "origin"},
		"the key of another name": {func(_ *testing.T, _ *district, n *node, k *key) string {
			k.host = "evil.example"
			return k.signed(n.AskPasskey(browser))
		}, "verifying the answer"},
		"another key under its id": {func(t *testing.T, _ *district, n *node, k *key) string {
			k.private = newKey(t).private
			return k.signed(n.AskPasskey(browser))
		}, "verifying the answer"},
		"a key that nobody has": {func(t *testing.T, _ *district, n *node, _ *key) string {
			return newKey(t).signed(n.AskPasskey(browser))
		}, "nobody has it"},
		"the id of a key, signed by somebody else's": {func(t *testing.T, _ *district, n *node, k *key) string {
			own := newKey(t)
			own.id = k.id
			return own.signed(n.AskPasskey(browser))
		}, "verifying the answer"},
		"a person whom nobody has verified": {func(_ *testing.T, _ *district, n *node, k *key) string {
			k.verifies = false
			return k.signed(n.AskPasskey(browser))
		}, "did not verify who"},
		"a count that goes back": {func(_ *testing.T, _ *district, n *node, k *key) string {
			k.count = 0
			return k.signed(n.AskPasskey(browser))
		}, "counts backwards"},
		"no answer":       {func(*testing.T, *district, *node, *key) string { return "{}" }, "nobody has it"},
		"a long text":     {func(*testing.T, *district, *node, *key) string { return string(make([]byte, 1<<20)) }, "nobody has it"},
		"a broken answer": {func(_ *testing.T, _ *district, n *node, k *key) string { return k.signed(n.AskPasskey(browser))[1:] }, "nobody has it"},
	} {
		t.Run(name, func(t *testing.T) {
			d, n, k, _ := withKey(t)
			_, err := n.byKey(t, c.answer(t, d, n, k))
			require.Contains(t, refused(t, err, wire.KindUnauthenticated).Sentence, c.says)
		})
	}
}

func TestPasskey_AnAnswerCountsOnce(t *testing.T) {
	d, n, k, _ := withKey(t)
	k.count = 0
	older := n.AskPasskey(browser)
	d.pass(time.Second)
	k.count = 5
	answer := k.signed(n.AskPasskey(browser))
	_, err := n.byKey(t, answer)
	require.NoError(t, err)
	for _, again := range []*node{n, d.node()} {
		_, err = again.byKey(t, answer)
		refused(t, err, wire.KindUnauthenticated)
	}
	_, err = n.byKey(t, k.signed(older))
	require.Contains(t, refused(t, err, wire.KindUnauthenticated).Sentence, "used before", "nor does one to what was asked before")
}

// A key and a copy of it that answer at two nodes in the same moment: the log lets the first one in, and the other one
// nowhere, also not at its own node alone.
func TestAttack_ACopyOfAPasskeyIsLetInNowhere(t *testing.T) {
	_, n, k, _ := withKey(t)
	other := n.d.node()
	kept := *k
	own, copied := k.signed(n.AskPasskey(browser)), ""
	n.d.pass(time.Second)
	copied = kept.signed(n.AskPasskey(browser)) // the same count
	n.before = func() {
		_, err := other.byKey(t, own)
		require.NoError(t, err)
	}
	begun, err := n.byKey(t, copied)
	require.Equal(t, why.PasskeyCopied, refused(t, err, wire.KindUnauthenticated).Why.Reason)
	require.Empty(t, begun.Cookie)
}

// An authenticator that does not count says 0 for ever, and the time of what was asked alone keeps an answer from
// counting twice; also at two nodes at once, because the log decides.
func TestPasskey_WithoutACount(t *testing.T) {
	d, n := signedUp(t)
	k := newKey(t)
	k.count--
	_, err := n.addKey(t, k, n.who(t, ""))
	require.NoError(t, err)
	for range 2 {
		d.pass(time.Second)
		k.count--
		answer := k.signed(n.AskPasskey(browser))
		_, err = n.byKey(t, answer)
		require.NoError(t, err)
		_, err = n.byKey(t, answer)
		refused(t, err, wire.KindUnauthenticated)
	}
}

// A key that verifies nobody lets nobody in, whatever else is typed.
func TestPasskey_ThatDoesNotVerifyWhoItIsLetsNobodyIn(t *testing.T) {
	_, n, k, _ := withKey(t)
	k.verifies = false
	_, err := n.Begin(t.Context(), signin.Attempt{Name: "amy", Password: password, Passkey: k.signed(n.AskPasskey(browser)), Browser: browser, At: here, Address: home})
	refused(t, err, wire.KindUnauthenticated)
}

func TestPasskey_WorksOnANodeThatIsAlone(t *testing.T) {
	d, n, k, _ := withKey(t)
	n.alone = true
	answer := k.signed(n.AskPasskey(browser))
	begun, err := n.byKey(t, answer)
	require.NoError(t, err)
	require.True(t, begun.OnlyHere)
	_, err = n.byKey(t, answer)
	refused(t, err, wire.KindUnauthenticated)
	require.True(t, n.opens(t, begun.Cookie))
	d.pass(time.Second)
	k.count += 2
	_, err = n.byKey(t, k.signed(n.AskPasskey(browser)))
	require.NoError(t, err)
}

func TestPasskey_RemovedOrResetLetsNobodyIn(t *testing.T) {
	for name, remove := range map[string]func(*node, signin.Who, *key) error{
		"by the person": func(n *node, w signin.Who, k *key) error {
			return n.RemovePasskey(t.Context(), w, k.id, password, home)
		},
		"by an administrator": func(n *node, _ signin.Who, _ *key) error {
			return n.SetPassword(t.Context(), authority.Caller{Name: "root"}, "amy", password, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, n, k, codes := withKey(t)
			begun, err := n.begin(t, codes[0])
			require.NoError(t, err)
			w, err := n.Find(begun.Cookie)
			require.NoError(t, err)
			require.NoError(t, remove(n, w, k))
			require.False(t, n.opens(t, begun.Cookie), "and all sessions end")
			_, err = n.byKey(t, k.signed(n.AskPasskey(browser)))
			require.Contains(t, refused(t, err, wire.KindUnauthenticated).Sentence, "nobody has it")
			_, err = n.begin(t, "")
			require.NoError(t, err, "the password alone is enough again")
		})
	}
}

func TestAddPasskey_TakesThePasswordAndWhatWasAskedOfThisSession(t *testing.T) {
	d, n := signedUp(t)
	w, k := n.who(t, ""), newKey(t)
	challenge, _, _, err := n.NewPasskey(w)
	require.NoError(t, err)
	add := func(w signin.Who, name, answer, with string, at passkeys.Page) error {
		_, err := n.AddPasskey(t.Context(), w, name, answer, with, at, home)
		return err
	}
	refused(t, add(w, "phone", k.made(challenge), "wrong horse battery", here), wire.KindUnauthenticated)
	refused(t, add(w, "", k.made(challenge), password, here), wire.KindRefused)
	refused(t, add(n.who(t, ""), "phone", k.made(challenge), password, here), wire.KindUnauthenticated)
	refused(t, add(w, "phone", k.made(n.AskPasskey(browser)), password, here), wire.KindUnauthenticated)
	refused(t, add(w, "phone", k.made(challenge), password, passkeys.Page{}), wire.KindUnauthenticated)
	refused(t, add(w, "phone", k.made(challenge), password, passkeys.Page{Host: here.Host, Origin: "https://evil.example"}), wire.KindUnauthenticated)
	refused(t, add(w, "phone", k.made(challenge), password, passkeys.Page{Host: "other.example", Origin: here.Origin}), wire.KindUnauthenticated)
	k.verifies = false
	refused(t, add(w, "phone", k.made(challenge), password, here), wire.KindUnauthenticated)
	k.verifies = true
	answer := k.made(challenge)
	require.NoError(t, add(w, "phone", answer, password, here))
	refused(t, add(w, "phone", answer, password, here), wire.KindUnauthenticated)
	d.pass(time.Second)
	_, err = n.byKey(t, k.signed(n.AskPasskey(browser)))
	require.NoError(t, err)
}

// Whoever sends answers of passkeys that nobody has, from wherever, has the credentials of the district read once a
// second at most, and from one address not at all before the attempt is counted.
func TestAttack_AnswersOfAnybodyReadNoCredentials(t *testing.T) {
	d, n, k, _ := withKey(t)
	unknown := func(address string) error {
		_, err := n.Begin(t.Context(), signin.Attempt{Passkey: newKey(t).signed(n.AskPasskey(browser)), Browser: browser, At: here, Address: address})
		return err
	}
	before := d.looks
	for i := range 50 {
		refused(t, unknown(fmt.Sprintf("10.1.0.%d:1", i)), wire.KindUnauthenticated)
	}
	require.Equal(t, before+1, d.looks)
	_, err := n.byKey(t, k.signed(n.AskPasskey(browser)))
	require.NoError(t, err, "who has one comes in meanwhile")
	for range 5 {
		refused(t, unknown("10.2.0.1:1"), wire.KindUnauthenticated)
	}
	d.pass(time.Second)
	refused(t, unknown("10.2.0.1:1"), wire.KindUnauthenticated)
	d.pass(1500 * time.Millisecond)
	before = d.looks
	refused(t, unknown("10.2.0.1:1"), wire.KindOverBudget)
	require.Equal(t, before, d.looks, "the address is refused before anything is looked up")
}

// A passkey that was added at one node opens the other ones a second later at the latest, and one that was removed none.
func TestPasskey_AddedElsewhereIsFound(t *testing.T) {
	d, n, k, codes := withKey(t)
	other := d.node()
	_, err := other.byKey(t, k.signed(n.AskPasskey(browser)))
	require.NoError(t, err)
	d.pass(time.Second)
	second := newKey(t)
	_, err = n.addKey(t, second, n.who(t, codes[0]))
	require.NoError(t, err)
	d.pass(time.Second)
	for _, at := range []*node{other, n} {
		_, err = at.byKey(t, second.signed(n.AskPasskey(browser)))
		require.NoError(t, err)
		d.pass(time.Second)
	}
	w := n.who(t, codes[1])
	have, err := n.Passkeys(w)
	require.NoError(t, err)
	require.NoError(t, n.RemovePasskey(t.Context(), w, have[1].ID, password, home))
	_, err = other.byKey(t, second.signed(n.AskPasskey(browser)))
	refused(t, err, wire.KindUnauthenticated)
}
