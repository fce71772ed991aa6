package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ring holds the nodes' public keys by key id.
type ring map[string]ed25519.PublicKey

// openRing reads /keys, which the root key signs.
func openRing(root ed25519.PublicKey, jws []byte) (ring, error) {
	kid, err := keyID(jws)
	if err != nil {
		return nil, err
	}
	var keys struct {
		Keys []struct{ Kid, X string }
	}
	if err := (ring{kid: root}).open(jws, "almenara-keys", &keys); err != nil {
		return nil, err
	}
	r := ring{}
	for _, k := range keys.Keys {
		if r[k.Kid], err = base64.RawURLEncoding.DecodeString(k.X); err != nil || len(r[k.Kid]) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %s is not an Ed25519 key", k.Kid)
		}
	}
	return r, nil
}

func keyID(jws []byte) (string, error) {
	var header struct{ Kid string }
	first, _, _ := strings.Cut(string(jws), ".")
	err := decodePart(first, &header)
	return header.Kid, err
}

// open checks signature and typ of a JWS in compact serialization (RFC 7515) and
// reads its payload.
func (r ring) open(jws []byte, typ string, v any) error {
	parts := strings.Split(string(jws), ".")
	if len(parts) != 3 {
		return errors.New("not a JWS in compact serialization")
	}
	var header struct{ Alg, Kid, Typ string }
	if err := decodePart(parts[0], &header); err != nil {
		return err
	}
	if header.Alg != "EdDSA" || header.Typ != typ || r[header.Kid] == nil {
		return fmt.Errorf("%s with alg %s, typ %s, key %s", typ, header.Alg, header.Typ, header.Kid)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !ed25519.Verify(r[header.Kid], []byte(parts[0]+"."+parts[1]), signature) {
		return fmt.Errorf("%s does not verify", typ)
	}
	return decodePart(parts[1], v)
}

func decodePart(part string, v any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Errorf("reading JWS: %w", err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("reading JWS: %w", err)
	}
	return nil
}

// receipts tells rungs of one revision of an alert, numbered from seq.
func receipts(alert string, revision uint64, seq int, rungs ...string) []byte {
	at := time.Now().UTC().Format(time.RFC3339Nano)
	var list []string
	for i, rung := range rungs {
		list = append(list, fmt.Sprintf(`{"alert":"%s","revision":%d,"rung":"%s","at":"%s","seq":%d}`, alert, revision, rung, at, seq+i))
	}
	return []byte("[" + strings.Join(list, ",") + "]")
}
