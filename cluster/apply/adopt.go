package apply

import (
	"bytes"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/archive"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
)

// opened is a fact of a command, decoded once.
type opened struct {
	signed fact.Signed
	id     fact.ID
	fact   fact.Fact
	err    error
}

const (
	// bitmapPage is the most that 65,536 ordinals take in a stored bitmap.
	bitmapPage = 8 << 10

	// entryReserve is more than what an entry writes besides target bitmaps.
	entryReserve = 512 << 10
)

// adoptFacts gives each fact its place, in order.
func (e *entry) adoptFacts(p *command.AdoptFacts) (command.Result, string, error) {
	a := adoption{entry: e}
	out := command.AdoptResult{Facts: make([]command.FactOutcome, 0, len(p.Facts))}
	for i, signed := range p.Facts {
		if e.Applied.Part == e.index && uint64(i) < e.Applied.PartFacts { // before a crash
			out.Facts = append(out.Facts, command.FactOutcome{ID: signed.ID(), Outcome: command.Known})
			continue
		}
		o := &opened{signed: signed, id: signed.ID()}
		o.fact, o.err = signed.Fact()
		a.n = uint16(i)
		outcome, err := a.adopt(o)
		if err != nil {
			return failed(err)
		}
		out.Facts = append(out.Facts, outcome)
		a.tell(o, outcome)
	}
	return command.OK(out), "", a.receiptLine()
}

// adoption is the state of one AdoptFacts.
type adoption struct {
	*entry
	n        uint16 // position of the fact in the entry
	blocks   int    // receipt blocks since the last line about them
	receipts int
}

// receiptLine writes one audit line for the receipts since the last one.
func (a *adoption) receiptLine() error {
	if a.blocks == 0 {
		return nil
	}
	a.Changed |= ChangedReceipts
	text := fmt.Sprintf("%d blocks, %d receipts", a.blocks, a.receipts)
	a.blocks, a.receipts = 0, 0
	return a.line("receipts adopt", text)
}

// makeRoom commits what the entry did so far where the next target bitmap might not
// fit. Whether it does depends on the batch, so nothing that is agreed may show it.
func (a *adoption) makeRoom(o *opened) error {
	if err := a.receiptLine(); err != nil {
		return err
	}
	pages := int64(a.Derived.Ordinals>>16) + 1
	if a.Txn.Empty() || a.Txn.Room(pages*bitmapPage+int64(len(o.signed.Canonical))+entryReserve) {
		return nil
	}
	return a.CommitPart(a.index, uint64(a.n))
}

// tell keeps what the hook is to be told after the commit.
func (a *adoption) tell(o *opened, out command.FactOutcome) {
	hook := a.Transaction.Adopted
	switch out.Outcome {
	case command.Adopted, command.Refused, command.Rejected:
		if hook != nil {
			signed, f := o.signed, o.fact
			a.After = append(a.After, func() { hook(signed, f, out) })
		}
	}
}

// adopt places one fact: known ones are no-ops, the sequence has no gap, and what
// cannot be read is recorded all the same, or the stream would stand still for ever.
func (a *adoption) adopt(o *opened) (command.FactOutcome, error) {
	out := command.FactOutcome{ID: o.id}
	if o.err != nil || !goodPlace(o.fact) || o.signed.Erased() {
		out.Outcome = command.Malformed
		return out, a.line("fact malformed", o.id.String())
	}
	mark, err := factlog.MarkOf(a.Txn, o.fact.Origin, uint8(o.fact.Stream), o.fact.Epoch)
	if err != nil {
		return out, err
	}
	switch {
	case o.fact.Seq <= mark:
		return a.repeated(o, out)
	case o.fact.Seq != mark+1:
		out.Outcome, out.Want = command.Gap, mark+1
		return out, nil
	case o.fact.Kind == fact.KindAlert || o.fact.Kind == fact.KindApproval:
		if err := a.makeRoom(o); err != nil {
			return out, err
		}
	}
	return a.record(o, out)
}

