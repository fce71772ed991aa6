// Package factbody has the bodies of facts: an alert as it was taken in, an approval, that a node was
// alone, that devices were told, that a message was refused. It says how they are written and read,
// and what a board needs to know of them. It may import nothing of ours but storage, storage/rights and what messages are
// made of.
package factbody

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

// Issue is one CAP message as this district took it in: the body of an alert
// fact. Alert, Update and Cancel are all issues; what they do is decided by the
// message and board.Board.
type Issue struct {
	Message  []byte            `cbor:"1,keyasint"`           // CAP 1.2 XML, the original bytes
	Targets  []audience.Target `cbor:"2,keyasint,omitempty"` // one per info block, in order; empty for Cancel
	Author   string            `cbor:"3,keyasint"`           // user or token name, for the audit
	Reason   string            `cbor:"4,keyasint,omitempty"`
	Incident string            `cbor:"5,keyasint,omitempty"` // operator's incident id
	Accepted int64             `cbor:"6,keyasint"`           // origin's clock, ms since 1970
	Policy   uint64            `cbor:"7,keyasint"`           // version of the policy the origin knew: PolicyVersion

	// What follows is of version 2 of commands. Approvals, Scenario and Licence come from
	// agreed records, so that older software never sees them.
	Approvals uint32 `cbor:"8,keyasint,omitempty"`  // persons besides the author who must approve before it holds
	Scenario  string `cbor:"9,keyasint,omitempty"`  // scenario that it was made from
	Licence   string `cbor:"10,keyasint,omitempty"` // licence under which it was sent from a node that was alone
	Within    string `cbor:"11,keyasint,omitempty"` // place that the licence kept it to
	Alone     int64  `cbor:"12,keyasint,omitempty"` // ms since 1970 since when the origin had no quorum; 0: it had
	PolicyAge int64  `cbor:"13,keyasint,omitempty"` // ms since the origin's last quorum, with Alone

	// Blanks is what filled the scenario's, for whoever corrects one of them, and Demand why Approvals
	// are needed. Nothing is decided by them, so that software which does not know them may pass over them.
	Blanks map[string]string `cbor:"20,keyasint,omitempty"`
	Demand *rights.Demand    `cbor:"22,keyasint,omitempty"`

	// Original is of version 3 of commands. Nil where Message is the message as it came;
	// otherwise Message is what is needed to act on it, and the whole lies beside the fact.
	Original *Original `cbor:"21,keyasint,omitempty"`

	// What follows is of version 9 of commands. Nothing that is agreed follows from it: it is what the
	// nodes do by themselves while the message is in force.
	Escalation *Escalation `cbor:"23,keyasint,omitempty"` // further groups, and when they are called; nil: none
	Remind     uint32      `cbor:"24,keyasint,omitempty"` // minutes between reminders, from when devices show it; 0: none come by themselves
}

// Entry is what a board needs to know of the issue: a is its message, which has the
// digest, and fact the id of the fact that carries it.
func (i Issue) Entry(a *alert.Alert, digest, fact string) board.Entry {
	e := board.EntryOf(a, digest, time.UnixMilli(i.Accepted).UTC(), fact)
	e.Approvals, e.Author = int(i.Approvals), i.Author
	if i.Scenario != "" && i.Incident != "" {
		e.Root = alert.IncidentKey(i.Scenario, i.Incident, a.Status)
	}
	return e
}

// Fanout records that one node wrote an alert to its devices: an audit record.
type Fanout struct {
	Alert    string `cbor:"1,keyasint"`
	Revision uint64 `cbor:"2,keyasint"`
	Devices  uint32 `cbor:"3,keyasint"` // connected and addressed at that moment
	At       int64  `cbor:"4,keyasint"` // ms since 1970
}

// Refusal records that a message was refused because its CAP triplet is taken by
// another: an audit record. Nothing of the message is kept.
type Refusal struct {
	Key    string `cbor:"1,keyasint"` // sender,identifier,sent
	Alert  string `cbor:"2,keyasint"` // the alert of the message that stands
	Digest string `cbor:"3,keyasint"` // of the refused content, in hex
	Author string `cbor:"4,keyasint"` // user or token name
	At     int64  `cbor:"5,keyasint"` // ms since 1970
}

// Encode writes the issue as canonical CBOR.
func (i Issue) Encode() ([]byte, error) {
	if i.Original != nil {
		i.packShapes()
	}
	return storage.Canonical.Marshal(i)
}

// DecodeIssue reads what Encode wrote. It never panics on foreign bytes.
func DecodeIssue(b []byte) (Issue, error) {
	var i Issue
	if err := cbor.Unmarshal(b, &i); err != nil {
		return Issue{}, fmt.Errorf("decoding issue: %w", err)
	}
	if i.Escalation.beyond() || i.Remind > MaxRemindEvery {
		return Issue{}, fmt.Errorf("decoding issue: it is beyond what one may say of further groups and reminders")
	}
	if i.Original != nil {
		if err := i.unpackShapes(); err != nil {
			return Issue{}, fmt.Errorf("decoding issue: %w", err)
		}
	}
	return i, nil
}

// Encode writes the record as canonical CBOR.
func (f Fanout) Encode() ([]byte, error) { return storage.Canonical.Marshal(f) }

// Encode writes the record as canonical CBOR.
func (r Refusal) Encode() ([]byte, error) { return storage.Canonical.Marshal(r) }

// DecodeRefusal reads what Encode wrote.
func DecodeRefusal(b []byte) (r Refusal, err error) {
	if err = cbor.Unmarshal(b, &r); err != nil {
		return Refusal{}, fmt.Errorf("decoding refusal: %w", err)
	}
	return r, nil
}

// DecodeFanout reads what Encode wrote.
func DecodeFanout(b []byte) (f Fanout, err error) {
	if err = cbor.Unmarshal(b, &f); err != nil {
		return Fanout{}, fmt.Errorf("decoding fan-out record: %w", err)
	}
	return f, nil
}
