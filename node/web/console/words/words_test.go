package words

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A text that is missing in one language would be shown as its key, at night.
func TestTexts_AreComplete(t *testing.T) {
	for _, l := range all[1:] {
		require.Equal(t, all[0].Keys(), l.Keys(), l.Tag)
	}
	for _, key := range all[0].Keys() {
		for _, l := range all {
			text := l.T(key)
			require.NotEmpty(t, strings.TrimSpace(text), "%s in %s", key, l.Tag)
			require.Equal(t, arguments(all[0].T(key)), arguments(text), "arguments of %s in %s", key, l.Tag)
		}
	}
}

func arguments(text string) (out []string) {
	for _, found := range place.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, found[1]) {
			out = append(out, found[1])
		}
	}
	slices.Sort(out)
	return out
}

// Every key that a page or its code names has a text, and every text is used by one.
func TestTexts_AreThoseThatPagesUse(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"../*.go", "../*/*.go", "../*.html", "../*/*.html"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			raw, err := os.ReadFile(name)
			require.NoError(t, err)
			source.Write(raw)
		}
	}
	for _, found := range regexp.MustCompile(`T[ (]"([a-z][a-z.-]*[a-z])"`).FindAllStringSubmatch(source.String(), -1) {
		require.True(t, all[0].Has(found[1]), "there is no text for %s", found[1])
	}
	made := regexp.MustCompile(`^(problem|why|error|word|element|role|kind|reason|rung|state|message|counts|effect|banner\.clock|sign-in\.wrong|end\.kind|condition|compose\.(hazard|category|urgency|severity|certainty|response|tier|sound|rule)|alone|does|handbook|answer|happened|about|contents\.(group|says)|place\.(by|what)|action|fault|display|picture|power|sound|level|spoken|stands|exercised|contrary|language|notice\.(state|act|done|field|changed)|reports\.(made|is|do)|scenario\.residents|personal\.what|import\.format)\.`) // of a value
	for _, key := range all[0].Keys() {
		if !made.MatchString(key) && !strings.HasSuffix(key, ".title") {
			require.Contains(t, source.String(), `"`+key+`"`, "no page uses the text")
		}
	}
}

func TestT_FillsIn(t *testing.T) {
	l := &Language{texts: func() map[string]string { return map[string]string{"a": "{0} {0|alert|alerts} of {1}", "b": "plain"} }}
	require.Equal(t, "1 alert of x", l.T("a", 1, "x"))
	require.Equal(t, "1,234 alerts of {0}", l.T("a", uint64(1234), "{0}"), "what fills in is no argument")
	require.Equal(t, "2 alerts of {1}", l.T("a", 2))
	require.Equal(t, "plain", l.T("b", 1))
	require.Equal(t, "⟦c⟧", l.T("c"))
	require.Equal(t, "−1,000,000", Show(-1_000_000))
	require.Equal(t, "x", l.Or("kind.", "x"))
}

func TestPick(t *testing.T) {
	for _, c := range []struct {
		wishes []string
		want   string
	}{
		{[]string{"", ""}, "en"}, {[]string{"", "zh-HK,zh;q=0.9,en;q=0.8"}, "zh-Hant"}, {[]string{"", "zh-TW"}, "zh-Hant"},
		{[]string{"en", "zh-HK"}, "en"}, {[]string{"zh-Hant", "en-US"}, "zh-Hant"}, {[]string{"", "fil"}, "en"}, {[]string{"<script>", "\x00"}, "en"},
	} {
		require.Equal(t, c.want, Pick(c.wishes...).Tag, c.wishes)
	}
	require.Same(t, all[1], all[0].Other())
	require.Same(t, all[0], all[1].Other())
}

func TestSpan_NamesItsUnits(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		12 * time.Second: {"12 s", "12 秒"}, 65 * time.Second: {"1 min 5 s", "1 分 5 秒"}, 2*time.Hour + 5*time.Minute: {"2 h 5 min", "2 小時 5 分鐘"},
		76 * time.Hour: {"3 d 4 h", "3 日 4 小時"}, -time.Second: {"0 s", "0 秒"},
	} {
		require.Equal(t, want, [2]string{All()[0].Span(d), All()[1].Span(d)})
	}
}

// The districts come with names in zh-HK: a Chinese page showed the English ones.
func TestCalled_FindsTheNameForReadersOfTheLanguage(t *testing.T) {
	english, chinese := All()[0], All()[1]
	require.Equal(t, "中西區", chinese.Called(map[string]string{"en": "Central and Western", "zh-HK": "中西區"}))
	require.Equal(t, "安定邨", chinese.Called(map[string]string{"en": "On Ting", "zh-Hant": "安定邨", "zh-HK": "安定"}))
	require.Equal(t, "On Ting", chinese.Called(map[string]string{"en": "On Ting"}))
	require.Equal(t, "On Ting", english.Called(map[string]string{"en": "On Ting", "zh-Hant": "安定邨"}))
	require.Empty(t, english.Called(nil))
}