// goodPlace holds the place of a fact against what keys of the store can express.
func goodPlace(f fact.Fact) bool {
	if f.Origin == "" || len(f.Origin) > 64 || f.Stream == 0 || f.Seq == 0 {
		return false
	}
	for _, c := range []byte(f.Origin) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return true
}

// repeated answers for a fact at or below the mark. Another fact in its place means
// that an origin lost its journal and went on under the old epoch: that is loud.
func (a *adoption) repeated(o *opened, out command.FactOutcome) (command.FactOutcome, error) {
	same, err := factlog.IsAt(a.Txn, o.id[:], factKey(o.fact))
	if err != nil {
		return out, err
	}
	if out.Outcome = command.Known; same {
		return out, nil
	}
	if stands, ok, err := factlog.At(a.Txn, factKey(o.fact)); err != nil || ok && erased(stands) {
		return out, err // its origin has signed what is left of it for who lacked it
	}
	out.Outcome = command.Reused
	return out, a.line("fact refused", fmt.Sprintf("%s: %s stream %d epoch %d sequence %d belongs to another fact",
		o.id, o.fact.Origin, o.fact.Stream, o.fact.Epoch, o.fact.Seq))
}

func erased(stands factlog.Fact) bool {
	s, err := fact.DecodeSigned(stands.Signed)
	return err == nil && s.Erased()
}

func factKey(f fact.Fact) factlog.Key {
	return factlog.Key{Origin: f.Origin, Stream: uint8(f.Stream), Epoch: f.Epoch, Seq: f.Seq}
}

// record stores the fact, moves the mark and lets the fact have its effect.
func (a *adoption) record(o *opened, out command.FactOutcome) (command.FactOutcome, error) {
	k := factKey(o.fact)
	kind := o.fact.Kind
	if kind.Since() > a.c.Version { // as software of that version does
		kind = 0
	}
	gone, err := a.erasedBefore(o, kind)
	if err != nil {
		return out, err
	}
	signed, err := o.signed.Encode()
	if err != nil {
		return out, err
	}
	err = factlog.SetMark(a.Txn, factlog.Mark(k))
	if err != nil {
		return out, err
	}
	if gone {
		out.Outcome = command.Adopted
		return out, factlog.Put(a.Txn, o.id[:], k, signed, nil)
	}
	var block []byte
	switch kind {
	case fact.KindAlert:
		err = a.alertMessage(o, &out)
	case fact.KindReceipts:
		block, err = a.receiptBlock(o, signed, &out)
	case fact.KindFanout:
		err = a.fanout(o, &out)
	case fact.KindRefusal:
		err = a.refusal(o, &out)
	case fact.KindApproval:
		err = a.approval(o, &out)
	case fact.KindAlone:
		err = a.kept(o, &out)
	case fact.KindFollowUp:
		err = a.followUp(o, &out)
	case fact.KindReport, fact.KindModeration, fact.KindResidents:
		err = a.reported(o, &out)
	default:
		err = a.rejected(o, &out, "unknown kind")
	}
	if err != nil {
		return out, err
	}
	return out, factlog.Put(a.Txn, o.id[:], k, signed, block)
}

// erasedBefore takes out of a fact what it says of a person who was erased before it came, and reports
// whether nothing is left of it.
func (a *adoption) erasedBefore(o *opened, kind fact.Kind) (gone bool, err error) {
	if !fact.Erasable(kind) || a.speaks < command.PersonalSince {
		return false, nil
	}
	left, late, err := personalOf(a.entry).Late(kind, o.fact.Body)
	if err != nil || !late {
		return false, err
	}
	if o.signed, err = fact.Erase(o.signed, left); err != nil {
		return false, err
	}
	o.fact.Body = left
	a.Changed |= ChangedPersonal
	return len(left) == 0, nil
}

