package personal

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"almenara/cluster/fact"
	"almenara/storage/audit"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
	"almenara/storage/personal"
)

// stays is what is left of a fact.
type stays struct {
	body []byte // nothing where it is gone
	gone bool   // nobody is shown it any more
	note string // that the audit quotes, and that is gone
}

// without is what is left of a fact when an erased person is taken out of it; nil where it is not about the
// person. What the person's devices reported goes as a whole, as do notes at the person; where others name the
// person the pseudonym stands.
func (e Entry) without(x *personal.Erasure, f fact.Fact) (*stays, error) {
	switch f.Kind {
	case fact.KindReport:
		return e.withoutReport(x, f)
	case fact.KindModeration:
		m, bad := factbody.DecodeModeration(f.Body)
		if bad != nil {
			return nil, nil
		}
		of, err := personal.OfReport(e.Txn, m.Report)
		if err != nil {
			return nil, err
		}
		if of == x.Pseudonym {
			return &stays{gone: true, note: m.Note}, nil
		}
		if !take(x, &m.Note, factbody.MaxModerationNote) {
			return nil, nil
		}
		return left(m.Encode())
	case fact.KindFollowUp:
		u, bad := factbody.DecodeFollowUp(f.Body)
		if bad != nil || u.Note == "" {
			return nil, nil
		}
		if slices.Contains(u.Members, x.Ordinal) {
			return withoutNote(u)
		}
		if !take(x, &u.Note, factbody.MaxToldNote) {
			return nil, nil
		}
		return left(u.Encode())
	case fact.KindResidents:
		r, bad := factbody.DecodeResidents(f.Body)
		if bad != nil {
			return nil, nil
		}
		changed := false
		for i := range r.Answers {
			a := &r.Answers[i]
			where, text := take(x, &a.Where, factbody.MaxResidentWhere), take(x, &a.Text, factbody.MaxResidentText)
			changed = changed || where || text
		}
		if !changed {
			return nil, nil
		}
		return left(r.Encode())
	}
	return nil, nil
}

func (e Entry) withoutReport(x *personal.Erasure, f fact.Fact) (*stays, error) {
	r, bad := factbody.DecodeReport(f.Body)
	if bad != nil {
		return nil, nil
	}
	if r.Member == x.Ordinal {
		return &stays{gone: true}, personal.MarkReport(e.Txn, r.Report, x.Pseudonym)
	}
	text, place := take(x, &r.Text, factbody.MaxReportText), take(x, &r.Place, factbody.MaxReportPlace)
	if !text && !place {
		return nil, nil
	}
	return left(r.Encode())
}

// old is what is left of a fact that is kept no longer; nil where it is not of what is removed.
func old(what personal.What, f fact.Fact) (*stays, error) {
	switch what {
	case personal.OldPositions, personal.OldReports:
		r, bad := factbody.DecodeReport(f.Body)
		if bad != nil || (r.Kind == factbody.ReportPosition) != (what == personal.OldPositions) {
			return nil, nil
		}
		return &stays{gone: true}, nil
	case personal.OldModerations:
		m, bad := factbody.DecodeModeration(f.Body)
		if bad != nil {
			return nil, nil
		}
		return &stays{gone: true, note: m.Note}, nil
	case personal.OldNotes:
		u, bad := factbody.DecodeFollowUp(f.Body)
		if bad != nil || u.Note == "" {
			return nil, nil
		}
		return withoutNote(u)
	case personal.OldResidents:
		r, bad := factbody.DecodeResidents(f.Body)
		if bad != nil {
			return nil, nil
		}
		r, changed := r.Old()
		if !changed {
			return nil, nil
		}
		return left(r.Encode())
	}
	return nil, nil
}

func withoutNote(u factbody.FollowUp) (*stays, error) {
	note := u.Note
	u.Note = ""
	body, err := u.Encode()
	return &stays{body: body, note: note}, err
}

func left(body []byte, err error) (*stays, error) { return &stays{body: body}, err }

// opened reads an adopted fact; false where it has nothing to say any more.
func opened(k factlog.Kept) (fact.Fact, bool) {
	signed, err := fact.DecodeSigned(k.Signed)
	if err != nil {
		return fact.Fact{}, false
	}
	f, err := signed.Fact()
	return f, err == nil && len(f.Body) > 0
}

// rewrite puts what is left of a fact in its place, and takes its note out of the audit's lines, which it
// returns.
func (e Entry) rewrite(k factlog.Kept, kind fact.Kind, left *stays) ([]audit.Sealed, error) {
	signed, err := fact.DecodeSigned(k.Signed)
	if err != nil {
		return nil, err
	}
	if signed, err = fact.Erase(signed, left.body); err != nil {
		return nil, err
	}
	raw, err := signed.Encode()
	if err != nil {
		return nil, err
	}
	if err := factlog.Rewrite(e.Txn, k.Key, raw); err != nil {
		return nil, err
	}
	if left.gone {
		if err := factlog.Unlist(e.Txn, uint8(kind), k.Index, k.N); err != nil {
			return nil, err
		}
	}
	return e.eraseNote(k.Index, left.note)
}

// eraseNote takes a note out of the audit lines of the log's entry that brought it.
func (e Entry) eraseNote(index uint64, note string) (out []audit.Sealed, err error) {
	if note == "" {
		return nil, nil
	}
	first, ok, err := audit.FirstOf(e.Txn, index)
	if err != nil || !ok {
		return nil, err
	}
	var numbers []uint64
	err = audit.Each(e.Txn, first.N, 0, func(line audit.Entry) (bool, error) {
		if line.Index == index {
			numbers = append(numbers, line.N)
		}
		return line.Index == index, nil
	})
	for _, n := range numbers {
		if err != nil {
			return out, err
		}
		var sealed audit.Sealed
		var changed bool
		sealed, changed, err = audit.Rewrite(e.Txn, n, func(text string) (string, bool) { return unquote(text, note) })
		if changed {
			out = append(out, sealed)
		}
	}
	return out, err
}

// quotes is how a line of the audit begins to quote a note.
const quotes = "note \""

// unquote takes a quoted note out of a line, also one of which the end was cut off.
func unquote(text, note string) (string, bool) {
	quoted := fmt.Sprintf("note %q", note)
	if strings.Contains(text, quoted) {
		return strings.ReplaceAll(text, quoted, "note erased"), true
	}
	at := strings.LastIndex(text, quotes)
	if at < 0 || !strings.HasPrefix(quoted, text[at:]) {
		return text, false
	}
	return text[:at] + "note erased", true
}

// take puts the pseudonym in the place of the person's words, and reports whether there was one.
func take(x *personal.Erasure, text *string, most int) bool {
	out, found := personal.Replace(*text, x.Words, x.Pseudonym)
	if found {
		*text = cut(out, most)
	}
	return found
}

// cut is the beginning of a text, of at most so many bytes.
func cut(text string, most int) string {
	for most = min(most, len(text)); most > 0 && most < len(text) && !utf8.RuneStart(text[most]); most-- {
	}
	return text[:most]
}
