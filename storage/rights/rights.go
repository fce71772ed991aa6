// Package rights has the records of who may warn how: scenarios, licences and the policy. What they
// allow is decided by node/authority. It may import nothing of ours but storage.
package rights

import (
	"fmt"

	"almenara/storage"
)

// Scenario is a prepared alert: everything but what a few named blanks leave open.
type Scenario struct {
	ID        string `cbor:"1,keyasint"`
	Title     string `cbor:"2,keyasint"`
	Alert     []byte `cbor:"3,keyasint"`           // the API's JSON form of an alert; texts may hold {{name}}
	Select    string `cbor:"4,keyasint,omitempty"` // selection that narrows the alert's areas; "": none
	Approvals uint32 `cbor:"5,keyasint,omitempty"` // persons besides the author who must approve, at least
	Lifetime  int64  `cbor:"6,keyasint"`           // ms that it holds from when it is sent
	UsualMin  uint64 `cbor:"7,keyasint,omitempty"` // members that it usually addresses; with UsualMax 0 nothing is usual
	UsualMax  uint64 `cbor:"8,keyasint,omitempty"`
	Removed   bool   `cbor:"9,keyasint,omitempty"`

	Details // fields 10 to 13, with version 5 of commands

	Chain *Chain `cbor:"18,keyasint,omitempty"` // that planned notices of it go through; nil: that of the policy. Version 10
}

// AnyScenario in Licence.Scenarios stands for every scenario and for free texts.
const AnyScenario = "*"

// Licence is a right, reserved in advance, to warn from a node that is alone.
type Licence struct {
	ID        string   `cbor:"1,keyasint"`
	Operator  string   `cbor:"2,keyasint"` // user name
	Scenarios []string `cbor:"3,keyasint"` // scenario ids, or AnyScenario
	Place     string   `cbor:"4,keyasint"` // path: nobody outside of it may be warned under the licence
	Until     int64    `cbor:"5,keyasint"` // ms since 1970: good before it
	GrantedBy string   `cbor:"6,keyasint"` // set by the state machine
	GrantedAt int64    `cbor:"7,keyasint"` // ms since 1970; set by the state machine
	Revoked   bool     `cbor:"8,keyasint,omitempty"`
}

// MaxLicence is the longest that a licence may be granted for: a revocation that comes too late must not be able to matter for ever. 90 days in ms.
const MaxLicence = 90 * 24 * 60 * 60 * 1000

// Policy says which alerts need the approval of further persons. The zero value asks for none.
type Policy struct {
	Rules     []PolicyRule `cbor:"1,keyasint,omitempty"` // the strictest that applies counts
	Approvers []string     `cbor:"2,keyasint,omitempty"` // roles that may approve; empty: approver
	Chain     *Chain       `cbor:"3,keyasint,omitempty"` // that planned notices go through whose scenario has none; nil: none. Version 10
}

// PolicyRule asks for approvals where everything that it names applies.
type PolicyRule struct {
	Severity  string `cbor:"1,keyasint,omitempty"` // CAP severity: this one or above
	Urgency   string `cbor:"2,keyasint,omitempty"` // CAP urgency: this one or above
	Members   uint64 `cbor:"3,keyasint,omitempty"` // more members than this are addressed
	District  bool   `cbor:"4,keyasint,omitempty"` // the district is addressed, or nearly all of it
	Scenario  string `cbor:"5,keyasint,omitempty"` // this scenario
	Approvals uint32 `cbor:"6,keyasint"`           // persons besides the author
	Share     uint32 `cbor:"7,keyasint,omitempty"` // percent of the district, 1 to 100; 0: not asked. Version 3 of commands
}

// String is the rule as the audit has it: a rule without a share as software writes it that knows none, because every node's audit must be the same.
func (r PolicyRule) String() string {
	text := fmt.Sprintf("%s %s %d %t %s %d", r.Severity, r.Urgency, r.Members, r.District, r.Scenario, r.Approvals)
	if r.Share > 0 {
		text += fmt.Sprintf(" share %d%%", r.Share)
	}
	return "{" + text + "}"
}

// Demand is why an alert needs approvals: the rule that asked for them, and what it was held
// against when the alert was taken in.
type Demand struct {
	Rule     PolicyRule `cbor:"1,keyasint"`           // of a scenario that asks by itself: its approvals alone
	Scenario string     `cbor:"2,keyasint,omitempty"` // that asks by itself; "": Rule did
	Severity string     `cbor:"3,keyasint,omitempty"` // that the message has, where Rule names one
	Urgency  string     `cbor:"4,keyasint,omitempty"` // likewise
	Members  uint64     `cbor:"5,keyasint,omitempty"` // whom it addresses, where Rule counts them
	Share    uint32     `cbor:"6,keyasint,omitempty"` // percent of the district that they are
	Blocks   bool       `cbor:"7,keyasint,omitempty"` // Share is of the blocks, not of the members
	Recent   uint64     `cbor:"8,keyasint,omitempty"` // of Members, whom only what the author had sent just before addresses
}

// Approvals is how many persons besides the author must approve; 0 of nil.
func (d *Demand) Approvals() uint32 {
	if d == nil {
		return 0
	}
	return d.Rule.Approvals
}

var (
	prefLicence      = []byte("lic/")
	prefScenario     = []byte("scn/")
	keyPolicy        = []byte("pol")
	keyPolicyVersion = []byte("pov")
)

// The tables of scenarios and licences, and where the policy lies.
var (
	Scenarios = storage.Table[string, Scenario]{Prefix: prefScenario, Of: func(s Scenario) string { return s.ID }, Gone: func(s Scenario) bool { return s.Removed }}
	Licences  = storage.Table[string, Licence]{Prefix: prefLicence, Of: func(l Licence) string { return l.ID }}

	PolicyRecord = storage.Single[Policy]{Key: keyPolicy}
	// PolicyVersion is the raft index of the last change of the policy, a scenario or a licence; 0
	// before there was any.
	PolicyVersion = storage.Number{Key: keyPolicyVersion}
)
