package audience

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience/geometry"
)

// openTestdata opens a file of the collection of real and realistic data, which is
// not part of this repository.
func openTestdata(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("ALMENARA_TESTDATA")
	if dir == "" {
		t.Skip("ALMENARA_TESTDATA is not set")
	}
	f, err := os.Open(filepath.Join(dir, name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// tsvRows reads a table after its header.
func tsvRows(t *testing.T, name string) [][]string {
	t.Helper()
	var rows [][]string
	lines := bufio.NewScanner(openTestdata(t, name))
	for lines.Scan() {
		rows = append(rows, strings.Split(lines.Text(), "\t"))
	}
	require.NoError(t, lines.Err())
	return rows[1:]
}

func TestTestdata_ResidentsAreTheSameInEveryEncoding(t *testing.T) {
	all, report := scanAll(t, openTestdata(t, "audiences/residents-2000-utf8.csv"))
	require.Equal(t, Report{Format: "residents", Encoding: "UTF-8", Rows: 2000, Valid: 2000, Unreachable: report.Unreachable}, report)
	for _, name := range []string{"big5hkscs.csv", "excel-bom-crlf.csv", "semicolon.csv", "utf16le-tab.txt"} {
		some, report := scanAll(t, openTestdata(t, "audiences/residents-200-"+name))
		require.Empty(t, report.Faults, name)
		require.Equal(t, all[:200], some, name)
	}
}

func TestTestdata_Devices(t *testing.T) {
	members, report := scanAll(t, openTestdata(t, "audiences/devices-300.csv"))
	require.Len(t, members, 300)
	require.Empty(t, report.Faults)
	require.Equal(t, "sir-P-0001", members[0].ID)
	require.Equal(t, Path("tai-po/示範邨2座"), members[0].Place)
}

// The collection numbers rows as a spreadsheet does.
func TestTestdata_FaultsAreFound(t *testing.T) {
	members, report := scanAll(t, openTestdata(t, "audiences/residents-40-with-faults.csv"))
	found := map[string]Fault{}
	for _, f := range report.Faults {
		found[strconv.Itoa(f.Row)] = f
		t.Log(f)
	}
	expected := 0
	for _, row := range tsvRows(t, "audiences/residents-faults.tsv") {
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
	for _, row := range tsvRows(t, "hk/districts.tsv") {
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

// districtShapes reads the outer rings of the districts' outlines by their code.
func districtShapes(t *testing.T, name string) map[string][]geometry.Polygon {
	t.Helper()
	var file struct {
		Features []struct {
			Properties struct{ Code string }
			Geometry   struct{ Coordinates [][][2]json.Number }
		}
	}
	require.NoError(t, json.NewDecoder(openTestdata(t, name)).Decode(&file))
	shapes := map[string][]geometry.Polygon{}
	for _, f := range file.Features {
		for _, ring := range f.Geometry.Coordinates {
			var text []string
			for _, at := range ring {
				text = append(text, at[1].String()+","+at[0].String())
			}
			shapes[f.Properties.Code] = append(shapes[f.Properties.Code], ringOf(t, text))
		}
	}
	return shapes
}

func ringOf(t *testing.T, pairs []string) geometry.Polygon {
	t.Helper()
	var p geometry.Polygon
	for _, pair := range pairs[1:] {
		at, err := geometry.ParsePair(pair)
		require.NoError(t, err)
		if len(p) == 0 || p[len(p)-1] != at { // rounding made neighbours equal
			p = append(p, at)
		}
	}
	require.NoError(t, p.Check())
	return p
}

func TestTestdata_PlacesLieInTheirDistricts(t *testing.T) {
	for _, name := range []string{"hk/districts.geojson", "hk/districts.simplified.geojson"} {
		shapes := districtShapes(t, name)
		require.Len(t, shapes, 18)
		x := NewIndex()
		rows := tsvRows(t, "hk/points.tsv")
		for i, row := range rows {
			at, err := geometry.ParsePair(row[1] + "," + row[2])
			require.NoError(t, err)
			x.Put(uint32(i), &Member{ID: strconv.Itoa(i), Kind: KindScreen, Place: "hk", Location: &at})
		}
		for code, shape := range shapes {
			r, err := x.Resolve(Target{Area: true, Shapes: shape})
			require.NoError(t, err)
			for i, row := range rows {
				if row[5] == "yes" {
					require.Equal(t, row[3] == code, r.Members.Contains(uint32(i)), "%s: %v in %s", name, row, code)
				}
			}
		}
	}
}
