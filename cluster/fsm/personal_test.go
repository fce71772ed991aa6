package fsm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/audit"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
	"almenara/storage/member"
	"almenara/storage/notice"
	"almenara/storage/personal"
	"almenara/storage/receipt"
	"almenara/storage/rights"
)

const pseudonym = "erased-abcdefghijklmnop"

// town is a replica with persons, their devices, an alert that they answered, and what was recorded of them.
type town struct {
	*rig
	s  *script
	o  *origin
	id alert.ID

	revision uint64
}

func newTown(t *testing.T) *town {
	w := &town{rig: newRig(t), s: newScript(t), o: newOrigin("n1")}
	require.NoError(t, w.one(w.s.as("r1", &command.PutUser{User: storage.User{Name: "amy", Roles: []string{"administrator"}, TokenHash: hash32("t")}})).Error())
	chan1 := audience.Member{ID: "chan-tai-man", Name: "Chan Tai Man 陳大文", Kind: "person", Place: "tm/on-ting/block-1", Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: "phone-of-chan"}, {Channel: "sms", Address: "+85291234567"}}}
	lee := audience.Member{ID: "chan-tai-man-2", Name: "Lee Siu Ming", Kind: "person", Place: "tm/on-ting/block-1"}
	require.NoError(t, w.one(w.s.as("r2", &command.PutMembers{Members: [][]byte{audience.EncodeMember(&chan1), audience.EncodeMember(&lee)}})).Error())
	devices := []storage.Device{{ID: "phone-of-chan", Kind: "phone", Member: "chan-tai-man", SecretHash: hash32("a")}, {ID: "phone-of-lee", Kind: "phone", Member: "chan-tai-man-2", SecretHash: hash32("b")}}
	require.NoError(t, w.one(w.s.as("r3", &command.PutDevices{Devices: devices, New: []string{"phone-of-chan", "phone-of-lee"}})).Error())
	require.Error(t, w.one(w.s.as("r4", &command.PutDevices{Devices: devices, New: []string{"phone-of-chan"}})).Error(), "whose answer names the device")
	w.alert()
	w.report("phone-of-chan", 0, "r-1", "I am in 12B with Mrs Wong, my knee is broken")
	w.report("phone-of-lee", 1, "r-2", "the stairs are dark")
	w.moderate("phone-of-chan", "r-1", "called Chan back: ward 7")
	w.moderate("phone-of-lee", "r-2", "janitor told")
	w.told("door opened by his aunt Fong", 0, 1)
	w.told("lift hall", 1)
	w.report("phone-of-lee", 1, "r-3", "chan tai man fell on the stairs")
	w.moderate("phone-of-lee", "r-3", "told CHAN TAI MAN to wait")
	w.told("his neighbour 陳大文 opened", 1)
	w.residents()
	w.notice()
	return w
}

// residents are answers of people without an account, one of whom names the person.
func (w *town) residents() {
	w.Helper()
	one := func(what factbody.ResidentWhat, phone, where, text string) factbody.ResidentAnswer {
		a := factbody.ResidentAnswer{ID: factbody.ResidentID(string(w.id), []byte(phone), what, text), Alert: string(w.id), Block: "tm/on-ting/block-1", What: what, Phone: []byte(phone), Taken: 5, Where: where, Text: text}
		if what == factbody.ResidentPhoto {
			a.Photo = &factbody.Photo{SHA256: hash32("of a resident"), Size: 5, Width: 1, Height: 1}
		}
		return a
	}
	body, err := factbody.Residents{Answers: []factbody.ResidentAnswer{
		one(factbody.ResidentSeen, "11111111", "", ""), one(factbody.ResidentHelp, "22222222", "12B, Chan Tai Man", "陳大文 needs water, +85291234567"), one(factbody.ResidentPhoto, "33333333", "roof", ""),
	}}.Encode()
	require.NoError(w, err)
	w.adopt(w.o.sign(w.T, fact.KindResidents, fact.Receipts, body))
}

