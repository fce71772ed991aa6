// Package notices is the bodies of planned notices: what they go through, what they say, who has read
// them, and whom they wait for. It may import nothing of ours.
package notices

import (
	"encoding/json"
	"time"
)

// NoticeChain is what a planned notice goes through before it is sent.
type NoticeChain struct {
	Levels []NoticeLevel `json:"levels"`          // one after the other, at least one, ten at most
	Words  []NoticeWord  `json:"words,omitempty"` // that are looked at with care
}

// NoticeLevel is one step: who must pass a notice on, and what they tick.
type NoticeLevel struct {
	Title     string   `json:"title,omitempty"`     // in people's words
	Role      string   `json:"role,omitempty"`      // of those who may pass it on: composer, approver or administrator
	People    []string `json:"people,omitempty"`    // names of users who may; with a role, of those who have it
	Count     int      `json:"count,omitempty"`     // how many of them must pass it on; 0 is 1
	Hours     int      `json:"hours,omitempty"`     // after which it is overdue, 720 at most; 0 is 24
	Checklist []string `json:"checklist,omitempty"` // each of them must tick these lines
}

// NoticeWord is a word that is looked at with care where a text holds it.
type NoticeWord struct {
	Word string `json:"word"`           // the word; case and width do not count
	Why  string `json:"why,omitempty"`  // for whoever writes or reads the text
	Tick bool   `json:"tick,omitempty"` // a person besides the author must tick that it may stand there
}

// DraftNotice is what a notice, or a new version of one, is to say.
type DraftNotice struct {
	Scenario string            `json:"scenario,omitempty"` // a prepared alert; blanks fill it in
	Blanks   map[string]string `json:"blanks,omitempty"`   // texts that fill in the blanks of the scenario
	Alert    json.RawMessage   `json:"alert,omitempty"`    // in the form of an alert that is sent, without sent and identifier, where there is no scenario
	Select   string            `json:"select,omitempty"`   // selection that narrows whom it addresses
	Reason   string            `json:"reason,omitempty"`   // goes on record with the alert
	At       time.Time         `json:"at,omitzero"`        // when it is to go out, 31 days ahead at most; absent: once the last level has passed it
	Why      string            `json:"why,omitempty"`      // of a new version: what was changed, and why
	Version  int               `json:"version,omitempty"`  // of a new version: the number of the one that was read; with another one nothing is written
}

// What may be done about a notice.
const (
	DoComment  = "comment"
	DoPass     = "pass"
	DoBack     = "back"
	DoWithdraw = "withdraw"
)

// ActOnNotice is what somebody does about a notice.
type ActOnNotice struct {
	Do       string   `json:"do"`                 // comment, pass, back or withdraw
	Version  int      `json:"version,omitempty"`  // that was read; pass and back need it, and with another one nothing is done
	Level    int      `json:"level,omitempty"`    // at which it was read, from 1; pass and back need it
	Language string   `json:"language,omitempty"` // of the text that a comment is about; absent: all of it
	Text     string   `json:"text,omitempty"`     // the comment, or why; back needs it
	Ticked   []string `json:"ticked,omitempty"`   // lines of the level's checklist, as they stand there
	Words    []string `json:"words,omitempty"`    // words that may stand in the text, as found names them
}

// NoticeStanding is how a notice stands.
type NoticeStanding string

// The ways in which a notice stands.
const (
	Waiting   NoticeStanding = "waiting"   // for persons of its level
	SentBack  NoticeStanding = "sent_back" // to its author
	Locked    NoticeStanding = "locked"    // every level has passed it; it goes out at its time, and nobody changes it
	Sent      NoticeStanding = "sent"      // it is an alert
	Withdrawn NoticeStanding = "withdrawn"
	Failed    NoticeStanding = "failed" // it could not go out: why says why; its author writes a new version
)

// Enum lists them.
func (NoticeStanding) Enum() []string {
	return []string{string(Waiting), string(SentBack), string(Locked), string(Sent), string(Withdrawn), string(Failed)}
}

