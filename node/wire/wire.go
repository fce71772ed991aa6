// Package wire holds the JSON bodies of the HTTP API, version 1, shared by the
// server, the Go client and the command line.
package wire

import (
	"encoding/json"
	"time"

	"almenara/node/wire/acts"
	"almenara/node/wire/caution"
	"almenara/node/wire/headline"
	"almenara/node/wire/looks"
	"almenara/node/wire/why"
)

// Outcome answers every request that creates a fact: what was understood, whom
// it addresses and how far it got.
type Outcome struct {
	Alert    string `json:"alert"`
	Revision uint64 `json:"revision"`
	Key      string `json:"key"` // sender,identifier,sent
	MsgType  string `json:"msg_type"`
	// DryRun says that nothing was recorded; everything else is as it would be. Then Alert
	// and Key of a message that has no identifier of its own are good for nothing.
	DryRun bool `json:"dry_run"`
	// State is where the message stands now. Of a Cancel that took effect it is cancelled.
	State State `json:"state"`
	// Effect is what it does to people now; in a dry run, what it would do.
	Effect Effect `json:"effect"`
	// Duplicate says that the message was known already: nothing new was recorded or sent.
	Duplicate bool `json:"duplicate"`
	// Replication is how far the message had got when the answer was written; absent in a
	// dry run.
	Replication Replication `json:"replication,omitempty"`
	HeldBy      int         `json:"held_by,omitempty"` // where it is held: nodes that have it on disk
	HeldOf      int         `json:"held_of,omitempty"` // where it is held: nodes of the district

	Addressed Counts `json:"addressed"`           // whom it addresses with the audience of this moment; the alert says what was recorded
	Unlocated uint64 `json:"unlocated,omitempty"` // members that no shape can reach
	Connected int    `json:"connected"`           // addressed devices on the answering node now
	// Reachable is how many of the addressed members have a device that is connected, now, to a
	// node that answered; absent where the message warns nobody.
	Reachable *uint64 `json:"reachable,omitempty"`
	// ReachableFrom is district where the other nodes were asked, and this_node where none was: with
	// wait=local, and on a node that is alone.
	ReachableFrom Source `json:"reachable_from,omitempty"`
	// Unanswered is the nodes that did not answer or were not asked, by id, where further devices may
	// be connected.
	Unanswered []string      `json:"unanswered,omitempty"`
	Warnings   why.Sentences `json:"warnings,omitempty"`
	// Usual is how many a scenario addresses against its usual range; absent without a range.
	Usual Usual `json:"usual,omitempty"`
	// Texts is what people would read, with blanks filled in; in a dry run only.
	Texts []MessageText `json:"texts,omitempty"`
	// Words is what its texts lack, and sensitive words in them; in a dry run only.
	Words []caution.WordFinding `json:"words,omitempty"`
	// Checklist is what the scenario wants done before it is sent; in a dry run only.
	Checklist []string `json:"checklist,omitempty"`
	// Noise says that people of some block would be made to listen again although they were lately, and
	// often; in a dry run only, of what is real and no emergency. It refuses nothing.
	Noise *caution.Noise `json:"noise,omitempty"`
	// Look is how devices would present it; in a dry run only.
	Look *looks.Look `json:"look,omitempty"`
	// Added are, of a change of an alert, those who are not addressed by what stands now, and Ended
	// those who are and would be told that it is over for them; in a dry run only.
	Added *Counts `json:"added,omitempty"`
	Ended *Counts `json:"ended,omitempty"` // see added
	// Approvals says how many other persons must approve and who has; nil where none must.
	Approvals     *Approvals       `json:"approvals,omitempty"`
	Licence       string           `json:"licence,omitempty"`        // id of the licence under which a node that is alone took it
	Escalation    *acts.Escalation `json:"escalation,omitempty"`     // whom it is for one after the other; absent where it is for all at once
	RemindMinutes int              `json:"remind_minutes,omitempty"` // between reminders that come by themselves; 0: none do
}