// notice is a planned notice of which somebody said something about the person.
func (w *town) notice() {
	w.Helper()
	acts := []notice.Act{{Do: notice.Wrote, By: "amy", Version: 1}, {Do: notice.Comment, By: "ben", Version: 1, Text: "ask Chan Tai Man of 12B first"}, {Do: notice.Comment, By: "ben", Version: 1, Text: "the pump room is open"}}
	n := notice.Notice{ID: "n-1", Author: "amy", State: notice.Waiting, Versions: 1, Levels: []rights.Level{{Role: "approver", Count: 1}}, Acts: acts}
	require.NoError(w, w.one(w.s.add(&command.PutNotice{Notice: n, Version: &notice.Version{Notice: "n-1", N: 1, Alert: []byte("{}")}})).Error())
}

func (w *town) alert() {
	a := w.o.alert(w.T, "1", func(i *factbody.Issue) {
		i.Targets = []audience.Target{{Select: "kind = person"}}
	})
	require.NoError(w, w.one(w.s.add(&command.AdoptFacts{Facts: []fact.Signed{a}})).Error())
	adopted := w.adopted[len(w.adopted)-1]
	w.id, w.revision = alert.ID(adopted.Alert), adopted.Revision
	var b receipt.Block
	for m, answer := range []string{"safe", "help"} {
		b.Receipts = append(b.Receipts, receipt.Receipt{Alert: w.id, Revision: alert.Revision(adopted.Revision), Member: uint32(m), Rung: receipt.Acknowledged, Answer: answer, At: epoch})
	}
	body, err := b.Encode()
	require.NoError(w, err)
	w.adopt(w.o.sign(w.T, fact.KindReceipts, fact.Receipts, body))
}

func (w *town) adopt(facts ...fact.Signed) {
	w.Helper()
	require.NoError(w, w.one(w.s.add(&command.AdoptFacts{Facts: facts})).Error())
}

func (w *town) report(device string, ordinal uint32, id, text string) {
	w.Helper()
	w.adopt(w.reportFact(device, ordinal, id, text))
}

func (w *town) reportFact(device string, ordinal uint32, id, text string) fact.Signed {
	r := factbody.Report{Report: factbody.ReportID(device, id), Device: device, Member: ordinal, Kind: factbody.ReportNeedHelp, At: 1, Taken: 2, Text: text,
		Place: "the flat of " + device, Point: &factbody.Point{Lat: 223_912_345 + int32(ordinal), Lon: 1_139_765_432}, Photo: &factbody.Photo{SHA256: hash32(id), Size: 5, Width: 1, Height: 1}}
	body, err := r.Encode()
	require.NoError(w, err)
	return w.o.sign(w.T, fact.KindReport, fact.Receipts, body)
}

func (w *town) moderate(device, id, note string) {
	w.Helper()
	body, err := factbody.Moderation{Report: factbody.ReportID(device, id), State: factbody.ReportSeen, By: "amy", At: 3, Note: note}.Encode()
	require.NoError(w, err)
	w.adopt(w.o.sign(w.T, fact.KindModeration, fact.Alerts, body))
}

func (w *town) told(note string, members ...uint32) {
	w.Helper()
	body, err := factbody.FollowUp{Alert: string(w.id), Revision: 1, What: factbody.Told, Members: members, By: "amy", At: 4, Note: note}.Encode()
	require.NoError(w, err)
	w.adopt(w.o.sign(w.T, fact.KindFollowUp, fact.Alerts, body))
}

// erase erases the person, with all that was recorded.
func (w *town) erase(id, pseudonym string) {
	w.Helper()
	w.begin(id, pseudonym)
	w.search(pseudonym, 0, true)
}

func (w *town) begin(id, pseudonym string) {
	w.Helper()
	require.NoError(w, w.one(w.s.as("erase-"+pseudonym, &command.ErasePerson{Member: id, Pseudonym: pseudonym, Word: "his own letter, " + id + ", 3 May"})).Error())
}

