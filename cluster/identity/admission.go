package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"almenara/storage/durable"
)

// ErrAlreadyMember is returned for a directory that holds an identity: a box belongs to one
// district, and its data directory to one server id.
var ErrAlreadyMember = errors.New("data directory already belongs to a node")

// DistrictKeys is a District on its way to a new node. It holds private keys.
type DistrictKeys struct {
	_       struct{} `cbor:",toarray"`
	ID      string
	Name    string
	CA      []byte // DER
	CAKey   []byte // PKCS 8
	RootKey []byte // Ed25519 private key
}

// Keys are what a node that is admitted gets.
func (d *District) Keys() (DistrictKeys, error) {
	key, err := x509.MarshalPKCS8PrivateKey(d.CAKey)
	if err != nil {
		return DistrictKeys{}, fmt.Errorf("encoding authority key: %w", err)
	}
	return DistrictKeys{ID: d.ID, Name: d.Name, CA: d.CA.Raw, CAKey: key, RootKey: d.RootKey}, nil
}

func (k DistrictKeys) District() (*District, error) {
	ca, err := x509.ParseCertificate(k.CA)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(k.CAKey)
	if err != nil {
		return nil, err
	}
	private, ok := key.(*ecdsa.PrivateKey)
	if !ok || !private.PublicKey.Equal(ca.PublicKey) || len(k.RootKey) != ed25519.PrivateKeySize {
		return nil, errors.New("district's keys do not fit")
	}
	return &District{ID: k.ID, Name: k.Name, CA: ca, CAKey: private, RootKey: k.RootKey}, nil
}

// Pending reads the keys of an attempt to join that did not finish, or makes and writes
// new ones: an identity without a district. ErrAlreadyMember when dir has an identity.
func Pending(dir string) (*Identity, error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("making data directory: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, identityFile)); err == nil {
		return nil, ErrAlreadyMember
	}
	id, err := load(dir, pendingFile)
	if !errors.Is(err, os.ErrNotExist) {
		return id, err
	}
	if id, err = NewKeys(); err != nil {
		return nil, err
	}
	return id, id.save(dir, pendingFile)
}

// Admit holds what a district answered, its keys, the node's certificate in DER and
// its incarnation, against the token, and makes them the identity's.
func (id *Identity) Admit(keys DistrictKeys, cert []byte, incarnation *Incarnation, token Token) error {
	d, err := keys.District()
	if err != nil {
		return fmt.Errorf("decoding district: %w", err)
	}
	own, err := x509.ParseCertificate(cert)
	if err != nil {
		return fmt.Errorf("decoding certificate: %w", err)
	}
	if d.ID != token.District || verifyPinned([]*x509.Certificate{own, d.CA}, token.Fingerprint) != nil {
		return ErrWrongDistrict
	}
	if own.VerifyHostname(id.NodeID) != nil || !id.Key.PublicKey.Equal(own.PublicKey) {
		return fmt.Errorf("%w: certificate is for another node", ErrWrongDistrict)
	}
	if incarnation != nil {
		if err := incarnation.Verify(d); err != nil {
			return err
		}
	}
	id.District, id.Cert, id.Incarnation = d, own, incarnation
	return nil
}

// Settle makes the identity that of dir, and ends the attempt whose keys it has. On return
// it is on this disk.
func (id *Identity) Settle(dir string) error {
	if err := id.Save(dir); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, pendingFile)); err != nil {
		return fmt.Errorf("removing pending keys: %w", err)
	}
	return durable.SyncDir(dir)
}
