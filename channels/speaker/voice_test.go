package speaker

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// As Debian's espeak-ng 1.51 answers: Cantonese that it can read, Mandarin in which it names a character
// in English, and letters.
func TestSpoken_RefusesWhatWouldBeSpelled(t *testing.T) {
	require.True(t, spoken("yue", "c'aa1k_| s'i3_|"))
	require.False(t, spoken(mandarin, "(en)sE55f'o@55(cmn)_| s.'i.51_|"))
	require.False(t, spoken("yue", ""))
	require.True(t, spoken("en-gb", "f'aI@"))
}

func TestVoice_OfLanguages(t *testing.T) {
	for language, want := range map[string]string{"zh-HK": "yue", "zh-Hant": "yue", "yue": "yue", "zh-Hans": mandarin, "zh-CN": mandarin, "en-US": "en-gb", "PT": "pt"} {
		got, _ := voiceOf(language)
		require.Equal(t, want, got, language)
	}
	for _, language := range []string{"", "xx", "eng", "--wav"} {
		_, ok := voiceOf(language)
		require.False(t, ok, language)
	}
}

func TestVoice_WithoutTheProgramNothingIsSpoken(t *testing.T) {
	_, err := Voice{Program: "/nonexistent/espeak-ng"}.Speak(context.Background(), "en", "Fire")
	require.ErrorIs(t, err, ErrUnspoken)
	for _, wav := range []string{"", "RIFF", "RIFFxxxxWAVEfmt data"} {
		_, err := fromWAV([]byte(wav))
		require.ErrorIs(t, err, ErrUnspoken)
	}
}