// search takes the steps of a search from one on, and says which would be next.
func (w *town) search(pseudonym string, step uint32, answers bool) uint32 {
	w.Helper()
	for begun := step; ; step++ {
		require.Less(w, step, begun+1000)
		r := w.one(w.s.add(&command.EraseTraces{Pseudonym: pseudonym, Step: step, Answers: answers}))
		require.NoError(w, r.Error())
		out, err := command.DecodeData[command.SearchResult](r)
		require.NoError(w, err)
		if out.Done {
			return out.Step
		}
	}
}

// secrets are the bytes of the person that nothing may hold.
var secrets = []string{"Chan Tai Man", "陳大文", "phone-of-chan", "91234567", "chan tai man", "CHAN TAI MAN", "my knee", "Wong", "called Chan", "ward 7", "aunt Fong", "\x1a\x0d\x58\xa1\x99", string(hash32("r-1"))}

// others are those of somebody else, which must stay.
var others = []string{"Lee Siu Ming", "phone-of-lee", "chan-tai-man-2", "the stairs are dark", "janitor told", "lift hall",
	"fell on the stairs", "to wait", "his neighbour", "needs water", "12B, ", "the pump room is open", " of 12B first"}

func (w *town) dump() []byte {
	var b bytes.Buffer
	_, err := w.store.Backup(&b)
	require.NoError(w, err)
	raw := b.Bytes()
	_, err = audit.VerifyDump(bytes.NewReader(raw), int64(len(raw)))
	require.NoError(w, err)
	return raw
}

// counted is all that is counted of the alert: whom it addressed, what their receipts say, who answered what.
func (w *town) counted() string {
	w.Helper()
	tally, err := w.fsm.Derived().Tallies.Of(w.id)
	require.NoError(w, err)
	var target factlog.Target
	require.NoError(w, w.store.View(func(t *storage.Txn) (err error) {
		var ok bool
		target, ok, err = factlog.TargetOf(t, string(w.id), w.revision)
		require.True(w, ok)
		return err
	}))
	require.EqualValues(w, 2, target.Count)
	require.Len(w, tally.Answers(w.id), 2)
	raw, err := tally.MarshalBinary()
	require.NoError(w, err)
	return fmt.Sprintf("%v %x", target, raw)
}

func (w *town) holdsNothing() {
	w.Helper()
	var export bytes.Buffer
	require.NoError(w, audit.Export(w.store, &export, 0, 0))
	verified, err := audit.Verify(bytes.NewReader(export.Bytes()))
	require.NoError(w, err)
	require.True(w, verified.OK(), verified.Problem)
	// A dump is written in frames that are not compressed; the keys and values are in it as they are.
	var records bytes.Buffer
	require.NoError(w, w.store.View(func(t *storage.Txn) error {
		return t.Scan(nil, nil, func(k, v []byte) (bool, error) {
			records.Write(k)
			records.Write(v)
			records.WriteByte('\n')
			return true, nil
		})
	}))
	for _, word := range secrets {
		require.NotContains(w, export.String(), word)
		require.False(w, bytes.Contains(records.Bytes(), []byte(word)), "%q is in the store", word)
	}
	for _, word := range others {
		require.True(w, bytes.Contains(records.Bytes(), []byte(word)), "%q is gone", word)
	}
	require.NotRegexp(w, `chan-tai-man[^-]`, records.String())
}

func TestErase_LeavesNothingOfThePersonAndAllOfTheOthers(t *testing.T) {
	w := newTown(t)
	var before bytes.Buffer
	require.NoError(t, w.store.View(func(tx *storage.Txn) error {
		return tx.Scan(nil, nil, func(k, v []byte) (bool, error) { before.Write(k); before.Write(v); return true, nil })
	}))
	for _, word := range secrets {
		require.True(t, bytes.Contains(before.Bytes(), []byte(word)), "the test holds %q", word)
	}
	counted := w.counted()
	w.erase("chan-tai-man", pseudonym)
	w.holdsNothing()
	require.Equal(t, counted, w.counted(), "counts stay")

	hash := w.hash()
	w.reopen()
	require.Equal(t, hash, w.hash())
	require.Equal(t, counted, w.counted())
	_, known := w.fsm.Derived().Index.Ordinal("chan-tai-man")
	require.False(t, known)

	other := newRig(t)
	raw := w.dump()
	require.NoError(t, other.fsm.restoreBytes(bytes.NewReader(raw)))
	require.Equal(t, hash, other.hash(), "a node that is given a copy has the same")
	for _, word := range secrets {
		require.False(t, bytes.Contains(raw, []byte(word)), "%q is in a dump", word)
	}
}

