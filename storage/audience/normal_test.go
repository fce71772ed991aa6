package audience

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"
)

// invisible are ways to write risk=high that nobody can tell from it.
var invisible = []string{
	"risk=high", "risk=high\u200b", "\u200brisk=high", "risk=\u00a0 high", "risk=high\ufeff", "risk=ｈｉｇｈ", "ｒｉｓｋ＝high",
	"risk=hi\u00adgh", "risk=high\u200e", "risk=h\u2060igh", "Risk=high", "risk=high\ufe0f",
}

// indexOf imports the rows below the header of our own format.
func indexOf(t *testing.T, rows ...string) (*Index, Report) {
	t.Helper()
	x, ord := NewIndex(), uint32(0)
	report, err := Scan(strings.NewReader("id,kind,place,name,tags,languages\n"+strings.Join(rows, "\n")+"\n"), func(_ int, m Member) error {
		require.NoError(t, m.Validate())
		x.Put(ord, &m)
		ord++
		return nil
	})
	require.NoError(t, err)
	return x, report
}

func selected(t *testing.T, x *Index, expr string) (ids []string) {
	t.Helper()
	s, err := Parse(expr)
	require.NoError(t, err, expr)
	again, err := Parse(s.String())
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
	for i, tag := range invisible {
		rows = append(rows, string(rune('a'+i))+",person,tuen-mun/on-ting,Chan,"+tag+",zh-HK")
	}
	x, report := indexOf(t, rows...)
	require.Empty(t, report.Faults)
	require.Equal(t, len(invisible)-2, report.Normalized, "upper case of a tag's name is nothing new")
	require.Contains(t, report.String(), "10 values were brought to the form")
	for _, tag := range invisible {
		name, value, _ := strings.Cut(strings.Replace(tag, "＝", "=", 1), "=")
		require.Len(t, selected(t, x, name+` = "`+value+`"`), len(invisible), "%q", tag)
	}
	require.Len(t, selected(t, x, "risk＝ｈｉｇｈ and （kind = ｐｅｒｓｏｎ）"), len(invisible))
	require.Len(t, selected(t, x, "\ufeffrisk = hi\u200bgh"), len(invisible))
}

