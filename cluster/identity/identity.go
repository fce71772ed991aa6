package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"almenara/storage/durable"
)

const (
	identityFile = "identity.json"
	pendingFile  = "identity.pending.json" // keys of a join that has no answer yet
)

// ErrNoIdentity is returned by Load when the directory has none: the node
// was neither initialised nor joined.
var ErrNoIdentity = errors.New("no identity in the data directory")

// Identity is who this node is: its server id, its place in the district, its
// certificate for the other nodes, and the key that signs its facts, manifests
// and bodies. It is immutable; renewal makes another one.
type Identity struct {
	NodeID     string // raft server id: a random UUID, never used again
	District   *District
	Cert       *x509.Certificate
	Key        *ecdsa.PrivateKey // of Cert
	SigningKey ed25519.PrivateKey
	KeyID      string // of SigningKey, see KeyID
	// clock judges certificates; nil is the machine's.
	clock func() time.Time
	// Incarnation is the district's latest statement that it was begun anew; nil where
	// it never was.
	Incarnation *Incarnation
}

// New makes the first node of a district: fresh keys and server id, and
// a certificate for addrs. Nothing is written.
func New(d *District, addrs []string) (*Identity, error) {
	id, err := NewKeys()
	if err != nil {
		return nil, err
	}
	id.District = d
	id.Cert, err = d.IssueNode(time.Now(), id.NodeID, &id.Key.PublicKey, addrs)
	if err != nil {
		return nil, err
	}
	return id, nil
}

// WithClock is the identity with another clock: nil is the machine's.
func (id *Identity) WithClock(clock func() time.Time) *Identity {
	with := *id
	with.clock = clock
	return &with
}

// now is the time of day by which certificates are judged.
func (id *Identity) now() time.Time {
	if id.clock == nil {
		return time.Now()
	}
	return id.clock()
}

func NewKeys() (*Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making node key: %w", err)
	}
	public, signing, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making signing key: %w", err)
	}
	return &Identity{NodeID: NewID(), Key: key, SigningKey: signing, KeyID: KeyID(public)}, nil
}

// SigningPublic is the public half of the signing key.
func (id *Identity) SigningPublic() ed25519.PublicKey {
	return id.SigningKey.Public().(ed25519.PublicKey)
}

// Renewed returns the identity with a fresh certificate when the one it has is
// about to run out, does not name every host of addrs or does not make the claim, a URI
// almenara://CLAIM/… or nil for none; otherwise id itself. A certificate never ends before
// the one that it replaces: a box may have lost its clock, and its peers have theirs.
func (id *Identity) Renewed(now time.Time, addrs []string, claim *url.URL) (*Identity, error) {
	var want x509.Certificate
	addHosts(&want, addrs)
	named := true
	for _, name := range append(want.DNSNames, ipStrings(&want)...) {
		named = named && id.Cert.VerifyHostname(name) == nil
	}
	if named && claimOf(id.Cert) == textOf(claim) && clampTime(now, id.District.CA).Add(renewBefore).Before(id.Cert.NotAfter) {
		return id, nil
	}
	cert, err := id.District.issue(now, id.NodeID, &id.Key.PublicKey, addrs, func(c *x509.Certificate) {
		if claim != nil {
			c.URIs = append(c.URIs, claim)
		}
		if c.NotAfter.Before(id.Cert.NotAfter) {
			c.NotAfter = id.Cert.NotAfter
		}
	})
	if err != nil {
		return nil, err
	}
	fresh := *id
	fresh.Cert = cert
	return &fresh, nil
}

// claimOf is what else a certificate says than whose it is; "" where that is nothing.
func claimOf(cert *x509.Certificate) string {
	for _, u := range cert.URIs {
		if u.Scheme == uriScheme && u.Host != uriNode {
			return u.String()
		}
	}
	return ""
}

func textOf(claim *url.URL) string {
	if claim == nil {
		return ""
	}
	return claim.String()
}

func ipStrings(c *x509.Certificate) []string {
	var s []string
	for _, ip := range c.IPAddresses {
		s = append(s, ip.String())
	}
	return s
}

// identityJSON is the file. Keys and certificates are PEM, for openssl.
type identityJSON struct {
	Version  int           `json:"version"`
	NodeID   string        `json:"node"`
	Cert     string        `json:"certificate,omitempty"`
	Key      string        `json:"key"`
	Signing  string        `json:"signing_key"`
	District *districtJSON `json:"district,omitempty"`
	// Incarnation is the signed statement in base64, absent in the first one.
	Incarnation string `json:"incarnation,omitempty"`
}

type districtJSON struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	CA      string `json:"certificate"`
	CAKey   string `json:"key"`
	RootKey string `json:"root_key"`
}

