package capxml_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/traditionalchinese"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/tokens"
)

func TestParse_ReadsEveryElement(t *testing.T) {
	a, found, err := capxml.Parse([]byte(alerttest.Whole))
	require.NoError(t, err, found)
	require.Equal(t, "KT-2", a.Identifier)
	require.Equal(t, "duty@example.org", a.Sender)
	require.Equal(t, alert.StatusExercise, a.Status)
	require.Equal(t, alert.MsgTypeUpdate, a.MsgType)
	require.Equal(t, "desk 2", a.Source)
	require.Equal(t, alert.ScopeRestricted, a.Scope)
	require.Equal(t, "wardens only", a.Restriction)
	require.Equal(t, []string{"a@example.org", "Warden of Block 4"}, a.Addresses)
	require.Equal(t, []string{"one", "two"}, a.Codes)
	require.Equal(t, "only a drill", a.Note)
	require.Len(t, a.References, 2)
	require.Equal(t, "duty@example.org,KT-0,2026-07-20T09:00:00-00:00", a.References[1].String())
	require.Equal(t, []string{"I-7", "Block 4 fire"}, a.Incidents)
	require.Len(t, a.Infos, 2)
	requireWholeInfo(t, &a.Infos[0])
	require.Equal(t, "en-US", a.Infos[1].Lang())
	require.True(t, found.Has("infos-disagree"))
	require.True(t, found.Has("no-area"))
	require.True(t, found.Has("expires-missing"))
}

func requireWholeInfo(t *testing.T, i *alert.Info) {
	t.Helper()
	require.Equal(t, []string{"Fire", "Safety"}, i.Categories)
	require.Equal(t, []string{"Evacuate", "Avoid"}, i.ResponseTypes)
	require.Equal(t, []alert.Named{{Name: "HKF", Value: "4"}, {Name: "X", Value: ""}}, i.EventCodes)
	require.Equal(t, []alert.Named{{Name: "p", Value: "1"}, {Name: "p", Value: "2"}}, i.Parameters)
	require.Equal(t, "濃煙 & <火> <b>\r\n第二行", i.Description)
	require.Equal(t, "2026-07-20T18:05:00+08:00", i.Onset.String())
	texts := []string{i.Language, i.Event, i.Urgency, i.Severity, i.Certainty, i.AudienceText, i.SenderName,
		i.Headline, i.Instruction, i.Web, i.Contact}
	require.Equal(t, []string{"zh-HK", "火警", "Immediate", "Severe", "Observed", "wardens", "On Ting",
		"第四座火警", "請離開", "https://example.org/4", "999"}, texts)
	require.Equal(t, alert.Resource{Description: "plan", MIMEType: "text/plain; charset=utf-8", Size: 5, URI: "plan.txt",
		DerefURI: "aGVsbG8=", Digest: "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"}, i.Resources[0])
	require.Equal(t, "hello", string(i.Resources[0].Content()))
	require.Equal(t, alert.Area{Description: "第四座", Polygons: []string{"22.30,114.20 22.31,114.20 22.31,114.21 22.30,114.20",
		"1,2 3,4 5,6 1,2"}, Circles: []string{"22.3,114.2 0.5"}, Geocodes: []alert.Named{{Name: "HK-DC", Value: "J"}},
		Altitude: "10", Ceiling: "20.5"}, i.Areas[0])
}

// TestParse_FillsEveryField string and slice of the domain types is filled by whole: a field that
// nobody reads would stay zero.
func TestParse_FillsEveryField(t *testing.T) {
	a := alerttest.Parsed(t, alerttest.Whole)
	a.Signed = true
	i := a.Infos[0]
	for _, v := range []any{*a, i, i.Resources[0], i.Areas[0]} {
		value := reflect.ValueOf(v)
		for n := range value.NumField() {
			require.False(t, value.Field(n).IsZero(), "%s.%s", value.Type(), value.Type().Field(n).Name)
		}
	}
}

