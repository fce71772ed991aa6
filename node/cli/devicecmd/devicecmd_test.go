package devicecmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const lift = `{"id":"lift-1","secret":"s","servers":["tcp://10.0.0.1:1883"],"root_key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "lift.json")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

func TestReadDevice_TakesWhatEnrolmentPrints(t *testing.T) {
	for _, content := range []string{lift, "[" + lift + "]"} {
		name := file(t, content)
		d, err := readDevice(name, "")
		require.NoError(t, err)
		require.Equal(t, "lift-1", d.ID)
		require.Len(t, d.RootKey, 32)
		require.Nil(t, d.Memory)
		require.NoError(t, d.Save([]byte("kept")))
		d, err = readDevice(name, "")
		require.NoError(t, err)
		require.Equal(t, "kept", string(d.Memory), "after a power cut")
	}
	for content, says := range map[string]string{
		"[" + lift + "," + lift + "]": "is for 2 devices", "[]": "is for 0 devices", "{": "is not what device enrol --json prints",
		`{"id":"lift-1"}`: "has no root key", lift[:len(lift)-1] + `,"ca":"x"}`: "an authority that cannot be read",
	} {
		_, err := readDevice(file(t, content), "")
		require.ErrorContains(t, err, says)
	}
	_, err := readDevice(filepath.Join(t.TempDir(), "absent"), "")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestOnLoopback_RefusesWhatOthersCanReach(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:8490", "[::1]:0", "localhost:8490", "127.0.0.9:1"} {
		require.NoError(t, onLoopback(listen), listen)
	}
	for _, listen := range []string{":8490", "0.0.0.0:8490", "10.0.0.1:8490", "[::]:8490", "box:8490", "8490"} {
		require.Error(t, onLoopback(listen), listen)
	}
}

func TestHours_OfTheNight(t *testing.T) {
	night, err := hours("22-7")
	require.NoError(t, err)
	require.True(t, night(22) && night(3) && !night(7) && !night(12))
	day, err := hours("9-17")
	require.NoError(t, err)
	require.True(t, day(9) && !day(17))
	for _, text := range []string{"22", "24-7", "-1-3", "a-b"} {
		_, err := hours(text)
		require.Error(t, err, text)
	}
}
