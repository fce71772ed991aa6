package view

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/looks"
)

// GlassBody is a message as the module that arranges screens takes a body (channels/contract), to draw
// what they will.
type GlassBody struct {
	Texts   []wire.MessageText `json:"texts"`
	Sender  string             `json:"sender"`
	Sent    time.Time          `json:"sent"`
	Expires time.Time          `json:"expires"`
}

// screenText is one text in the names of the contract.
type screenText struct {
	wire.MessageText
	From string `json:"from"`
}

// MarshalJSON names who warns as the contract does.
func (l GlassBody) MarshalJSON() ([]byte, error) {
	type plain GlassBody
	texts := []screenText{}
	for _, t := range l.Texts {
		texts = append(texts, screenText{t, t.SenderName})
	}
	return json.Marshal(struct {
		plain
		Texts []screenText `json:"texts"`
	}{plain(l), texts})
}

// Ordered is the body with its texts in the order of screens, Chinese first.
func (l GlassBody) Ordered() GlassBody {
	chinese := func(t wire.MessageText) int {
		if strings.HasPrefix(t.Language, "zh") || strings.HasPrefix(t.Language, "yue") {
			return 1
		}
		return 0
	}
	l.Texts = slices.Clone(l.Texts)
	slices.SortStableFunc(l.Texts, func(a, b wire.MessageText) int { return chinese(b) - chinese(a) })
	return l
}

// Glass is what the picture of a screen is drawn from (glass.js): a body, how it is presented, and the time.
func Glass(body GlassBody, look looks.Look, now time.Time) (string, error) {
	raw, err := json.Marshal(struct {
		Body GlassBody  `json:"body"`
		Look looks.Look `json:"look"`
		Now  time.Time  `json:"now"`
	}{body, look, now})
	return string(raw), err
}
