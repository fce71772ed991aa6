package alert_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
)

func TestDigest_IgnoresHowTheMessageIsWritten(t *testing.T) {
	want := alerttest.Parsed(t, alerttest.Small).Digest()
	signature := `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/></alert>`
	for name, text := range map[string]string{
		"no indentation":   strings.NewReplacer("\n    ", "", "\n  ", "").Replace(alerttest.Small),
		"line ends":        strings.ReplaceAll(alerttest.Small, "\n", "\r\n"),
		"space in a text":  alerttest.With(t, alerttest.Small, "Fire in block 4", "\n Fire  in\tblock\n4 "),
		"space in a shape": alerttest.With(t, alerttest.Small, " 22.31,114.20 ", "\n\t22.31,114.20\n"),
		"prefixes":         alerttest.Prefixed(alerttest.Small),
		"comment":          alerttest.With(t, alerttest.Small, "<info>", "<!-- x --><info><!-- y -->"),
		"comment in text":  alerttest.With(t, alerttest.Small, "Fire in block", "Fire <!-- x -->in block"),
		"cdata":            alerttest.With(t, alerttest.Small, "Fire in block 4", "<![CDATA[Fire in block 4]]>"),
		"reference":        alerttest.With(t, alerttest.Small, "Fire in", "&#70;ire in"),
		"attribute":        alerttest.With(t, alerttest.Small, "<info>", `<info a="b">`),
		"instruction":      alerttest.With(t, alerttest.Small, "<alert", "<?xml-stylesheet href='a'?><alert"),
		"signature":        alerttest.With(t, alerttest.Small, "</alert>", signature),
		"offset of sent":   alerttest.With(t, alerttest.Small, "2026-07-20T17:40:00+08:00", "2026-07-20T09:40:00-00:00"),
		"byte order mark":  "\xEF\xBB\xBF" + alerttest.Small,
	} {
		require.Equal(t, want, alerttest.Parsed(t, text).Digest(), name)
	}
	require.Len(t, want.String(), 64)
}

// TestDigest_SeesEveryElement edit changes one element and nothing else; all digests must differ, also
// from each other.
func TestDigest_SeesEveryElement(t *testing.T) {
	digests := map[alert.Digest]string{alerttest.Parsed(t, alerttest.Whole).Digest(): "whole", {}: "zero"}
	for _, edit := range [][2]string{
		{"KT-2<", "KT-3<"}, {"<sender>duty", "<sender>dut"}, {"18:00:00+08:00</sent>", "18:00:01+08:00</sent>"},
		{"Exercise", "Test"}, {"<msgType>Update", "<msgType>Alert"}, {"desk 2", "desk 3"}, {"Restricted</scope>", "Private</scope>"},
		{"wardens only", "wardens"}, {"a@example.org", "b@example.org"}, {`"Warden of Block 4"`, `Warden of "Block 4"`},
		{"<code>one</code>", ""}, {"<code>two", "<code>three"}, {"only a drill", "a drill"}, {"KT-1,", "KT-9,"}, {"17:40:00+08:00", "17:40:00+07:00"},
		{"I-7", "I-8"}, {"zh-HK", "zh"}, {"<category>Safety</category>", ""}, {"火警</event>", "火</event>"}, {"<responseType>Avoid", "<responseType>None"},
		{"Immediate", "Expected"}, {"Severe", "Extreme"}, {"Observed", "Likely"}, {"wardens</audience>", "all</audience>"},
		{"HKF", "HKG"}, {"<value>4", "<value>5"}, {"18:00:00+08:00</effective>", "18:00:01+08:00</effective>"},
		{"<onset>2026-07-20T18:05:00+08:00</onset>", ""}, {"20:00:00+08:00</expires>", "20:00:01+08:00</expires>"},
		{"On Ting", "Off Ting"}, {"第四座火警", "第五座火警"}, {"濃煙", "煙"}, {"請離開", "請留下"}, {"example.org/4", "example.org/5"}, {"999", "112"},
		{"<parameter><valueName>p</valueName><value>1", "<parameter><valueName>p</valueName><value>3"},
		{"plan</resourceDesc>", "plans</resourceDesc>"}, {"charset=utf-8", "charset=big5"}, {"<size>5</size>", ""}, {"plan.txt", "plan2.txt"},
		{"<digest>aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d</digest>", ""}, {"map.png", "map2.png"},
		{"第四座</areaDesc>", "第五座</areaDesc>"}, {"22.31,114.20", "22.32,114.20"}, {"<polygon>1,2 3,4 5,6 1,2</polygon>", ""},
		{"114.2 0.5", "114.2 0.6"}, {"<value>J", "<value>K"}, {"<altitude>10", "<altitude>11"}, {"20.5", "20.6"}, {"kt/4/lobby", "kt/4/lift"},
		{"<info><category>Fire</category><event>Fire</event><urgency>Immediate</urgency><severity>Severe</severity><certainty>Observed</certainty></info>", ""},
	} {
		d := alerttest.Parsed(t, alerttest.With(t, alerttest.Whole, edit[0], edit[1])).Digest()
		require.Empty(t, digests[d], "%q gives a digest seen before", edit[1])
		digests[d] = edit[1]
	}
}

// TestDigest_SeesWhereATextEnds do not run together: what moves from one element to the next is seen.
func TestDigest_SeesWhereATextEnds(t *testing.T) {
	a, b := alerttest.Parsed(t, alerttest.Small), alerttest.Parsed(t, alerttest.Small)
	a.Infos[0].Description, a.Infos[0].Instruction = "ab", "c"
	b.Infos[0].Description, b.Infos[0].Instruction = "a", "bc"
	require.NotEqual(t, a.Digest(), b.Digest())
	a, b = alerttest.Parsed(t, alerttest.Small), alerttest.Parsed(t, alerttest.Small)
	a.Codes, b.Incidents = []string{"x"}, []string{"x"}
	require.NotEqual(t, a.Digest(), b.Digest())
}

func TestDigest_TellsAResentMessageFromAConflict(t *testing.T) {
	alerttest.Corpus(t) // skips without the collection
	read := func(name string) *alert.Alert {
		raw, err := os.ReadFile(filepath.Join(os.Getenv("ALMENARA_TESTDATA"), "cap/synthetic-hk", name+".xml"))
		require.NoError(t, err)
		return alerttest.Parsed(t, string(raw))
	}
	first, resent, conflict := read("tc8-1-alert"), read("tc8-1-alert-resent"), read("tc8-1-alert-conflict")
	require.True(t, first.Key().Same(resent.Key()) && first.Key().Same(conflict.Key()))
	require.Equal(t, first.Digest(), resent.Digest())
	require.NotEqual(t, first.Digest(), conflict.Digest())
}