// Counts is a number of members, in all and by kind and place, as they are now.
type Counts struct {
	Total uint64 `json:"total"`
	// Removed is how many of Total are members no more: they are in no line below.
	Removed uint64  `json:"removed,omitempty"`
	ByKind  []Count `json:"by_kind,omitempty"`
	ByPlace []Count `json:"by_place,omitempty"`
}

// Count is one line of Counts.
type Count struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// SendAlert is the simple JSON form of an alert. Alert holds the CAP 1.2 fields in
// CAP's names; what is missing of identifier, sender, sent, status, msgType and
// scope is filled in.
type SendAlert struct {
	Alert json.RawMessage `json:"alert,omitempty"`
	// Scenario is the id of a scenario to send in place of Alert, with its blanks filled in.
	// One scenario and one incident are one alert, wherever they are sent.
	Scenario string            `json:"scenario,omitempty"`
	Blanks   map[string]string `json:"blanks,omitempty"`
	Select   string            `json:"select,omitempty"` // selection; with CAP areas and the scenario's own all must hold
	Incident string            `json:"incident,omitempty"`
	Reason   string            `json:"reason,omitempty"` // needed when the node is alone

	Escalate      *acts.Escalate `json:"escalate,omitempty"`       // further groups, with a selection; absent is what the scenario says
	RemindMinutes int            `json:"remind_minutes,omitempty"` // between reminders where nobody has confirmed it, 1,440 at most; 0 is what the scenario says
}

// CancelAlert cancels an alert. No approval is ever needed.
type CancelAlert struct {
	Reason string `json:"reason,omitempty"`
}

// CorrectAlert says other words to the same people: areas, selection and loudness of the
// alert stay as they are. Of Texts, Blanks and Expires at least one is given.
type CorrectAlert struct {
	Texts   []CorrectText     `json:"texts,omitempty"`
	Blanks  map[string]string `json:"blanks,omitempty"` // of the alert's scenario; those that are not given are as they were
	Expires time.Time         `json:"expires,omitzero"` // when it ends; absent is as before
	Reason  string            `json:"reason,omitempty"` // why, for the audit
	DryRun  bool              `json:"-"`
}

// Update is the same as an update of an alert.
func (in CorrectAlert) Update() UpdateAlert {
	return UpdateAlert{Texts: in.Texts, Blanks: in.Blanks, Expires: in.Expires, Reason: in.Reason, DryRun: in.DryRun}
}

// UpdateAlert changes an alert: what is not given stays as it is. It may say more to more people
// than before, and waits for the approvals that the policy or its scenario asks for then. Something besides Reason
// is given.
type UpdateAlert struct {
	Texts   []CorrectText     `json:"texts,omitempty"`
	Blanks  map[string]string `json:"blanks,omitempty"` // of the alert's scenario; those that are not given are as they were
	Expires time.Time         `json:"expires,omitzero"` // when it ends; absent is as before
	// Severity, Urgency and Certainty are CAP's, of every info block.
	Severity  string `json:"severity,omitempty"`
	Urgency   string `json:"urgency,omitempty"`   // likewise
	Certainty string `json:"certainty,omitempty"` // likewise
	// Select is the selection from now on, in place of the alert's own. Its areas stay, unless others
	// are given, and both must hold.
	Select string `json:"select,omitempty"`
	// Areas are the areas from now on, in place of those of every info block, for each of its languages.
	// The selection stays, unless another one is given, and both must hold; "all" narrows nothing.
	Areas  []UpdateAreas `json:"areas,omitempty"`
	Reason string        `json:"reason,omitempty"` // why, for the audit; needed when the node is alone
	DryRun bool          `json:"-"`
}

// Empty reports whether it says nothing new.
func (in UpdateAlert) Empty() bool {
	return len(in.Texts) == 0 && len(in.Blanks) == 0 && len(in.Areas) == 0 && in.Expires.IsZero() && in.Severity+in.Urgency+in.Certainty+in.Select == ""
}

