package factbody

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func someResident() ResidentAnswer {
	phone := []byte("12345678")
	return ResidentAnswer{
		ID: ResidentID(someAlert, phone, ResidentHelp, "12/F"), Alert: someAlert, Block: "tm/estate/block-1", What: ResidentHelp, Phone: phone, Taken: 6,
		Where: "12/F", Text: "煙 smoke", Photo: &Photo{SHA256: make([]byte, 32), Size: 9000, Width: 800, Height: 600},
	}
}

func TestDecodeResidents_ReadsWhatItWroteAndNothingBeyond(t *testing.T) {
	seen := ResidentAnswer{ID: ResidentID(someAlert, []byte("87654321"), ResidentSeen, ""), Alert: someAlert, Block: "tm", What: ResidentSeen, Phone: []byte("87654321")}
	good := Residents{Answers: []ResidentAnswer{someResident(), seen}}
	raw, err := good.Encode()
	require.NoError(t, err)
	got, err := DecodeResidents(raw)
	require.NoError(t, err)
	require.Equal(t, good, got)
	action, line, err := ResidentsLine(raw)
	require.NoError(t, err)
	require.Equal(t, "residents answered: 1 seen, 1 need help, 0 photos", action+": "+line)
	_, err = DecodeResidents(raw[:len(raw)-1])
	require.Error(t, err)
	for what, change := range map[string]func(r *ResidentAnswer){
		"another id":               func(r *ResidentAnswer) { r.ID = "x" },
		"no alert":                 func(r *ResidentAnswer) { r.Alert = "" },
		"no place":                 func(r *ResidentAnswer) { r.Block = "" },
		"a long place":             func(r *ResidentAnswer) { r.Block = strings.Repeat("x", MaxResidentBlock+1) },
		"no answer":                func(r *ResidentAnswer) { r.What = 0 },
		"an answer not known":      func(r *ResidentAnswer) { r.What = ResidentPhoto + 1 },
		"no phone":                 func(r *ResidentAnswer) { r.Phone = nil },
		"a phone that says more":   func(r *ResidentAnswer) { r.Phone = make([]byte, 32) },
		"before all times":         func(r *ResidentAnswer) { r.Taken = -1 },
		"a long floor":             func(r *ResidentAnswer) { r.Where = strings.Repeat("x", MaxResidentWhere+1) },
		"a long text":              func(r *ResidentAnswer) { r.Text = strings.Repeat("x", MaxResidentText+1) },
		"a photo of nothing":       func(r *ResidentAnswer) { r.Photo.Size = 0 },
		"seen, and words":          func(r *ResidentAnswer) { r.What = ResidentSeen },
		"a photo that is not sent": func(r *ResidentAnswer) { r.What, r.Photo = ResidentPhoto, nil },
	} {
		a := someResident()
		change(&a)
		raw, err := Residents{Answers: []ResidentAnswer{a}}.Encode()
		require.NoError(t, err, what)
		_, err = DecodeResidents(raw)
		require.Error(t, err, what)
	}
	for _, n := range []int{0, MaxResidentAnswers + 1} {
		raw, err := Residents{Answers: make([]ResidentAnswer, n)}.Encode()
		require.NoError(t, err)
		_, err = DecodeResidents(raw)
		require.ErrorContains(t, err, "there are")
	}
}

// The most that residents can answer at once fits one fact, with room for the rest of it.
func TestResidents_FitAFact(t *testing.T) {
	a := someResident()
	a.Block, a.Where, a.Text = strings.Repeat("x", MaxResidentBlock), strings.Repeat("x", MaxResidentWhere), strings.Repeat("x", MaxResidentText)
	var all Residents
	for range MaxResidentAnswers {
		all.Answers = append(all.Answers, a)
	}
	raw, err := all.Encode()
	require.NoError(t, err)
	require.Less(t, len(raw), 170<<10)
	_, err = DecodeResidents(raw)
	require.NoError(t, err)
}

func TestResidentID_IsOfAlertPhoneAndAnswer(t *testing.T) {
	phone := []byte("12345678")
	require.Equal(t, ResidentID("a", phone, ResidentSeen, ""), ResidentID("a", phone, ResidentSeen, ""))
	for _, other := range []string{
		ResidentID("b", phone, ResidentSeen, ""), ResidentID("a", []byte("12345679"), ResidentSeen, ""), ResidentID("a", phone, ResidentHelp, ""), ResidentID("a", phone, ResidentSeen, "x"),
	} {
		require.NotEqual(t, ResidentID("a", phone, ResidentSeen, ""), other)
	}
}

func FuzzDecodeResidents(f *testing.F) {
	raw, _ := Residents{Answers: []ResidentAnswer{someResident()}}.Encode()
	f.Add(raw)
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = DecodeResidents(b) })
}
