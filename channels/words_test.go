package channels

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	xunicode "golang.org/x/text/encoding/unicode"

	"almenara/channels/contract"
	"almenara/channels/plain"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

// charsets are names as messages declare them, what really encodes the bytes, and
// words that the set can hold.
var charsets = []struct {
	name  string
	set   encoding.Encoding
	words []string
}{
	{"UTF-8", encoding.Nop, []string{"第二層", "Ωμέγα", "مرحبا", "हिन्दी", "👩\u200d🚒", "50–70", "don’t"}},
	{"UTF-16", xunicode.UTF16(xunicode.LittleEndian, xunicode.UseBOM), []string{"第二層", "👩\u200d🚒", "don’t"}},
	{"UTF-16", xunicode.UTF16(xunicode.BigEndian, xunicode.UseBOM), []string{"Ωμέγα", "مرحبا"}},
	{"utf-16le", xunicode.UTF16(xunicode.LittleEndian, xunicode.IgnoreBOM), []string{"第二層", "don’t"}},
	{"ISO-8859-1", charmap.Windows1252, []string{"50–70", "don’t", "à côté", "…", "€ 5"}},
	{"windows-1252", charmap.Windows1252, []string{"50–70", "don’t", "übel"}},
	{"Big5", traditionalchinese.Big5, []string{"第二層", "請離開"}},
	{"Big5-HKSCS", traditionalchinese.Big5, []string{"第二層", "請離開"}},
	{"GB18030", simplifiedchinese.GB18030, []string{"第二层", "50–70", "don’t"}},
	{"gb2312", simplifiedchinese.GBK, []string{"第二层", "请离开"}},
	{"Shift_JIS", japanese.ShiftJIS, []string{"第二階", "ひなん"}},
	{"EUC-JP", japanese.EUCJP, []string{"第二階", "ひなん"}},
	{"ISO-2022-JP", japanese.ISO2022JP, []string{"第二階", "ひなん"}},
}

// messageOf is a CAP message whose texts are s, in the set.
func messageOf(t *testing.T, name string, set encoding.Encoding, s string) []byte {
	t.Helper()
	escaped := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;").Replace(s)
	raw, err := set.NewEncoder().Bytes([]byte(fmt.Sprintf(`<?xml version="1.0" encoding="%s"?><alert xmlns="%s"><identifier>i</identifier><sender>s</sender>`+
		`<sent>2026-07-20T17:40:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info><category>Met</category>`+
		`<event>%[3]s</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty><senderName>%[3]s</senderName><headline>%[3]s</headline>`+
		`<description>%[3]s</description><instruction>%[3]s</instruction><area><areaDesc>%[3]s</areaDesc></area></info></alert>`, name, capxml.Namespace, escaped)))
	require.NoError(t, err, name)
	return raw
}

// From the bytes of a message to the body at the device no visible character is lost,
// in whatever character set, markup and look-alikes of markup it was written.
func TestBody_HasEveryVisibleCharacterOfTheMessage(t *testing.T) {
	const seeds = 3_000
	plainWords := []string{"Leave", "now.", "<one metre", "<b", "<!-- 2", "]]>", "<script>", "R&D", "AT&T;", "1 < 2", "a > b", "<title of the notice"}
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 9))
		c := charsets[random.IntN(len(charsets))]
		words := append(c.words[:len(c.words):len(c.words)], plainWords...)
		var source, seen strings.Builder
		for range 1 + random.IntN(10) {
			word := words[random.IntN(len(words))]
			seen.WriteString(word)
			switch random.IntN(4) {
			case 0:
				word = "<p>" + word + "</p>"
			case 1:
				word += "<br>"
			case 2:
				word = "\n" + word + "\r\n"
			}
			source.WriteString(word + " ")
		}
		a, found, err := capxml.Parse(messageOf(t, c.name, c.set, source.String()))
		require.NoError(t, err, "seed %d %s: %v", seed, c.name, found)
		it := item("words", alert.StatusActual, nil)
		it.Message, it.Expires = a, noon.Add(time.Hour)
		b, err := buildBody(&it, Part{Infos: []int{0}})
		require.NoError(t, err)
		text := b.Texts[0]
		for _, got := range []string{text.Event, text.From, text.Headline, text.Description, text.Instruction, text.Areas[0]} {
			require.Equal(t, visible(seen.String()), visible(got), "seed %d %s: %q", seed, c.name, source.String())
		}
	}
}

// visible is a text without what nobody sees.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
}

