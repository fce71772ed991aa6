package signal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSignal_IsOneHoweverOftenItIsGiven(t *testing.T) {
	s := New()
	s.Set()
	s.Set()
	<-s
	require.Empty(t, s)
	s.Set()
	<-s
}
