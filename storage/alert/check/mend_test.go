package check_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capjson"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/check"
	"almenara/storage/alert/schema"
)

// reordered writes the children of each block of a in another order; what repeats keeps
// its own.
func reordered(t *testing.T, a *alert.Alert, random *rand.Rand) string {
	t.Helper()
	raw, err := capxml.Write(a)
	require.NoError(t, err)
	text := string(raw)
	for _, b := range []*schema.Block{&schema.AreaBlock, &schema.ResourceBlock, &schema.NamedBlock, &schema.InfoBlock, &schema.AlertBlock} {
		text = shuffleBlocks(text, b, random)
	}
	return text
}

// shuffleBlocks reorders the lines that are the children of every block of the kind.
// The writer gives each leaf a line of its own.
func shuffleBlocks(text string, b *schema.Block, random *rand.Rand) string {
	names := []string{b.Name}
	if b == &schema.NamedBlock {
		names = []string{"eventCode", "parameter", "geocode"}
	}
	var out []string
	lines := strings.Split(text, "\n")
	for at := 0; at < len(lines); at++ {
		out = append(out, lines[at])
		for _, name := range names {
			indent := lines[at][:len(lines[at])-len(strings.TrimLeft(lines[at], " "))]
			if !strings.HasPrefix(strings.TrimSpace(lines[at]), "<"+name) || strings.Contains(lines[at], "</") {
				continue
			}
			end := at + 1
			for !strings.HasPrefix(lines[end], indent+"</"+name+">") {
				end++
			}
			out = append(out, shuffleChildren(lines[at+1:end], indent+"  ", random)...)
			at = end - 1
		}
	}
	return strings.Join(out, "\n")
}

// shuffleChildren mixes the groups of lines that begin at the indent, keeping those of
// one name in their order among themselves.
func shuffleChildren(lines []string, indent string, random *rand.Rand) []string {
	byName := map[string][]string{}
	var order []string
	current := ""
	for _, line := range lines {
		if strings.HasPrefix(line, indent+"<") && !strings.HasPrefix(line, indent+"</") && !strings.HasPrefix(line, indent+" ") {
			current, _, _ = strings.Cut(strings.TrimPrefix(line, indent+"<"), ">")
			if _, ok := byName[current]; !ok {
				order = append(order, current)
			}
		}
		byName[current] = append(byName[current], line)
	}
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	var out []string
	for _, name := range order {
		out = append(out, byName[name]...)
	}
	return out
}

// TestParse_ReadsElementsInAnyOrder depends on the order of elements: in whatever order they come, the alert is
// the same.
func TestParse_ReadsElementsInAnyOrder(t *testing.T) {
	whole := alerttest.Parsed(t, strings.Replace(alerttest.Whole, "&#13;\n", " ", 1)) // a text of one line
	odd := 0
	for seed := range uint64(500) {
		a, found, err := capxml.Parse([]byte(reordered(t, whole, rand.New(rand.NewPCG(seed, 1)))))
		require.NoError(t, err, "seed %d: %v", seed, found)
		require.Equal(t, whole, a, "seed %d", seed)
		if found.Has("element-order") {
			odd++
		}
	}
	require.Greater(t, odd, 490)
}

func TestParse_ReadsZAndFractionsAndNeverWritesThem(t *testing.T) {
	for form, want := range map[string]string{
		"2026-07-20T09:40:00Z":                "2026-07-20T09:40:00-00:00",
		"2026-07-20T17:40:00.123+08:00":       "2026-07-20T17:40:00+08:00",
		"2026-07-20T09:40:00.999999Z":         "2026-07-20T09:40:00-00:00",
		"2026-07-20T04:40:00.5-05:00":         "2026-07-20T04:40:00-05:00",
		"2026-07-20T09:40:00.000000000000Z":   "2026-07-20T09:40:00-00:00",
		"2026-07-20T23:40:00.123456789+14:00": "2026-07-20T23:40:00+14:00",
	} {
		text := alerttest.With(t, alerttest.Small, "<sent>2026-07-20T17:40:00+08:00", "<sent>"+form)
		text = alerttest.With(t, text, "<expires>2026-07-20T19:40:00+08:00", "<onset>"+form+"</onset><expires>2026-07-21T19:40:00Z")
		text = alerttest.With(t, text, "<scope>", "<references>a,b,"+form+"</references><scope>")
		a, found, err := capxml.Parse([]byte(text))
		require.NoError(t, err, "%s: %v", form, found)
		require.True(t, found.Has("time-form"), form)
		require.Equal(t, []string{want, want, want}, []string{a.Sent.String(), a.Infos[0].Onset.String(), a.References[0].Sent.String()})
		raw, err := capxml.Write(a)
		require.NoError(t, err)
		again, found, err := capxml.Parse(raw)
		require.NoError(t, err)
		require.False(t, found.Has("time-form"))
		require.Equal(t, a, again)
	}
	a, found, err := fromJSON(t, alerttest.With(t, alerttest.Short, `"2026-07-20T19:40:00+08:00"`, `"2026-07-20T11:40:00.5Z"`))
	require.NoError(t, err)
	require.Contains(t, found.Reason(), "the alert.info[0].expires")
	require.Equal(t, "2026-07-20T11:40:00-00:00", a.Infos[0].Expires.String())
}

