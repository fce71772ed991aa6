// Package audit keeps the chain of audit lines in the store, exports it, and verifies an export or
// the chain in a dump. It may import nothing of ours but storage.
package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"almenara/storage"
)

// Where the records lie; storage/keys.go has all keys.
var (
	prefAudit    = []byte("aud/")
	keyAuditHead = []byte("auh")
)

// Entry is one line of the audit chain: what one entry of the raft log did.
// Hash is SHA-256 over the hash of the line before and the canonical CBOR of the
// other fields, so that no line can be changed, added, moved or left out without
// every later hash changing.
type Entry struct {
	N       uint64 `cbor:"1,keyasint"` // from 1, without gaps
	Index   uint64 `cbor:"2,keyasint"` // raft index
	At      int64  `cbor:"3,keyasint"` // ms since 1970, from the command
	Actor   string `cbor:"4,keyasint"`
	Action  string `cbor:"5,keyasint"`
	Summary string `cbor:"6,keyasint"` // for people; nothing is decided by it
	Hash    []byte `cbor:"7,keyasint,omitempty"`

	// What follows is in lines of a log in which something of version 3 of commands stands.
	Outcome Outcome `cbor:"8,keyasint,omitempty"` // of the command
	Subject string  `cbor:"9,keyasint,omitempty"` // what it is about: the name of a user, the id of a licence; "": nothing by itself

	// Erased says that words of the line were replaced after it was written, so its Hash does not follow from
	// it any more. A later line has its Seal among its Erases.
	Erased bool     `cbor:"10,keyasint,omitempty"`
	Erases []Sealed `cbor:"11,keyasint,omitempty"`
}

// Outcome says what became of a command. Numbers are never given anew.
type Outcome uint8

// The outcomes.
const (
	Unsaid  Outcome = iota // by a line of before there were outcomes
	Done                   // it changed what is agreed
	Refused                // it changed nothing
)

// oldRefusal is how the summary of a line without an outcome begins, where the command was
// refused.
const oldRefusal = "refused: "

// Refused reports whether the command changed nothing, also of a line that says it in words
// only.
func (e Entry) Refused() bool {
	return e.Outcome == Refused || e.Outcome == Unsaid && strings.HasPrefix(e.Summary, oldRefusal)
}

// About is what the command is about. Lines without a subject begin with it.
func (e Entry) About() string {
	if e.Outcome != Unsaid {
		return e.Subject
	}
	first, _, _ := strings.Cut(e.Summary, " ")
	return strings.TrimSuffix(first, ",")
}

// Head is the end of the chain. Two copies of a chain with equal heads are
// equal; a head written down elsewhere proves that a later export was not rewritten.
type Head struct {
	N    uint64 `cbor:"1,keyasint"` // 0: the chain is empty
	Hash []byte `cbor:"2,keyasint"` // 32 bytes; zeros for the empty chain
}

// ErrNoLine is returned by Export when the chain does not reach as far as
// the line before the first one wanted.
var ErrNoLine = errors.New("there is no such audit line")

// maxAuditText bounds each text of a line in bytes.
const maxAuditText = 1024

// chain is the hash of e after the line with hash prev.
func (e Entry) chain(prev []byte) ([]byte, error) {
	e.Hash, e.Erased = nil, false
	raw, err := storage.Canonical.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encoding audit line %d: %w", e.N, err)
	}
	sum := sha256.Sum256(append(append([]byte{}, prev...), raw...))
	return sum[:], nil
}

// End reads the end of the chain.
func End(t *storage.Txn) (Head, error) {
	h, ok, err := storage.Load[Head](t, keyAuditHead)
	if !ok && err == nil {
		h.Hash = make([]byte, sha256.Size)
	}
	return h, err
}

// Append adds one line; N and Hash are filled in. Texts are made valid UTF-8
// and cut at 1 KiB, so that the export says exactly what was hashed.
func Append(t *storage.Txn, e Entry) (Entry, error) {
	head, err := End(t)
	if err != nil {
		return e, err
	}
	e.N = head.N + 1
	e.Actor, e.Action, e.Summary, e.Subject = auditText(e.Actor), auditText(e.Action), auditText(e.Summary), auditText(e.Subject)
	if e.Hash, err = e.chain(head.Hash); err != nil {
		return e, err
	}
	if err := storage.Save(t, storage.Key64(prefAudit, e.N), e); err != nil {
		return e, err
	}
	return e, storage.Save(t, keyAuditHead, Head{N: e.N, Hash: e.Hash})
}

