package imports

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"almenara/storage/audience"
	"almenara/storage/audience/geometry"
)

const residents = `id,name,phone,email,language,district,district_name,building,lat,lon,channels,needs,consent
P1,陳大文,+852 5123-4567,a@example.org,zh-HK,L,屯門區,示範邨丁座32樓,22.26038,114.01819,sms;push;email,hearing;vision,2026-03-31
P2,"O'Neil, ""Zoë""",,,,R,,,,,mqtt,,
`

func scanAll(t *testing.T, in io.Reader) ([]audience.Member, Report) {
	t.Helper()
	var members []audience.Member
	report, err := Scan(in, func(_ int, m audience.Member) error {
		members = append(members, m)
		return nil
	})
	require.NoError(t, err)
	return members, report
}

func TestScan_ReadsResidents(t *testing.T) {
	members, report := scanAll(t, strings.NewReader(residents))
	require.Equal(t, []audience.Member{{
		ID: "P1", Name: "陳大文", Kind: audience.KindPerson, Place: "tuen-mun/示範邨丁座32樓",
		Tags:      []audience.Tag{{Name: "consent", Value: "2026-03-31"}, {Name: "need", Value: "hearing"}, {Name: "need", Value: "vision"}},
		Languages: []string{"zh-HK"}, Location: &geometry.Point{Lat: 222_603_800, Lon: 1_140_181_900},
		Endpoints: []audience.Endpoint{{Channel: "sms", Address: "+852 5123-4567"}, {Channel: "push", Address: "P1"}, {Channel: "email", Address: "a@example.org"}},
	}, {
		ID: "P2", Name: `O'Neil, "Zoë"`, Kind: audience.KindPerson, Place: "sha-tin", Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: "P2"}},
	}}, members)
	require.Equal(t, Report{Format: "residents", Encoding: "UTF-8", Rows: 2, Valid: 2}, report)
	require.True(t, report.OK())
}

func TestScan_ReadsDevices(t *testing.T) {
	members, report := scanAll(t, strings.NewReader("device_id,kind,district,building,lift,language,lat,lon,topic\n"+
		"ele-1,elevator-screen,H,示範邨5座,A,\"en,zh-HK\",22.2,114.2,alert/H/1\nsir-1,siren,P,,,,,,\n"))
	require.Equal(t, []audience.Member{{
		ID: "ele-1", Kind: audience.KindScreen, Place: "wong-tai-sin/示範邨5座/lift-a", Tags: []audience.Tag{{Name: "form", Value: "elevator"}},
		Languages: []string{"en", "zh-HK"}, Location: &geometry.Point{Lat: 222_000_000, Lon: 1_142_000_000}, Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: "ele-1"}},
	}, {ID: "sir-1", Kind: "siren", Place: "tai-po", Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: "sir-1"}}}}, members)
	require.Equal(t, "devices", report.Format)
}

func TestScan_ReadsOurOwnColumns(t *testing.T) {
	members, _ := scanAll(t, strings.NewReader("Place, ID ,kind,tags,languages,lat,lon,endpoints,name\n"+
		"a/b,m1,led-wall,role=x;risk=high;vip,zh-HK;en,-1.5,2,mqtt:m1;sms:+85291234567,Wall\n"))
	require.Equal(t, []audience.Member{{
		ID: "m1", Name: "Wall", Kind: "led-wall", Place: "a/b", Tags: []audience.Tag{{Name: "risk", Value: "high"}, {Name: "role", Value: "x"}, {Name: "vip", Value: ""}},
		Languages: []string{"zh-HK", "en"}, Location: &geometry.Point{Lat: -15_000_000, Lon: 20_000_000},
		Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: "m1"}, {Channel: "sms", Address: "+85291234567"}},
	}}, members)
}

func encoded(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	out, err := e.NewEncoder().String(text)
	require.NoError(t, err)
	return out
}

func TestScan_ReadsEveryEncodingAlike(t *testing.T) {
	text := strings.ReplaceAll(residents, "Zoë", "啫喱㗎") // Big5-HKSCS has no ë, and characters of Cantonese
	want, _ := scanAll(t, strings.NewReader(text))
	tabs := strings.ReplaceAll(strings.ReplaceAll(text, ",", "\t"), "O'Neil\t", "O'Neil,")
	semicolons := strings.ReplaceAll(text, ";", "|")
	semicolons = strings.ReplaceAll(strings.ReplaceAll(semicolons, ",", ";"), "O'Neil;", "O'Neil,")
	semicolons = strings.ReplaceAll(strings.ReplaceAll(semicolons, "sms|push|email", `"sms;push;email"`), "hearing|vision", `"hearing;vision"`)
	for name, in := range map[string]string{
		"UTF-8":           text,
		"UTF-8 with mark": "\ufeff" + text,
		"CRLF":            strings.ReplaceAll(text, "\n", "\r\n"),
		"no last newline": strings.TrimSuffix(text, "\n"),
		"semicolons":      semicolons,
		"Big5":            encoded(t, traditionalchinese.Big5, text),
		"UTF-16LE":        encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), tabs),
		"UTF-16LE mark":   encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), tabs),
		"UTF-16BE":        encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), tabs),
		"UTF-16BE mark":   encoded(t, unicode.UTF16(unicode.BigEndian, unicode.UseBOM), tabs),
	} {
		got, report := scanAll(t, iotest.HalfReader(strings.NewReader(in)))
		require.Equal(t, want, got, name)
		require.True(t, report.OK(), name)
		if encoding := strings.Split(name, " ")[0]; strings.HasPrefix(encoding, "UTF") {
			require.Equal(t, encoding, report.Encoding)
		}
	}
}