// What members of before the forms are called is found under what it looks like, and what
// looks otherwise is not.
func TestWithSpellings_FindsMembersOfBeforeTheForms(t *testing.T) {
	x := NewIndex()
	put := func(ord uint32, kind Kind, tags ...Tag) {
		m := &Member{ID: fmt.Sprint("r-", ord), Kind: kind, Place: "tm", Tags: tags}
		m.Normalize()
		x.Put(ord, m)
	}
	put(1, "screen", Tag{"risk", "high"})
	put(2, "screen", Tag{"risk", "ｈｉｇｈ"})
	put(3, "screen", Tag{"risk", "high\u200b"})
	put(4, "screen", Tag{"ｒｉｓｋ", "high"})
	put(5, "screen", Tag{"risk", "low"})
	put(6, "screen")
	ask := func(expr string) []uint32 {
		s := x.WithSpellings(mustParse(expr))
		got, err := x.Select(s)
		require.NoError(t, err)
		again, err := parseCanonical(s.String())
		require.NoError(t, err)
		same, err := x.Select(again)
		require.NoError(t, err)
		require.Equal(t, got.ToArray(), same.ToArray(), "the other nodes read the same")
		return got.ToArray()
	}
	require.Equal(t, []uint32{1, 2, 3, 4}, ask("risk = high"))
	require.Equal(t, []uint32{1, 2, 3, 4}, ask("risk = ｈｉｇｈ"))
	require.Equal(t, []uint32{5, 6}, ask("risk != high"))
	require.Equal(t, []uint32{1, 2, 3, 4, 5}, ask("has risk"))
	require.Equal(t, []uint32{1, 2, 3, 4, 5, 6}, ask("kind = screen"))
	require.Equal(t, []uint32{5, 6}, ask("kind = screen and not (risk in (high, medium))"))
	plain := mustParse("risk = low")
	require.Equal(t, plain.String(), x.WithSpellings(plain).String())
	for ord := range uint32(7) {
		x.Remove(ord)
	}
	require.Empty(t, x.profiles.odd, "what is gone is forgotten")
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

// A place that was made under another form before stays selectable by it.
func TestParse_APlaceIsSelectedAsItWasTypedToo(t *testing.T) {
	x := NewIndex()
	x.Put(0, &Member{ID: "old", Kind: "screen", Place: "a/３座"})
	x.Put(1, &Member{ID: "new", Kind: "screen", Place: "a/3座"})
	require.Equal(t, []string{"old", "new"}, selected(t, x, "place under a/３座"))
	require.Equal(t, []string{"old", "new"}, selected(t, x, "kind = screen and place = a/３座"))
	require.Equal(t, []string{"new"}, selected(t, x, "place under a/3座"))
	require.Empty(t, selected(t, x, "not place under a/３座"))
}

// What a target carries is read byte by byte: nodes of older software must agree.
func TestResolve_TakesTheSelectionOfATargetAsItIs(t *testing.T) {
	x := NewIndex()
	x.Put(0, &Member{ID: "a", Kind: "screen", Place: "a", Tags: []Tag{{"risk", "ｈｉｇｈ"}}})
	x.Put(1, &Member{ID: "b", Kind: "screen", Place: "a", Tags: []Tag{{"risk", "high"}}})
	r, err := x.Resolve(Target{Select: "risk = ｈｉｇｈ"})
	require.NoError(t, err)
	require.Equal(t, []uint32{0}, r.Members.ToArray())
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
		report, err := Scan(strings.NewReader(in), func(int, Member) error { return nil })
		require.NoError(t, err, "%.60q", in)
		require.Len(t, report.Faults, 1, "%.60q", in)
		require.True(t, strings.HasPrefix(report.Faults[0].String(), want), "%.60q: %.200s", in, report.Faults[0])
		require.Less(t, len(report.Faults[0].String()), 400)
	}
}

func TestScanWith_HoldsRowsAgainstTheDistrict(t *testing.T) {
	rules := Rules{
		Kind:  func(k Kind) bool { return k == "led-wall" },
		Place: func(p Path) bool { return p.Under("tuen-mun") },
	}
	in := "id,kind,place\na,led-wall,tuen-mun/x\nb,kiosk,tuen-mun\nc,sreen,tuen-mun\nd,screen,shenzhen/futian\n"
	report, err := ScanWith(strings.NewReader(in), rules, func(int, Member) error { return nil })
	require.NoError(t, err)
	require.Equal(t, 2, report.Valid)
	require.Contains(t, report.Faults[0].String(), `line 4: kind "sreen" is none that the district has`)
	require.Contains(t, report.Faults[1].String(), `line 5: place "shenzhen/futian" is not in the district`)
}

func TestNormalizeKeys_DoesNothingTwice(t *testing.T) {
	m := Member{ID: "a", Kind: "ｓcreen", Place: "a", Tags: []Tag{{"risk", "ｈｉｇｈ"}, {"risk", "high\u200b"}}, Languages: []string{"zh\u200b-HK"}}
	shared := m.Tags
	require.Equal(t, 4, m.NormalizeKeys())
	require.Equal(t, Member{ID: "a", Kind: "screen", Place: "a", Tags: []Tag{{"risk", "high"}}, Languages: []string{"zh-HK"}}, m)
	require.Equal(t, "ｈｉｇｈ", shared[0].Value, "what was shared is as it was")
	require.Zero(t, m.NormalizeKeys())
	require.True(t, slices.IsSortedFunc(m.Tags, compareTags))
}

func FuzzNormalKey(f *testing.F) {
	for _, s := range append(invisible, "e\u0301", "ﷺ", "\u200d", "가") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := normalKey(s); normalKey(n) != n {
			t.Fatalf("%q gives %q, that gives %q", s, n, normalKey(n))
		}
	})
}
