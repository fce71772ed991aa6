package factbody

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func someReport() Report {
	return Report{
		Report: ReportID("phone-1", "0123456789abcdef"), Device: "phone-1", Member: 7, Kind: ReportHazard, Alert: someAlert, At: 5, Taken: 6, Text: "煙 smoke", Place: "12/F",
		Point: &Point{Lat: 223_900_000, Lon: 1_139_700_000, Accuracy: 15}, Photo: &Photo{SHA256: make([]byte, 32), Size: 9000, Width: 800, Height: 600},
	}
}

func TestDecodeReport_ReadsWhatItWroteAndNothingBeyond(t *testing.T) {
	raw, err := someReport().Encode()
	require.NoError(t, err)
	got, err := DecodeReport(raw)
	require.NoError(t, err)
	require.Equal(t, someReport(), got)
	_, err = DecodeReport(raw[:len(raw)-1])
	require.Error(t, err)
	for what, change := range map[string]func(r *Report){
		"another id":                   func(r *Report) { r.Report = "x" },
		"no device":                    func(r *Report) { r.Device = "" },
		"half an alert":                func(r *Report) { r.Alert = "abc" },
		"no kind":                      func(r *Report) { r.Kind = 0 },
		"a kind that is not known":     func(r *Report) { r.Kind = ReportPosition + 1 },
		"before all times":             func(r *Report) { r.At = -1 },
		"a long text":                  func(r *Report) { r.Text = strings.Repeat("x", MaxReportText+1) },
		"no text":                      func(r *Report) { r.Text = "\xff" },
		"a long place":                 func(r *Report) { r.Place = strings.Repeat("x", MaxReportPlace+1) },
		"not on earth":                 func(r *Report) { r.Point.Lat = 900_000_001 },
		"anywhere":                     func(r *Report) { r.Point.Accuracy = MaxReportAccuracy + 1 },
		"a photo of nothing":           func(r *Report) { r.Photo.Size = 0 },
		"a photo without a sum":        func(r *Report) { r.Photo.SHA256 = nil },
		"a huge photo":                 func(r *Report) { r.Photo.Width = MaxReportSide + 1 },
		"a position with a photo":      func(r *Report) { r.Kind, r.Text = ReportPosition, "" },
		"a position that is none":      func(r *Report) { r.Kind, r.Text, r.Photo, r.Point = ReportPosition, "", nil, nil },
		"a position without its alert": func(r *Report) { r.Kind, r.Text, r.Photo, r.Alert = ReportPosition, "", nil, "" },
	} {
		r := someReport()
		change(&r)
		raw, err := r.Encode()
		if err != nil { // a text that CBOR does not take
			continue
		}
		_, err = DecodeReport(raw)
		require.Error(t, err, what)
	}
}

func TestDecodeModeration_ReadsWhatItWroteAndNothingBeyond(t *testing.T) {
	good := Moderation{Report: ReportID("d", "i"), State: ReportForwarded, By: "amy", At: 5, Note: "to the fire brigade"}
	raw, err := good.Encode()
	require.NoError(t, err)
	got, err := DecodeModeration(raw)
	require.NoError(t, err)
	require.Equal(t, good, got)
	for what, change := range map[string]func(m *Moderation){
		"no report":   func(m *Moderation) { m.Report = "" },
		"no state":    func(m *Moderation) { m.State = 0 },
		"a new state": func(m *Moderation) { m.State = ReportForwarded + 1 },
		"nobody":      func(m *Moderation) { m.By = "" },
		"a long note": func(m *Moderation) { m.Note = strings.Repeat("x", MaxModerationNote+1) },
	} {
		m := good
		change(&m)
		raw, err := m.Encode()
		require.NoError(t, err)
		_, err = DecodeModeration(raw)
		require.Error(t, err, what)
	}
}

func TestReportID_IsOfTheDeviceAndItsID(t *testing.T) {
	require.Len(t, ReportID("a", "b"), reportIDLen)
	require.Equal(t, ReportID("a", "b"), ReportID("a", "b"))
	require.NotEqual(t, ReportID("a", "b"), ReportID("b", "b"))
	require.NotEqual(t, ReportID("a", "b"), ReportID("a", "c"))
}

func TestReportKinds_AreReadAsTheyAreWritten(t *testing.T) {
	for k := ReportNeedHelp; k <= ReportPosition; k++ {
		require.Equal(t, k, ReportKindOf(k.String()))
	}
	for s := ReportNew; s <= ReportForwarded; s++ {
		require.Equal(t, s, ReportStateOf(s.String()))
	}
	require.Zero(t, ReportKindOf(""))
	require.Zero(t, ReportStateOf("kind 9"))
	require.Equal(t, "kind 9", ReportKind(9).String())
	require.Equal(t, "state 9", ReportState(9).String())
}

func FuzzDecodeReport(f *testing.F) {
	raw, _ := someReport().Encode()
	f.Add(raw)
	f.Add([]byte{0xa0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := DecodeReport(raw)
		if err != nil {
			return
		}
		again, err := got.Encode()
		require.NoError(t, err)
		back, err := DecodeReport(again)
		require.NoError(t, err)
		require.Equal(t, got, back)
	})
}