func TestParse_ReadsEveryEncodingThatTheMessageNames(t *testing.T) {
	accented := alerttest.With(t, alerttest.Small, "Fire in block 4", "Café à côté")
	chinese := alerttest.With(t, alerttest.Small, "Fire in block 4", "第四座火警")
	latin := func(name string) []byte {
		raw, err := charmap.ISO8859_1.NewEncoder().String(alerttest.With(t, accented, "UTF-8", name))
		require.NoError(t, err)
		return []byte(raw)
	}
	big5, err := traditionalchinese.Big5.NewEncoder().String(alerttest.With(t, chinese, "UTF-8", "Big5"))
	require.NoError(t, err)
	want, wantChinese := alerttest.Parsed(t, accented), alerttest.Parsed(t, chinese)
	for name, c := range map[string]struct {
		raw  []byte
		want *alert.Alert
	}{
		"latin 1":           {latin("ISO-8859-1"), want},
		"windows 1252":      {latin("windows-1252"), want},
		"big5":              {[]byte(big5), wantChinese},
		"utf-8 with mark":   {append([]byte("\xEF\xBB\xBF"), chinese...), wantChinese},
		"utf-8 bare":        {[]byte(chinese[strings.Index(chinese, "?>")+2:]), wantChinese},
		"single quotes":     {[]byte(strings.Replace(chinese, `"UTF-8"`, `'utf-8' standalone='yes'`, 1)), wantChinese},
		"utf-16 big":        {alerttest.UTF16(chinese, binary.BigEndian), wantChinese},
		"utf-16 little":     {alerttest.UTF16(alerttest.With(t, chinese, "UTF-8", "UTF-16"), binary.LittleEndian), wantChinese},
		"carriage returns":  {[]byte(strings.ReplaceAll(chinese, "\n", "\r\n")), wantChinese},
		"prefixed elements": {[]byte(alerttest.Prefixed(chinese)), wantChinese},
	} {
		got, found, err := capxml.Parse(c.raw)
		require.NoError(t, err, "%s: %v", name, found)
		require.Equal(t, c.want, got, name)
	}
}

