package wire

import (
	"encoding/json"
	"time"

	"almenara/node/wire/acts"
	"almenara/node/wire/caution"
	"almenara/node/wire/looks"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
)

// Approvals says who stands by an alert.
type Approvals struct {
	Needed int          `json:"needed"` // persons besides the author
	Given  []ApprovedBy `json:"given"`  // by name
	// Why is which rule asks for them, and what it was held against; absent of what older software took in.
	Why *Demand `json:"why,omitempty"`
	// MayApprove is who may and has not, as they are asked; absent where none must, and for who neither operates alerts nor manages the audience.
	MayApprove []string `json:"may_approve,omitzero"`
	// Next is who of MayApprove is asked now, and NextUntil when that is over and the one after is; after the last, the first again.
	Next      string    `json:"next,omitempty"`
	NextUntil time.Time `json:"next_until,omitzero"` // then the one after is asked
	Missed    int       `json:"missed,omitempty"`    // how many times that was over without an approval
}

// Demand is why an alert needs approvals: the rule of the policy that asked for the most, and what
// it was held against when the alert was taken in.
type Demand struct {
	Sentence string     `json:"sentence"`           // for people: what the alert is, and from where on the policy asks
	Rule     PolicyRule `json:"rule"`               // of a scenario that asks by itself: its approvals alone
	Scenario string     `json:"scenario,omitempty"` // that asks by itself; absent where a rule of the policy does
	Severity string     `json:"severity,omitempty"` // CAP severity that the alert has, where the rule names one; Unknown counts as the highest
	Urgency  string     `json:"urgency,omitempty"`  // likewise
	Members  uint64     `json:"members,omitempty"`  // where the rule counts: whom it addresses, and the author warned within the 10 minutes before; absent for callers who see rounded counts
	Share    uint32     `json:"share,omitempty"`    // percent of the district that they are
	Blocks   bool       `json:"blocks,omitempty"`   // share is of the blocks, not of the members: the larger one of both counts
	Recent   uint64     `json:"recent,omitempty"`   // of members, whom only what the same author sent before addresses
}

// ApprovedBy is one person's approval.
type ApprovedBy struct {
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
	// TypedBy is who typed it in, where it was read out as a code; absent where the person approved it
	// at a node.
	TypedBy string `json:"typed_by,omitempty"`
}

// Approve approves what a pending alert says.
type Approve struct {
	// Digest is that of the message which was read; with another one nothing is approved.
	// Empty approves what the node has.
	Digest string `json:"digest,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Scenario is a prepared alert. Texts of Alert hold blanks as {{name}}.
type Scenario struct {
	ID        string          `json:"id"`
	Title     string          `json:"title"`
	Alert     json.RawMessage `json:"alert"`               // as in SendAlert, without times
	Blanks    []string        `json:"blanks,omitempty"`    // names, in the answers
	Select    string          `json:"select,omitempty"`    // selection that narrows the alert's areas
	Approvals int             `json:"approvals,omitempty"` // persons besides the author who must approve, at least
	Minutes   int             `json:"minutes"`             // how long it holds
	UsualMin  uint64          `json:"usual_min,omitempty"` // members that it usually addresses
	UsualMax  uint64          `json:"usual_max,omitempty"` // 0: nothing is usual
	// BlankRules says what may fill blanks; one without a rule takes any text of 500 characters at most.
	BlankRules []BlankRule `json:"blank_rules,omitempty"`
	// Choose says that whoever sends it must select whom, within what the scenario selects.
	Choose    bool     `json:"choose,omitempty"`
	Checklist []string `json:"checklist,omitempty"` // what to do before it is sent, a line each
	Sensitive []string `json:"sensitive,omitempty"` // words that are marked where a text holds them
	// Tier, Sound and Confirm are how devices present it, as its severity, urgency, certainty, status and the parameter
	// almenara:confirm make it. Where one is put it is held against that: a scenario that would be presented otherwise is refused.
	Tier          string               `json:"tier,omitempty"`           // emergency, advisory, drill or test
	Sound         string               `json:"sound,omitempty"`          // siren, chime, drill or none
	Confirm       string               `json:"confirm,omitempty"`        // person: somebody at the device confirms; none
	RemindMinutes int                  `json:"remind_minutes,omitempty"` // between reminders where nobody has confirmed it, 1,440 at most; 0: none come by themselves
	Escalate      *acts.Escalate       `json:"escalate,omitempty"`       // what it selects is the first group; absent: it is for all at once
	Chain         *notices.NoticeChain `json:"chain,omitempty"`          // levels that a planned notice of it goes through; absent: those of the policy
	Revision      string               `json:"revision,omitempty"`       // put: as it was read, or "none" for a new one; where it is another by now, nothing is changed. Absent: whatever it is
}

// BlankRule says what may fill one blank of a scenario.
type BlankRule struct {
	Name      string   `json:"name"`
	For       string   `json:"for,omitempty"`        // what it is for, for whoever fills it in
	Values    []string `json:"values,omitempty"`     // the only texts that may fill it
	MaxLength int      `json:"max_length,omitempty"` // characters at most; 0: 500, or as long as the longest of values
}

// PutScenario is what became of a scenario that was put.
type PutScenario struct {
	ID     string `json:"id"`
	DryRun bool   `json:"dry_run"` // nothing was changed
	// Addressed is how many members it would address now; where whoever sends it must choose, from how many.
	Addressed uint64        `json:"addressed"`
	Revision  string        `json:"revision,omitempty"` // of the scenario from now on; absent where nothing was changed
	Warnings  why.Sentences `json:"warnings,omitempty"` // what its author should know, one sentence each
	Look      *looks.Look   `json:"look,omitempty"`     // how devices would present it; in a dry run only
	// Words is what its texts lack, with the longest text in each blank, and sensitive words in them.
	Words []caution.WordFinding `json:"words,omitempty"`
}

// Licence is a right to warn from a node that is alone.
type Licence struct {
	ID        string    `json:"id"` // made by the node
	Operator  string    `json:"operator"`
	Scenarios []string  `json:"scenarios"` // ids, or * for all and for free texts
	Place     string    `json:"place"`     // nobody outside of it
	Until     time.Time `json:"until"`     // at most 90 days ahead
	GrantedBy string    `json:"granted_by,omitempty"`
	GrantedAt time.Time `json:"granted_at,omitzero"`
	Revoked   bool      `json:"revoked"`
}

// Policy says which alerts need the approval of further persons.
type Policy struct {
	Version   uint64               `json:"version"`             // raft index of the last change of policy, scenarios or licences; in the answer
	Rules     []PolicyRule         `json:"rules"`               // the strictest that applies counts; none: no approval is ever needed
	Approvers []string             `json:"approvers,omitempty"` // roles that may approve; empty is approver. Administrators may always
	Chain     *notices.NoticeChain `json:"chain,omitempty"`     // levels that planned notices go through whose scenario has none; absent: none
}

// PolicyRule asks for approvals where everything that it names applies. Members and shares
// count also whom the same author has warned within the 10 minutes before.
type PolicyRule struct {
	Severity  string `json:"severity,omitempty"` // CAP severity: this one or above; Unknown ones count as above
	Urgency   string `json:"urgency,omitempty"`  // CAP urgency, likewise
	Members   uint64 `json:"members,omitempty"`  // more members than this are addressed
	Share     int    `json:"share,omitempty"`    // at least this percentage of the district's members, or of its blocks where it has 5 or more
	District  bool   `json:"district,omitempty"` // the whole district: the same as a share of 80
	Scenario  string `json:"scenario,omitempty"`
	Approvals int    `json:"approvals"` // persons besides the author
}
