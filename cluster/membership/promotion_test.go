package membership

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPromotions_WantAnUnbrokenStretch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p promotions
		require.False(t, p.stable("new", time.Second))
		p.observe("new", true)
		require.False(t, p.stable("new", 10*time.Second))
		time.Sleep(9 * time.Second)
		p.observe("new", false) // it fell behind
		p.observe("new", true)
		time.Sleep(9 * time.Second)
		p.observe("new", true)
		require.False(t, p.stable("new", 10*time.Second))
		time.Sleep(time.Second)
		require.True(t, p.stable("new", 10*time.Second))
		require.False(t, p.stable("another", 10*time.Second))
	})
}
