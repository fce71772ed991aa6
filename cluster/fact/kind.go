package fact

import "fmt"

// Kind says what a fact records. Numbers are never given anew.
type Kind uint8

// The kinds of facts.
const (
	KindAlert      Kind = iota + 1 // Body is a factbody.Issue: alert, update, cancel
	KindReceipts                   // Body is a receipt.Block
	KindFanout                     // Body is a factbody.Fanout: "I fanned X out to n devices at t"
	KindRefusal                    // Body is a factbody.Refusal: a message that contradicts one taken before
	KindApproval                   // Body is a factbody.Approval: a person stands by an alert
	KindAlone                      // "I was without a majority from … to …"; the state machine does not read the body
	KindFollowUp                   // Body is a factbody.FollowUp: what a person did about an alert
	KindReport                     // Body is a factbody.Report: what a person reported by a device
	KindModeration                 // Body is a factbody.Moderation: what a person made of a report
	KindResidents                  // Body is a factbody.Residents: what residents without an account answered
)

// KindOriginals lists the alert facts whose message is kept apart (factbody.Original). It is
// no kind of fact, and none may get its number.
const KindOriginals Kind = 0xF0

// kinds says what each kind is called, and the command version whose software is the
// first to know it (command.Newest). Software before that records such a fact without
// effect.
var kinds = map[Kind]struct {
	name  string
	since uint64
}{
	KindAlert:      {"alert", 1},
	KindReceipts:   {"receipts", 1},
	KindFanout:     {"fan-out", 1},
	KindRefusal:    {"refusal", 1},
	KindApproval:   {"approval", 2},
	KindAlone:      {"alone", 2},
	KindFollowUp:   {"follow-up", 6},
	KindReport:     {"report", 8},
	KindModeration: {"moderation", 8},
	KindResidents:  {"residents", 11},
}

// Since is the first command version whose software knows the kind; 0 for a kind of
// newer software than this.
func (k Kind) Since() uint64 {
	if k == 0 { // no fact at all: every version says so
		return 1
	}
	return kinds[k].since
}

// String is what logs and the audit call the kind.
func (k Kind) String() string {
	if known, ok := kinds[k]; ok {
		return known.name
	}
	return fmt.Sprintf("kind %d", uint8(k))
}