// rejected records a fact that cannot have an effect. why must be our own words:
// every replica must write the same.
func (a *adoption) rejected(o *opened, out *command.FactOutcome, why string) error {
	out.Outcome, out.Note = command.Rejected, why
	return a.line("fact rejected", fmt.Sprintf("%s of %s, kind %d: %s", o.id, o.fact.Origin, o.fact.Kind, why))
}

// alertMessage takes in one CAP message: onto the board, then whom it addresses.
func (a *adoption) alertMessage(o *opened, out *command.FactOutcome) error {
	msg, why := archive.Read(o.id, o.fact.Body)
	if why != "" {
		return a.rejected(o, out, why)
	}
	if err := a.Derived.Alerts.Summon(a.Txn, msg); err != nil {
		return err
	}
	if err := a.Derived.Alerts.LayWaiting(a.Txn, msg); err != nil {
		return err
	}
	standing, outcome := a.Derived.Alerts.Add(msg)
	if outcome == board.Ignored {
		return a.rejected(o, out, "neither Alert, Update nor Cancel")
	}
	out.Alert, out.Revision = string(a.Derived.Alerts.AlertOf(msg)), uint64(msg.Entry.Claimed)
	out.Outcome = command.Adopted
	var err error
	switch {
	case standing.Fact == msg.Entry.Fact:
		err = a.target(msg, out)
	case standing.Digest == msg.Entry.Digest:
		out.Note = "the message is known by another fact"
		err = a.knownTarget(msg, out)
	default:
		out.Outcome, out.Note = command.Refused, "another message has its CAP triplet"
	}
	if err != nil {
		return err
	}
	id := bytes.Clone(o.id[:]) // a part of o would keep all bytes of the fact as long as the message is on the board
	adopted := factlog.Adoption{Index: a.index, N: a.n, FactID: id, Alert: out.Alert,
		Revision: out.Revision, At: a.c.At}
	if err := factlog.PutAdoption(a.Txn, adopted); err != nil {
		return err
	}
	if o := msg.Issue.Original; o != nil && o.Kept {
		if err := factlog.Keep(a.Txn, uint8(fact.KindOriginals), a.index, a.n, msg.ID[:]); err != nil {
			return err
		}
	}
	if err := a.Derived.Alerts.Adopted(a.Txn, msg, adopted, a.Derived.Ordinals); err != nil {
		return err
	}
	a.Changed |= ChangedAlerts
	return a.line("alert "+out.Outcome.String(), fmt.Sprintf("%s %s, alert %s revision %d, by %s, reason %q, fact %s, %d members, board %s%s",
		msg.CAP.MsgType, msg.Entry.Key, out.Alert, out.Revision, msg.Issue.Author, msg.Issue.Reason, o.id, out.Targets, outcome,
		underWhat(msg.Issue)))
}

// underWhat says by what right the issue was sent, where it was a special one. An issue
// without scenario, licence and approvals may come before every node is upgraded, and
// its line must be the one that older software writes.
func underWhat(i factbody.Issue) (text string) {
	if i.Scenario == "" && i.Licence == "" && i.Approvals == 0 {
		return ""
	}
	if i.Scenario != "" {
		text += fmt.Sprintf(", scenario %s, incident %q", i.Scenario, i.Incident)
	}
	if i.Approvals > 0 {
		text += fmt.Sprintf(", needs %d approvals", i.Approvals)
	}
	if i.Licence != "" {
		text += fmt.Sprintf(", UNDER LICENCE %s in %s", i.Licence, i.Within)
	}
	if i.Alone > 0 {
		text += fmt.Sprintf(", ALONE since %d, policy %d ms old", i.Alone, i.PolicyAge)
	}
	return text + fmt.Sprintf(", policy %d", i.Policy)
}

