package apply

import (
	"fmt"

	"almenara/cluster/apply/nodes"
	"almenara/cluster/apply/notices"
	"almenara/cluster/apply/personal"
	"almenara/cluster/apply/places"
	"almenara/cluster/apply/signins"
	"almenara/cluster/command"
	"almenara/cluster/derived"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/audit"
	"almenara/storage/results"
)

// Transaction is what entries are applied to: an open transaction of the store, the memory
// beside it, and what is to be told once it is committed. It is for one goroutine.
type Transaction struct {
	Txn     *storage.Txn
	Derived *derived.State
	Applied storage.Applied // up to the entry before
	Changed Change          // by entries since the last commit
	After   []func()        // to be called after the commit, in order

	// Adopted is told in After what became of each fact that was new; it may be nil.
	Adopted func(signed fact.Signed, f fact.Fact, outcome command.FactOutcome)

	// CommitPart commits in the middle of the entry at index, after so many facts, and opens
	// the next transaction: for adoptions that would not fit.
	CommitPart func(index, facts uint64) error
}

// Apply applies a command, which is the entry at index, unless its request was answered
// before, and gives the encoded result. What the command must not do is a result too; an error
// is one of the store, for which the node stops. Applied stays as it is.
func (t *Transaction) Apply(index uint64, c command.Command) ([]byte, error) {
	e := &entry{Transaction: t, index: index, c: c, speaks: max(t.Applied.Version, c.Version)}
	return e.run()
}

// Unreadable gives an entry that nobody can read the same result everywhere. The audit does
// not say why: the words of a library may differ between versions.
func (t *Transaction) Unreadable(index uint64, cause error) ([]byte, error) {
	r := command.Refuse(command.KindMalformed, "", "%v", cause)
	raw, err := r.Encode()
	if err != nil {
		return nil, err
	}
	_, err = audit.Append(t.Txn, audit.Entry{Index: index, Action: "unreadable entry", Summary: "refused: malformed"})
	return raw, err
}

// entry is the application of one command. Its methods return a result, also for
// what is refused, or an error, for which the node stops.
type entry struct {
	*Transaction
	index  uint64
	c      command.Command
	speaks uint64 // the highest version of the log up to here, this entry included
}

// run applies the command unless its request was answered before, and records audit
// line and answer.
func (e *entry) run() ([]byte, error) {
	if id := e.c.RequestID; id != "" {
		if slot, ok := e.Derived.Requests[id]; ok {
			r, found, err := results.At(e.Txn, slot)
			if err != nil || (found && r.RequestID == id) {
				return r.Result, err
			}
		}
	}
	r, summary, err := e.apply()
	if err != nil {
		return nil, err
	}
	if err := e.audit(r, summary); err != nil {
		return nil, err
	}
	if err := e.remember(r); err != nil {
		return nil, err
	}
	return r.Encode()
}

// audit writes the command's own line. Steps of imports and facts, which write lines
// of their own where something happened, pass "" for none.
func (e *entry) audit(r command.Result, summary string) error {
	outcome := audit.Done
	if r.Kind != command.KindNone {
		outcome, summary = audit.Refused, fmt.Sprintf("refused: %s", r.Kind)
	}
	if summary == "" {
		return nil
	}
	line := audit.Entry{
		Index: e.index, At: e.c.At, Actor: e.c.Actor, Action: e.c.Payload.Type().String(), Summary: summary,
	}
	if e.speaks >= typedAudit {
		line.Outcome, line.Subject = outcome, command.Subject(e.c.Payload)
	}
	_, err := audit.Append(e.Txn, line)
	return err
}

// typedAudit is the version from which on audit lines say their outcome and subject. Every
// node of a district in whose log an entry of that version stands writes them alike.
const typedAudit = 3

// line writes one audit line.
func (e *entry) line(action, summary string) error {
	_, err := audit.Append(e.Txn, audit.Entry{Index: e.index, At: e.c.At, Actor: e.c.Actor,
		Action: action, Summary: summary})
	return err
}

// remember keeps the answer for repeats of the request. Adoption knows repeats by
// itself, and what it answers depends on crashes. What is kept is agreed, and the same on every node:
// the codes of refusals, which other software may not know, are no part of it.
func (e *entry) remember(r command.Result) error {
	if e.c.RequestID == "" || e.c.Payload.Type() == command.TypeAdoptFacts {
		return nil
	}
	r.Why = nil
	raw, err := r.Encode()
	if err != nil {
		return err
	}
	displaced, slot, err := results.Put(e.Txn, results.Result{RequestID: e.c.RequestID, Result: raw})
	if err != nil {
		return err
	}
	delete(e.Derived.Requests, displaced)
	e.Derived.Requests[e.c.RequestID] = slot
	return nil
}

