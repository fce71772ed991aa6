package alert

import (
	"slices"
	"strings"
	"time"
)

// How long a message holds and is remembered.
const (
	// DefaultLifetime is how long an info block holds that names no expires:
	// CAP 1.2 §3.2.2 leaves that to the recipient.
	DefaultLifetime = 24 * time.Hour

	// MaxLifetime bounds expires, counted from sent. A sender's slip in the year
	// must not leave an alert on the screens for ever.
	MaxLifetime = 31 * 24 * time.Hour

	// EndMemory is how long an end is listed after the alert would have expired,
	// so that a device that was away, or whose clock is wrong, still hears of it.
	EndMemory = 24 * time.Hour
)

// The values of Presentation, as the device contract spells them.
const (
	TierEmergency = "emergency" // takes the whole screen
	TierAdvisory  = "advisory"
	TierDrill     = "drill"
	TierTest      = "test" // verified and recorded, never presented

	SoundSiren = "siren"
	SoundChime = "chime"
	SoundDrill = "drill"
	SoundNone  = "none"

	ConfirmNone   = "none"
	ConfirmPerson = "person" // the device asks a person to confirm
)

// ParameterConfirm is the valueName of the CAP parameter by which a sender asks
// for a person's confirmation ("person") or waives it ("none").
const ParameterConfirm = "almenara:confirm"

// ParameterResidents is the valueName of the CAP parameter by which a sender asks that screens show a code
// beside the alert, with which anybody's phone can answer: words of ResidentWords, with spaces between.
const ParameterResidents = "almenara:residents"

// ResidentWords are what a sender may ask residents for.
var ResidentWords = []string{"seen", "help", "photo"}

// ResidentsAsked is what the info blocks ask residents for, in the order of ResidentWords; none where nobody
// is to be asked. Other words are passed over; who sends them is warned (judge.Message).
func ResidentsAsked(infos []Info) (words []string) {
	for _, word := range ResidentWords {
		if slices.ContainsFunc(infos, func(i Info) bool {
			return slices.ContainsFunc(i.Parameters, func(p Named) bool {
				return p.Name == ParameterResidents && slices.Contains(strings.Fields(p.Value), word)
			})
		}) {
			words = append(words, word)
		}
	}
	return words
}

// Presentable reports whether devices may be told of a message with status s:
// Actual, Exercise and Test. System and Draft never leave the nodes (CAP 1.2
// §3.2.1: Draft is "not actionable in its current form").
func Presentable(s Status) bool {
	return s == StatusActual || s == StatusExercise || s == StatusTest
}

// Presentation says how loud one message is at a device.
type Presentation struct {
	Tier    string
	Sound   string
	Confirm string
}

// PresentationOf gives the presentation of a message with status s and the info
// blocks that apply to the device: that of the loudest block. Only Actual can be
// an emergency or an advisory and have their sounds; every other status, also an
// unknown one, stays silent or sounds as a drill, whatever its info blocks say.
func PresentationOf(s Status, infos []Info) Presentation {
	grave, confirm := false, false
	for i := range infos {
		grave = grave || infos[i].Grave()
		confirm = confirm || infos[i].wantsPerson()
	}
	asks := ConfirmNone
	if confirm {
		asks = ConfirmPerson
	}
	switch {
	case s == StatusActual && grave:
		return Presentation{Tier: TierEmergency, Sound: SoundSiren, Confirm: asks}
	case s == StatusActual:
		return Presentation{Tier: TierAdvisory, Sound: SoundChime, Confirm: asks}
	case s == StatusExercise:
		return Presentation{Tier: TierDrill, Sound: SoundDrill, Confirm: asks}
	default:
		return Presentation{Tier: TierTest, Sound: SoundNone, Confirm: ConfirmNone}
	}
}

// Grave reports whether the block calls for action at once: urgency Immediate or
// Expected, severity Extreme or Severe, and certainty Observed or Likely. It is
// the line that cellular broadcast systems draw for their imminent-threat class.
func (i *Info) Grave() bool {
	return (i.Urgency == "Immediate" || i.Urgency == "Expected") &&
		(i.Severity == "Extreme" || i.Severity == "Severe") &&
		(i.Certainty == "Observed" || i.Certainty == "Likely")
}

// Planned reports whether a message with status s and the info blocks tells of what somebody plans or
// has planned, so that several persons have time to read it first: it is Actual, and each block's
// urgency says that people need not act at once, nor within the next hour (Future or Past, CAP 1.2
// §3.2.2). One whose urgency is Unknown may be an emergency.
func Planned(s Status, infos []Info) bool {
	for i := range infos {
		if infos[i].Urgency != "Future" && infos[i].Urgency != "Past" {
			return false
		}
	}
	return s == StatusActual && len(infos) > 0
}

// wantsPerson reports whether a person should confirm: what the sender's
// parameter says, otherwise whether the block is grave.
func (i *Info) wantsPerson() bool {
	for _, p := range i.Parameters {
		if p.Name == ParameterConfirm {
			return p.Value == ConfirmPerson
		}
	}
	return i.Grave()
}
