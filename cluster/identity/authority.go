package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Lifetimes of certificates. A node renews its own certificate when less than
// a quarter of it is left, because every node holds the key of the authority.
const (
	authorityLifetime = 10 * 365 * 24 * time.Hour
	nodeLifetime      = 2 * 365 * 24 * time.Hour
	renewBefore       = nodeLifetime / 4
)

// ErrNodeID is returned for a server id that is not 1 to 63 characters of
// a-z, 0-9 and inner hyphens (RFC 1123, because it is a DNS name in certificates).
var ErrNodeID = errors.New("server id is not a lower-case DNS label")

var nodeIDPattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// ValidNodeID reports whether s has the form of a server id, see ErrNodeID.
func ValidNodeID(s string) bool { return nodeIDPattern.MatchString(s) }

// District is what makes a district one: its name, its certificate authority,
// and the root key that signs the key ring its devices trust. Every node holds
// all of it, so that any live node can admit another; DESIGN.md names the price.
// A District is immutable.
type District struct {
	ID      string             // random UUID, made with the district
	Name    string             // for people
	CA      *x509.Certificate  // self-signed, ECDSA P-256, 10 years
	CAKey   *ecdsa.PrivateKey  // signs the nodes' certificates
	RootKey ed25519.PrivateKey // signs the key ring; devices get its public half at enrolment
}

// RootPublic is the key by which devices trust the key ring.
func (d *District) RootPublic() ed25519.PublicKey { return d.RootKey.Public().(ed25519.PublicKey) }

// NewDistrict makes a district with fresh keys. Nothing is written.
func NewDistrict(name string) (*District, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making authority key: %w", err)
	}
	_, root, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making root key: %w", err)
	}
	d := &District{ID: NewID(), Name: name, CAKey: key, RootKey: root}
	d.CA, err = selfSign(d)
	if err != nil {
		return nil, err
	}
	return d, nil
}

func selfSign(d *District) (*x509.Certificate, error) {
	now := time.Now().Add(-24 * time.Hour) // the other nodes' clocks may be behind
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: "Almenara district " + d.ID, Organization: []string{d.Name}},
		NotBefore:             now,
		NotAfter:              now.Add(authorityLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &d.CAKey.PublicKey, d.CAKey)
	if err != nil {
		return nil, fmt.Errorf("signing authority certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// IssueNode signs a certificate for the node with this server id and public key,
// good for both ends of internode connections. addrs are the hosts or host:port
// pairs it is reached at; localhost and the loopback addresses are added.
//
// The certificate begins when the authority does, not now: a box whose clock was
// reset must still be able to talk to its district. It ends two years after now.
func (d *District) IssueNode(now time.Time, nodeID string, public crypto.PublicKey, addrs []string) (*x509.Certificate, error) {
	return d.issue(now, nodeID, public, addrs, func(*x509.Certificate) {})
}

// issue is IssueNode with a last change to what is signed.
func (d *District) issue(now time.Time, nodeID string, public crypto.PublicKey, addrs []string, change func(*x509.Certificate)) (*x509.Certificate, error) {
	if !ValidNodeID(nodeID) {
		return nil, fmt.Errorf("issuing certificate for %q: %w", nodeID, ErrNodeID)
	}
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: nodeID},
		NotBefore:    d.CA.NotBefore,
		NotAfter:     clampTime(now, d.CA).Add(nodeLifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:     []string{nodeID, "localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		URIs:         []*url.URL{{Scheme: uriScheme, Host: uriNode, Path: "/" + nodeID}},
	}
	addHosts(template, addrs)
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, d.CA, public, d.CAKey)
	if err != nil {
		return nil, fmt.Errorf("issuing certificate for %s: %w", nodeID, err)
	}
	return x509.ParseCertificate(der)
}

// addHosts adds the hosts of addrs as names or addresses, each of them once. A DNS name that
// looks like a server id is left out: it would let one node pass for another.
func addHosts(template *x509.Certificate, addrs []string) {
	for _, addr := range addrs {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			host = addr
		}
		ip, named := net.ParseIP(host), slices.ContainsFunc(template.DNSNames, func(name string) bool { return strings.EqualFold(name, host) })
		switch {
		case ip != nil && !slices.ContainsFunc(template.IPAddresses, ip.Equal):
			template.IPAddresses = append(template.IPAddresses, ip)
		case ip == nil && host != "" && host != "localhost" && !named && !IsUUID(host):
			template.DNSNames = append(template.DNSNames, host)
		}
	}
}

// Fingerprint is the SHA-256 of the authority's certificate in hex: what a join
// token pins.
func (d *District) Fingerprint() string { return fingerprint(d.CA) }

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// KeyID is the JWK thumbprint (RFC 7638 over RFC 8037 members) of an Ed25519
// public key: the kid under which devices and nodes know it.
func KeyID(public ed25519.PublicKey) string {
	x := base64.RawURLEncoding.EncodeToString(public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// NewID makes a random UUID (RFC 9562, version 4). A server id is made once, with
// the data directory, and never used again after that directory is lost.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func IsUUID(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-'
}

func serial() *big.Int {
	n, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // never fails (crypto/rand)
	return n.Add(n, big.NewInt(1))
}

// clampTime is now, but never before the authority began: a clock that was reset
// to 1970 must not cut a box off from its district.
func clampTime(now time.Time, ca *x509.Certificate) time.Time {
	if now.Before(ca.NotBefore) {
		return ca.NotBefore.Add(time.Second)
	}
	return now
}
