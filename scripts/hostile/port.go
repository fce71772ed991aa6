package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"time"
)

// portAttacks are against the port for the other nodes.
var portAttacks = map[string]attack{
	"port-junk":           portJunk,
	"port-stall":          portStall,
	"port-no-certificate": portNoCertificate,
	"port-other-district": portOtherDistrict,
	"port-join-junk":      portJoinJunk,
	"port-join-replay":    portJoinReplay,
}

// The services of the port, as ALPN names them.
const (
	alpnRaft = "almenara-raft/1"
	alpnRPC  = "almenara-rpc/1"
	alpnJoin = "almenara-join/1"
)

// answers is an error unless the port still shakes hands with a stranger who wants
// to join.
func answers(t target) error {
	c, err := shake(t, alpnJoin, nil)
	if err != nil {
		return fmt.Errorf("the port answers nobody any more: %w", err)
	}
	return c.Close()
}

// shake shakes hands for a service, with or without a certificate.
func shake(t target, alpn string, own *tls.Certificate) (*tls.Conn, error) {
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}, MinVersion: tls.VersionTLS13}
	if own != nil {
		config.Certificates = []tls.Certificate{*own}
	}
	return tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", t.addr, config)
}

func portJunk(t target) (string, error) {
	random := make([]byte, 64<<10)
	_, _ = rand.Read(random) // never fails (crypto/rand)
	junk := [][]byte{
		random, []byte("GET /cluster/status HTTP/1.1\r\nHost: x\r\n\r\n"), bytes.Repeat([]byte{0}, 1<<16),
		{0x16, 0x03, 0x01, 0xFF, 0xFF}, {0x16, 0x03, 0x03, 0x00, 0x01, 0x01}, connectPacket(4, "a", "a", "a"),
	}
	for range 5 {
		for _, raw := range junk {
			c, err := dial(t.addr)
			if err != nil {
				return "", err
			}
			_, _ = c.Write(raw) // it may be closed before it has read all
			_, err = c.closed(patience)
			_ = c.Close()
			if err != nil {
				return "", fmt.Errorf("% x…: %w", raw[:min(len(raw), 8)], err)
			}
		}
	}
	return fmt.Sprintf("%d connections with junk, all closed", 5*len(junk)), answers(t)
}

// portStall opens more connections than one address may have in their handshake.
func portStall(t target) (string, error) {
	var conns []*conn
	begun := time.Now()
	for range 200 {
		c, err := dial(t.addr)
		if err != nil {
			return "", err
		}
		defer c.Close()
		conns = append(conns, c)
	}
	for _, c := range conns {
		if _, err := c.closed(patience); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("200 silent connections, all closed after %v", time.Since(begun).Round(time.Second)), answers(t)
}

// useless is an error when a connection can be used for more than its end: TLS 1.3
// refuses a client's certificate after the client's side is done.
func useless(c *tls.Conn, err error) error {
	if err != nil {
		return nil
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, "POST /cluster/ping HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	var first [1]byte
	if n, err := c.Read(first[:]); n > 0 || errors.Is(err, net.ErrClosed) || timedOut(err) {
		return fmt.Errorf("the port answered a stranger (%d bytes, %v)", n, err)
	}
	return nil
}

func timedOut(err error) bool {
	var late net.Error
	return errors.As(err, &late) && late.Timeout()
}

func portNoCertificate(t target) (string, error) {
	for _, alpn := range []string{alpnRaft, alpnRPC, "h2", "http/1.1", "x"} {
		c, err := shake(t, alpn, nil)
		if err := useless(c, err); err != nil {
			return "", fmt.Errorf("%s without certificate: %w", alpn, err)
		}
	}
	return "every service but join refuses", answers(t)
}

// portOtherDistrict comes with a certificate of an authority of its own, for the id
// in t.id.
func portOtherDistrict(t target) (string, error) {
	own, err := forged(t.id)
	if err != nil {
		return "", err
	}
	for _, alpn := range []string{alpnRaft, alpnRPC} {
		c, err := shake(t, alpn, own)
		if err := useless(c, err); err != nil {
			return "", fmt.Errorf("%s with a foreign certificate: %w", alpn, err)
		}
	}
	return "the foreign authority is not believed", answers(t)
}

// forged makes a certificate for a node id, signed by nobody of the district.
func forged(id string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: id}, DNSNames: []string{id},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// portJoinJunk posts what is no join request.
func portJoinJunk(t target) (string, error) {
	client := &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpnJoin}},
	}}
	var statuses []int
	for _, c := range []struct {
		path string
		body []byte
	}{
		{"/join", nil}, {"/join", []byte("{}")}, {"/join", bytes.Repeat([]byte{0x9F}, 60<<10)}, {"/join", bytes.Repeat([]byte{0xFF}, 60<<10)},
		{"/join", []byte{0x9B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}}, {"/join", make([]byte, 10<<20)},
		{"/cluster/propose", []byte{0}}, {"/cluster/remove", []byte("x")}, {"/../cluster/ping", nil},
	} {
		resp, err := client.Post("https://"+t.addr+c.path, "application/cbor", bytes.NewReader(c.body))
		if err != nil {
			statuses = append(statuses, 0) // closed in the middle of the body
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode < 400 {
			return "", fmt.Errorf("%s with %d bytes was answered %s", c.path, len(c.body), resp.Status)
		}
		statuses = append(statuses, resp.StatusCode)
	}
	return fmt.Sprintf("HTTP %v", statuses), answers(t)
}