// UpdateAreas are the areas of the info blocks in one language. All languages of an alert have the
// same areas, which they name each in its own words.
type UpdateAreas struct {
	Language string    `json:"language,omitempty"` // absent: of every language that has none of its own here
	Area     []CAPArea `json:"area"`               // as CAP writes them; one with an areaDesc alone leaves it to the selection whom it means
}

// CorrectText replaces words of the info blocks in one language; what is absent stays. A text
// of which devices would show nothing is refused.
type CorrectText struct {
	Language    string  `json:"language,omitempty"` // may be absent where the alert has one language
	Headline    *string `json:"headline,omitempty"`
	Description *string `json:"description,omitempty"`
	Instruction *string `json:"instruction,omitempty"`
}

// Rungs counts members that reached at least each rung; the last four ended there. No count
// is above queued.
type Rungs struct {
	Queued       uint64 `json:"queued"` // everybody who counts: whom the message addressed, and who joined
	Sent         uint64 `json:"sent"`
	Delivered    uint64 `json:"delivered"`
	Verified     uint64 `json:"verified"`
	Presented    uint64 `json:"presented"`
	Acknowledged uint64 `json:"acknowledged"`
	Failed       uint64 `json:"failed"`
	Expired      uint64 `json:"expired"`
	Cancelled    uint64 `json:"cancelled"`
	Refused      uint64 `json:"refused"`
}

// All are the counts, in their order in the body.
func (r *Rungs) All() [10]*uint64 {
	return [...]*uint64{
		&r.Queued, &r.Sent, &r.Delivered, &r.Verified, &r.Presented, &r.Acknowledged, &r.Failed, &r.Expired, &r.Cancelled, &r.Refused,
	}
}

// Alert is one alert with its current message.
type Alert struct {
	ID        string         `json:"id"`
	Revision  uint64         `json:"revision"`
	Key       string         `json:"key"`
	State     State          `json:"state"`
	Status    string         `json:"status"`
	MsgType   string         `json:"msg_type"`
	Headline  string         `json:"headline"`            // of its first text
	Headlines headline.Lines `json:"headlines,omitempty"` // in each of its languages, eight at most; absent where it is in one
	Tier      string         `json:"tier,omitempty"`      // emergency, advisory, drill or test: how devices present what stands; absent where nothing does
	Sent      time.Time      `json:"sent"`
	Expires   time.Time      `json:"expires"`
	Author    string         `json:"author,omitempty"`
	Select    string         `json:"select,omitempty"`
	Scenario  string         `json:"scenario,omitempty"`
	Incident  string         `json:"incident,omitempty"`
	Licence   string         `json:"licence,omitempty"`    // under which a node that was alone took it
	Alone     time.Time      `json:"alone_since,omitzero"` // since when the node that took it was alone; zero: it was not
	Policy    uint64         `json:"policy,omitempty"`     // version of the policy that node knew
	// Approvals is who has approved it and how many must; nil where none must.
	Approvals *Approvals `json:"approvals,omitempty"`
	// Waiting is how many messages wait for approval: the alert's own, and Updates of it.
	Waiting int `json:"waiting,omitempty"`
	// PendingUpdates is the Updates of it that wait for approval, by their ids: each is an alert of
	// its own until it is approved.
	PendingUpdates []string `json:"pending_updates,omitempty"`
	Changes        []string `json:"changes,omitempty"` // of such an Update, the alerts that it would change
	// Duplicates are other alerts that may be about the same: of another incident, and
	// still the same scenario or event for some of the same members at about the same time:
	// ten at most, those that were accepted nearest to this one.
	Duplicates []string `json:"possible_duplicates,omitempty"`
	// Replication is how far its current message has got, as far as the answering node knows.
	Replication Replication `json:"replication"`
	HeldBy      int         `json:"held_by,omitempty"` // where it is held: nodes that have it on disk
	HeldOf      int         `json:"held_of,omitempty"` // where it is held: nodes of the district

	// CountsFrom is whose knowledge the counts below are.
	CountsFrom Source `json:"counts_from"`
	// RoundedTo says that every count below is rounded down to a multiple of this, so that 0 is
	// fewer than it, and smaller lines are left out: the alert was addressed by tags, languages
	// or addresses, and the caller neither operates alerts nor may read persons. 0: exact.
	RoundedTo uint64 `json:"rounded_to,omitempty"`
	Rungs     Rungs  `json:"rungs"`
	// Told is how many have not presented the current message and were told of it by a person. They are
	// on no rung for that.
	Told       uint64           `json:"told"`
	Reminders  *acts.Reminders  `json:"reminders,omitempty"`  // of the current message; absent where there was none
	Escalation *acts.Escalation `json:"escalation,omitempty"` // of the current message, whom it is for one after the other; absent where it is for all at once
	// Addressed is whom the current message addressed when it was agreed on; before that, whom
	// it addresses now. It stays as it is when members are removed, and who was removed was
	// reached or missed all the same. Joined counts members that came into the audience later,
	// while the alert was in force, and are in it still. Both together are rungs.queued.
	Addressed Counts     `json:"addressed"`
	Joined    uint64     `json:"joined"`
	Messages  []Message  `json:"messages,omitempty"`
	ByGroup   []GroupRow `json:"by_group,omitempty"` // only in the detail

	Personal           bool     `json:"-"` // some message was addressed by what is known of persons
	PersonalDuplicates []string `json:"-"` // of Duplicates, those that are Personal
}

