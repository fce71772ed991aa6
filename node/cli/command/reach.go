package command

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"almenara/node/access"
	"almenara/node/client"
	"almenara/node/wire"
)

// usualAPI is where a node listens of which nothing else is said.
const usualAPI = "http://127.0.0.1:8480"

// Client makes the API's client. What is not said by a flag or the environment is read
// from the data folder: the address, the authority that signs certificates, and the token.
func (e *Env) Client() (*client.Client, error) {
	folder, err := access.Read(e.global.data)
	if err != nil {
		return nil, err
	}
	config := client.Config{URL: e.global.api, Token: strings.TrimSpace(Or(e.global.token, e.Getenv("ALMENARA_TOKEN"), folder.Token))}
	e.global.noToken = config.Token == "" && folder.URL != ""
	switch {
	case strings.ContainsFunc(config.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return nil, Usagef("the token holds a blank, a line break or another character that is in no token; look at --token and ALMENARA_TOKEN")
	case config.URL == "" && folder.URL != "":
		config.URL, e.global.from = folder.URL, filepath.Join(e.global.data, access.AddressFile)
	case config.URL == "":
		config.URL = usualAPI
	}
	e.global.api = config.URL
	if config.CA, config.OrSystem = folder.Authority, true; e.global.ca != "" {
		config.OrSystem = false
		if config.CA, err = e.ReadFile(e.global.ca); err != nil {
			return nil, err
		}
	}
	config.Drill = func() { fmt.Fprintln(e.Err, DrillNotice) }
	c, err := client.New(config)
	if err != nil {
		return nil, usageError{err}
	}
	return c, nil
}

// DrillNotice is what stands before everything that is said of a drill copy.
const DrillNotice = "DRILL COPY: this node is of a copy of the district, restored with --isolated. The\ndistrict does not hear it, and whatever is sent here warns nobody there."

// unreachable says why no node answered, and what to give.
func (e *Env) unreachable(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	rest := e.global.api[strings.Index(e.global.api, "://")+1:]
	switch {
	case errors.As(err, &authority) && e.global.ca != "":
		return fmt.Sprintf("the certificate at %s is not signed by the authority in %s; the district's is in %s of every node's data folder", e.global.api, e.global.ca, access.AuthorityFile)
	case errors.As(err, &authority):
		return fmt.Sprintf("the certificate at %s is signed by an authority that is not known here; give the district's with --ca (%s in the data folder of each of its nodes), or on a node's own machine its folder with --data",
			e.global.api, access.AuthorityFile)
	case errors.As(err, &host):
		return fmt.Sprintf("the certificate at %s is not for this host but for %s; use one of these, or serve the node with --tls-name %s", e.global.api, names(host.Certificate), host.Host)
	case errors.As(err, &invalid):
		return fmt.Sprintf("the certificate at %s cannot be used (%s); look whether the clock of one of both machines is wrong", e.global.api, reason(err))
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		return fmt.Sprintf("what listens at %s speaks HTTP without TLS; a node's API does so on loopback only: --api http:%s", e.global.api, rest)
	case errors.Is(err, client.ErrNeedsTLS):
		return fmt.Sprintf("what listens at %s speaks HTTPS; say so: --api https:%s", e.global.api, rest)
	}
	text := fmt.Sprintf("no node answers at %s (%s)", e.global.api, reason(err))
	switch _, missing := os.Stat(e.global.data); {
	case e.global.from != "":
		text += fmt.Sprintf(", the address in %s; start the node with almenara serve --data %s, or give another one's address with --api", e.global.from, e.global.data)
	case errors.Is(missing, os.ErrNotExist) && e.global.said:
		text += fmt.Sprintf("; there is no data folder %s; give the address with --api", e.global.data)
	default:
		text += "; give the address with --api, or the data folder of a node on this machine with --data"
	}
	return text
}

// unidentified says what to give where a node does not know who asks.
func (e *Env) unidentified(p *wire.Problem) string {
	if e.global.noToken {
		return fmt.Sprintf("this needs a token, and %s has none: %s lies in the folder of the node that began the district alone; give that token, or one that user add printed, with --token or ALMENARA_TOKEN", e.global.data, access.TokenFile)
	}
	return p.Sentence + "; give --token, ALMENARA_TOKEN or --data"
}

// names is what a certificate is for.
func names(c *x509.Certificate) string {
	all := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		all = append(all, ip.String())
	}
	return Or(strings.Join(all, ", "), "no host at all")
}

// reason is the innermost cause of a failed connection.
func reason(err error) string {
	var number syscall.Errno
	var dns *net.DNSError
	switch {
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &dns):
		return "no such host"
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	text := err.Error()
	if at := strings.LastIndex(text, ": "); at >= 0 {
		text = text[at+2:]
	}
	if text == "EOF" {
		return "what listens there is not the API of a node"
	}
	return text
}