func TestErase_WhatComesLateLosesItsWordsOnItsWay(t *testing.T) {
	w := newTown(t)
	w.erase("chan-tai-man", pseudonym)
	w.report("phone-of-chan", 0, "r-9", "my knee again, Wong")
	w.moderate("phone-of-chan", "r-9", "called Chan again, ward 7")
	w.moderate("phone-of-chan", "r-1", "ward 7 as before")
	w.told("aunt Fong once more", 0)
	w.holdsNothing()
	kept, err := w.read.KeptFacts(fact.KindReport, 0, 0, 0)
	require.NoError(t, err)
	require.Len(t, kept, 2, "the other person's")
}

func TestErase_AFactKeepsItsPlaceAndIsRecordedOnceMore(t *testing.T) {
	w := newTown(t)
	w.erase("chan-tai-man", pseudonym)
	signed, err := w.read.FactsAfter("n1", fact.Receipts, 7, 0, 100, 1<<20)
	require.NoError(t, err)
	require.Len(t, signed, 5)
	require.False(t, signed[0].Erased(), "receipts stay as they are")
	require.True(t, signed[1].Erased())
	id := signed[1].ID()
	known, err := w.read.HasFact(id)
	require.NoError(t, err)
	require.True(t, known)

	// Nobody has signed that, so it fills no place in a log that lacks the fact, of whatever kind it says that it is.
	other := newRig(t)
	s := newScript(t)
	malformed := func(f fact.Signed) {
		t.Helper()
		out, err := command.DecodeData[command.AdoptResult](other.one(s.add(&command.AdoptFacts{Facts: []fact.Signed{f}})))
		require.NoError(t, err)
		require.Equal(t, command.Malformed, out.Facts[0].Outcome)
	}
	first := newOrigin("n2").alert(t, "9")
	of, err := first.Fact()
	require.NoError(t, err)
	of.Kind = fact.KindModeration // an alert that a lying node would keep out by it
	lie, err := fact.Sign(of, "n3-key", newOrigin("n3").key)
	require.NoError(t, err)
	lie, err = fact.Erase(lie, nil)
	require.NoError(t, err)
	malformed(lie)
	require.EqualValues(t, command.PersonalSince, command.VersionOf(&command.AdoptFacts{Facts: []fact.Signed{lie}}), "older software would take it in")
	require.NoError(t, other.one(s.add(&command.AdoptFacts{Facts: []fact.Signed{first}})).Error())
	require.Equal(t, command.Adopted, other.adopted[len(other.adopted)-1].Outcome, "the alert has its place")

	// What is left of it, signed anew by who made it, is what is known here, and adopted where it is not.
	f, err := signed[1].Fact()
	require.NoError(t, err)
	anew, err := fact.Sign(f, "n1-key", w.o.key)
	require.NoError(t, err)
	out, err := command.DecodeData[command.AdoptResult](w.one(w.s.add(&command.AdoptFacts{Facts: []fact.Signed{anew}})))
	require.NoError(t, err)
	require.Equal(t, command.Known, out.Facts[0].Outcome)
}

