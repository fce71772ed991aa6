package imports

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/audience/audiencetest"
	"almenara/storage/audience/lookup"
)

// indexOf imports the rows below the header of our own format.
func indexOf(t *testing.T, rows ...string) (*lookup.Index, Report) {
	t.Helper()
	x, ord := lookup.New(), uint32(0)
	report, err := Scan(strings.NewReader("id,kind,place,name,tags,languages\n"+strings.Join(rows, "\n")+"\n"), func(_ int, m audience.Member) error {
		require.NoError(t, m.Validate())
		x.Put(ord, &m)
		ord++
		return nil
	})
	require.NoError(t, err)
	return x, report
}

func selected(t *testing.T, x *lookup.Index, expr string) (ids []string) {
	t.Helper()
	s, err := audience.Parse(expr)
	require.NoError(t, err, expr)
	again, err := audience.Parse(s.String())
	require.NoError(t, err, expr)
	require.Equal(t, s.String(), again.String())
	members, err := x.Select(s)
	require.NoError(t, err)
	for it := members.Iterator(); it.HasNext(); {
		id, _ := x.ID(it.Next())
		ids = append(ids, id)
	}
	return ids
}

func TestImport_WhatLooksAlikeIsSelectedAlike(t *testing.T) {
	var rows []string
	for i, tag := range audiencetest.HighRisk {
		rows = append(rows, string(rune('a'+i))+",person,tuen-mun/on-ting,Chan,"+tag+",zh-HK")
	}
	x, report := indexOf(t, rows...)
	require.Empty(t, report.Faults)
	require.Equal(t, len(audiencetest.HighRisk)-2, report.Normalized, "upper case of a tag's name is nothing new")
	require.Contains(t, report.String(), "10 values were brought to the form")
	for _, tag := range audiencetest.HighRisk {
		name, value, _ := strings.Cut(strings.Replace(tag, "＝", "=", 1), "=")
		require.Len(t, selected(t, x, name+` = "`+value+`"`), len(audiencetest.HighRisk), "%q", tag)
	}
	require.Len(t, selected(t, x, "risk＝ｈｉｇｈ and （kind = ｐｅｒｓｏｎ）"), len(audiencetest.HighRisk))
	require.Len(t, selected(t, x, "\ufeffrisk = hi\u200bgh"), len(audiencetest.HighRisk))
}

func TestImport_AccentsApartAreTheSame(t *testing.T) {
	x, _ := indexOf(t, "a,screen,geneve/cité,Ze\u0301,note=ve\u0301lo,fr", "b,screen,geneve/cite\u0301,Zé,note=vélo,fr", "c,Screen,geneve/ｂlock-３,,,fr")
	for _, expr := range []string{"note = vélo", "note = ve\u0301lo", "place under geneve/cité", "place under geneve/cite\u0301", "place = geneve/cite\u0301"} {
		require.Len(t, selected(t, x, expr), 2, expr)
	}
	for _, expr := range []string{"place under geneve/block-3", "place = geneve/ｂｌｏｃｋ-３", "not place under geneve/cité and kind = ｓｃｒｅｅｎ"} {
		require.Equal(t, []string{"c"}, selected(t, x, expr), expr)
	}
	require.Empty(t, selected(t, x, "place != geneve/ｂlock-３ and not place under geneve/cité"))
}

const excel = "id,kind,place,name\nm1,screen,a/b,One\nm2,siren,a/c,Two\n"

