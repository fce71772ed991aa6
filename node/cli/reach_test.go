package cli

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/access"
	"almenara/node/api"
	"almenara/node/api/apitest"
	"almenara/node/authority"
	"almenara/node/cli/command"
)

// served is a data folder whose node answers over HTTPS, and a world without anything in
// its environment.
func served(t *testing.T) (w *world, data string, server *httptest.Server) {
	t.Helper()
	w = newWorld(t)
	handler := api.New(apitest.Services(w.Fake), api.Options{})
	t.Cleanup(handler.EndStreams)
	server = httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	data = t.TempDir()
	require.NoError(t, access.Access{Authority: access.PEM(server.Certificate().Raw), URL: server.URL}.Write(data))
	require.NoError(t, os.WriteFile(filepath.Join(data, access.TokenFile), []byte(apitest.Token(authority.RoleAdministrator)+"\n"), 0o600))
	w.env = map[string]string{}
	return w, data, server
}

func TestData_FindsAddressAuthorityAndToken(t *testing.T) {
	w, data, _ := served(t)
	require.Equal(t, command.ExitDone, w.run("device", "revoke", "x", "--data", data), w.err.String())
	require.Equal(t, authority.RoleAdministrator, w.By().Name)
	w.env["ALMENARA_DATA"] = data
	require.Equal(t, command.ExitDone, w.run("device", "revoke", "x"), w.err.String())
	w.env["ALMENARA_API"] = "http://127.0.0.1:1"
	require.Equal(t, command.ExitFailed, w.run("device", "revoke", "x"), "the environment says where")
}

func TestUnreachable_SaysWhatIsMissing(t *testing.T) {
	w, data, server := served(t)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	silent := closing(t)
	other := filepath.Join(t.TempDir(), "other.pem")
	require.NoError(t, os.WriteFile(other, otherAuthority(t), 0o600))
	host := strings.TrimPrefix(server.URL, "https://")
	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"an authority that is not known", []string{"--api", server.URL, "--data", t.TempDir()},
			[]string{"authority that is not known here; give the district's with --ca (ca.pem in the data folder", "--data"}},
		{"another authority", []string{"--api", server.URL, "--ca", other}, []string{"is not signed by the authority in " + other}},
		{"HTTP to HTTPS", []string{"--api", "http://" + host}, []string{"speaks HTTPS; say so: --api https://" + host}},
		{"HTTPS to HTTP", []string{"--api", strings.Replace(plain.URL, "http", "https", 1)}, []string{"speaks HTTP without TLS", "--api " + plain.URL}},
		{"no API", []string{"--api", silent}, []string{"(what listens there is not the API of a node)"}},
		{"another host", []string{"--api", strings.Replace(server.URL, "127.0.0.1", "localhost", 1), "--data", data},
			[]string{"is not for this host but for example.com, ", "--tls-name localhost"}},
		{"no folder", []string{"--api", "http://127.0.0.1:1", "--data", filepath.Join(data, "nx")}, []string{"(connection refused); there is no data folder " + filepath.Join(data, "nx")}},
		{"nothing", []string{"--api", "http://127.0.0.1:1"}, []string{"(connection refused); give the address with --api"}},
	} {
		require.Equal(t, command.ExitFailed, w.run(append([]string{"status"}, c.args...)...), c.name)
		for _, text := range c.says {
			require.Contains(t, w.err.String(), text, c.name)
		}
		require.NotContains(t, w.err.String(), "( ", c.name)
	}
	require.NoError(t, access.Access{URL: "http://127.0.0.1:1"}.Write(data))
	require.Equal(t, command.ExitFailed, w.run("status", "--data", data))
	require.Contains(t, w.err.String(), "the address in "+filepath.Join(data, access.AddressFile)+"; start the node with almenara serve --data "+data)
}

// A node that joined has no token in its folder, and one that was started just now knows nobody: both are said, where
// "give --token, ALMENARA_TOKEN or --data" sends a person in a circle who gave --data.
func TestToken_SaysWhereItLies(t *testing.T) {
	w := newWorld(t)
	data := t.TempDir()
	require.NoError(t, access.Access{URL: w.env["ALMENARA_API"]}.Write(data))
	delete(w.env, "ALMENARA_TOKEN")
	delete(w.env, "ALMENARA_API")
	require.Equal(t, command.ExitFailed, w.run("status", "--data", data))
	require.Equal(t, "almenara: this needs a token, and "+data+" has none: operator.token lies in the folder of the node that began the district alone; "+
		"give that token, or one that user add printed, with --token or ALMENARA_TOKEN\n", w.err.String())
	require.Equal(t, command.ExitFailed, w.run("status", "--data", data, "--token", "wrong"))
	require.Contains(t, w.err.String(), "; give --token, ALMENARA_TOKEN or --data")
}

func TestToken_WithALineBreakIsRefusedBeforeItIsSent(t *testing.T) {
	w := newWorld(t)
	w.env["ALMENARA_TOKEN"] = "abc\ndef"
	require.Equal(t, command.ExitUsage, w.run("status"))
	require.Contains(t, w.err.String(), "the token holds a blank, a line break")
	require.NotContains(t, w.err.String(), "abc")
}

// closing is the address of a listener that closes whatever comes.
func closing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1<<12))
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return "http://" + l.Addr().String()
}

// otherAuthority is the PEM of a certificate that signs nothing here.
func otherAuthority(t *testing.T) []byte {
	t.Helper()
	public, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	name := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, name, name, public, key)
	require.NoError(t, err)
	return access.PEM(der)
}