func TestErase_IsRefusedWhereItCannotBeCarriedOut(t *testing.T) {
	w := newTown(t)
	erase := func(id, p string) command.Result {
		return w.one(w.s.add(&command.ErasePerson{Member: id, Pseudonym: p, Word: "x"}))
	}
	require.ErrorIs(t, erase("nobody", pseudonym).Error(), command.ErrNotFound)
	m := audience.Member{ID: "m9", Kind: "person", Place: "tm"}
	require.NoError(t, w.one(w.s.add(&command.StageMembers{Import: "i", Members: [][]byte{audience.EncodeMember(&m)}})).Error())
	require.ErrorIs(t, erase("chan-tai-man", pseudonym).Error(), command.ErrConflict, "the file may bring the person back")
	require.NoError(t, w.one(w.s.add(&command.DropImport{Import: "i"})).Error())
	require.NoError(t, erase("chan-tai-man", pseudonym).Error())
	require.ErrorIs(t, erase("chan-tai-man-2", pseudonym).Error(), command.ErrConflict)
	require.ErrorIs(t, erase(pseudonym, "erased-qqqqqqqqqqqqqqqq").Error(), command.ErrConflict)
	require.ErrorIs(t, erase("chan-tai-man", "erased-qqqqqqqqqqqqqqqq").Error(), command.ErrNotFound)
	require.ErrorIs(t, w.one(w.s.add(&command.EraseTraces{Pseudonym: pseudonym, Step: 5})).Error(), command.ErrGap)
	for range 2 { // a step whose answer was lost is asked for again
		out, err := command.DecodeData[command.SearchResult](w.one(w.s.add(&command.EraseTraces{Pseudonym: pseudonym})))
		require.NoError(t, err)
		require.Equal(t, command.SearchResult{Step: 1}, out)
	}
}

// A person who is imported again is another member: nothing that was recorded before is theirs.
func TestErase_WhoComesBackIsSomebodyElse(t *testing.T) {
	w := newTown(t)
	w.erase("chan-tai-man", pseudonym)
	m := audience.Member{ID: "chan-tai-man", Name: "Chan", Kind: "person", Place: "tm"}
	require.NoError(t, w.one(w.s.add(&command.PutMembers{Members: [][]byte{audience.EncodeMember(&m)}})).Error())
	require.NoError(t, w.store.View(func(tx *storage.Txn) error {
		rec, _, err := member.Get(tx, "chan-tai-man")
		require.EqualValues(t, 2, rec.Ordinal)
		return err
	}))
	w.reopen()
}

// However many records there are of however many persons, in whatever order they are erased, replicas stay
// equal, the audit verifies, and nothing is left.
func TestErase_Property(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := newTown(t)
		for n := range 110 + rng.IntN(60) {
			if rng.IntN(2) == 0 {
				w.report("phone-of-chan", 0, fmt.Sprint("n-", n), "my knee, says Wong")
				w.moderate("phone-of-chan", fmt.Sprint("n-", n), "ward 7")
			} else {
				w.report("phone-of-lee", 1, fmt.Sprint("n-", n), "dark")
			}
		}
		counted := w.counted()
		w.erase("chan-tai-man", pseudonym)
		w.holdsNothing()
		require.Equal(t, counted, w.counted())
		again := newRig(t)
		for at := 0; at < len(w.s.logs); { // in batches of other sizes, with restarts
			n := min(1+rng.IntN(80), len(w.s.logs)-at)
			again.all(w.s.logs[at : at+n])
			if at += n; rng.IntN(4) == 0 {
				again.reopen()
			}
		}
		require.Equal(t, w.hash(), again.hash(), "seed %d", seed)
	}
}

func (w *town) removeOld(what personal.What, before int64) command.Result {
	w.Helper()
	return w.one(w.s.add(&command.RemoveOld{What: what, Before: before}))
}

func (w *town) removed(what personal.What, before int64) uint64 {
	w.Helper()
	r := w.removeOld(what, before)
	require.NoError(w, r.Error())
	out, err := command.DecodeData[command.SearchResult](r)
	require.NoError(w, err)
	require.True(w, out.Done)
	return out.Count
}

const month = 31 * 24 * time.Hour