// Save writes the identity into dir, mode 0600. On return it is on this
// disk: one file, synced and renamed into place, so that a crash leaves the old
// one or the new one.
func (id *Identity) Save(dir string) error { return id.save(dir, identityFile) }

func (id *Identity) save(dir, name string) error {
	j, err := id.toJSON()
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding identity: %w", err)
	}
	return durable.WriteFile(filepath.Join(dir, name), b)
}

// Load reads what Save wrote. It returns ErrNoIdentity when there
// is none.
func Load(dir string) (*Identity, error) {
	id, err := load(dir, identityFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("loading identity from %s: %w", dir, ErrNoIdentity)
	}
	if err == nil && (id.District == nil || id.Cert == nil) {
		err = errors.New("loading identity: district or certificate is missing")
	}
	return id, err
}

func load(dir, name string) (*Identity, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("loading identity: %w", err)
	}
	var j identityJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("decoding identity: %w", err)
	}
	return j.identity()
}

func (id *Identity) toJSON() (*identityJSON, error) {
	j := &identityJSON{Version: 1, NodeID: id.NodeID}
	var err error
	j.Key, err = keyPEM(id.Key, err)
	j.Signing, err = keyPEM(id.SigningKey, err)
	if id.Cert != nil {
		j.Cert = certPEM(id.Cert)
	}
	if err == nil && id.District != nil {
		j.District, err = id.District.toJSON()
	}
	j.Incarnation = id.Incarnation.Text()
	return j, err
}

func (d *District) toJSON() (*districtJSON, error) {
	j := &districtJSON{ID: d.ID, Name: d.Name, CA: certPEM(d.CA)}
	var err error
	j.CAKey, err = keyPEM(d.CAKey, err)
	j.RootKey, err = keyPEM(d.RootKey, err)
	return j, err
}

// Marshal writes the district with its private keys, in JSON with PEM in it.
func (d *District) Marshal() ([]byte, error) {
	j, err := d.toJSON()
	if err != nil {
		return nil, err
	}
	return json.Marshal(j)
}

// UnmarshalDistrict reads what Marshal wrote.
func UnmarshalDistrict(b []byte) (*District, error) {
	var j districtJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return nil, fmt.Errorf("decoding district: %w", err)
	}
	d, err := j.district()
	if err != nil {
		return nil, fmt.Errorf("decoding district: %w", err)
	}
	return d, nil
}

func (j *identityJSON) identity() (*Identity, error) {
	if j.Version != 1 || !ValidNodeID(j.NodeID) {
		return nil, fmt.Errorf("decoding identity: version %d, server id %q", j.Version, j.NodeID)
	}
	id := &Identity{NodeID: j.NodeID}
	var err error
	id.Key, err = parseKey[*ecdsa.PrivateKey](j.Key, err)
	id.SigningKey, err = parseKey[ed25519.PrivateKey](j.Signing, err)
	if j.Cert != "" {
		id.Cert, err = parseCert(j.Cert, err)
	}
	if err == nil && j.District != nil {
		id.District, err = j.District.district()
	}
	if err == nil && j.Incarnation != "" {
		if id.District == nil {
			return nil, errors.New("decoding identity: an incarnation without a district")
		}
		id.Incarnation, err = ParseIncarnation(j.Incarnation, id.District)
	}
	if err != nil {
		return nil, fmt.Errorf("decoding identity: %w", err)
	}
	id.KeyID = KeyID(id.SigningPublic())
	return id, nil
}

func (j *districtJSON) district() (*District, error) {
	d := &District{ID: j.ID, Name: j.Name}
	var err error
	d.CA, err = parseCert(j.CA, err)
	d.CAKey, err = parseKey[*ecdsa.PrivateKey](j.CAKey, err)
	d.RootKey, err = parseKey[ed25519.PrivateKey](j.RootKey, err)
	if err == nil && !d.CAKey.PublicKey.Equal(d.CA.PublicKey) {
		err = errors.New("authority's key does not belong to its certificate")
	}
	return d, err
}

func certPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

func keyPEM(key any, err error) (string, error) {
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("encoding key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), nil
}

func parseCert(s string, err error) (*x509.Certificate, error) {
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode([]byte(s))
	if block == nil {
		return nil, errors.New("certificate is not PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func parseKey[K any](s string, err error) (K, error) {
	var none K
	if err != nil {
		return none, err
	}
	block, _ := pem.Decode([]byte(s))
	if block == nil {
		return none, errors.New("key is not PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return none, err
	}
	k, ok := key.(K)
	if !ok {
		return none, fmt.Errorf("key is a %T", key)
	}
	return k, nil
}
