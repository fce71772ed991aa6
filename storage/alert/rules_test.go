package alert

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var allStatuses = []Status{StatusActual, StatusExercise, StatusSystem, StatusTest, StatusDraft, "", "actual"}

func graveInfo() Info {
	return Info{Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed"}
}

func TestPresentable_OnlyActualExerciseAndTest(t *testing.T) {
	for _, s := range allStatuses {
		want := s == StatusActual || s == StatusExercise || s == StatusTest
		require.Equal(t, want, Presentable(s), "status %q", s)
	}
}

func TestPresentationOf_OnlyActualLooksOrSoundsReal(t *testing.T) {
	asking := graveInfo()
	asking.Parameters = []Named{{Name: ParameterConfirm, Value: ConfirmPerson}}
	for _, s := range allStatuses {
		if s == StatusActual {
			continue
		}
		for _, infos := range [][]Info{nil, {{}}, {graveInfo()}, {asking}} {
			p := PresentationOf(s, infos)
			require.NotContains(t, []string{TierEmergency, TierAdvisory}, p.Tier, "status %q", s)
			require.NotContains(t, []string{SoundSiren, SoundChime}, p.Sound, "status %q", s)
		}
	}
}

func TestPresentationOf_Table(t *testing.T) {
	light := Info{Urgency: "Future", Severity: "Minor", Certainty: "Possible"}
	for name, row := range map[string]struct {
		status Status
		infos  []Info
		want   Presentation
	}{
		"grave":               {StatusActual, []Info{graveInfo()}, Presentation{TierEmergency, SoundSiren, ConfirmPerson}},
		"loudest block wins":  {StatusActual, []Info{light, graveInfo()}, Presentation{TierEmergency, SoundSiren, ConfirmPerson}},
		"light":               {StatusActual, []Info{light}, Presentation{TierAdvisory, SoundChime, ConfirmNone}},
		"no block":            {StatusActual, nil, Presentation{TierAdvisory, SoundChime, ConfirmNone}},
		"drill of the grave":  {StatusExercise, []Info{graveInfo()}, Presentation{TierDrill, SoundDrill, ConfirmPerson}},
		"drill of the light":  {StatusExercise, []Info{light}, Presentation{TierDrill, SoundDrill, ConfirmNone}},
		"technical test":      {StatusTest, []Info{graveInfo()}, Presentation{TierTest, SoundNone, ConfirmNone}},
		"draft":               {StatusDraft, []Info{graveInfo()}, Presentation{TierTest, SoundNone, ConfirmNone}},
		"status of old times": {"ACTUAL", []Info{graveInfo()}, Presentation{TierTest, SoundNone, ConfirmNone}},
	} {
		require.Equal(t, row.want, PresentationOf(row.status, row.infos), name)
	}
}

func TestGrave_NeedsUrgencySeverityAndCertainty(t *testing.T) {
	for _, u := range []string{"Immediate", "Expected", "Future", "Past", "Unknown", "immediate"} {
		for _, s := range []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"} {
			for _, c := range []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"} {
				want := (u == "Immediate" || u == "Expected") && (s == "Extreme" || s == "Severe") && (c == "Observed" || c == "Likely")
				require.Equal(t, want, (&Info{Urgency: u, Severity: s, Certainty: c}).Grave(), "%s %s %s", u, s, c)
			}
		}
	}
}

func TestPresentationOf_SenderMayAskForOrWaiveConfirmation(t *testing.T) {
	info := graveInfo()
	info.Parameters = []Named{{Name: ParameterConfirm, Value: ConfirmNone}}
	require.Equal(t, ConfirmNone, PresentationOf(StatusActual, []Info{info}).Confirm)
	info = Info{Parameters: []Named{{Name: "other", Value: "x"}, {Name: ParameterConfirm, Value: ConfirmPerson}}}
	require.Equal(t, Presentation{TierAdvisory, SoundChime, ConfirmPerson}, PresentationOf(StatusActual, []Info{info}))
}