// approval lets a person stand by an alert fact, which may still have to come.
func (a *adoption) approval(o *opened, out *command.FactOutcome) error {
	p, err := factbody.DecodeApproval(o.fact.Body)
	if err != nil || len(p.Fact) != len(o.id) {
		return a.rejected(o, out, "body is not an approval")
	}
	out.Outcome = command.Adopted
	if err := factlog.Keep(a.Txn, uint8(fact.KindApproval), a.index, a.n, o.id[:]); err != nil {
		return err
	}
	if err := a.approve(p, out); err != nil {
		return err
	}
	if err := a.Derived.Alerts.Approved(a.Txn, p, factlog.Place{Index: a.index, N: a.n}, o.id[:]); err != nil {
		return err
	}
	a.Changed |= ChangedAlerts
	return a.line("alert approved", fmt.Sprintf("fact %x, content %s, by %s, reason %q, at %d, policy %d%s", p.Fact, p.Digest, p.By, p.Reason, p.At, p.Policy, a.typed(o, p)))
}

// typed says by which code somebody else typed the approval in. Software before version 6 does not
// read that.
func (a *adoption) typed(o *opened, p factbody.Approval) string {
	if a.c.Version < 6 || p.Typed == "" {
		return ""
	}
	return fmt.Sprintf(", READ OUT as the code %q and typed in by %s at node %s", p.Code, p.Typed, o.fact.Origin)
}

// approve lays the approval on the board. Where the message stands from now on in the
// place of another, those whom it addresses take the place of the other's.
func (a *adoption) approve(p factbody.Approval, out *command.FactOutcome) error {
	known, err := factlog.Has(a.Txn, p.Fact)
	if err != nil {
		return err
	}
	if !known { // it counts when that comes
		a.Derived.Alerts.ApproveAhead(p)
		return nil
	}
	msg, err := archive.Stored(a.Txn, p.Fact)
	if err != nil {
		return err
	}
	if msg != nil {
		if err := a.Derived.Alerts.Summon(a.Txn, msg); err != nil {
			return err
		}
	}
	stood := msg == nil || a.Derived.Alerts.Stands(msg)
	a.Derived.Alerts.Approve(p)
	if stood || !a.Derived.Alerts.Stands(msg) {
		return nil
	}
	out.Alert, out.Revision = string(a.Derived.Alerts.AlertOf(msg)), uint64(msg.Entry.Claimed)
	return a.target(msg, out)
}

// target records whom the message addresses: nodes deliver by the fact that stands.
func (a *adoption) target(msg *archive.Message, out *command.FactOutcome) error {
	mark := factlog.CAPMark{FactID: msg.ID[:], Digest: msg.Digest[:], Alert: out.Alert}
	if err := factlog.PutCAPMark(a.Txn, string(msg.Entry.Key.ID()), mark); err != nil {
		return err
	}
	members, problems := resolve(a.Derived.Index, msg.Issue.Targets)
	if problems > 0 {
		out.Note = fmt.Sprintf("%d of %d info blocks have no area that can be resolved", problems, len(msg.Issue.Targets))
	}
	g := factlog.Target{Count: members.GetCardinality()}
	for _, c := range a.Derived.Index.Count(members, 0).ByKind {
		g.Kinds = append(g.Kinds, factlog.KindCount{Kind: c.Name, Count: c.N})
	}
	var err error
	if g.Members, err = factlog.EncodeBitmap(members); err != nil {
		return err
	}
	out.Targets = g.Count
	return factlog.PutTarget(a.Txn, string(msg.Entry.Key.ID()), out.Revision, g)
}

// resolve gives everybody whom any info block addresses, and how many blocks could
// not be resolved. Those reach nobody: a target is never widened.
func resolve(x *lookup.Index, targets []audience.Target) (*roaring.Bitmap, int) {
	all, problems := roaring.New(), 0
	for _, t := range targets {
		members, err := resolveOne(x, t)
		if err != nil {
			problems++
			continue
		}
		all.Or(members)
	}
	return all, problems
}

func resolveOne(x *lookup.Index, t audience.Target) (members *roaring.Bitmap, err error) {
	defer func() {
		if r := recover(); r != nil {
			members, err = nil, fmt.Errorf("resolving target: %v", r)
		}
	}()
	r, err := x.Resolve(t)
	return r.Members, err
}

