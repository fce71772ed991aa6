package sendername

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
)

func TestNameIn_ReadsTheLanguageOfTheText(t *testing.T) {
	t.Parallel()
	names := []audience.Text{{Language: "en", Text: "E"}, {Language: "zh-Hant", Text: "T"}, {Language: "zh-CN", Text: "S"}, {Language: "pt", Text: "P"}}
	for language, want := range map[string]string{
		"": "E", "en-GB": "E", "zh": "T", "zh-hk": "T", "zh-Hans-HK": "S", "zh-CN": "S", "pt-BR": "P", "ur": "E",
	} {
		require.Equal(t, want, nameIn(names, language), language)
	}
	require.Empty(t, nameIn(names[1:], "en"))
	require.Empty(t, nameIn(nil, "en"))
}
