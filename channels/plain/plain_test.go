package plain

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"as it is":                        "as it is",
		"<p>Stay in</p><p>Shut doors</p>": "Stay in\n\nShut doors",
		"one<br/>two<BR>three":            "one\ntwo\nthree",
		"<ul><li>a</li><li>b</li></ul>":   "a\n\nb",
		"A &amp; B &lt;5 km&nbsp;away":    "A & B <5 km\u00a0away",
		"wind < 50 km/h and > 20":         "wind < 50 km/h and > 20",
		"<unknown> sender":                "<unknown> sender",
		"<b onclick=x>bold</b>":           "bold",
		"a\r\n\r\n\r\nb\x07":              "a\n\nb",
		"&lt;script&gt;":                  "<script>",
		"大廈火警<br>請離開":                     "大廈火警\n請離開",
		"<":                               "<",
	} {
		require.Equal(t, want, Text(in), in)
	}
}

// What only looks like markup was written by a person, and is kept to the letter.
func TestText_KeepsProseThatLooksLikeMarkup(t *testing.T) {
	for _, s := range []string{
		"Leave cellars where water is <one metre below the door. Go to the second floor. Call 999",
		"Level <red: leave now", "Bridges with clearance <two metres are closed.",
		"Use the evacuation <script of your block>. Then go to the hall.",
		"Read the <title of the notice and obey. Then leave.",
		"Until <time unknown> stay away. See <address of the shelter>.",
		"Press <button 2> then <select exit>.",
		"<style> <textarea> <plaintext> <noscript> <iframe> <xmp> <noembed> <noframes> all of it",
		"<script>alert(1)</script>safe", "<!-- note -->shown", "<!-- 2 floors", "a <![CDATA[ b ]]> c", "<!doctype of them all>",
		"<?xml is that", "</p> alone", "go to block <b> or <a>, not <i exit>", "park at <P>", "<b 2> and </b 3>",
		"x </", "</>", "<a href=", "a <b", "R&D, AT&T; &nonsense; &notit; &#0; &#xD800; & so on", "1 <2> 3 >",
		"half a picture <img>, <br of the road", "\uFFFD kept",
	} {
		text, taken := Read(s)
		require.Equal(t, s, text)
		require.Nil(t, taken, s)
	}
}

func TestText_ReadsCharactersThatNobodySees(t *testing.T) {
	for in, want := range map[string]string{
		"50\u009670 km/h, don\u0092t": "50–70 km/h, don’t",
		"one\u0085two":                "one\ntwo",
		"a\vb\fc\u2028d\u2029e":       "a\nb\nc\nd\ne",
		"a\u0081b\x7fc":               "a b c",
		"call \u202E999\u202C now":    "call 999 now",
		"श\u200dक  \u200fمرحبا":       "श\u200dक  \u200fمرحبا",
		"word\uFEFFjoined":            "wordjoined",
		"&#150; &amp;":                "– &",
		"👩\u200d🚒":                    "👩\u200d🚒",
	} {
		require.Equal(t, want, Text(in), "%q", in)
	}
}

// What begins a direction ends with the line, or it would turn round what a device writes behind the text.
func TestText_KeepsDirectionsWithinALine(t *testing.T) {
	for in, want := range map[string]string{
		"Police \u2067":                     "Police",
		"Police \u202B \u2066":              "Police",
		"a \u2067\u0645\u0631\u2069 b":      "a \u2067\u0645\u0631\u2069 b",
		"a \u202B1\u202C b":                 "a \u202B1\u202C b",
		"a \u20671\u202C b":                 "a 1 b",
		"\u2069\u2069a\u2067":               "a",
		"\u2067one\ntwo\u2069":              "one\ntwo",
		"\u2068\u202Ba\u202C\u2069 \u202Db": "\u2068\u202Ba\u202C\u2069 b",
		"\u2067\u2067a\u2069":               "\u2067a\u2069",
		"&#8295;Valid until":                "Valid until",
	} {
		require.Equal(t, want, Text(in), "%q", in)
	}
	_, taken := Read("a\u2067b\u202C")
	require.Equal(t, "characters that turn the direction of the text round are left out: U+2067 U+202C", taken[0].String())
}

