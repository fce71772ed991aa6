package alert_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
)

var allStatuses = []alert.Status{alert.StatusActual, alert.StatusExercise, alert.StatusSystem, alert.StatusTest, alert.StatusDraft, "", "actual"}

func graveInfo() alert.Info {
	return alert.Info{Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed"}
}

func TestPresentable_OnlyActualExerciseAndTest(t *testing.T) {
	for _, s := range allStatuses {
		want := s == alert.StatusActual || s == alert.StatusExercise || s == alert.StatusTest
		require.Equal(t, want, alert.Presentable(s), "status %q", s)
	}
}

func TestPresentationOf_OnlyActualLooksOrSoundsReal(t *testing.T) {
	asking := graveInfo()
	asking.Parameters = []alert.Named{{Name: alert.ParameterConfirm, Value: alert.ConfirmPerson}}
	for _, s := range allStatuses {
		if s == alert.StatusActual {
			continue
		}
		for _, infos := range [][]alert.Info{nil, {{}}, {graveInfo()}, {asking}} {
			p := alert.PresentationOf(s, infos)
			require.NotContains(t, []string{alert.TierEmergency, alert.TierAdvisory}, p.Tier, "status %q", s)
			require.NotContains(t, []string{alert.SoundSiren, alert.SoundChime}, p.Sound, "status %q", s)
		}
	}
}

func TestPresentationOf_Table(t *testing.T) {
	light := alert.Info{Urgency: "Future", Severity: "Minor", Certainty: "Possible"}
	for name, row := range map[string]struct {
		status alert.Status
		infos  []alert.Info
		want   alert.Presentation
	}{
		"grave":               {alert.StatusActual, []alert.Info{graveInfo()}, alert.Presentation{alert.TierEmergency, alert.SoundSiren, alert.ConfirmPerson}},
		"loudest block wins":  {alert.StatusActual, []alert.Info{light, graveInfo()}, alert.Presentation{alert.TierEmergency, alert.SoundSiren, alert.ConfirmPerson}},
		"light":               {alert.StatusActual, []alert.Info{light}, alert.Presentation{alert.TierAdvisory, alert.SoundChime, alert.ConfirmNone}},
		"no block":            {alert.StatusActual, nil, alert.Presentation{alert.TierAdvisory, alert.SoundChime, alert.ConfirmNone}},
		"drill of the grave":  {alert.StatusExercise, []alert.Info{graveInfo()}, alert.Presentation{alert.TierDrill, alert.SoundDrill, alert.ConfirmPerson}},
		"drill of the light":  {alert.StatusExercise, []alert.Info{light}, alert.Presentation{alert.TierDrill, alert.SoundDrill, alert.ConfirmNone}},
		"technical test":      {alert.StatusTest, []alert.Info{graveInfo()}, alert.Presentation{alert.TierTest, alert.SoundNone, alert.ConfirmNone}},
		"draft":               {alert.StatusDraft, []alert.Info{graveInfo()}, alert.Presentation{alert.TierTest, alert.SoundNone, alert.ConfirmNone}},
		"status of old times": {"ACTUAL", []alert.Info{graveInfo()}, alert.Presentation{alert.TierTest, alert.SoundNone, alert.ConfirmNone}},
	} {
		require.Equal(t, row.want, alert.PresentationOf(row.status, row.infos), name)
	}
}

func TestGrave_NeedsUrgencySeverityAndCertainty(t *testing.T) {
	for _, u := range []string{"Immediate", "Expected", "Future", "Past", "Unknown", "immediate"} {
		for _, s := range []string{"Extreme", "Severe", "Moderate", "Minor", "Unknown"} {
			for _, c := range []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"} {
				want := (u == "Immediate" || u == "Expected") && (s == "Extreme" || s == "Severe") && (c == "Observed" || c == "Likely")
				require.Equal(t, want, (&alert.Info{Urgency: u, Severity: s, Certainty: c}).Grave(), "%s %s %s", u, s, c)
			}
		}
	}
}

func TestPresentationOf_SenderMayAskForOrWaiveConfirmation(t *testing.T) {
	info := graveInfo()
	info.Parameters = []alert.Named{{Name: alert.ParameterConfirm, Value: alert.ConfirmNone}}
	require.Equal(t, alert.ConfirmNone, alert.PresentationOf(alert.StatusActual, []alert.Info{info}).Confirm)
	info = alert.Info{Parameters: []alert.Named{{Name: "other", Value: "x"}, {Name: alert.ParameterConfirm, Value: alert.ConfirmPerson}}}
	require.Equal(t, alert.Presentation{alert.TierAdvisory, alert.SoundChime, alert.ConfirmPerson}, alert.PresentationOf(alert.StatusActual, []alert.Info{info}))
}
