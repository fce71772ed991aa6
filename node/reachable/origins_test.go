package reachable_test

import (
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/reachable"
	"almenara/storage/noderecord"
)

func TestOrigins_AreWhatBrowsersName(t *testing.T) {
	patterns := reachable.Origins("https://10.0.0.7:8480", []string{"10.0.0.7:7000", "box.example", "::1"}, []noderecord.Node{
		{API: "https://10.0.0.8:443"}, {API: "https://10.0.0.9:8480", Removed: true}, {API: ""}, {API: "https://*.example:1"},
	})
	allowed := func(host string) bool {
		for _, p := range patterns {
			if ok, err := path.Match(p, host); ok && err == nil {
				return true
			}
		}
		return false
	}
	for _, host := range []string{"10.0.0.7:8480", "box.example:8480", "[::1]:8480", "10.0.0.8"} {
		require.True(t, allowed(host), host)
	}
	for _, host := range []string{"10.0.0.7", "10.0.0.7:8481", "10.0.0.9:8480", "evil.example:1", "box.example"} {
		require.False(t, allowed(host), host)
	}
}