// A file whose first foreign character stands far behind the first look.
func TestScan_TellsTheEncodingLate(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,district,name\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "P%d,L,somebody with a name\n", i)
	}
	b.WriteString("Q,L,陳大文\n")
	for _, in := range []string{b.String(), encoded(t, traditionalchinese.Big5, b.String())} {
		members, report := scanAll(t, strings.NewReader(in))
		require.True(t, report.OK())
		require.Equal(t, "陳大文", members[5000].Name)
	}
}

func TestScan_SaysWhatIsWrongWithALine(t *testing.T) {
	header := "id,name,phone,email,language,district,district_name,building,lat,lon,channels,needs,consent\n"
	for row, want := range map[string]string{
		"P1,,,,,Z,,,,,,,":                          `line 2: district "Z" is not known: a code A to T or a district's name is expected`,
		"P1,,,,,,,,,,,,":                           `line 2: the district is empty: a code A to T or a district's name is expected`,
		"P1,,many,,,L,,,,,sms,,":                   `line 2: phone "many": 7 to 15 digits such as +85291234567 are expected`,
		"P1,,,a@,,L,,,,,,,":                        `line 2: email "a@": an address such as name@example.org is expected`,
		"P1,,,,zh_HK,L,,,,,,,":                     `line 2: language "zh_HK": a tag such as en or zh-HK is expected`,
		"P1,,,,,L,,,114.1,114.1,,,":                `line 2: position 114.1,114.1: latitude 114.1 is out of range: -90 to 90 is expected (are lat and lon swapped?)`,
		"P1,,,,,L,,,51.5,0.1,,,":                   `line 2: position 51.5,0.1: lies outside Hong Kong: lat 22.1 to 22.6 and lon 113.8 to 114.5 are expected (are lat and lon swapped?)`,
		"P1,,,,,L,,,22.3,,,,":                      `line 2: lat and lon are expected together`,
		"P1,=1+1,,,,L,,,,,,,":                      `line 2: name "=1+1" begins like a spreadsheet formula; text is expected`,
		"P1,@x,,,,L,,,,,,,":                        `line 2: name "@x" begins like a spreadsheet formula; text is expected`,
		"P1,,,,,L,,-x,,,,,":                        `line 2: building "-x" begins like a spreadsheet formula; text is expected`,
		"P1,,,,,L,,,,,fax,,":                       `line 2: channel "fax": sms, email, push or mqtt is expected`,
		"P1,,,,,L,,,,,,,31/03/2026":                `line 2: consent "31/03/2026": a date such as 2026-03-31 is expected`,
		",,,,,L,,,,,,,":                            `line 2: the id is empty: 1 to 64 letters A-Z a-z, digits, . _ - are expected`,
		"P1,,,,,L,,!!,,,,,":                        `line 2: building "!!" cannot become part of a place: letters or digits are expected, at most 96 bytes`,
		"P1,a\ufffd,,,,L,,,,,,,":                   "line 2: name \"a\ufffd\" holds characters that cannot be read",
		"P1,L":                                     `line 2: the row has 2 columns, 13 are expected`,
		"P1,a\"b,,,,L,,,,,,,":                      `line 2: the quotes are not right: a field with quotes stands in quotes, and each quote in it is doubled`,
		"P1,\"a,,,,L,,,,,,,":                       `line 2: the quotes are not right: a field with quotes stands in quotes, and each quote in it is doubled`,
		"P1,,,,,Z,,,,,fax,,":                       `line 2: district "Z" is not known: a code A to T or a district's name is expected; channel "fax": sms, email, push or mqtt is expected`,
		"P1,,,,,L,,,,,,,\n\nP1,,,,,L,,,,,,,":       `line 4: id P1 is already on line 2`,
		"P1,\"a\nb\",,,,L,,,,,,,\nP1,,,,,L,,,,,,,": `line 4 (row 3): id P1 is already on line 2`,
		"P1,,,,,Tuen  Mun,,,,,,,":                  `line 2: warning: district Tuen  Mun is read as L (Tuen Mun)`,
		"P1,,,,,屯門,,,,,,,":                         `line 2: warning: district 屯門 is read as L (Tuen Mun)`,
		"P1,,,,,L,沙田區,,,,,,":                       `line 2: warning: the district is read as tuen-mun, but district_name says 沙田區`,
		"P1,,+85291234567,,,L,,,,,,,\nP2,,852 9123 4567,,,L,,,,,,,": `line 3: warning: the phone is also that of line 2`,
	} {
		report, err := Scan(strings.NewReader(header+row+"\n"), func(int, audience.Member) error { return nil })
		require.NoError(t, err)
		require.Len(t, report.Faults, 1, row)
		require.Equal(t, want, report.Faults[0].String(), row)
		require.Equal(t, report.Faults[0].Warning, report.OK(), row)
		require.Equal(t, report.Rows, report.Valid+report.Errors, row)
		require.Equal(t, !report.OK(), strings.Contains(report.String(), "nothing was changed"))
	}
}

