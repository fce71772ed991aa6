package placecmd

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire"
)

func TestSetting_CodesFromNowOn(t *testing.T) {
	l, k := wire.Geocode{ValueName: "HK-DC", Value: "L"}, wire.Geocode{ValueName: "HK-DC", Value: "K"}
	got, err := (&setting{away: []string{"HK-DC=L"}, codes: []string{"HK-DC = K"}}).codesOf([]wire.Geocode{l})
	require.NoError(t, err)
	require.Equal(t, []wire.Geocode{k}, got)
	got, err = (&setting{codes: []string{"HK-DC=L"}}).codesOf([]wire.Geocode{l})
	require.NoError(t, err)
	require.Equal(t, []wire.Geocode{l}, got, "it is there already")
}
