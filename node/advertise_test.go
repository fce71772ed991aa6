package node_test

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node"
	"almenara/node/reachable"
	"almenara/node/wire"
)

// A listener on every interface has no address that an invitation or a device could be
// given: where that is said now it is refused, and an old folder goes by a guess.
func TestAdvertise_NobodyIsToldAnAddressThatIsEverybodys(t *testing.T) {
	t.Parallel()
	for _, everywhere := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		for name, listen := range map[string]func(*node.Options){
			"internode": func(o *node.Options) { o.Internode = everywhere },
			"API":       func(o *node.Options) { o.API = "https://" + everywhere },
			"mqtt":      func(o *node.Options) { o.MQTT = everywhere },
			"wss":       func(o *node.Options) { o.WSS = everywhere },
		} {
			o := node.DefaultOptions(filepath.Join(t.TempDir(), "data"))
			listen(&o)
			_, err := node.Init(o, "tuen-mun")
			require.ErrorIs(t, err, reachable.ErrOptions, "%s at %s", name, everywhere)
			require.ErrorContains(t, err, name+" is at "+everywhere+"; say with --advertise HOST")
			require.ErrorIs(t, node.Join(t.Context(), o, "token"), reachable.ErrOptions)
			require.NoFileExists(t, filepath.Join(o.Dir, "node.json"))
		}
	}
}

func TestAdvertise_AnOldFolderGoesByAGuess(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	d.stop(0)
	path := filepath.Join(d.opts[0].Dir, "node.json")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	old := strings.ReplaceAll(string(raw), d.opts[0].MQTT, "0.0.0.0:0")
	require.NotEqual(t, string(raw), old)
	require.NoError(t, os.WriteFile(path, []byte(old), 0o600))
	said := d.opts[0]
	said.MQTT = ":0"
	_, err = node.New(said)
	require.ErrorIs(t, err, reachable.ErrOptions, "what is said now is refused")
	d.opts[0] = node.Options{Dir: said.Dir, Space: said.Space, Stabilization: said.Stabilization, Logger: said.Logger, Halt: said.Halt}
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready })
	s, err := d.nodes[0].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	require.Contains(t, strings.Join(s.Warnings.Texts(), "\n"), "serve it with --advertise HOST")
	require.NotContains(t, strings.Join(s.MQTT, " "), "0.0.0.0")
	require.NotContains(t, strings.Join(s.MQTT, " "), "[::]")
}

func TestAdvertise_IsWhatEverybodyIsToldAndTheCertificateNames(t *testing.T) {
	t.Parallel()
	d := newTuned(t, 1, func(_ int, o *node.Options) {
		o.Advertise, o.MQTT, o.MQTTS = "localhost", "0.0.0.0:0", ":0"
		o.TLSNames = []string{"lift.example", "10.1.2.3"}
	})
	s, err := d.nodes[0].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	require.Empty(t, s.Warnings)
	require.Contains(t, s.Internode, "localhost:")
	var secure string
	for _, url := range s.MQTT {
		require.Contains(t, url, "://localhost:")
		if addr, ok := strings.CutPrefix(url, "ssl://"); ok {
			secure = addr
		}
	}
	invited := agreed(d, func() (wire.Invited, error) { return d.client(0).Invite(d.ctx(), wire.Invite{}) })
	require.NotContains(t, invited.Token, "0.0.0.0")
	names := func() *tls.ConnectionState {
		_, port, err := net.SplitHostPort(secure)
		require.NoError(t, err)
		conn, err := tls.Dial("tcp", net.JoinHostPort("127.0.0.1", port), &tls.Config{InsecureSkipVerify: true})
		require.NoError(t, err)
		state := conn.ConnectionState()
		require.NoError(t, conn.Close())
		return &state
	}
	cert := names().PeerCertificates[0]
	for _, host := range []string{"localhost", "127.0.0.1", "lift.example", "10.1.2.3", d.nodes[0].ID()} {
		require.NoError(t, cert.VerifyHostname(host), host)
	}
	require.Error(t, cert.VerifyHostname("elsewhere.example"))
}