// GroupRow is one line of the table of who was reached: a kind in a block. The lines add up to
// the rungs of the alert; place and kind are empty in the line of those who were removed from
// the audience since.
type GroupRow struct {
	Place string `json:"place"`
	Kind  string `json:"kind"`
	Rungs Rungs  `json:"rungs"`
}

// Member is one member of the audience.
type Member struct {
	ID        string            `json:"id"`
	Name      string            `json:"name,omitempty"`
	Kind      string            `json:"kind"`
	Place     string            `json:"place"`
	Tags      map[string]string `json:"tags,omitempty"`
	Languages []string          `json:"languages,omitempty"`
	Lat       *float64          `json:"lat,omitempty"`
	Lon       *float64          `json:"lon,omitempty"`
	Endpoints []string          `json:"endpoints,omitempty"` // channel:address
}

// ReceiptRow is one member at one rung of one alert. Of a member that was removed from the
// audience since, kind and place are empty.
type ReceiptRow struct {
	Member string `json:"member"`
	Name   string `json:"name,omitempty"` // only for roles that may read names
	Kind   string `json:"kind"`
	Place  string `json:"place"`
	Rung   string `json:"rung"`
	// RungFrom is whose knowledge the rung is.
	RungFrom Source `json:"rung_from"`
	// At is when the member's device told the rung; absent where nothing was told.
	At time.Time `json:"at,omitzero"`
	// Answer is what the person who confirmed it answered last: phones of this program say safe, help
	// or done, and other devices what they want, in at most 64 bytes. * stands for words of their own of
	// somebody who was erased. Absent where nothing was said.
	Answer string `json:"answer,omitempty"`
	// Reason is why the member is below the rung that was asked for; only in answers about who
	// is missing. It is a rung that ended the ladder (refused, failed, expired, cancelled);
	// no-device: no device of the member is enrolled; waiting: a device of it is connected to
	// some node, and was sent the alert less than 10 s ago; silent: the same, and it has not
	// proven that it presented it in 10 s; dark: none is connected to any node; not-seen: the same,
	// and none was since the nodes were started; unknown: none is connected to a node that
	// answered, and others did not answer.
	Reason string `json:"reason,omitempty"`
	// Since is since when the reason holds, where that is known: the beginning of the session,
	// or the end of the last one.
	Since time.Time `json:"since,omitzero"`
	// Unanswered is the ids of the nodes that did not answer, where the reason is unknown.
	Unanswered []string `json:"unanswered,omitempty"`
	// ToldBy is who says that a person told the member, and ToldAt when that was said; absent where nobody
	// did. The member is on no rung for that.
	ToldBy string    `json:"told_by,omitempty"`
	ToldAt time.Time `json:"told_at,omitzero"` // by the clock of the node where it was said
}