func TestParse_RefusesBytesThatAreNotWhatTheySay(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing":                      "",
		"only space":                   " \n",
		"not utf-8":                    alerttest.With(t, alerttest.Small, "Fire in", "Fire \xff in"),
		"overlong utf-8":               alerttest.With(t, alerttest.Small, "Fire in", "Fire \xc0\xaf in"),
		"odd utf-16":                   "\xff\xfe<\x00a",
		"lone surrogate":               "\xff\xfe<\x00\x00\xd8a\x00",
		"cut surrogate":                "\xff\xfe<\x00\x00\xd8",
		"utf-16 without mark":          alerttest.With(t, alerttest.Small, "UTF-8", "UTF-16"),
		"unknown encoding":             alerttest.With(t, alerttest.Small, "UTF-8", "klingon"),
		"declaration not first":        "\n" + alerttest.Small,
		"declaration inside":           alerttest.With(t, alerttest.Small, "<info>", `<?xml version="1.0"?><info>`),
		"declaration malformed":        alerttest.With(t, alerttest.Small, `version="1.0"`, ""),
		"declaration doubled":          `<?xml version="1.0"?>` + alerttest.Small,
		"bad big5":                     alerttest.With(t, alerttest.With(t, alerttest.Small, "UTF-8", "Big5"), "Fire in", "\xff\xff"),
		"control character":            alerttest.With(t, alerttest.Small, "Fire in", "Fire \x01 in"),
		"control character, escaped":   alerttest.With(t, alerttest.Small, "Fire in", "Fire &#1; in"),
		"half of a surrogate, escaped": alerttest.With(t, alerttest.Small, "Fire in", "Fire &#xD800; in"),
		"cut off":                      alerttest.Small[:len(alerttest.Small)/2],
		"text after":                   alerttest.Small + "x",
		"element after":                alerttest.Small + "<alert/>",
		"text before":                  "x" + alerttest.Small,
		"closing tag too many":         alerttest.Small + "</alert>",
		"crossed tags":                 alerttest.With(t, alerttest.Small, "</event>", "</urgency>"),
		"unknown entity":               alerttest.With(t, alerttest.Small, "Fire in", "&fire; in"),
		"bare ampersand":               alerttest.With(t, alerttest.Small, "Fire in", "Fire & in"),
		"attribute twice":              alerttest.With(t, alerttest.Small, "<info>", `<info a="1" a="2">`),
		"attribute twice by prefixes":  alerttest.With(t, alerttest.Small, "<info>", `<info xmlns:a="u" xmlns:b="u" a:x="1" b:x="2">`),
		"name space declared twice":    alerttest.With(t, alerttest.Small, "<info>", `<info xmlns:a="u" xmlns:a="v">`),
		"attributes run together":      alerttest.With(t, alerttest.Small, "<info>", `<info a="1"b="2">`),
		"prefix not declared":          alerttest.With(t, alerttest.Small, "<info>", `<x:y/><info>`),
		"attribute prefix unknown":     alerttest.With(t, alerttest.Small, "<info>", `<info x:a="1">`),
		"prefix unbound":               alerttest.With(t, alerttest.Small, "<info>", `<info xmlns:a="">`),
		"not a name":                   alerttest.With(t, alerttest.Small, "<info>", `<a:b:c/><info>`),
		"comment with dashes":          alerttest.With(t, alerttest.Small, "<info>", `<!-- a -- b --><info>`),
		"comment without end":          alerttest.Small + "<!-- a",
		"tag without end":              alerttest.Small + "<alert",
	} {
		a, found, err := capxml.Parse([]byte(raw))
		require.ErrorIs(t, err, alert.ErrRejected, name)
		require.Nil(t, a, name)
		require.True(t, found.Has("not-well-formed") || found.Has("encoding"), "%s: %s", name, found.Reason())
	}
}

func TestParse_NamesTheVersionItRefuses(t *testing.T) {
	for space, word := range map[string]string{
		"urn:oasis:names:tc:emergency:cap:1.1": "CAP 1.1",
		"http://www.incident.com/cap/1.0":      "CAP 1.0",
		"urn:oasis:names:tc:emergency:cap:1.3": "cap:1.3",
		"":                                     "not a CAP 1.2 alert",
	} {
		_, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, capxml.Namespace, space)))
		require.ErrorIs(t, err, alert.ErrRejected)
		require.Equal(t, "not-cap-1.2", found[0].Rule)
		require.Contains(t, found.Reason(), word)
	}
	_, found, _ := capxml.Parse([]byte(`<info xmlns="` + capxml.Namespace + `"/>`))
	require.True(t, found.Has("not-cap-1.2"))
}

// The sender of a refused message can be answered as far as it could be read.
func TestParse_TellsWhoseMessageItRefused(t *testing.T) {
	_, _, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "<urgency>Immediate", "<urgency>Now")))
	rejected, ok := errors.AsType[*alert.RejectError](err)
	require.True(t, ok)
	require.True(t, rejected.Key.Complete())
	require.Equal(t, "duty@example.org,KT-1,2026-07-20T17:40:00+08:00", rejected.Key.String())
	require.Contains(t, err.Error(), `urgency "Now"`)

	_, _, err = capxml.Parse([]byte("junk"))
	rejected, ok = errors.AsType[*alert.RejectError](err)
	require.True(t, ok)
	require.False(t, rejected.Key.Complete())
}

func TestParse_SeesASignatureAndSaysItIsNotChecked(t *testing.T) {
	signature := `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/></ds:Signature></alert>`
	a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "</alert>", signature)))
	require.NoError(t, err)
	require.True(t, a.Signed)
	require.Equal(t, "signature-not-checked: signature present, not checked", found.Reason())
	require.False(t, alerttest.Parsed(t, alerttest.Small).Signed)
	require.False(t, alerttest.Parsed(t, alerttest.With(t, alerttest.Small, "<area>", strings.TrimSuffix(signature, "</alert>")+"<area>")).Signed,
		"a signature inside an info is not the message's")
}