func TestParse_DropsALinkThatLeadsNowhereAndKeepsTheAlert(t *testing.T) {
	for _, bad := range []string{"www.example.org", "/map.png", "//a/b", "http://a b", "http://[1", "see our site", "%"} {
		a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "<area>", "<web>"+bad+"</web><resource><resourceDesc>map</resourceDesc><mimeType>image/png</mimeType><uri>"+bad+"</uri></resource><area>")))
		require.NoError(t, err, bad)
		require.True(t, found.Has("web-not-absolute") && found.Has("uri-not-absolute"), "%s: %v", bad, found)
		require.Empty(t, a.Infos[0].Web)
		require.Equal(t, alert.Resource{Description: "map", MIMEType: "image/png"}, a.Infos[0].Resources[0])
	}
	a, found, err := fromJSON(t, alerttest.With(t, alerttest.Short, `"area"`, `"web":"www.example.org","area"`))
	require.NoError(t, err)
	require.True(t, found.Has("web-not-absolute"))
	require.Empty(t, a.Infos[0].Web)
	require.Equal(t, "plan.txt", alerttest.Parsed(t, alerttest.Whole).Infos[0].Resources[0].URI, "with content, uri is only a name")
}

func TestParse_GivesASecondLanguageTheAreasOfTheFirst(t *testing.T) {
	french := alerttest.InFrench(t)
	for name, text := range map[string]string{"after": alerttest.With(t, alerttest.Small, "</info>", "</info>"+french), "before": alerttest.With(t, alerttest.Small, "<info>", french+"<info>")} {
		a, found, err := capxml.Parse([]byte(text))
		require.NoError(t, err, name)
		require.True(t, found.Has("area-shared"), name)
		require.Equal(t, a.Infos[0].Areas, a.Infos[1].Areas, name)
		alerttest.RequireRoundTrip(t, a, name)
	}
	for name, other := range map[string]string{
		"the same language":  alerttest.With(t, french, "<language>fr</language>", ""),
		"another category":   alerttest.With(t, french, "<category>Fire", "<category>Met"),
		"another severity":   alerttest.With(t, french, "<severity>Severe", "<severity>Minor"),
		"another event code": alerttest.With(t, french, "<expires>", "<eventCode><valueName>a</valueName><value>b</value></eventCode><expires>"),
		"another time":       alerttest.With(t, french, "T19:40", "T20:40"),
	} {
		a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "</info>", "</info>"+other)))
		require.NoError(t, err, name)
		require.False(t, found.Has("area-shared"), name)
		require.Empty(t, a.Infos[1].Areas, name)
	}
	elsewhere := alerttest.With(t, alerttest.With(t, french, "</info>", "<area><areaDesc>x</areaDesc><polygon>1,2 3,4 5,6 1,2</polygon></area></info>"), ">fr<", ">de<")
	a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "</info>", "</info>"+elsewhere+french)))
	require.NoError(t, err)
	require.False(t, found.Has("area-shared"), "which of two areas is meant is not guessed")
	require.Empty(t, a.Infos[2].Areas)
}

func TestParse_SharesNoMoreAreasThanAMessageHolds(t *testing.T) {
	heavy := alerttest.With(t, alerttest.Small, "22.30,114.20 ", strings.Repeat("22.30,114.20 ", 20_000))
	a, _, err := capxml.Parse([]byte(alerttest.With(t, heavy, "</info>", "</info>"+strings.Repeat(alerttest.InFrench(t), alert.MaxInfos-1))))
	require.NoError(t, err)
	total := 0
	for i := range a.Infos {
		total += check.AreaBytes(a.Infos[i].Areas)
	}
	require.LessOrEqual(t, total, alert.MaxMessageBytes)
}

func TestNamed_CodesReadsSeveralInOneValue(t *testing.T) {
	for value, want := range map[string][]string{
		"AB1":          {"AB1"},
		"AB1 CD2":      {"AB1", "CD2", "AB1 CD2"},
		"AB1,CD2;\nEF": {"AB1", "CD2", "EF", "AB1,CD2;\nEF"},
		"Tuen Mun":     {"Tuen", "Mun", "Tuen Mun"},
		"":             {""},
		"AB1,":         {"AB1,"},
	} {
		require.Equal(t, want, alert.Named{Name: "x", Value: value}.Codes(), value)
	}
	require.Equal(t, []string{"1,2 3,4 5,6 1,2"}, alert.Named{Name: alert.ExcludePolygon, Value: "1,2 3,4 5,6 1,2"}.Codes())
}

func TestParse_KeepsTheWordsOfMarkupInsideATextApart(t *testing.T) {
	for in, want := range map[string]string{
		"water<br/>Go <b>now</b>":           "water\n\nGo now",
		"<p>one</p><p>two</p>":              "one\n\ntwo",
		"level <red>now</red> <Q>leave</Q>": "level <red>now</red> <Q>leave</Q>",
	} {
		a, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "<headline>Fire in block 4", "<headline>"+in)))
		require.NoError(t, err)
		require.True(t, found.Has("text-markup"))
		require.Equal(t, want, a.Infos[0].Headline)
	}
}

func fromJSON(t testing.TB, text string) (*alert.Alert, alert.Findings, error) {
	t.Helper()
	return capjson.FromJSON([]byte(text), "duty@example.org", "KT-1", alerttest.At(t, "17:40:00"))
}
