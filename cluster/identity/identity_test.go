package identity

import (
	"crypto/ed25519"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestIdentity_IsKeptAndPrivate(t *testing.T) {
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := New(d, []string{"node1.example:7000", "10.0.0.7:7000"})
	require.NoError(t, err)
	dir := t.TempDir()
	_, err = Load(dir)
	require.ErrorIs(t, err, ErrNoIdentity)
	require.NoError(t, id.Save(dir))
	info, err := os.Stat(filepath.Join(dir, identityFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "no temporary file is left")

	got, err := Load(dir)
	require.NoError(t, err)
	require.Equal(t, id.NodeID, got.NodeID)
	require.Equal(t, id.KeyID, got.KeyID)
	require.True(t, id.SigningKey.Equal(got.SigningKey))
	require.True(t, id.Key.Equal(got.Key))
	require.True(t, id.Cert.Equal(got.Cert))
	require.Equal(t, d.ID, got.District.ID)
	require.Equal(t, d.Name, got.District.Name)
	require.True(t, d.RootKey.Equal(got.District.RootKey))
	require.True(t, d.CAKey.Equal(got.District.CAKey))
	require.Equal(t, d.Fingerprint(), got.District.Fingerprint())

	require.NoError(t, os.WriteFile(filepath.Join(dir, identityFile), []byte("{"), 0o600))
	_, err = Load(dir)
	require.Error(t, err)
}

func TestIssueNode_NamesTheNodeAndItsHosts(t *testing.T) {
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	other := NewID()
	id, err := New(d, []string{"node1.example:7000", "10.0.0.7:7000", other + ":7000"})
	require.NoError(t, err)
	for _, name := range []string{id.NodeID, "localhost", "127.0.0.1", "::1", "node1.example", "10.0.0.7"} {
		require.NoError(t, id.Cert.VerifyHostname(name))
	}
	require.Error(t, id.Cert.VerifyHostname(other), "an address never makes a node pass for another")
	require.Equal(t, "almenara://node/"+id.NodeID, id.Cert.URIs[0].String())
	require.WithinDuration(t, time.Now().Add(nodeLifetime), id.Cert.NotAfter, time.Minute)
	require.WithinDuration(t, time.Now().Add(authorityLifetime), d.CA.NotAfter, 25*time.Hour)
	require.Equal(t, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, id.Cert.ExtKeyUsage)
	_, err = d.IssueNode(time.Now(), "Not A Label", &id.Key.PublicKey, nil)
	require.ErrorIs(t, err, ErrNodeID)
}

// A node names the host of each of its listeners, which is mostly the same one.
func TestIssueNode_NamesEveryHostOnce(t *testing.T) {
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := New(d, []string{"box.example:8470", "Box.example:8480", "10.0.0.7:8470", "10.0.0.7:8480", "127.0.0.1:1883", "[::1]:1883", "[::ffff:10.0.0.7]:1", "localhost:1", "[2001:db8::7]:1", "[2001:db8:0::7]:2"})
	require.NoError(t, err)
	require.Equal(t, []string{id.NodeID, "localhost", "box.example"}, id.Cert.DNSNames)
	require.Equal(t, []string{"127.0.0.1", "::1", "10.0.0.7", "2001:db8::7"}, ipStrings(id.Cert))
	for _, name := range []string{"box.example", "Box.example", "10.0.0.7", "2001:db8::7"} {
		require.NoError(t, id.Cert.VerifyHostname(name))
	}
}

func TestIdentity_RenewsBeforeItRunsOut(t *testing.T) {
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := New(d, []string{"a.example:1"})
	require.NoError(t, err)
	same, err := id.Renewed(time.Now(), []string{"a.example:1"}, nil)
	require.NoError(t, err)
	require.Same(t, id, same)
	moved, err := id.Renewed(time.Now(), []string{"b.example:1"}, nil)
	require.NoError(t, err)
	require.NoError(t, moved.Cert.VerifyHostname("b.example"))
	late, err := id.Renewed(id.Cert.NotAfter.Add(-renewBefore+time.Hour), []string{"a.example:1"}, nil)
	require.NoError(t, err)
	require.NotEqual(t, id.Cert.SerialNumber, late.Cert.SerialNumber)
	require.Equal(t, id.NodeID, late.NodeID)
}

func TestClampTime_ForgivesAResetClock(t *testing.T) {
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	id, err := New(d, nil)
	require.NoError(t, err)
	at := clampTime(time.Unix(0, 0), d.CA)
	roots := x509.NewCertPool()
	roots.AddCert(d.CA)
	_, err = id.Cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: at})
	require.NoError(t, err)
}

// The example key of RFC 8037, appendix A.
func TestKeyID_IsTheThumbprintOfRFC8037(t *testing.T) {
	public := ed25519.PublicKey{
		0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
		0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
	}
	require.Equal(t, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", KeyID(public))
}

func TestToken_ReadsWhatItWrites(t *testing.T) {
	d, err := NewDistrict("On Ting")
	require.NoError(t, err)
	token := NewToken(d, []string{"10.0.0.7:7000"})
	got, err := ParseToken(" " + token.String() + "\n")
	require.NoError(t, err)
	require.Equal(t, token, got)
	require.Equal(t, token.Hash(), got.Hash())
	require.NotContains(t, token.String(), token.Hash())
	for _, bad := range []string{"", "almenara-join-1.", "almenara-join-1.!!", token.String()[:40], "x" + token.String()} {
		_, err := ParseToken(bad)
		require.ErrorIs(t, err, ErrToken, bad)
	}
}

func FuzzParseToken(f *testing.F) {
	d, err := NewDistrict("On Ting")
	require.NoError(f, err)
	f.Add(NewToken(d, []string{"10.0.0.7:7000"}).String())
	f.Add(tokenPrefix)
	f.Fuzz(func(t *testing.T, s string) {
		if token, err := ParseToken(s); err == nil {
			again, err := ParseToken(token.String())
			require.NoError(t, err)
			require.Equal(t, token, again)
		}
	})
}
