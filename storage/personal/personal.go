// Package personal keeps in the store whose personal data were erased, and how long what is known of
// people is kept. It may import nothing of ours but storage.
package personal

import (
	"fmt"
	"strings"

	"almenara/storage"
)

// Where the records lie; storage/keys.go has all keys.
var (
	prefErasure = []byte("ers/")
	prefReport  = []byte("erp/")
)

// PseudonymPrefix begins every pseudonym. What follows is random: nothing leads back from it.
const PseudonymPrefix = "erased-"

// Limits of the records.
const (
	MaxWord    = 300  // bytes of the sentence on whose word a person is erased
	MaxWords   = 512  // texts that are looked for in what was recorded of a person
	LeastWord  = 4    // bytes; a shorter text is not looked for, because it would be found everywhere
	MostMonths = 1200 // of a Retention
	MostDays   = 36500
)

// Erasure is a member whose personal data were erased, under the name that stands in its place from then
// on. The member itself is not in it, but while what was recorded is still being searched.
type Erasure struct {
	Pseudonym string `cbor:"1,keyasint"`
	Ordinal   uint32 `cbor:"2,keyasint"` // of the member, which stays in counts
	Kind      string `cbor:"3,keyasint"` // of the member
	At        int64  `cbor:"4,keyasint"` // ms since 1970, from the command
	By        string `cbor:"5,keyasint"` // user name
	Word      string `cbor:"6,keyasint"` // on whose word, for people
	Devices   uint32 `cbor:"7,keyasint,omitempty"`

	// Words are what is looked for: ids, name, addresses. There are none once all was searched.
	Words  []string `cbor:"8,keyasint,omitempty"`
	Step   uint32   `cbor:"9,keyasint"`            // the step that comes next
	Phase  Phase    `cbor:"10,keyasint"`           // where the search is
	Index  uint64   `cbor:"11,keyasint,omitempty"` // place in the log after which the search of this phase goes on
	N      uint16   `cbor:"12,keyasint,omitempty"`
	Line   uint64   `cbor:"13,keyasint,omitempty"` // audit line after which the search goes on
	Facts  uint32   `cbor:"14,keyasint,omitempty"` // records that have lost what they said
	Lines  uint32   `cbor:"15,keyasint,omitempty"` // audit lines in which the pseudonym stands now
	DoneAt uint64   `cbor:"16,keyasint,omitempty"` // raft index of the entry that found the last of it; 0: not done
	Notice string   `cbor:"17,keyasint,omitempty"` // planned notice after which the search goes on
	Alert  string   `cbor:"18,keyasint,omitempty"` // alert of the answers after which the search goes on, with Index and N
	// Answered says that answers were searched, too: software before version 16 of commands did not.
	Answered bool  `cbor:"19,keyasint,omitempty"`
	Late     int64 `cbor:"20,keyasint,omitempty"` // ms since 1970, when something of the person came last, and lost its words
}

// Phase says what of the record is searched. Numbers are never given anew.
type Phase uint8

// The phases, in order.
const (
	Reports     Phase = iota + 1 // what the person's devices reported
	Moderations                  // what others made of that
	FollowUps                    // notes of who told the person of an alert
	Residents                    // what residents wrote
	Notices                      // comments on planned notices
	AuditLines
	Finished
	Answers // to alerts, in the person's own words: after AuditLines, before Finished
)

// Done reports whether all was searched.
func (e Erasure) Done() bool { return e.Phase == Finished }

// The tables.
var (
	Erasures = storage.Table[string, Erasure]{Prefix: prefErasure, Of: func(e Erasure) string { return e.Pseudonym }}
	// Removals are by their What.
	Removals      = storage.Table[[]byte, Removal]{Prefix: []byte("rmv/"), Of: func(r Removal) []byte { return []byte{byte(r.What)} }}
	RetentionRule = storage.Single[Retention]{Key: []byte("ret")}
)

// MarkReport remembers that a report of an erased person has lost what it said, for what others made of it.
func MarkReport(t *storage.Txn, report, pseudonym string) error {
	return t.Set(storage.Key(prefReport, report), []byte(pseudonym))
}

// OfReport is the pseudonym of the person whose report it was; "" where nobody was erased.
func OfReport(t *storage.Txn, report string) (string, error) {
	raw, err := t.Get(storage.Key(prefReport, report))
	return string(raw), err
}

// CheckPseudonym says what is wrong with a new pseudonym.
func CheckPseudonym(p string) error {
	rest, ok := strings.CutPrefix(p, PseudonymPrefix)
	if !ok || len(rest) < 16 || len(rest) > 40 || strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		return fmt.Errorf("pseudonym %q", p)
	}
	return nil
}
