package headline

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

func TestOf_HasEachLanguageOnce(t *testing.T) {
	a := &alert.Alert{Infos: []alert.Info{
		{Language: "zh-HK", Headline: "水浸"}, {Language: "en", Event: "Flood"}, {Language: "EN", Headline: "of another area"}, {Headline: "without a language"},
	}}
	require.Equal(t, Lines{{"zh-HK", "水浸"}, {"en", "Flood"}, {"en-US", "without a language"}}, Of(a))
	require.Nil(t, Of(&alert.Alert{Note: "a cancel"}))
	require.Nil(t, Of(&alert.Alert{Infos: a.Infos[:1]}), "the headline itself is that")
	for n := range 50 {
		a.Infos = append(a.Infos, alert.Info{Language: fmt.Sprintf("x%d", n), Headline: "x"})
	}
	require.Len(t, Of(a), most)
}

func TestLines_In(t *testing.T) {
	lines := Lines{{"zh-HK", "水浸"}, {"en", "Flood"}, {"en-GB", "Flooding"}}
	for language, want := range map[string]string{"zh-Hant": "水浸", "en": "Flood", "en-GB": "Flooding", "en-AU": "Flood", "fr": "as it is", "": "as it is"} {
		require.Equal(t, want, lines.In(language, "as it is"), language)
	}
	require.Equal(t, "as it is", Lines(nil).In("en", "as it is"))
}
