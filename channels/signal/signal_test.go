package signal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSignal_IsOneHoweverOftenItIsGiven(t *testing.T) {
	s := New()
	require.False(t, s.Take())
	s.Set()
	s.Set()
	<-s
	require.Empty(t, s)
	s.Set()
	require.True(t, s.Take())
	require.False(t, s.Take())
	s.Set()
	<-s
}