func TestScan_TakesWhatExcelWrites(t *testing.T) {
	want, _ := scanAll(t, strings.NewReader(excel))
	require.Len(t, want, 2)
	wide := "\xff\xfe"
	for _, u := range utf16.Encode([]rune("sep=\t\r\n" + strings.ReplaceAll(strings.ReplaceAll(excel, ",", "\t"), "\n", "\r\n"))) {
		wide += string([]byte{byte(u), byte(u >> 8)})
	}
	for name, in := range map[string]string{
		"rows of separators":    "id,kind,place,name\n,,,\nm1,screen,a/b,One\n,,,\n , ,\u00a0,\u200b\nm2,siren,a/c,Two\n,,,\n,,,\n",
		"separators first":      ",,,\n,,,\n" + excel,
		"trailing columns":      "id,kind,place,name,,\nm1,screen,a/b,One,,\nm2,siren,a/c,Two,,\n",
		"trailing cells":        "id,kind,place,name\nm1,screen,a/b,One,,\nm2,siren,a/c,Two,,,,\n",
		"an unnamed column":     "id,,kind,place,name\nm1,,screen,a/b,One\nm2, ,siren,a/c,Two\n",
		"CR only":               strings.ReplaceAll(excel, "\n", "\r"),
		"CR only, no last":      strings.TrimSuffix(strings.ReplaceAll(excel, "\n", "\r"), "\r"),
		"mixed ends":            "id,kind,place,name\rm1,screen,a/b,One\r\nm2,siren,a/c,Two\n",
		"sep":                   "sep=;\n" + strings.ReplaceAll(excel, ",", ";"),
		"sep, CR only":          "sep=;\r" + strings.ReplaceAll(strings.ReplaceAll(excel, ",", ";"), "\n", "\r"),
		"sep, mark, CRLF":       "\ufeffsep=;\r\n" + strings.ReplaceAll(strings.ReplaceAll(excel, ",", ";"), "\n", "\r\n"),
		"sep in quotes":         "\"sep=,\"\n" + excel,
		"sep=|":                 "SEP=|\n" + strings.ReplaceAll(excel, ",", "|"),
		"sep, UTF-16, tabs":     wide,
		"header wide and upper": " ＩＤ ,Kind\u200b,\u00a0Place,NAME\nm1,screen,a/b,One\nm2,siren,a/c,Two\n",
		"all quoted":            `"` + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(excel), ",", `","`), "\n", "\"\n\"") + `"`,
		"spaces around":         "id,kind,place,name\n m1 ,\u00a0screen, a/b ,One\nm2,siren,a/c,Two\n",
		"a thousand columns":    strings.Replace(excel, "name\n", "name"+strings.Repeat(",", 1000)+"\n", 1),
	} {
		if name == "a thousand columns" {
			in = strings.ReplaceAll(in, "One\n", "One"+strings.Repeat(",", 1000)+"\n")
			in = strings.ReplaceAll(in, "Two\n", "Two"+strings.Repeat(",", 1000)+"\n")
		}
		got, report := scanAll(t, strings.NewReader(in))
		require.Empty(t, report.Faults, name)
		require.Equal(t, want, got, name)
		require.Equal(t, 2, report.Rows, name)
	}
}

func TestScan_SaysWhereInAFileOfExcel(t *testing.T) {
	for in, want := range map[string]string{
		"sep=;\nid;kind;place\nm1;screen;a\nm2;Screen;A/B!\n":                         `line 4: place "a/b!"`,
		"id,kind,place\r\rm1,screen,a\rm2,,a\r":                                       `line 4: kind ""`,
		"id,kind,place,\nm1,screen,a,x\n":                                             `line 2: column 4 has no name in the header, and holds "x"`,
		"id,kind,place\nm1,screen,a,x\n":                                              `line 2: the row has 4 columns, 3 are expected`,
		"id,kind,place\nm1,screen\n":                                                  `line 2: the row has 2 columns, 3 are expected`,
		"id,kind,place,name\nm1,screen,a,x\x01y\n":                                    "line 2: name \"x\\x01y\" holds a control character",
		"id,kind,place,name\nm1,screen,a\x02,x\n":                                     "line 2: place \"a\\x02\" holds a control character",
		"id,kind,place,tags\nm1,screen,a,＝cmd()\n":                                    `line 2: tags "=cmd()" begins like a spreadsheet formula`,
		"id,kind,place,languages\nm1,screen,a,English\n":                              `line 2: language "English" is none that is registered`,
		"id,kind,place,languages\nm1,screen,a,en;xx\n":                                `line 2: language "xx" is none that is registered`,
		"id,kind,place,languages\nm1,screen,a,zh-ZZZ\n":                               `line 2: language "zh-ZZZ" is none that is registered`,
		"id,kind,place,lat,lon\nm1,screen,a," + strings.Repeat("9", 100_000) + ",1\n": `line 2: position 9999`,
		"id,district,phone\nP1,L," + strings.Repeat("9", 100_000) + "\n":              `line 2: phone "9999`,
	} {
		report, err := Scan(strings.NewReader(in), func(int, audience.Member) error { return nil })
		require.NoError(t, err, "%.60q", in)
		require.Len(t, report.Faults, 1, "%.60q", in)
		require.True(t, strings.HasPrefix(report.Faults[0].String(), want), "%.60q: %.200s", in, report.Faults[0])
		require.Less(t, len(report.Faults[0].String()), 400)
	}
}

func TestScanWith_HoldsRowsAgainstTheDistrict(t *testing.T) {
	rules := Rules{
		Kind:  func(k audience.Kind) bool { return k == "led-wall" },
		Place: func(p audience.Path) bool { return p.Under("tuen-mun") },
	}
	in := "id,kind,place\na,led-wall,tuen-mun/x\nb,kiosk,tuen-mun\nc,sreen,tuen-mun\nd,screen,shenzhen/futian\n"
	report, err := ScanWith(strings.NewReader(in), rules, func(int, audience.Member) error { return nil })
	require.NoError(t, err)
	require.Equal(t, 2, report.Valid)
	require.Contains(t, report.Faults[0].String(), `line 4: kind "sreen" is none that the district has`)
	require.Contains(t, report.Faults[1].String(), `line 5: place "shenzhen/futian" is not in the district`)
}
