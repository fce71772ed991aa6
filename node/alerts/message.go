package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/node/wire/headline"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

// Message is one CAP message of an alert fact, immutable. Most of those on a book are stubs, with
// a Fact and an Entry alone: what else they say is read from the agreed state by the methods.
type Message struct {
	Fact  string
	Entry board.Entry
	Issue factbody.Issue // zero in a stub
	Alert *alert.Alert   // nil in a stub

	texts    Texts  // of a stub; nil otherwise
	brief    *Brief // of a stub; nil where it is long
	personal bool   // of a stub
	further  *factbody.Escalation
	remind   uint32 // of a stub; minutes
}

// Brief is what lists say of a message.
type Brief struct {
	Headline  string
	Headlines headline.Lines // in each language, where there are several
	Select    string         // the selection that the message was limited to
	Issue     factbody.Issue // without Message, Targets, Blanks and Escalation
}

// briefMost is how many bytes of a brief stay in memory. The longest headline of the real messages
// that we have has 195.
const briefMost = 1 << 10

// ReadMessage decodes the body of an alert fact.
func ReadMessage(fact string, body []byte) (*Message, error) {
	issue, err := factbody.DecodeIssue(body)
	if err != nil {
		return nil, err
	}
	return read(fact, issue)
}

func read(fact string, issue factbody.Issue) (*Message, error) {
	a, _, err := capxml.Parse(issue.Message)
	if err != nil {
		return nil, fmt.Errorf("reading the message of fact %s: %w", fact, err)
	}
	return says(fact, issue, a), nil
}

// says is the message of a fact whose CAP message says a.
func says(fact string, issue factbody.Issue, a *alert.Alert) *Message {
	return &Message{Fact: fact, Issue: issue, Alert: a, Entry: issue.Entry(a, issue.Content(a).String(), fact)}
}

// at is the message under the revision that the book gives it.
func (m *Message) at(r alert.Revision) *Message {
	if m.Entry.Revision == r {
		return m
	}
	raised := *m
	raised.Entry.Revision = r
	return &raised
}

// Whole is the message with everything that it says. Of a stub that costs some milliseconds.
func (m *Message) Whole() (*Message, error) {
	if m.texts == nil {
		return m, nil
	}
	issue, err := m.issue()
	if err != nil {
		return nil, err
	}
	whole, err := read(m.Fact, issue)
	if err != nil {
		return nil, err
	}
	return whole.at(m.Entry.Revision), nil
}

// Targets is whom each info block addresses; nil for a Cancel. Of a message for one group after the other
// it is the first group. It must not be modified.
func (m *Message) Targets() ([]audience.Target, error) {
	if m.texts == nil {
		return m.Issue.Targets, nil
	}
	issue, err := m.issue()
	return issue.Targets, err
}

// EveryTarget is Targets of all groups, whether they were called or not: whom its author may warn, and who
// approved it approved.
func (m *Message) EveryTarget() ([]audience.Target, error) {
	targets, err := m.Targets()
	return m.Escalation().Everybody(targets), err
}

// Escalation says which further groups there are; nil where there are none. It must not be modified.
func (m *Message) Escalation() *factbody.Escalation {
	if m.texts != nil {
		return m.further
	}
	return m.Issue.Escalation
}

// RemindEvery is how long it is from one reminder to the next that the message itself asks for; 0: it asks
// for none.
func (m *Message) RemindEvery() time.Duration { return time.Duration(m.remindEvery()) * time.Minute }

func (m *Message) remindEvery() uint32 {
	if m.texts != nil {
		return m.remind
	}
	return m.Issue.Remind
}

// issue reads the body of a stub's fact.
func (m *Message) issue() (factbody.Issue, error) {
	found, err := m.texts.Issue(m.Fact)
	if err == nil && found == nil {
		err = fmt.Errorf("reading the message of fact %s: it is not in the agreed state", m.Fact)
	}
	if err != nil {
		return factbody.Issue{}, err
	}
	return *found, nil
}

// Select is the selection that every target of the message is kept to; "" is none. The message is
// no stub.
func (m *Message) Select() string {
	if len(m.Issue.Targets) == 0 {
		return ""
	}
	return m.Issue.Targets[0].Select
}

// Brief is what lists say of the message.
func (m *Message) Brief() (Brief, error) {
	if m.brief != nil {
		return *m.brief, nil
	}
	whole, err := m.Whole()
	if err != nil {
		return Brief{}, err
	}
	b := Brief{Headline: whole.Alert.Headline(""), Headlines: headline.Of(whole.Alert), Select: selects(whole.Issue.Targets), Issue: whole.Issue}
	b.Issue.Message, b.Issue.Targets, b.Issue.Blanks, b.Issue.Escalation = nil, nil, nil, nil
	return b, nil
}

// stub is the message without what texts has.
func (m *Message) stub(texts Texts) *Message {
	out := &Message{Fact: m.Fact, Entry: m.Entry, texts: texts, personal: m.Personal(), further: m.Escalation(), remind: m.remindEvery()}
	b, err := m.Brief()
	if err != nil {
		return out
	}
	size := 0
	for _, s := range []*string{&b.Headline, &b.Select, &b.Issue.Author, &b.Issue.Reason, &b.Issue.Incident, &b.Issue.Scenario, &b.Issue.Licence, &b.Issue.Within} {
		size += len(*s)
		*s = strings.Clone(*s) // by itself: it may be a part of what is given up
	}
	b.Headlines = slices.Clone(b.Headlines)
	for n, line := range b.Headlines {
		size += len(line.Language) + len(line.Text)
		b.Headlines[n] = headline.Line{Language: strings.Clone(line.Language), Text: strings.Clone(line.Text)}
	}
	if size <= briefMost {
		out.brief = &b
	}
	return out
}

// Addressing is one CAP message, as far as it says whom it addresses. Two with one Fact are
// the same.
type Addressing struct {
	Fact     string
	Key      alert.Key
	Revision alert.Revision
	Claimed  alert.Revision // under which it is on record whom it addressed; see board.Entry
	// Targets is whom each info block addresses. It may read the disk, so it is asked for only
	// what is not worked out; of what it cannot read nobody knows whom it is for.
	Targets    func() ([]audience.Target, error)
	Escalation *factbody.Escalation // further groups; nil: none
}

// Addressing is whom the message is for.
func (m *Message) Addressing() Addressing {
	return Addressing{Fact: m.Fact, Key: m.Entry.Key, Revision: m.Entry.Revision, Claimed: m.Entry.Claimed, Targets: m.Targets, Escalation: m.Escalation()}
}

// selects is the selection that targets are limited to.
func selects(targets []audience.Target) string {
	var all []string
	for _, t := range targets {
		if t.Select != "" && !slices.Contains(all, t.Select) {
			all = append(all, t.Select)
		}
	}
	return strings.Join(all, "; ")
}
