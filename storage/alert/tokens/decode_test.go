package tokens_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
)

// TestParse_ReadsWindowsTextThatCallsItselfLatin1 calls itself ISO-8859-1 is Windows-1252 in the field, as browsers know.
func TestParse_ReadsWindowsTextThatCallsItselfLatin1(t *testing.T) {
	for _, name := range []string{"ISO-8859-1", "iso8859-1", "latin1", "us-ascii", "windows-1252", "cp1252"} {
		text := alerttest.With(t, alerttest.With(t, alerttest.Small, "UTF-8", name), "Fire in block 4", "Wind 50\x9670 km/h, don\x92t wait\x85\xa0\x81")
		a, _, err := capxml.Parse([]byte(text))
		require.NoError(t, err, name)
		require.Equal(t, "Wind 50–70 km/h, don’t wait…\u00a0\u0081", a.Infos[0].Headline, name)
	}
}

func TestParse_ReadsUTF8ThatNamesASmallerSetAndSaysSo(t *testing.T) {
	for _, name := range []string{"ISO-8859-1", "windows-1252", "US-ASCII", "iso-8859-15", "koi8-r"} {
		a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.With(t, alerttest.Small, "UTF-8", name), "Fire in block 4", "第四座火警")))
		require.NoError(t, err, name)
		require.Equal(t, "第四座火警", a.Infos[0].Headline, name)
		require.True(t, found.Has("encoding-differs"), name)
	}
	a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.With(t, alerttest.Small, "UTF-8", "ISO-8859-1"), "Fire in block 4", "20 \xc2\xb0C")))
	require.NoError(t, err)
	require.Equal(t, "20 Â°C", a.Infos[0].Headline, "one accident of two letters proves nothing")
	require.Empty(t, found)
}

func TestParse_ReadsUTF16WithoutAMark(t *testing.T) {
	text := alerttest.With(t, alerttest.With(t, alerttest.Small, "UTF-8", "UTF-16"), "Fire in block 4", "第四座火警")
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		a, found, err := capxml.Parse(alerttest.UTF16(text, order)[2:])
		require.NoError(t, err)
		require.Equal(t, "第四座火警", a.Infos[0].Headline)
		require.True(t, found.Has("encoding-differs"))
	}
}

func TestParse_KnowsTheNamesThatBrowsersKnow(t *testing.T) {
	for _, name := range []string{"Big5-HKSCS", "gb2312", "GBK", "GB18030", "x-sjis", "euc-kr", "windows-874", "tis-620"} {
		_, _, err := capxml.Parse([]byte(strings.Replace(alerttest.Small, "UTF-8", name, 1)))
		require.NoError(t, err, name)
	}
	for _, name := range []string{"iso-2022-kr", "hz-gb-2312", "utf-7"} {
		_, _, err := capxml.Parse([]byte(strings.Replace(alerttest.Small, "UTF-8", name, 1)))
		require.ErrorIs(t, err, alert.ErrRejected, name)
	}
}
