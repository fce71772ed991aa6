package ready_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"almenara/node/judge"
	"almenara/node/scenario"
	"almenara/node/scenario/ready"
	"almenara/node/wording"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/rights"
)

func ruled(rules []rights.Blank, name string) bool {
	return slices.ContainsFunc(rules, func(b rights.Blank) bool { return b.Name == name && b.For != "" })
}

var noon = time.Date(2026, 7, 20, 4, 0, 0, 0, time.UTC)

// TestReady_CanAllBeSent holds each to what a node asks of a scenario that is put, and its CAP
// message to our own judgement of CAP files.
func TestReady_CanAllBeSent(t *testing.T) {
	all, err := ready.All()
	require.NoError(t, err)
	require.NotEmpty(t, all)
	everybody, err := audience.Parse("all")
	require.NoError(t, err)
	for _, s := range all {
		require.NotEmpty(t, s.Checklist, s.ID)
		require.True(t, s.Choose != (s.Select != ""), "%s: whoever sends it selects, or it does", s.ID)
		for _, part := range []string{s.Tier, s.Sound, s.Confirm} {
			require.NotEmpty(t, part, s.ID)
		}
		record, err := scenario.Record(s)
		require.NoError(t, err, s.ID)
		for _, b := range scenario.Blanks(s.Alert) {
			require.True(t, ruled(record.Blanks, b), "%s: the blank %s says what it is for", s.ID, b)
		}
		checked, err := scenario.Check(record, "almenara.d", lookup.New(), noon)
		require.NoError(t, err, s.ID)
		require.Empty(t, checked.Warnings, s.ID)
		raw, err := capxml.Write(checked.Alert)
		require.NoError(t, err, s.ID)
		require.Empty(t, wording.Check(checked.Alert, s.Sensitive), s.ID)
		found := judge.File(raw, everybody, noon)
		if slices.Contains(scenario.Blanks(s.Alert), "visited") { // judged when it is sent
			found = slices.DeleteFunc(found, func(f alert.Finding) bool { return f.Rule == judge.RuleVisited })
		}
		require.Empty(t, found, "%s: %s", s.ID, found.Reason())
	}
}

// Every text is there in both languages, and in the letters of that language.
func TestReady_SpeaksBothLanguages(t *testing.T) {
	all, err := ready.All()
	require.NoError(t, err)
	for _, s := range all {
		record, err := scenario.Record(s)
		require.NoError(t, err)
		checked, err := scenario.Check(record, "almenara.d", lookup.New(), noon)
		require.NoError(t, err)
		infos := checked.Alert.Infos
		require.Len(t, infos, 2, s.ID)
		require.Equal(t, []string{"zh-Hant", "en"}, []string{infos[0].Language, infos[1].Language}, s.ID)
		require.Equal(t, infos[0].Severity, infos[1].Severity, s.ID)
		for n, han := range []bool{true, false} {
			i := infos[n]
			for _, text := range []string{i.Event, i.Headline, i.Description, i.Instruction, i.SenderName, i.Areas[0].Description} {
				text = strings.ReplaceAll(text, "字", "") // what fills blanks here
				require.Equal(t, han, strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || han && text == "" || han && text == "第座", "%s: %q", s.ID, text)
			}
		}
		require.Contains(t, s.Title, " · ", s.ID)
	}
}

// What the observatory warns of, and what an estate meets, is all there.
func TestReady_HasWhatADistrictMeets(t *testing.T) {
	for _, id := range []string{
		"tc1", "tc3", "tc8ne", "tc8se", "tc8sw", "tc8nw", "tc9", "tc10", "rain-amber", "rain-red", "rain-black", "thunderstorm", "landslip",
		"flood-north-nt", "monsoon", "frost", "fire-danger-yellow", "fire-danger-red", "cold", "very-hot", "tsunami",
		"block-fire", "block-evacuation", "water-outage", "school-closure", "food-recall", "drill", "false-alarm",
	} {
		s, ok, err := ready.Get(id)
		require.NoError(t, err)
		require.True(t, ok, id)
		require.Equal(t, id, s.ID)
	}
	s, _, err := ready.Get("drill")
	require.NoError(t, err)
	require.Equal(t, "drill", s.Tier, "a drill never looks like the real thing")
	_, ok, err := ready.Get("unheard")
	require.NoError(t, err)
	require.False(t, ok)
}
