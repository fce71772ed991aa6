package access

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRead_TellsWhatWriteLeft(t *testing.T) {
	dir := t.TempDir()
	a, err := Read(filepath.Join(dir, "nowhere"))
	require.NoError(t, err)
	require.Equal(t, Access{}, a)
	require.NoError(t, Access{Authority: PEM([]byte("der")), URL: "https://10.0.0.1:8480"}.Write(dir))
	require.NoError(t, os.WriteFile(filepath.Join(dir, TokenFile), []byte("secret\n"), 0o600))
	a, err = Read(dir)
	require.NoError(t, err)
	require.Equal(t, "secret", a.Token)
	require.Equal(t, "https://10.0.0.1:8480", a.URL)
	require.Equal(t, "-----BEGIN CERTIFICATE-----\nZGVy\n-----END CERTIFICATE-----\n", string(a.Authority))

	require.NoError(t, Access{URL: "https://10.0.0.2:8480"}.Write(dir))
	b, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, "https://10.0.0.2:8480", b.URL)
	require.Equal(t, a.Authority, b.Authority)
}

// A node that starts on a full disk must not need room for what is there already.
func TestWrite_LeavesAFileAloneThatSaysTheSame(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Access{Authority: PEM([]byte("der")), URL: "https://10.0.0.1:8480"}.Write(dir))
	before, err := os.Stat(filepath.Join(dir, AuthorityFile))
	require.NoError(t, err)
	require.NoError(t, Access{Authority: PEM([]byte("der")), URL: "https://10.0.0.1:8480"}.Write(dir))
	after, err := os.Stat(filepath.Join(dir, AuthorityFile))
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "it was not replaced")
}