// apply dispatches on the payload. The summary is for the audit; "" writes no line.
func (e *entry) apply() (command.Result, string, error) {
	switch p := e.c.Payload.(type) {
	case *command.AdoptFacts:
		return e.adoptFacts(p)
	case *command.PutMembers:
		return e.putMembers(p)
	case *command.RemoveMembers:
		return e.removeMembers(p)
	case *command.StageMembers:
		return e.stageMembers(p)
	case *command.ActivateImport:
		return e.activateImport(p)
	case *command.FoldImport:
		return e.foldImport(p)
	case *command.DropImport:
		return e.dropImport(p)
	case *command.PutPlaces:
		return e.putPlaces(p)
	case *command.RemovePlaces:
		return e.removePlaces(p)
	case *command.ChangePlace:
		e.Changed |= ChangedPlaces | ChangedMembers
		return places.Entry{Txn: e.Txn, Derived: e.Derived, Index: e.index}.Change(p)
	}
	return e.applyPeople()
}

// applyPeople dispatches the commands about devices and users.
func (e *entry) applyPeople() (command.Result, string, error) {
	switch p := e.c.Payload.(type) {
	case *command.PutDevices:
		return e.putDevices(p)
	case *command.RevokeDevice:
		return e.revokeDevice(p)
	case *command.PutUser:
		return e.putUser(p)
	case *command.RevokeUser:
		return e.revokeUser(p)
	}
	return e.applyAuthority()
}

// applyAuthority dispatches the commands about who may warn.
func (e *entry) applyAuthority() (command.Result, string, error) {
	switch p := e.c.Payload.(type) {
	case *command.PutScenario:
		return e.putScenario(p)
	case *command.RemoveScenario:
		return e.removeScenario(p)
	case *command.PutLicence:
		return e.putLicence(p)
	case *command.RevokeLicence:
		return e.revokeLicence(p)
	case *command.PutPolicy:
		return e.putPolicy(p)
	case *command.PutNotice:
		e.Changed |= ChangedNotices
		return notices.Put(e.Txn, e.index, e.c.At, e.speaks < command.PersonalSince, p)
	}
	if r, summary, known, err := (nodes.Entry{Txn: e.Txn, At: e.c.At, Actor: e.c.Actor}).Apply(e.c.Payload); known {
		if r.Kind == command.KindNone {
			e.Changed |= ofNodes[e.c.Payload.Type()]
		}
		return r, summary, err
	}
	if r, summary, known, err := (signins.Entry{Txn: e.Txn, Index: e.index, At: e.c.At}).Apply(e.c.Payload); known {
		e.Changed |= ChangedSessions
		return r, summary, err
	}
	if r, summary, touched, known, err := personalOf(e).Apply(e.c.Payload); known {
		e.Changed |= ChangedPersonal
		if touched.Members {
			e.Changed |= ChangedMembers | ChangedDevices
		}
		if touched.Notices {
			e.Changed |= ChangedNotices
		}
		return r, summary, err
	}
	return command.Result{}, "", fmt.Errorf("%w: %s is not applied", command.ErrUnknownVersion, e.c.Payload.Type())
}

// ofNodes is what the commands about nodes change.
var ofNodes = map[command.Type]Change{
	command.TypePutNode: ChangedNodes, command.TypeRemoveNode: ChangedNodes, command.TypePutJoinToken: ChangedTokens,
	command.TypeUseJoinToken: ChangedTokens, command.TypePutKeyRing: ChangedKeys, command.TypePutDistrict: ChangedDistrict,
}

// personalOf is the entry for the commands about what is known of people.
func personalOf(e *entry) personal.Entry {
	return personal.Entry{Txn: e.Txn, Derived: e.Derived, Index: e.index, Speaks: e.speaks, At: e.c.At, Actor: e.c.Actor}
}

// refuse is the answer to a command that changed nothing.
func refuse(kind command.Kind, code, format string, args ...any) (command.Result, string, error) {
	return command.Refuse(kind, code, format, args...), "", nil
}

// done is the answer to a command that was applied.
func done(data any, format string, args ...any) (command.Result, string, error) {
	return command.OK(data), fmt.Sprintf(format, args...), nil
}

// failed passes on a storage error.
func failed(err error) (command.Result, string, error) { return command.Result{}, "", err }