func auditText(s string) string {
	if len(s) > maxAuditText {
		s = s[:maxAuditText]
	}
	return strings.ToValidUTF8(s, "")
}

// Each calls fn for the lines from number from to number to, both included (to 0:
// the last), until fn returns false.
func Each(t *storage.Txn, from, to uint64, fn func(Entry) (bool, error)) error {
	return t.Scan(prefAudit, storage.Key64(prefAudit, max(from, 1)), func(k, v []byte) (bool, error) {
		e, err := storage.Decode[Entry](k, v)
		if err != nil || (to > 0 && e.N > to) {
			return false, err
		}
		return fn(e)
	})
}

// EachBack calls fn for the lines before number before (0: from the last one on), the newest first,
// until fn returns false.
func EachBack(t *storage.Txn, before uint64, fn func(Entry) (bool, error)) error {
	var from []byte
	if before > 0 {
		from = storage.Key64(prefAudit, before)
	}
	return t.ScanBack(prefAudit, from, func(k, v []byte) (bool, error) {
		e, err := storage.Decode[Entry](k, v)
		if err != nil {
			return false, err
		}
		return fn(e)
	})
}

// The lines of an export. The first says where it starts and which hash comes
// before, the last is the head that the reader compares with another copy.
type (
	auditStart struct {
		From uint64 `json:"from"`
		Prev string `json:"prev"`
	}
	auditLine struct {
		N       uint64 `json:"n"`
		Index   uint64 `json:"index"`
		At      int64  `json:"at"`
		Actor   string `json:"actor"`
		Action  string `json:"action"`
		Summary string `json:"summary"`
		Hash    string `json:"hash"`

		Outcome Outcome `json:"outcome,omitempty"` // 1: done, 2: refused
		Subject string  `json:"subject,omitempty"`

		Erased bool         `json:"erased,omitempty"` // words of it were replaced later
		Erases []sealedLine `json:"erases,omitempty"` // lines of which this one says that
	}
	sealedLine struct {
		N    uint64 `json:"n"`
		Seal string `json:"seal"`
		Is   string `json:"is"`
	}
	auditEnd struct {
		Head uint64 `json:"head"`
		Hash string `json:"hash"`
	}
)

// Export writes the lines from number from (0: the first) to number to (0: the
// last) as JSON lines, oldest first: a start line, the lines, a head line. What it
// writes is consistent at one raft index.
func Export(s *storage.Store, w io.Writer, from, to uint64) error {
	err := s.View(func(t *storage.Txn) error { return exportAudit(t, w, max(from, 1), to) })
	if err != nil {
		return fmt.Errorf("exporting audit: %w", err)
	}
	return nil
}

func exportAudit(t *storage.Txn, w io.Writer, from, to uint64) error {
	prev, err := auditHash(t, from-1)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	if err := enc.Encode(auditStart{From: from, Prev: hex.EncodeToString(prev)}); err != nil {
		return err
	}
	end := auditEnd{Head: from - 1, Hash: hex.EncodeToString(prev)}
	err = Each(t, from, to, func(e Entry) (bool, error) {
		end = auditEnd{Head: e.N, Hash: hex.EncodeToString(e.Hash)}
		return true, enc.Encode(auditLine{N: e.N, Index: e.Index, At: e.At, Actor: e.Actor,
			Action: e.Action, Summary: e.Summary, Hash: end.Hash, Outcome: e.Outcome, Subject: e.Subject,
			Erased: e.Erased, Erases: written(e.Erases)})
	})
	if err != nil {
		return err
	}
	if err := enc.Encode(end); err != nil {
		return err
	}
	return out.Flush()
}

// auditHash is the hash of line n; zeros for 0.
func auditHash(t *storage.Txn, n uint64) ([]byte, error) {
	if n == 0 {
		return make([]byte, sha256.Size), nil
	}
	e, ok, err := storage.Load[Entry](t, storage.Key64(prefAudit, n))
	if err == nil && !ok {
		err = fmt.Errorf("%w: %d", ErrNoLine, n)
	}
	return e.Hash, err
}

