// Package notice has the records of planned notices: drafts that persons pass on, level by level, until
// they are locked and go out as alerts. What may be done with one is decided by node/notices. It may
// import nothing of ours but storage and storage/rights.
package notice

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/fxamacker/cbor/v2"

	"almenara/storage"
	"almenara/storage/rights"
)

// Bounds of the records.
const (
	MaxOpen     = 100                  // notices that are not over, in a district
	MaxActs     = 200                  // what is done about one notice
	MaxVersions = 40                   // of one notice
	MaxText     = 2000                 // bytes of a comment or a reason
	MaxBytes    = 120 << 10            // of a notice without its versions' texts
	MaxContent  = 64 << 10             // of what one version says
	keptFor     = 400 * 24 * 3_600_000 // ms after its end from which on a notice is deleted
	sweepStep   = 20                   // notices that one entry deletes at most
)

// State is what has become of a notice.
type State uint8

// The states. A notice that was sent or withdrawn is over.
const (
	Waiting   State = iota + 1 // for persons of its level
	SentBack                   // to its author, who makes a new version
	Locked                     // every level has passed it, and nobody changes it any more; it goes out at its time
	Sent                       // it is an alert
	Withdrawn                  // it will never be one
	Failed                     // it could not go out; its author makes a new version, or withdraws it
)

// Over reports whether nothing happens to it any more.
func (s State) Over() bool { return s == Sent || s == Withdrawn }

// Notice is one planned notice, without what its versions say.
type Notice struct {
	ID       string         `cbor:"1,keyasint"`
	Scenario string         `cbor:"2,keyasint,omitempty"` // that it was made from; "": none
	Author   string         `cbor:"3,keyasint"`           // user name
	Title    string         `cbor:"4,keyasint,omitempty"` // the headline of its newest version
	State    State          `cbor:"5,keyasint"`
	Versions uint32         `cbor:"6,keyasint"`           // how many there are; the newest one counts
	Level    uint32         `cbor:"7,keyasint"`           // index of the level where the newest version waits; with Locked how many there are
	Since    int64          `cbor:"8,keyasint"`           // ms since 1970, when it came to its level or state
	At       int64          `cbor:"9,keyasint,omitempty"` // ms since 1970, when it is to go out; 0: after the last level
	Levels   []rights.Level `cbor:"10,keyasint"`          // that the newest version goes through
	Words    []rights.Word  `cbor:"11,keyasint,omitempty"`
	Acts     []Act          `cbor:"12,keyasint"`           // in the order in which they happened
	Digest   []byte         `cbor:"13,keyasint,omitempty"` // SHA-256 of what the locked version says; of Locked, Sent and Failed
	Alert    string         `cbor:"14,keyasint,omitempty"` // id of the alert that it is; of Sent, and of Locked while it goes out
	Index    uint64         `cbor:"15,keyasint"`           // raft index of its last change; set by the state machine
}

// Deed is what somebody did about a notice.
type Deed uint8

// The deeds.
const (
	Wrote    Deed = iota + 1 // a version; Text is why
	Comment                  // Text is about the text in Language, or about all
	Pass                     // Ticked are the lines and words that were ticked
	SendBack                 // Text is why
	Withdraw                 // Text is why
	GoOut                    // the node sent it; By is its author
	Fail                     // the node could not send it; Text is why
)

// Act is something that was done about a notice.
type Act struct {
	Do       Deed     `cbor:"1,keyasint"`
	By       string   `cbor:"2,keyasint"`
	At       int64    `cbor:"3,keyasint"`           // ms since 1970
	Version  uint32   `cbor:"4,keyasint"`           // that it was about, from 1
	Level    uint32   `cbor:"5,keyasint,omitempty"` // index of the level at which the notice was
	Language string   `cbor:"6,keyasint,omitempty"`
	Text     string   `cbor:"7,keyasint,omitempty"`
	Ticked   []string `cbor:"8,keyasint,omitempty"` // lines of the level's checklist
	Words    []string `cbor:"9,keyasint,omitempty"` // words of the text that may stand there
}

// Version is what one version of a notice says.
type Version struct {
	Notice    string            `cbor:"1,keyasint"`
	N         uint32            `cbor:"2,keyasint"`           // from 1
	Alert     []byte            `cbor:"3,keyasint"`           // the API's JSON form of an alert, without sent and identifier
	Select    string            `cbor:"4,keyasint,omitempty"` // selection that narrows its areas
	Reason    string            `cbor:"5,keyasint,omitempty"` // that goes on record with the alert
	Lifetime  int64             `cbor:"6,keyasint,omitempty"` // ms that it holds from when it goes out; 0: until what Alert says
	Within    string            `cbor:"7,keyasint,omitempty"` // what its scenario selects
	Approvals uint32            `cbor:"8,keyasint,omitempty"` // that its scenario asks for
	Blanks    map[string]string `cbor:"9,keyasint,omitempty"` // that fill its scenario

	// What the nodes do by themselves after it was sent, as its scenario says.
	Remind  uint32   `cbor:"10,keyasint,omitempty"`
	Answers uint32   `cbor:"11,keyasint,omitempty"`
	Minutes uint32   `cbor:"12,keyasint,omitempty"`
	Groups  []string `cbor:"13,keyasint,omitempty"`
}