func TestParse_SaysThatUTF16NeedsAMark(t *testing.T) {
	_, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "UTF-8", "UTF-16")))
	require.ErrorIs(t, err, alert.ErrRejected)
	require.Contains(t, found.Reason(), "byte order mark")
}

func TestParse_LeavesADamagedResourceOutAndKeepsTheAlert(t *testing.T) {
	a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Whole, "bG8=", "bGE=")))
	require.NoError(t, err)
	require.True(t, found.Has("digest-mismatch"))
	require.Len(t, a.Infos[0].Resources, 1)
	require.Equal(t, "map", a.Infos[0].Resources[0].Description)
}

func TestParse_ForgivesEveryOrder(t *testing.T) {
	for name, c := range map[string]struct {
		old, replacement string
		verdict          alert.Verdict
	}{
		"headline before senderName":   {"<headline>", "<headline>x</headline><senderName>y</senderName><!--", alert.VerdictWarn},
		"polygon after geocode":        {"<polygon>", "<geocode><valueName>a</valueName><value>b</value></geocode><polygon>", alert.VerdictWarn},
		"value before valueName":       {"<area>", "<parameter><value>b</value><valueName>a</valueName></parameter><area>", alert.VerdictWarn},
		"status before sent":           {"<sent>2026-07-20T17:40:00+08:00</sent>\n  <status>Actual</status>", "<status>Actual</status><sent>2026-07-20T17:40:00+08:00</sent>", alert.VerdictWarn},
		"event before category":        {"<category>Fire</category>\n    <event>Fire</event>", "<event>Fire</event><category>Fire</category>", alert.VerdictWarn},
		"effective after the headline": {"<headline>Fire in block 4</headline>", "<headline>x</headline><effective>2026-07-20T17:40:00+08:00</effective>", alert.VerdictWarn},
	} {
		text := alerttest.With(t, alerttest.Small, c.old, c.replacement)
		text = strings.Replace(text, "<!--Fire in block 4</headline>", "", 1)
		_, found, _ := capxml.Parse([]byte(text))
		require.Equal(t, c.verdict, found.Verdict(), "%s: %s", name, found.Reason())
		require.True(t, found.Has("element-order"), name)
	}
}

func TestParse_IgnoresAndReportsWhatIsNotCAP(t *testing.T) {
	alerttest.Verdicts{"element-misplaced": {
		{"<area>", "<polygon>1,2 3,4 5,6 1,2</polygon><area>"}, {"<info>", "<expires>2026-07-20T19:40:00+08:00</expires><info>"},
		{"<area>", "<scope>Private</scope><area>"}, {"<areaDesc>", "<area/><areaDesc>"},
		{"<info>", "<alert/><info>"},
	}}.Require(t, alert.Reject, alerttest.Small)
	for rule, c := range map[string][2]string{
		"element-unknown":   {"<area>", "<shape>round</shape><area>"},
		"element-foreign":   {"<area>", `<x:shape xmlns:x="urn:x"><area/></x:shape><area>`},
		"attribute-unknown": {"<area>", `<area kind="round">`},
		"text-stray":        {"<area>", "and<area>"},
		"text-markup":       {"Fire in block 4", "Fire in <b>block</b> 4"},
		"code-outer-space":  {"<status>Actual", "<status> Actual"},
	} {
		a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, c[0], c[1])))
		require.NoError(t, err, rule)
		require.True(t, found.Has(rule), "%s: %v", rule, found)
		require.Equal(t, alerttest.Parsed(t, alerttest.Small), a, rule)
	}
	_, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "<info>", `<info xml:lang="en" xmlns:xsi="`+tokens.XSINamespace+`" xsi:type="x">`)))
	require.NoError(t, err)
	require.Empty(t, found)
}
