package notices

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
	"almenara/node/wire/notices"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil, nil, nil, nil), func() map[string]any {
		return map[string]any{"notices": &noticesPage{}, "notice": &noticePage{}, "write": &writePage{}, "version": &versionPage{}}
	})
}

// A version is named in the language of the page, whichever its author wrote first.
func TestHeadlineOf_IsInTheLanguageOfThePage(t *testing.T) {
	texts := []notices.NoticeText{{Language: "en", Headline: "No water"}, {Language: "zh-HK", Event: "停水"}}
	require.Equal(t, []string{"No water", "停水", "No water"}, []string{headlineOf(texts, "en"), headlineOf(texts, "zh-Hant"), headlineOf(texts, "fr")})
}

// A word is marked where it stands, in any case and width. No word of a Chinese text with its own comma was.
func TestMarked_CutsAtTheWords(t *testing.T) {
	cut := func(text string, words ...string) (out []string) {
		for _, p := range marked(text, words) {
			if p.Care {
				out = append(out, "["+p.Text+"]")
			} else if p.Text != "" {
				out = append(out, p.Text)
			}
		}
		return out
	}
	require.Equal(t, []string{"It is [Contaminated], and [cheap]"[:6], "[Contaminated]", ", and ", "[cheap]"}, cut("It is Contaminated, and cheap", "cheap", "contaminated"))
	require.Equal(t, []string{"受[污染]的水"[:3], "[污染]", "的水"}, cut("受污染的水", "污染"))
	require.Equal(t, []string{"[ＣＨＥＡＰ]", "！"}, cut("ＣＨＥＡＰ！", "cheap"))
	require.Equal(t, []string{"更換喉管，食水未受", "[污染]", "。"}, cut("更換喉管，食水未受污染。", "污染"))
	require.Equal(t, []string{"a ", "[ﬁ]", "n", "[İ]", "x"}, cut("a ﬁnİx", "i"))
	require.Equal(t, []string{"[ﬁ]", "n"}, cut("ﬁn", "f"), "a letter is marked whole")
	require.Equal(t, []string{"\xff", "[a]", "\xff"}, cut("\xffa\xff", "a"))
	require.Equal(t, []string{"nothing"}, cut("nothing", "", " "))
	require.Empty(t, cut("", "a"))
}

// The new version of a notice that no scenario made keeps all that is not text.
func TestRewritten_KeepsTheRest(t *testing.T) {
	raw, err := rewritten(json.RawMessage(`{"status":"Actual","info":[{"language":"en","headline":"a","description":"b","area":[1]},{"language":"zh-HK"}]}`), []editable{{N: 0, Headline: "c"}, {N: 1, Headline: "d", Instruction: "e"}, {N: 2, Headline: "f"}})
	require.NoError(t, err)
	require.JSONEq(t, `{"status":"Actual","info":[{"language":"en","headline":"c","area":[1]},{"language":"zh-HK","headline":"d","instruction":"e"}]}`, string(raw))
	_, err = rewritten(json.RawMessage(`[`), nil)
	require.Error(t, err)
}

func TestPlanned_IsWhatSaysSoInEveryText(t *testing.T) {
	for form, want := range map[string]bool{
		`{"info":[{"urgency":"Future"},{"urgency":"Past"}]}`: true, `{"info":[{"urgency":"Future"},{"urgency":"Expected"}]}`: false, `{"info":[]}`: false, `{`: false, `{"info":[{}]}`: false,
	} {
		require.Equal(t, want, planned(wire.Scenario{Alert: json.RawMessage(form)}), form)
	}
}
