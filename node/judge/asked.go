package judge

import (
	"slices"
	"strings"

	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
)

// RuleVisited is the finding of a place and a span of time that nobody can be meant by.
const RuleVisited = "visited-unfit"

// ruleParameter is the finding of a parameter of ours, or of a word of one, that is not known here. It refuses
// nothing: what a newer district asks for beside a warning must not hold up the warning.
const ruleParameter = "parameter-unknown"

// ours is how the parameters begin that the nodes read.
const ours = "almenara:"

// asked judges the parameters that the nodes read. Blocks in several languages say the same; each is told once.
func asked(a *alert.Alert) (found alert.Findings) {
	said, spans := map[string]bool{}, 0
	strange := func(code, format string, args ...any) {
		if len(found) < mostTexts {
			found.Add(alert.Warn, ruleParameter, format, args...).As(code, args...)
		}
	}
	for n := range a.Infos {
		for _, p := range a.Infos[n].Parameters {
			pair := p.Name + "\x00" + p.Value
			if !strings.HasPrefix(p.Name, ours) || said[pair] {
				continue
			}
			said[pair] = true
			switch p.Name {
			case alert.ParameterConfirm:
				if p.Value != alert.ConfirmPerson && p.Value != alert.ConfirmNone {
					strange("confirm-unknown", "info %d: %s is %q, which is taken for %s; %s and %s are known", n+1, p.Name, alert.Clip(p.Value), alert.ConfirmNone, alert.ConfirmPerson, alert.ConfirmNone)
				}
			case alert.ParameterResidents:
				for _, word := range strings.Fields(p.Value) {
					if !slices.Contains(alert.ResidentWords, word) {
						strange("residents-unknown", "info %d: %s asks for %q, for which nobody is asked; known are %s", n+1, p.Name, alert.Clip(word), strings.Join(alert.ResidentWords, ", "))
					}
				}
			case visited.Parameter:
				if spans++; spans > visited.Most {
					found.Add(alert.Reject, RuleVisited, "info %d: the message names more than %d places and spans of time (%s)", n+1, visited.Most, p.Name).As("visited-many", n+1, visited.Most)
					return found
				}
				if unfit := visitedOf(a, n, p.Value); unfit != nil {
					return append(found, unfit...)
				}
			default:
				strange("parameter-unknown", "info %d: the parameter %q is not known here, and nothing follows from it; known are %s, %s and %s", n+1, alert.Clip(p.Name), alert.ParameterConfirm, alert.ParameterResidents, visited.Parameter)
			}
		}
	}
	return found
}

// visitedOf refuses a place or a span of time that cannot be meant.
func visitedOf(a *alert.Alert, n int, value string) (found alert.Findings) {
	v, err := visited.Parse(value)
	if err == nil {
		_, err = audience.ParsePath(v.Place)
	}
	if err == nil {
		err = v.Plausible(a.Sent.Time())
	}
	if err != nil {
		found.Add(alert.Reject, RuleVisited, "info %d: the span of time or the place of %s cannot be used: %v", n+1, visited.Parameter, err).As(RuleVisited, n+1, alert.Clip(value))
	}
	return found
}
