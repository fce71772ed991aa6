package intake

import (
	"time"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/intake/narrowed"
	"almenara/node/judge"
	"almenara/node/newest"
	"almenara/node/sendername"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

// incoming is one message on its way in: what was sent and who sent it.
type incoming struct {
	by       authority.Caller
	alert    *alert.Alert
	read     bool // alert was read from raw, and says what raw says
	raw      []byte
	selected string
	limit    audience.Selection // selected, read
	further  further
	remind   uint32 // minutes between reminders that come by themselves; 0: none do
	reason   string
	incident string
	passed   bool              // every level of a planned notice has passed it
	scenario rights.Scenario   // that it was made from; the zero one is none
	blanks   map[string]string // that fill the scenario's
	replaces *alerts.Message   // whose place it takes, of a change of one alert; nil: it is none
	warnings why.Sentences
	wait     wire.Wait
	dryRun   bool  // say what would be, record nothing
	direct   bool  // this node writes the CAP message, maybe under the district's own sender
	made     bool  // this node made the identifier
	stamped  bool  // this node wrote sent
	named    []int // its texts in which this node wrote who warns
}

// judged refuses what the judgement rejects, and keeps its warnings for the sender.
func (in *incoming) judged(found alert.Findings) error {
	if found.Rejected() {
		return judge.Refusal(&alert.RejectError{Findings: found}, found)
	}
	in.warnings = append(in.warnings, judge.Sentences(found)...)
	return nil
}

// checkTimes refuses a message whose times cannot be meant, and warns its sender of a clock
// or an offset that is wrong.
// trusted says whether now is.
func (in *incoming) checkTimes(now time.Time, trusted bool, d *alerts.Book) error {
	return in.judged(judge.Times(in.alert, now, trusted, func(k alert.Key) bool {
		m, _ := d.First(k, "")
		return m != nil
	}))
}

// checkJoins refuses an Update that would end what is in force or to come, because it joins
// that with an alert that was cancelled: it reads like a correction.
func checkJoins(e board.Entry, now time.Time, d *alerts.Book) error {
	if e.MsgType != alert.MsgTypeUpdate {
		return nil
	}
	if lost := d.Ends(e, now); len(lost) > 0 {
		return wire.Problemf(wire.KindRefused, "nothing was sent: it names an alert that was cancelled beside one that goes on, %s, and both would end; name only what goes on", lost[0].Key).Because(why.EndsBoth)
	}
	return nil
}

// keep keeps targets and further groups to the places of the author and to that of a licence, also for those who
// join later.
func (in *incoming) keep(targets []audience.Target, within string) error {
	kept, err := in.kept(in.limit, within)
	if err != nil {
		return wire.Problemf(wire.KindMalformed, "nothing was sent: the selection cannot be kept to the places of its author: %v", err).Because(why.SelectionWrong, err)
	}
	for i := range targets {
		targets[i].Select = kept
	}
	return in.keepGroups(within)
}

// selects is the selection of the message, kept to the places of its author and to that of a licence, to be held
// against what is known.
func (in *incoming) selects(within string) string {
	text, _ := in.kept(in.limit, within)
	return text
}

// kept is one selection of the message, likewise; an error where no node could read it.
func (in *incoming) kept(limit audience.Selection, within string) (string, error) {
	own := in.by.Places
	if in.alert.MsgType == alert.MsgTypeCancel { // it is for whom its references are for
		own = nil
	}
	return narrowed.Kept(limit, own, within)
}

// written is the message as it would be recorded, and the alerts that it goes on with.
func (in *incoming) written(m *alerts.Message) newest.Message {
	return newest.Message{Message: m, Continues: in.continues(), Stamped: in.stamped, Direct: in.direct}
}

// continues lists the keys of the alerts that the message goes on with.
func (in *incoming) continues() []alert.Key {
	switch {
	case in.alert.MsgType == alert.MsgTypeUpdate:
		return in.alert.References
	case in.alert.MsgType == alert.MsgTypeAlert && in.scenario.ID != "" && in.incident != "":
		return []alert.Key{alert.IncidentKey(in.scenario.ID, in.incident, in.alert.Status)}
	}
	return nil
}

// recordedForm is what is put on record of a message: the bytes as they came or, as long
// as a node of older software would read something else in them, or nothing, what CAP
// says in its strict form. upgraded reports whether there is no such node.
func recordedForm(raw []byte, a *alert.Alert, found alert.Findings, upgraded func() bool) ([]byte, error) {
	if capxml.ReadAlike(raw, found) || upgraded() {
		return raw, nil
	}
	strict, err := capxml.Write(a)
	if err != nil {
		return nil, wire.Problemf(wire.KindTooLarge, "some nodes of the district are not upgraded, and the message is too large in the form that they read: %v; nothing was sent", err).Because(why.MessageLarge)
	}
	return strict, nil
}

// nameSender names the district where it warns itself, but in what passed its levels: that is named when it is written (node/notices), and nodes send it as one message.
func (t *Intake) nameSender(in *incoming) {
	if in.passed {
		return
	}
	own, _ := t.audience().Place(audience.Path(t.district.Record().Name))
	in.named = sendername.Give(in.alert, t.district.Sender(), own.Names)
}