// Notice is one planned notice.
type Notice struct {
	ID       string         `json:"id"`                 // the id, of which its CAP identifier is made
	Title    string         `json:"title"`              // its headline
	Scenario string         `json:"scenario,omitempty"` // id of the scenario that it was made from
	Author   string         `json:"author"`             // who wrote it, in whose name it goes out
	Standing NoticeStanding `json:"standing"`           // how it stands
	Version  int            `json:"version"`            // the newest
	Level    int            `json:"level,omitempty"`    // where it waits, from 1; absent unless it is waiting
	Since    time.Time      `json:"since"`              // when it came to its level or state
	At       time.Time      `json:"at,omitzero"`        // when it is to go out; absent: once the last level has passed it
	Alert    string         `json:"alert,omitempty"`    // id of the alert that it is; of one that failed or was withdrawn, of the alert that a lost node may have sent all the same
	Digest   string         `json:"digest,omitempty"`   // SHA-256 of what is locked, as hex
	Why      string         `json:"why,omitempty"`      // it was sent back or withdrawn, or could not go out

	// MayPass is who may pass it on where it waits and has not, in the order in which they are asked.
	MayPass []string  `json:"may_pass,omitzero"`
	Missing int       `json:"missing,omitempty"` // how many of them must
	Due     time.Time `json:"due,omitzero"`      // after which it is overdue
	Overdue bool      `json:"overdue,omitempty"` // due has passed
	// Next is who of MayPass is asked now, and NextUntil when the one after is.
	Next      string    `json:"next,omitempty"`
	NextUntil time.Time `json:"next_until,omitzero"` // then the one after is asked
	Missed    int       `json:"missed,omitempty"`    // how many times that was over

	// What follows is told of one notice alone.
	Levels   []NoticeLevelStands `json:"levels,omitempty"`   // that the newest version goes through
	Acts     []NoticeAct         `json:"acts,omitempty"`     // all that was done, in order
	Versions []NoticeVersion     `json:"versions,omitempty"` // in order
	Found    []NoticeFound       `json:"found,omitempty"`    // words in the newest version that are looked at with care
}

// NoticeLevelStands is a level, and who has passed the newest version on there.
type NoticeLevelStands struct {
	Level  NoticeLevel `json:"level"`  // what it asks for
	Passed []string    `json:"passed"` // names
}

// NoticeAct is something that was done about a notice.
type NoticeAct struct {
	Do       string    `json:"do"` // wrote, comment, pass, back, withdraw, sent or failed
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Version  int       `json:"version"`            // that it was about
	Level    int       `json:"level,omitempty"`    // at which the notice was, from 1
	Language string    `json:"language,omitempty"` // of the text that a comment is about
	Text     string    `json:"text,omitempty"`     // the comment, or why
	Ticked   []string  `json:"ticked,omitempty"`   // lines of the checklist that were ticked
	Words    []string  `json:"words,omitempty"`    // sensitive words that may stand there
}

// The acts that nobody asks for.
const (
	ActWrote  = "wrote"
	ActSent   = "sent"
	ActFailed = "failed"
)

// NoticeVersion is what one version says.
type NoticeVersion struct {
	N       int               `json:"version"` // from 1
	By      string            `json:"by"`
	At      time.Time         `json:"at"`
	Why     string            `json:"why,omitempty"`    // what was changed, and why
	Alert   json.RawMessage   `json:"alert"`            // in the form of an alert that is sent
	Select  string            `json:"select,omitempty"` // absent for callers who neither write nor review notices
	Reason  string            `json:"reason,omitempty"`
	Blanks  map[string]string `json:"blanks,omitempty"`  // that fill its scenario
	Texts   []NoticeText      `json:"texts"`             // what people read, a language each
	Changed []NoticeChange    `json:"changed,omitempty"` // against the version before
}

// NoticeText is what people read of a version in one language.
type NoticeText struct {
	Language    string `json:"language"`              // BCP 47
	Event       string `json:"event,omitempty"`       // CAP's event
	Headline    string `json:"headline,omitempty"`    // CAP's headline
	Description string `json:"description,omitempty"` // CAP's description
	Instruction string `json:"instruction,omitempty"` // CAP's instruction
	Sender      string `json:"sender_name,omitempty"` // CAP's senderName: who warns
	Areas       string `json:"areas,omitempty"`       // their descriptions
}

// NoticeChange is one difference between two versions.
type NoticeChange struct {
	Language string `json:"language,omitempty"` // absent: not of a text
	Field    string `json:"field"`              // event, headline, description, instruction, sender, areas, select, or rest
	Was      string `json:"was,omitempty"`      // in the version before
	Is       string `json:"is,omitempty"`       // in this one
}

// NoticeFound is a word in a text that is looked at with care.
type NoticeFound struct {
	Word     string `json:"word"`             // as the levels name it
	Language string `json:"language"`         // of the text that holds it
	Why      string `json:"why,omitempty"`    // why it is looked at with care
	Tick     bool   `json:"tick,omitempty"`   // a person besides the author must tick it
	Ticked   string `json:"ticked,omitempty"` // who has
}