func TestRetention_RemovesWhatIsOldOnceAndNothingElse(t *testing.T) {
	w := newTown(t)
	whats := []personal.What{personal.OldPositions, personal.OldReports, personal.OldModerations, personal.OldNotes, personal.OldResidents, personal.OldNotices}
	for _, what := range whats {
		require.Zero(t, w.removed(what, 1), "the first look removes nothing")
	}
	w.s.later = 13 * month
	begun := epoch.Add(w.s.later).UnixMilli()
	w.o.hlc = uint64(begun) << 16
	w.report("phone-of-chan", 0, "new", "new words")
	w.told("a new note", 1)
	w.s.later = 14 * month
	old := epoch.Add(month / 2).UnixMilli()
	counted := w.counted()
	require.EqualValues(t, 0, w.removed(personal.OldPositions, old))
	require.EqualValues(t, 3, w.removed(personal.OldReports, old))
	require.EqualValues(t, 3, w.removed(personal.OldModerations, old))
	require.EqualValues(t, 3, w.removed(personal.OldNotes, old))
	require.EqualValues(t, 1, w.removed(personal.OldResidents, old))
	require.EqualValues(t, 0, w.removed(personal.OldNotices, old), "it is not over")
	for _, what := range whats {
		require.Zero(t, w.removed(what, old), "once")
	}
	require.Equal(t, counted, w.counted())
	kept, err := w.read.KeptFacts(fact.KindReport, 0, 0, 0)
	require.NoError(t, err)
	require.Len(t, kept, 1)
	told, err := w.read.KeptFacts(fact.KindFollowUp, 0, 0, 0)
	require.NoError(t, err)
	require.Len(t, told, 4, "who was told stays")
	for i, k := range told {
		u, err := factbody.DecodeFollowUp(k.Fact.Body)
		require.NoError(t, err)
		require.Equal(t, i == 3, u.Note != "")
		require.NotEmpty(t, u.Members)
	}
	answers, err := w.read.KeptFacts(fact.KindResidents, 0, 0, 0)
	require.NoError(t, err)
	r, err := factbody.DecodeResidents(answers[0].Fact.Body)
	require.NoError(t, err)
	require.Len(t, r.Answers, 3, "answers count on")
	require.True(t, r.Answers[2].HadPhoto)
	for _, a := range r.Answers {
		require.Empty(t, a.Where+a.Text)
		require.Nil(t, a.Photo)
	}
	var export bytes.Buffer
	require.NoError(t, audit.Export(w.store, &export, 0, 0))
	verified, err := audit.Verify(bytes.NewReader(export.Bytes()))
	require.NoError(t, err)
	require.True(t, verified.OK(), verified.Problem)
	for _, word := range []string{"ward 7", "aunt Fong", "janitor told", "his neighbour"} {
		require.NotContains(t, export.String(), word, "what was noted is gone from the audit, too")
	}
	require.Contains(t, export.String(), "a new note")
	w.dump()
	hash := w.hash()
	w.reopen()
	require.Equal(t, hash, w.hash())
}

// Who asks for more than the district agreed on to remove is refused, whatever clock or setting it goes by.
func TestRetention_RemovesNothingThatTheDistrictKeeps(t *testing.T) {
	w := newTown(t)
	require.Zero(t, w.removed(personal.OldReports, 1))
	w.s.later = 29 * 24 * time.Hour
	require.ErrorIs(t, w.removeOld(personal.OldReports, 1).Error(), command.ErrConflict, "nobody has set it, and 30 days are not over")
	w.s.later = 14 * month
	now := epoch.Add(w.s.later)
	require.ErrorIs(t, w.removeOld(personal.OldReports, now.UnixMilli()).Error(), command.ErrConflict)
	require.NoError(t, w.one(w.s.add(&command.PutRetention{Retention: personal.Retention{ReportMonths: 24}})).Error())
	old := epoch.Add(month / 2).UnixMilli()
	require.ErrorIs(t, w.removeOld(personal.OldReports, old).Error(), command.ErrConflict, "the setting holds from midnight on")
	w.s.later += 24 * time.Hour
	require.ErrorIs(t, w.removeOld(personal.OldReports, old).Error(), command.ErrConflict, "they are kept for 24 months")
	w.s.later = 26 * month
	require.EqualValues(t, 3, w.removed(personal.OldReports, old))
}

