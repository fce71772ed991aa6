package speaker

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
)

// Line is one text as it is said.
type Line struct {
	Language, Text string
}

// Name is by what the sound of a line is addressed: the SHA-256 of language and text, with a line
// feed between. Another text has another name, so that a sound may be kept for ever.
func (l Line) Name() string {
	sum := sha256.Sum256([]byte(l.Language + "\n" + l.Text))
	return hex.EncodeToString(sum[:])
}

// Lines are what is said of texts, Chinese first; a drill says that it is one.
func Lines(texts []contract.Text, look rules.Look) (out []Line) {
	texts = slices.Clone(texts)
	slices.SortStableFunc(texts, func(a, b contract.Text) int { return chinese(b) - chinese(a) })
	for _, t := range texts {
		said := strings.TrimSpace(t.Headline)
		if said == "" {
			said = t.Event
		}
		out = append(out, Line{t.Language, drillWord(look, t) + said + ". " + t.Instruction})
	}
	return out
}

func chinese(t contract.Text) int {
	if voice, _ := voiceOf(t.Language); voice == "yue" || voice == mandarin {
		return 1
	}
	return 0
}

func drillWord(look rules.Look, t contract.Text) string {
	switch {
	case look.Tier != contract.TierDrill:
		return ""
	case chinese(t) == 1:
		return "演習。"
	}
	return "This is a drill. "
}