func TestScan_RefusesOtherFiles(t *testing.T) {
	for in, want := range map[string]error{
		"":                                ErrNotText,
		"PK\x03\x04 sheet":                ErrNotText,
		"\xd0\xcf\x11\xe0 old":            ErrNotText,
		"%PDF-1.7":                        ErrNotText,
		"\x1f\x8b\x08":                    ErrNotText,
		"id,kind\x00\x00\x01":             ErrNotText,
		"a,b,c\n1,2,3\n":                  ErrUnknownHeader,
		"id,district,colour\n1,L,red\n":   ErrUnknownHeader,
		"id,district,id\n1,L,2\n":         ErrUnknownHeader,
		"id,kind\n1,screen\n":             ErrUnknownHeader,
		"\n\n":                            ErrUnknownHeader,
		`"id`:                             ErrUnknownHeader,
		"id,district\n":                   ErrNoRows,
		"\ufeffid,district":               ErrNoRows,
		"id,district,id,district,x,y,z\n": ErrUnknownHeader,
	} {
		_, err := Scan(strings.NewReader(in), func(int, audience.Member) error { return nil })
		require.ErrorIs(t, err, want, "%q", in)
	}
	_, err := Scan(strings.NewReader("x,y\n"), nil)
	require.ErrorContains(t, err, "known are members (id,kind,place,name,tags,languages,lat,lon,endpoints), residents (")
}

func TestScan_BoundsWhatItReads(t *testing.T) {
	open := "id,district,name\nP1,L,\"" // a quote that is never closed
	_, err := Scan(io.MultiReader(strings.NewReader(open), endless{}), func(int, audience.Member) error { return nil })
	require.ErrorIs(t, err, errEndless)
	_, err = Scan(io.MultiReader(strings.NewReader("id,district\n"), endless{}), func(int, audience.Member) error { return nil })
	require.ErrorIs(t, err, errEndless)
	c := &capped{in: io.LimitReader(endless{}, 1<<20), left: 10}
	_, err = io.Copy(io.Discard, c)
	require.ErrorIs(t, err, ErrTooLarge)
	s := scanner{report: Report{Rows: MaxImportRows - 1}}
	require.NoError(t, s.count())
	require.ErrorIs(t, s.count(), ErrTooLarge)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestScan_StopsWithTheVisitor(t *testing.T) {
	stop := errors.New("enough")
	report, err := Scan(strings.NewReader(residents), func(line int, m audience.Member) error {
		require.Equal(t, 2, line)
		return stop
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, report.Rows)
	broken := errors.New("disk")
	_, err = Scan(io.MultiReader(strings.NewReader(residents), iotest.ErrReader(broken)), func(int, audience.Member) error { return nil })
	require.ErrorIs(t, err, broken)
}

func TestScan_KeepsTheFirstHundredFaultsErrorsFirst(t *testing.T) {
	var b strings.Builder
	b.WriteString("id,district\n")
	for i := range 150 {
		fmt.Fprintf(&b, "P%d,Tuen Mun\n", i)
	}
	for i := range 30 {
		fmt.Fprintf(&b, "Q%d,Z\n", i)
	}
	_, report := scanAll(t, strings.NewReader(b.String()))
	require.Len(t, report.Faults, MaxFaults)
	require.Equal(t, 30, report.Errors)
	require.Equal(t, 150, report.Warnings)
	require.Equal(t, 150, report.Unreachable)
	errorsKept := 0
	for _, f := range report.Faults {
		if !f.Warning {
			errorsKept++
		}
	}
	require.Equal(t, 30, errorsKept)
	require.Contains(t, report.String(), "and 80 more\n")
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(residents))
	f.Add([]byte("\ufeffid;district\r\nP1;L\r\n"))
	f.Add([]byte("id,kind,place,tags\nm,screen,a/b,x=y;z\n"))
	f.Add([]byte("\xff\xfei\x00d\x00\t\x00d\x00i\x00s\x00t\x00r\x00i\x00c\x00t\x00\n\x00P\x00\t\x00L\x00"))
	f.Add([]byte("id,district,name\nP1,L,\xb3\xaf\xa4j\xa4\xe5\n"))
	f.Add([]byte("device_id,kind,district,lift\nd,elevator-screen,A,1\n\"\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		seen := map[string]bool{}
		report, err := Scan(strings.NewReader(string(in)), func(line int, m audience.Member) error {
			require.NoError(t, m.Validate())
			require.False(t, seen[m.ID])
			seen[m.ID] = true
			require.Positive(t, line)
			return nil
		})
		if err == nil {
			require.Equal(t, report.Rows, report.Valid+report.Errors)
			require.Len(t, seen, report.Valid)
		}
		require.LessOrEqual(t, len(report.Faults), MaxFaults)
	})
}