// A node whose clock is wrong neither has what it brings removed early, nor keeps it for ever.
func TestRetention_GoesByWhenItWasAgreed(t *testing.T) {
	w := newTown(t)
	require.Zero(t, w.removed(personal.OldReports, 1))
	w.s.later = 14 * month
	w.o.hlc = uint64(epoch.AddDate(50, 0, 0).UnixMilli()) << 16
	w.report("phone-of-lee", 1, "ahead", "by a clock that is ahead")
	w.o.hlc = 0
	w.report("phone-of-lee", 1, "behind", "by a clock that is behind")
	old := epoch.Add(month / 2).UnixMilli()
	require.EqualValues(t, 3, w.removed(personal.OldReports, old))
	w.s.later = 29 * month
	require.EqualValues(t, 2, w.removed(personal.OldReports, epoch.Add(15*month).UnixMilli()))
}

func TestRetention_DeletesNoticesThatAreOver(t *testing.T) {
	w := newTown(t)
	n, _, err := w.noticeOf("n-1")
	require.NoError(t, err)
	require.Zero(t, w.removed(personal.OldNotices, 1))
	n.State, n.Since = notice.Withdrawn, epoch.UnixMilli()
	require.NoError(t, w.one(w.s.add(&command.PutNotice{Notice: n, Was: n.Index})).Error())
	w.s.later = 14 * month
	require.EqualValues(t, 1, w.removed(personal.OldNotices, epoch.Add(month/2).UnixMilli()))
	_, known, err := w.noticeOf("n-1")
	require.NoError(t, err)
	require.False(t, known)
}

func (w *town) noticeOf(id string) (n notice.Notice, known bool, err error) {
	err = w.store.View(func(tx *storage.Txn) error {
		n, known, err = notice.Notices.Get(tx, id)
		return err
	})
	return n, known, err
}

// Who has read an open notice before cannot bring the words back with what they write next.
func TestErase_AnOpenNoticeIsReadAgain(t *testing.T) {
	w := newTown(t)
	read, _, err := w.noticeOf("n-1")
	require.NoError(t, err)
	w.erase("chan-tai-man", pseudonym)
	next := read
	next.Acts = append(next.Acts, notice.Act{Do: notice.Comment, By: "ben", Version: 1, Text: "well"})
	require.ErrorIs(t, w.one(w.s.add(&command.PutNotice{Notice: next, Was: read.Index})).Error(), command.ErrConflict)
	w.holdsNothing()
}

// Erasing one takes nothing out of what is said of others, however the person was called.
func TestErase_TakesNothingFromOthers(t *testing.T) {
	w := newTown(t)
	for i, name := range []string{"note", "phone-of-lee", "chan-tai-man-2", "ben-the-user"} {
		id := fmt.Sprint("odd-", i)
		require.NoError(t, w.one(w.s.add(&command.PutUser{User: storage.User{Name: "ben-the-user", TokenHash: hash32("u")}})).Error())
		m := audience.Member{ID: id, Name: name, Kind: "person", Place: "tm/on-ting/block-1"}
		require.NoError(t, w.one(w.s.add(&command.PutMembers{Members: [][]byte{audience.EncodeMember(&m)}})).Error())
		var before, after bytes.Buffer
		require.NoError(t, audit.Export(w.store, &before, 0, 0))
		w.erase(id, fmt.Sprint("erased-abcdefghijklmno", string(rune('a'+i))))
		require.NoError(t, audit.Export(w.store, &after, 0, 0))
		require.Equal(t, bytes.Count(before.Bytes(), []byte(name)), bytes.Count(after.Bytes(), []byte(name)), name)
	}
	screen := audience.Member{ID: "lift-1", Kind: audience.KindScreen, Place: "tm/on-ting/block-1"}
	require.NoError(t, w.one(w.s.add(&command.PutMembers{Members: [][]byte{audience.EncodeMember(&screen)}})).Error())
	require.ErrorIs(t, w.one(w.s.add(&command.ErasePerson{Member: "lift-1", Pseudonym: pseudonym, Word: "x"})).Error(), command.ErrInvalid)
}