// ProofTime is how long a device that is connected may take until it has proven that it presented an
// alert. After that somebody has to knock.
const ProofTime = 10 * time.Second

// The reasons of a ReceiptRow. The others are rungs that end the ladder: refused, failed,
// expired, cancelled.
const (
	ReasonNoDevice = "no-device" // no device of the member is enrolled
	ReasonDark     = "dark"      // none of its devices is connected to any node
	ReasonNotSeen  = "not-seen"  // the same, and none was since the nodes were started
	ReasonWaiting  = "waiting"   // a device of it is connected to some node, and has ProofTime to present it
	ReasonSilent   = "silent"    // the same, and ProofTime is over
	ReasonUnknown  = "unknown"   // some node did not answer, and those that did have none of its devices
)

// AlertQuery asks for a page of the list of alerts.
type AlertQuery struct {
	After   string // where the page begins: next of the page before; "": the first page
	Limit   int    // 0: the server's default, 100
	Waiting bool   // only those that wait for approval, or a change of which does
	Open    bool   // only those that are not over: in force, to come, or waiting
}

// ReceiptQuery asks for a page of an alert's receipts.
type ReceiptQuery struct {
	Rung, Place string // "": presented; members in whatever place
	Missing     bool   // those below the rung instead of those at it or above
	After       string // id of the last member of the page before; "": the first page
	Limit       int    // 0: the server's default
}

// ReceiptPage is a page of an alert's receipts.
type ReceiptPage struct {
	Rows []ReceiptRow
	Next string // After for the following page; "" when there is none
	From Source // whose knowledge it is
}

// Event is one server-sent event.
type Event struct {
	ID       string    `json:"-"`
	Type     string    `json:"type"` // alert, receipts, report, approval, node, audience, devices, split, notice; again: see EventAgain
	At       time.Time `json:"at"`
	Alert    string    `json:"alert,omitempty"`
	Revision uint64    `json:"revision,omitempty"`
	State    State     `json:"state,omitempty"`
	// CountsFrom is whose knowledge Rungs is.
	CountsFrom Source `json:"counts_from,omitempty"`
	RoundedTo  uint64 `json:"rounded_to,omitempty"` // as of the alert
	Rungs      *Rungs `json:"rungs,omitempty"`
	Text       string `json:"text,omitempty"`

	Personal bool `json:"-"` // as of the alert
}

// EventAgain is the type of the event that a reader gets first who was connected before
// (Last-Event-ID): what happened meanwhile is not told, so it must read anew what it shows.
const EventAgain = "again"

// Problem is every error: one plain sentence and a stable kind.
type Problem struct {
	Kind       string   `json:"kind"` // see the OpenAPI file
	Sentence   string   `json:"error"`
	Details    []string `json:"details,omitempty"`
	Alert      string   `json:"alert,omitempty"`       // the alert already known, for a conflict
	RetryAfter int      `json:"retry_after,omitempty"` // seconds after which it is worth trying again, as the header Retry-After says
	Why        why.Why  `json:"-"`                     // for pages; zero where they show the sentence
}

// Error makes Problem an error.
func (p *Problem) Error() string { return p.Sentence }

// Because says for pages why it is, and returns the problem.
func (p *Problem) Because(r why.Reason, with ...any) *Problem { return why.On(p, &p.Why, r, with) }
