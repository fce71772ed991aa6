package js

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFiles_OfOthersAreAsTheyWerePublished(t *testing.T) {
	readme, err := os.ReadFile("noble/README.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| (\S+\.js).* ([0-9a-f]{64}) \|$`).FindAllStringSubmatch(string(readme), -1)
	want := map[string]string{}
	for _, row := range rows {
		want[row[1]] = row[2]
	}
	entries, err := Files.ReadDir("noble")
	require.NoError(t, err)
	got := map[string]string{}
	for _, entry := range entries {
		if entry.Name() == "LICENSE.ed25519" || entry.Name() == "LICENSE.hashes" {
			continue
		}
		raw, err := Files.ReadFile("noble/" + entry.Name())
		require.NoError(t, err)
		sum := sha256.Sum256(raw)
		got[entry.Name()] = hex.EncodeToString(sum[:])
	}
	require.Equal(t, want, got)
}
