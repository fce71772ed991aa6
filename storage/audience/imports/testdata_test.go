package imports

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
)

func TestTestdata_ResidentsAreTheSameInEveryEncoding(t *testing.T) {
	all, report := scanAll(t, audiencetest.OpenTestdata(t, "audiences/residents-2000-utf8.csv"))
	require.Equal(t, Report{Format: "residents", Encoding: "UTF-8", Rows: 2000, Valid: 2000, Unreachable: report.Unreachable}, report)
	for _, name := range []string{"big5hkscs.csv", "excel-bom-crlf.csv", "semicolon.csv", "utf16le-tab.txt"} {
		some, report := scanAll(t, audiencetest.OpenTestdata(t, "audiences/residents-200-"+name))
		require.Empty(t, report.Faults, name)
		require.Equal(t, all[:200], some, name)
	}
}

func TestTestdata_Devices(t *testing.T) {
	members, report := scanAll(t, audiencetest.OpenTestdata(t, "audiences/devices-300.csv"))
	require.Len(t, members, 300)
	require.Empty(t, report.Faults)
	require.Equal(t, "sir-P-0001", members[0].ID)
	require.Equal(t, audience.Path("tai-po/示範邨2座"), members[0].Place)
}

// The collection numbers rows as a spreadsheet does.
func TestTestdata_FaultsAreFound(t *testing.T) {
	members, report := scanAll(t, audiencetest.OpenTestdata(t, "audiences/residents-40-with-faults.csv"))
	found := map[string]Fault{}
	for _, f := range report.Faults {
		found[strconv.Itoa(f.Row)] = f
		t.Log(f)
	}
	expected := 0
	for _, row := range audiencetest.Rows(t, "audiences/residents-faults.tsv") {
		_, last, pair := strings.Cut(row[0], ",")
		if !pair {
			last = row[0]
		}
		f, ok := found[last]
		if strings.Contains(row[1], "valid") {
			require.False(t, ok, row)
			continue
		}
		expected++
		require.True(t, ok, row)
		require.Equal(t, pair || strings.Contains(row[1], "district given by"), f.Warning, row)
	}
	require.Len(t, report.Faults, expected)
	require.Equal(t, 40-report.Errors, len(members))
	require.False(t, report.OK())
}

func TestTestdata_DistrictNames(t *testing.T) {
	for _, row := range audiencetest.Rows(t, "hk/districts.tsv") {
		d, byCode := findDistrict(row[0])
		require.True(t, byCode, row)
		require.Equal(t, row[4], d.English)
		require.Equal(t, row[5], d.Chinese)
		for _, name := range []string{row[4], row[5], d.Slug} {
			same, byCode := findDistrict(name)
			require.Equal(t, d, same)
			require.False(t, byCode)
		}
	}
}