// Report is what VerifyAudit found in an export.
type Report struct {
	From, To uint64 // first and last audit line; To is From-1 when there is none
	Head     string // hash of the last line, to compare with another copy
	Broken   int    // 0, or the number in the file (from 1) of the first broken line
	Problem  string // what is wrong with it
}

// OK reports an unbroken export.
func (r Report) OK() bool { return r.Broken == 0 }

// maxAuditLine bounds one line of an export: three texts, each escaped.
const maxAuditLine = 64 << 10

// Verify checks an export offline: that each line's hash follows from the line
// before, that numbers have no gap, and that the head line is there. A broken
// export is a report, not an error; errors come from r.
func Verify(r io.Reader) (Report, error) {
	v := auditVerifier{}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxAuditLine)
	for lines.Scan() {
		v.line++
		if problem := v.check(lines.Bytes()); problem != "" {
			v.report.Broken, v.report.Problem = v.line, problem
			return v.report, nil
		}
	}
	if err := lines.Err(); err == bufio.ErrTooLong {
		v.report.Broken, v.report.Problem = v.line+1, "the line is too long"
		return v.report, nil
	} else if err != nil {
		return v.report, fmt.Errorf("verifying audit: %w", err)
	}
	if !v.ended {
		v.report.Broken, v.report.Problem = v.line+1, "the head line is missing: the end was cut off"
	} else if n := v.seals.open(); n > 0 {
		v.report.Broken, v.report.Problem = v.line, fmt.Sprintf("line %d says that words of it were erased, and is not as a later line has left it; if it is a part of the chain, export it to its end", n)
	}
	return v.report, nil
}

type auditVerifier struct {
	report Report
	line   int
	prev   []byte
	seals  seals
	ended  bool
}

// check takes the next line and returns what is wrong with it, or "".
func (v *auditVerifier) check(raw []byte) string {
	switch {
	case v.ended:
		return "there is a line after the head line"
	case v.line == 1:
		return v.start(raw)
	}
	var end auditEnd
	if strict(raw, &end) == nil && end.Hash != "" {
		v.ended = true
		if end.Head != v.report.To || end.Hash != v.report.Head {
			return fmt.Sprintf("the head line says %d, the lines end at %d with another hash", end.Head, v.report.To)
		}
		return ""
	}
	return v.entry(raw)
}

func (v *auditVerifier) start(raw []byte) string {
	var start auditStart
	if strict(raw, &start) != nil || start.From == 0 {
		return "this is not the start line of an audit export"
	}
	prev, err := hex.DecodeString(start.Prev)
	if err != nil || len(prev) != sha256.Size {
		return "the start line has no hash"
	}
	if start.From == 1 && !bytes.Equal(prev, make([]byte, sha256.Size)) {
		return "the first line follows a hash that is not zero"
	}
	v.prev = prev
	v.report = Report{From: start.From, To: start.From - 1, Head: start.Prev}
	return ""
}

func (v *auditVerifier) entry(raw []byte) string {
	var l auditLine
	if err := strict(raw, &l); err != nil {
		return "this is not an audit line: " + err.Error()
	}
	if l.N != v.report.To+1 {
		return fmt.Sprintf("line %d follows line %d", l.N, v.report.To)
	}
	e := Entry{N: l.N, Index: l.Index, At: l.At, Actor: l.Actor, Action: l.Action, Summary: l.Summary, Outcome: l.Outcome, Subject: l.Subject, Erased: l.Erased}
	var err error
	if e.Erases, err = read(l.Erases); err == nil {
		e.Hash, err = hex.DecodeString(l.Hash)
	}
	if err != nil || len(e.Hash) != sha256.Size {
		return fmt.Sprintf("line %d has no hash", l.N)
	}
	if problem := v.seals.follow(e, v.prev, v.report.From); problem != "" {
		return problem
	}
	v.prev, v.report.To, v.report.Head = e.Hash, l.N, l.Hash
	return ""
}

// strict decodes one JSON object that has the fields of into and no others.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("more than one object on the line")
	}
	return nil
}