var encoding, _ = cbor.CoreDetEncOptions().EncMode()

// Digest is the SHA-256 of all that the version says, with when it is to go out, in ms since 1970: what
// is locked.
func (v Version) Digest(at int64) []byte {
	raw, _ := encoding.Marshal(struct { // texts and numbers always encode
		Version Version `cbor:"1,keyasint"`
		At      int64   `cbor:"2,keyasint"`
	}{v, at})
	sum := sha256.Sum256(raw)
	return sum[:]
}

var (
	prefNotice  = []byte("ntc/")
	prefVersion = []byte("ntv/")
	prefEnd     = []byte("nte/")
)

// End says when a notice was over. They lie in the order of that time, so that what is over for longest is
// found without a look at the others.
type End struct {
	At     int64  `cbor:"1,keyasint"` // ms since 1970
	Notice string `cbor:"2,keyasint"`
}

// The tables.
var (
	Notices  = storage.Table[string, Notice]{Prefix: prefNotice, Of: func(n Notice) string { return n.ID }, Gone: func(n Notice) bool { return n.State.Over() }}
	Versions = storage.Table[string, Version]{Prefix: prefVersion, Of: func(v Version) string { return VersionKey(v.Notice, v.N) }}
	Ends     = storage.Table[string, End]{Prefix: prefEnd, Of: func(e End) string {
		return string(binary.BigEndian.AppendUint64(nil, uint64(max(0, e.At)))) + e.Notice
	}}
	// OpenIDs are the ids of the notices that are not over, in the order in which they were begun.
	OpenIDs = storage.Single[[]string]{Key: []byte("nto")}
)

// Open reads the notices that are not over.
func Open(t *storage.Txn) ([]Notice, error) {
	ids, err := OpenIDs.Value(t)
	if err != nil {
		return nil, err
	}
	return these(t, ids)
}

// LastOver reads up to limit notices that are over, the last ones, newest first.
func LastOver(t *storage.Txn, limit int) ([]Notice, error) {
	ends, err := Ends.All(t) // some dozen bytes each
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range slices.Backward(ends[max(0, len(ends)-limit):]) {
		ids = append(ids, e.Notice)
	}
	return these(t, ids)
}

func these(t *storage.Txn, ids []string) ([]Notice, error) {
	out := make([]Notice, 0, len(ids))
	for _, id := range ids {
		n, ok, err := Notices.Get(t, id)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, n)
		}
	}
	return out, nil
}

// Save writes a notice, and keeps up which ones are open and when the others were over.
func Save(t *storage.Txn, n Notice, open []string) error {
	if err := Notices.Put(t, n); err != nil {
		return err
	}
	was := slices.Contains(open, n.ID)
	switch {
	case n.State.Over():
		if err := Ends.Put(t, End{n.Since, n.ID}); err != nil {
			return err
		}
		if was {
			return OpenIDs.Put(t, slices.DeleteFunc(slices.Clone(open), func(id string) bool { return id == n.ID }))
		}
	case !was:
		return OpenIDs.Put(t, append(slices.Clone(open), n.ID))
	}
	return nil
}

// VersionKey is the key of a version: ids have no slash.
func VersionKey(notice string, n uint32) string {
	return notice + "/" + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// Kept is how long before now, ms since 1970, notices were over that a district keeps where nothing else was ever
// agreed on.
func Kept(now int64) (before int64) { return now - keptFor }

// Sweep deletes notices that were over before a time, ms since 1970, the oldest first, and says how many; more says
// that there are others. One of them that came back would still be over.
func Sweep(t *storage.Txn, before int64) (n uint64, more bool, err error) {
	oldest, err := Ends.After(t, "", sweepStep)
	if err != nil {
		return 0, false, err
	}
	for _, e := range oldest {
		if e.At >= before {
			return n, false, nil
		}
		if err := remove(t, e); err != nil {
			return n, false, err
		}
		n++
	}
	return n, len(oldest) == sweepStep, nil
}

// remove deletes one notice with all its versions.
func remove(t *storage.Txn, e End) error {
	n, _, err := Notices.Get(t, e.Notice)
	if err != nil {
		return err
	}
	for v := range n.Versions {
		if err := Versions.Delete(t, VersionKey(e.Notice, v+1)); err != nil {
			return err
		}
	}
	if err := Notices.Delete(t, e.Notice); err != nil {
		return err
	}
	return Ends.Delete(t, Ends.Of(e))
}

// Size is how many bytes its title and what was done about it have, which MaxBytes bounds.
func (n *Notice) Size() int {
	size := len(n.Title)
	for _, a := range n.Acts {
		size += len(a.Text) + len(a.By) + len(a.Language)
		for _, lines := range [][]string{a.Ticked, a.Words} {
			for _, line := range lines {
				size += len(line)
			}
		}
	}
	return size
}

// Newest is what was done about the newest version, in order.
func (n *Notice) Newest() []Act {
	return slices.DeleteFunc(slices.Clone(n.Acts), func(a Act) bool { return a.Version != n.Versions })
}

// Passed are those who have passed the newest version on at a level, by index, in order.
func (n *Notice) Passed(level uint32) (by []Act) {
	for _, a := range n.Newest() {
		if a.Do == Pass && a.Level == level {
			by = append(by, a)
		}
	}
	return by
}