// However long texts, lists and files are: every visible character is in the body, or what
// it belongs to is named, with as many characters as the body has of it.
func TestBody_HasOrNamesEverythingHoweverLong(t *testing.T) {
	const seeds = 60
	cutSeeds := 0
	for seed := range uint64(seeds) {
		random := rand.New(rand.NewPCG(seed, 10))
		sizes := []int{0, 1, 20, 99, 101, 300, 3_000, 20_000, 90_000}
		words := func(most int) string {
			text := []string{"Leave now. ", "請離開", "👩\u200d🚒 ", "<b>a</b> & ", "\"Ωμέγα\"\n"}[random.IntN(5)]
			return strings.Repeat(text, sizes[random.IntN(most)]/len(text))
		}
		var infos []alert.Info
		for n := range 1 + random.IntN(3) {
			in := info(fmt.Sprint("x-", n), "Severe", time.Hour)
			in.Headline, in.Instruction, in.Event = words(6), words(7), words(5)
			in.Description, in.SenderName, in.Contact = words(9), words(9), words(8)
			if random.IntN(2) == 0 {
				in.Web = "https://example.org/" + strings.Repeat("w", sizes[random.IntN(9)])
			}
			in.Areas = nil
			for range []int{1, 2, 8, 9, 30, 300}[random.IntN(6)] {
				in.Areas = append(in.Areas, alert.Area{Description: words(6)})
			}
			for range random.IntN(4) {
				in.Resources = append(in.Resources, alert.Resource{Description: words(6), URI: "https://example.org/f", DerefURI: strings.Repeat("A", sizes[random.IntN(9)])})
			}
			infos = append(infos, in)
		}
		it := item("long", alert.StatusActual, nil, infos...)
		cuts, err := CheckSize(it.Message)
		if err != nil {
			require.ErrorIs(t, err, ErrTooLarge)
			continue
		}
		if len(cuts) > 0 {
			cutSeeds++
		}
		said := map[Cut]int{}
		for _, c := range cuts {
			if c.Of != Overlap { // the lists of areas may differ in length
				said[c]++
			}
		}
		for _, all := range together(&it, nil) {
			body, err := fittingBody(itemOf(it.Message), all, longestTime, largestSigner.SignedSize)
			require.NoError(t, err, "seed %d", seed)
			holdsOrNames(t, seed, infos, all, body, said)
		}
		require.Empty(t, said, "seed %d: only what is cut is named", seed)
	}
	require.Greater(t, cutSeeds, seeds/4)
}

// holdsOrNames compares a body with the infos that it is made of, and takes what it misses
// from said.
func holdsOrNames(t *testing.T, seed uint64, infos []alert.Info, of []int, body contract.Body, said map[Cut]int) {
	t.Helper()
	missing := func(c Cut) {
		require.Positive(t, said[c], "seed %d: %v", seed, c)
		if said[c]--; said[c] == 0 {
			delete(said, c)
		}
	}
	files, seen := 0, map[string]bool{}
	for n, i := range of {
		in, text := &infos[i], &body.Texts[n]
		same := func(of CutOf, whole, got string) {
			if whole = plain.Text(whole); visible(whole) != visible(got) {
				kept := strings.TrimSuffix(got, "…")
				require.True(t, strings.HasPrefix(whole, kept), "seed %d: %s", seed, of)
				cut := Cut{Info: i, Of: of, Kept: utf8.RuneCountInString(kept), Whole: utf8.RuneCountInString(whole)}
				if of == AreaDesc {
					cut.Name = got
				}
				missing(cut)
			}
		}
		same("event", in.Event, text.Event)
		same("headline", in.Headline, text.Headline)
		same("instruction", in.Instruction, text.Instruction)
		same(Description, in.Description, text.Description)
		same(SenderName, in.SenderName, text.From)
		same(Web, in.Web, text.Web)
		same(Contact, in.Contact, text.Contact)
		if has := len(in.Areas); has > 8 && text.Areas[8] == "…" {
			missing(Cut{Info: i, Of: Areas, Kept: 8, Whole: has})
			in.Areas = in.Areas[:8]
		} else {
			require.Len(t, text.Areas, has)
		}
		for n := range in.Areas {
			same(AreaDesc, in.Areas[n].Description, text.Areas[n])
		}
		for _, file := range in.Resources {
			name := plain.Text(file.Description)
			if seen[file.DerefURI] { // equal but for the name
				continue
			}
			seen[file.DerefURI] = true
			switch {
			case body.Files == nil:
				delete(said, Cut{Info: len(infos), Of: File, Name: name})
			case body.Files[files].Data != file.DerefURI:
				delete(said, Cut{Info: len(infos), Of: Attachment, Name: name})
			default:
				require.Equal(t, name, body.Files[files].Description)
			}
			files++
		}
	}
}