// knownTarget answers with what was recorded when the message first came in.
func (a *adoption) knownTarget(msg *archive.Message, out *command.FactOutcome) error {
	g, _, err := factlog.TargetOf(a.Txn, string(msg.Entry.Key.ID()), out.Revision)
	out.Targets = g.Count
	return err
}

// refusal records that a node refused a message.
func (a *adoption) refusal(o *opened, out *command.FactOutcome) error {
	r, err := factbody.DecodeRefusal(o.fact.Body)
	if err != nil {
		return a.rejected(o, out, "body is not a refusal record")
	}
	out.Outcome = command.Adopted
	return a.line("alert refused", fmt.Sprintf("node %s, %s by %s contradicts alert %s, content %s, at %d",
		o.fact.Origin, r.Key, r.Author, r.Alert, r.Digest, r.At))
}

// fanout records that a node wrote an alert to its devices.
func (a *adoption) fanout(o *opened, out *command.FactOutcome) error {
	f, err := factbody.DecodeFanout(o.fact.Body)
	if err != nil {
		return a.rejected(o, out, "body is not a fan-out record")
	}
	out.Outcome = command.Adopted
	return a.line("fan-out", fmt.Sprintf("node %s, alert %s revision %d, %d devices, at %d",
		o.fact.Origin, f.Alert, f.Revision, f.Devices, f.At))
}

// followUp lists what a person did about an alert. Nothing that is agreed follows from it.
func (a *adoption) followUp(o *opened, out *command.FactOutcome) error {
	f, err := factbody.DecodeFollowUp(o.fact.Body)
	if err != nil {
		return a.rejected(o, out, "body is not a follow-up record")
	}
	switch f.What {
	case factbody.Told:
		return a.listed(o, out, "members told", fmt.Sprintf("%d members were told of alert %s revision %d by a person, by %s, note %q, at %d", len(f.Members), f.Alert, f.Revision, f.By, f.Note, f.At))
	case factbody.TakeBack:
		return a.listed(o, out, "members not told", fmt.Sprintf("that %d members were told of alert %s revision %d is taken back, by %s, note %q, at %d", len(f.Members), f.Alert, f.Revision, f.By, f.Note, f.At))
	case factbody.Call:
		return a.listed(o, out, "group called", fmt.Sprintf("alert %s revision %d of %s, group %d, because %d had answered, at %d", f.Alert, f.Revision, f.By, f.Group+1, f.Answered, f.At))
	}
	return a.listed(o, out, "reminder", fmt.Sprintf("alert %s revision %d, every %d minutes, by %s, at %d", f.Alert, f.Revision, f.Every, f.By, f.At))
}

// kept lists a fact under its kind. Its body is for others: the state machine does not
// read it.
func (a *adoption) kept(o *opened, out *command.FactOutcome) error {
	return a.listed(o, out, o.fact.Kind.String(), fmt.Sprintf("node %s, fact %s", o.fact.Origin, o.id))
}

// listed lists a fact under its kind, with a line on the audit where there is an action.
func (a *adoption) listed(o *opened, out *command.FactOutcome, action, text string) error {
	out.Outcome = command.Adopted
	if err := factlog.Keep(a.Txn, uint8(o.fact.Kind), a.index, a.n, o.id[:]); err != nil || action == "" {
		return err
	}
	return a.line(action, text)
}

// reported lists what a person reported by a device, what a person made of that, or what residents answered.
func (a *adoption) reported(o *opened, out *command.FactOutcome) error {
	action, text, err := factbody.ReportLine(o.fact.Body, o.fact.Kind == fact.KindModeration)
	if o.fact.Kind == fact.KindResidents {
		action, text, err = factbody.ResidentsLine(o.fact.Body)
	}
	if err != nil {
		return a.rejected(o, out, "body is not a report")
	}
	return a.listed(o, out, action, text)
}
