package channels

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

// Who approves a message reads what devices will show: no more of it, and in no other form.
func TestTexts_AreThoseOfTheBody(t *testing.T) {
	mild, grave := info("en", "Minor", time.Hour), info("zh-HK", "Extreme", time.Hour)
	mild.Description = strings.Repeat("d", MaxBody)
	mild.Headline = "go\x07 up\u202estairs"
	grave.Areas = []alert.Area{{Description: "Elsewhere", Circles: []string{"1,1 1"}}}
	it := item("fire", alert.StatusActual, nil, mild, grave)
	texts := Texts(it.Message)
	require.Len(t, texts, 2)
	require.Equal(t, []string{"en", "zh-HK"}, []string{texts[0].Language, texts[1].Language}, "in the order of the message")
	require.True(t, strings.HasSuffix(texts[0].Description, "…"), "cut as for a device")
	require.NotContains(t, texts[0].Headline, "\u202e")
	for i := range it.Message.Infos {
		body, err := fittingBody(itemOf(it.Message), []int{i}, longestTime, largestSigner.SignedSize)
		require.NoError(t, err)
		require.Equal(t, body.Texts[0], texts[i])
	}
	it.Message.MsgType = alert.MsgTypeCancel
	require.Nil(t, Texts(it.Message), "no device shows the text of a Cancel")
}
