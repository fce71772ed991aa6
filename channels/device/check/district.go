package check

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"almenara/channels/contract"
)

// ahead is how far the district's time is ahead of this machine's, so that a device that goes by
// its own clock is seen to do so.
const ahead = 47 * time.Minute

// old is how long before now a body is signed that is not to begin on its own.
const old = time.Hour

// district signs, and forges, and remembers what is in force.
type district struct {
	device string
	clock  func() time.Time
	root   ed25519.PrivateKey
	nodes  []contract.Signer  // A, B and C, of which the ring has the first two
	late   contract.Signer    // whose key is in the ring, and valid no more
	other  ed25519.PrivateKey // of nobody here

	mu       sync.Mutex // guards all below
	node     int        // the one that signs
	version  uint64
	inForce  []contract.Body
	ended    []contract.Ended
	silent   bool // a line sends manifests itself
	ringTime time.Time
}

func newKey() ed25519.PrivateKey {
	_, private, _ := ed25519.GenerateKey(rand.Reader) // never fails
	return private
}

func newSigner() contract.Signer {
	private := newKey()
	return contract.Signer{KeyID: contract.KeyID(private.Public().(ed25519.PublicKey)), Key: private}
}

func newDistrict(device string, clock func() time.Time) *district {
	d := &district{device: device, clock: clock, root: newKey(), other: newKey(), late: newSigner()}
	for range 3 {
		d.nodes = append(d.nodes, newSigner())
	}
	d.version, d.ringTime = uint64(d.now().UnixMilli()), d.now()
	return d
}

// now is the district's time.
func (d *district) now() time.Time { return d.clock().Add(ahead).UTC() }

func (d *district) rootKey() string {
	return base64.RawURLEncoding.EncodeToString(d.root.Public().(ed25519.PublicKey))
}

// small is a key of small order, under which anybody can sign: the neutral point.
var small = ed25519.PublicKey(append([]byte{1}, make([]byte, 31)...))

// ring is the key ring with the keys of these nodes, signed by a root key.
func (d *district) ring(root ed25519.PrivateKey, at time.Time, nodes ...int) []byte {
	day := 24 * time.Hour
	kr := contract.KeyRing{District: "check", Time: at, Keys: []contract.Key{
		{ID: "small", Node: "S", Public: base64.RawURLEncoding.EncodeToString(small)},
		contract.NewKey("L", d.late.Key.Public().(ed25519.PublicKey), at.Add(-9*day), at.Add(-2*day)),
	}}
	for _, n := range nodes {
		kr.Keys = append(kr.Keys, contract.NewKey(nodeName(n), d.nodes[n].Key.Public().(ed25519.PublicKey), at.Add(-9*day), at.Add(9*day)))
	}
	jws, err := contract.Signer{KeyID: "root", Key: root}.Sign(kr)
	must(err)
	return jws
}

func nodeName(n int) string { return string('A' + rune(n)) }

// must is for what can only fail where this package is wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// manifest is the next listing of the node that signs now.
func (d *district) manifest() contract.Manifest {
	d.version++
	m := contract.Manifest{
		Time: d.now(), Node: nodeName(d.node), Version: d.version, InForce: []contract.InForce{}, Ended: append([]contract.Ended{}, d.ended...),
	}
	for _, b := range d.inForce {
		m.InForce = append(m.InForce, entry(b))
	}
	return m
}

// bodies are what is in force.
func (d *district) bodies() []contract.Body { return append([]contract.Body(nil), d.inForce...) }

func (d *district) sign(v any) []byte {
	jws, err := d.nodes[d.node].Sign(v)
	must(err)
	return jws
}

// entry lists a body.
func entry(b contract.Body) contract.InForce {
	return contract.InForce{ID: b.Alert, Revision: b.Revision, Digest: b.Digest, Expires: b.Expires}
}

// body is an alert of its own, signed an hour ago, that runs out in an hour. What it says is for
// people who watch the device.
func (d *district) body(says string, change ...func(*contract.Body)) contract.Body {
	now := d.now()
	b := contract.Body{
		Alert: randomID(), Revision: uint64(now.UnixMilli()), Digest: randomID()[:10], Time: now.Add(-old), Status: "Actual",
		Tier: contract.TierEmergency, Sound: "siren", Confirm: "none", Sender: "check", Sent: now.Add(-old), Expires: now.Add(time.Hour),
	}
	for language, event := range map[string]string{"zh-Hant": "測試", "en": "Check"} {
		b.Texts = append(b.Texts, contract.Text{
			Language: language, Event: event, Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed",
			Headline: says, Areas: []string{"check"}, Expires: b.Expires,
		})
	}
	for _, c := range change {
		c(&b)
	}
	return b
}

// next is a higher revision of a body.
func next(b contract.Body, says string) contract.Body {
	b.Revision, b.Digest = b.Revision+1000, randomID()[:10]
	b.Texts = append([]contract.Text(nil), b.Texts...)
	for i := range b.Texts {
		b.Texts[i].Headline = says
	}
	return b
}

// randomID is an alert id.
func randomID() string {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
}

// forge signs any payload under any header.
func forge(key ed25519.PrivateKey, header map[string]any, payload any) []byte {
	text := encoded(header) + "." + encoded(payload)
	return []byte(text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(key, []byte(text))))
}

func encoded(v any) string {
	raw, err := json.Marshal(v)
	must(err)
	return base64.RawURLEncoding.EncodeToString(raw)
}

// header is what the first node would write, of a typ.
func (d *district) header(typ string) map[string]any {
	return map[string]any{"alg": "EdDSA", "kid": d.nodes[0].KeyID, "typ": typ}
}
