package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/identity"
)

// portJoinReplay comes with an invitation that was used and the id of the node that used
// it (--token and --id), and keys of its own: nothing may be given to it.
func portJoinReplay(t target) (string, error) {
	invitation, err := identity.ParseToken(t.token)
	if err != nil {
		return "", err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return "", err
	}
	signing, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	body, err := cbor.Marshal([]any{invitation.Secret, t.id, public, []byte(signing), []string{"127.0.0.1:2"}})
	if err != nil {
		return "", err
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpnJoin}},
	}}
	request, err := http.NewRequest(http.MethodPost, "https://"+t.addr+"/join", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Almenara-Command-Version", "99")
	resp, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", err
	}
	if resp.StatusCode == http.StatusOK {
		return "", fmt.Errorf("a stranger got %d bytes with the district's keys", len(said))
	}
	return fmt.Sprintf("%d, %s", resp.StatusCode, strings.TrimSpace(string(said))), answers(t)
}