func TestText_NamesWhatItTakesOut(t *testing.T) {
	_, taken := Read("<p>Go</p> <b>now</b> \u0096 \u202E \x01 \uFEFF <a href='https://x.hk/1'>here</a>")
	var says []string
	for _, one := range taken {
		says = append(says, one.String())
	}
	require.Equal(t, []string{
		"the markup <p> <b> <a> is not shown",
		"control characters are shown as spaces: U+0001",
		"control characters are read as Windows-1252: U+0096",
		"characters that turn the direction of the text round are left out: U+202E",
		"byte order marks within the text are left out: U+FEFF",
	}, says)
	require.Equal(t, "see here (https://x.hk/1)", Text("see <a href='https://x.hk/1'>here</a>"))
	require.Equal(t, "https://x.hk/1", Text(`<a class="x" href="https://x.hk/1">https://x.hk/1</a>`))
	require.Equal(t, "map of the flood", Text(`<img src="m.png" alt="map of the flood"/>`))
}

// visible are the characters of s that ink or light shows.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// Every visible character of a text arrives, whatever markup, look-alikes, entities and
// controls are mixed into it. Each part says what it must leave to be seen.
func TestText_LosesNoVisibleCharacter(t *testing.T) {
	words := []string{"Leave", "now", "第二層", "Ωμέγα", "50", "–", "👩\u200d🚒", "é", "1<2", "a>b", "R&D", "x&y;", "<", ">", "</", "<!", "<!--", "-->",
		"<one metre", "<script", "<style>", "<title of", "<plaintext>", "<textarea>", "<![CDATA[", "]]>", "<?go", "<b", "<a", "</b", "<q 2>"}
	parts := []func(word string) (source, seen string){
		func(w string) (string, string) { return w, w },
		func(w string) (string, string) { return "<b>" + w + " </b>", w },
		func(w string) (string, string) { return `<p class="x">` + w + "\n</p>", w },
		func(w string) (string, string) { return w + "<br/>", w },
		func(w string) (string, string) { return w + "&lt;&#20108;&eacute;", w + "<二é" },
		func(w string) (string, string) { return w + "\u0085\u0096\x01\u200b", w + "–" },
		func(w string) (string, string) { return "\u202E" + w + "\u202C\v", w },
	}
	const seeds = 20_000
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 5))
		var source, seen strings.Builder
		for range 1 + random.IntN(12) {
			from, to := parts[random.IntN(len(parts))](words[random.IntN(len(words))])
			source.WriteString(from + " ")
			seen.WriteString(to)
		}
		require.Equal(t, visible(seen.String()), visible(Text(source.String())), "seed %d: %q", seed, source.String())
	}
}

// What Plain makes of any text at all is text that it would not change again, unless
// that text had an entity inside an entity.
func FuzzPlain(f *testing.F) {
	f.Add("<p>Stay &amp; shut</p>")
	f.Add("<a <b> \x00 &#x")
	f.Fuzz(func(t *testing.T, s string) {
		text, taken := Read(s)
		require.LessOrEqual(t, len(text), 4*len(s)+8)
		if !strings.Contains(s, "&") && !strings.Contains(s, "<") {
			require.Equal(t, visible(text), visible(Text(text)), fmt.Sprint(taken))
		}
	})
}

func TestLink_LetsNoScriptThrough(t *testing.T) {
	require.Equal(t, "https://example.org/a?b=1", Link(" https://example.org/a?b=1 "))
	require.Equal(t, "map.png", Link("map.png"))
	require.Empty(t, Link("JavaScript:alert(1)"))
	require.Empty(t, Link("data:text/html,x"))
	require.Empty(t, Link("http://[broken"))
}
