package approvals

import (
	"context"
	"errors"

	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/spokencode"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/factbody"
	"almenara/storage/signin"
)

// Persons knows how people sign in; *agreed.Reader is one. It gives signin.ErrNone of who cannot.
type Persons interface {
	Person(name string) (storage.User, signin.Credential, error)
}

// SpokenCode implements service.SpokenCodes. It is asked of the node of whoever approves, and changes
// nothing.
func (a *Approvals) SpokenCode(_ context.Context, by authority.Caller, in acts.AskCode) (acts.SpokenCode, error) {
	if err := authority.Door(by, authority.Approve); err != nil {
		return acts.SpokenCode{}, err
	}
	out := acts.SpokenCode{For: by.Name}
	if (in.Alert == "") == (in.Number == "") {
		return out, wire.Problemf(wire.KindMalformed, "a code is for an alert or for the number of one that is not known here, and for one of both").Because(why.FormWrong)
	}
	now := a.clock()
	code := func(secret []byte) spokencode.Code { return spokencode.OfNumber(secret, by.Name, out.Number, now) }
	if in.Number != "" {
		if out.Number = spokencode.Digits(in.Number); len(out.Number) != 8 {
			return out, wire.Problemf(wire.KindMalformed, "the number of what an alert says has eight digits, and %.40q has not", in.Number).Because(why.NumberWrong, in.Number)
		}
	} else {
		m, err := a.find(in.Alert, in.Digest)
		if err != nil {
			return out, err
		}
		if _, err := a.rules.Check(by, authority.Approve, about(m)); err != nil {
			return out, err
		}
		out.Alert, out.Number = in.Alert, spokencode.Number(m.Entry.Digest)
		code = func(secret []byte) spokencode.Code {
			return spokencode.OfDigest(secret, by.Name, m.Entry.Digest, now)
		}
	}
	_, c, err := a.persons.Person(by.Name)
	if err != nil && !errors.Is(err, signin.ErrNone) {
		return out, err
	}
	if len(c.TOTP) == 0 {
		return out, wire.Problemf(wire.KindRefused, "%s has no second factor, from whose secret codes are made; set one up at the page of your own sign-in, or approve at a node that has the alert", by.Name).Because(why.NoSecondFactor)
	}
	made := code(c.TOTP)
	out.Code, out.Until = made.Digits, made.Until
	return out, nil
}

// ApproveSpoken implements service.SpokenCodes: somebody types in at this node what an approver read
// out. The approval is the approver's, who is held to the same rules as at a node; who typed it in, and
// which code it was, is on record with it.
func (a *Approvals) ApproveSpoken(ctx context.Context, by authority.Caller, id string, in acts.TypeApproval, wait wire.Wait) (wire.Outcome, error) {
	m, err := a.find(id, in.Digest)
	if err != nil {
		return wire.Outcome{}, err
	}
	if _, err := a.rules.Check(by, authority.TypeApproval, authority.About{}); err != nil {
		return wire.Outcome{}, err
	}
	if in.For == by.Name {
		return wire.Outcome{}, wire.Problemf(wire.KindRefused, "nothing was approved: whoever approves types in no code of their own; %s approves it here as ever", by.Name).Because(why.OwnCode)
	}
	u, err := a.heard(by, in, m)
	if err != nil {
		return wire.Outcome{}, err
	}
	if a.hasApproved(m, in.For) {
		return wire.Outcome{}, wire.Problemf(wire.KindConflict, "nothing was approved: %s has approved it before, and a code is good once", in.For).Because(why.ApprovedBefore, in.For)
	}
	right, err := a.rules.Check(callerOf(u), authority.Approve, about(m))
	if err != nil {
		return wire.Outcome{}, err
	}
	if err := a.understood(ctx, factbody.TypedVersion); err != nil {
		return wire.Outcome{}, err
	}
	return a.approve(ctx, m, approval{by: in.For, policy: right.Policy, reason: in.Reason, typed: by.Name, code: spokencode.Digits(in.Code)}, wait)
}

// heard is the person whose code it is, for that message. Of a person who cannot approve so the answer
// is the same as of a wrong code.
func (a *Approvals) heard(by authority.Caller, in acts.TypeApproval, m *alerts.Message) (storage.User, error) {
	if in.For == "" || spokencode.Digits(in.Code) == "" {
		return storage.User{}, wire.Problemf(wire.KindMalformed, "nothing was approved: who approves and the code of six digits are needed").Because(why.CodeMissing)
	}
	right, err := a.guesses.Begin(by.Name, in.For, m.Fact)
	if err != nil {
		return storage.User{}, err
	}
	u, c, err := a.persons.Person(in.For)
	if err != nil && !errors.Is(err, signin.ErrNone) {
		return u, err
	}
	if err != nil || !spokencode.Fits(in.Code, c.TOTP, in.For, m.Entry.Digest, a.clock()) {
		a.log.Warn("a code that approves an alert was wrong", "alert", m.Entry.Key.String(), "for", in.For, "typed_by", by.Name)
		return u, wire.Problemf(wire.KindRefused, "nothing was approved: this is no code of %.100s for what this alert says now, or it is older than ten minutes; have it read out again", in.For).Because(why.WrongCode, in.For)
	}
	right()
	return u, nil
}

// find is the message of the alert that waits.
func (a *Approvals) find(id, digest string) (*alerts.Message, error) {
	s, err := a.stories.Find(id)
	if err != nil {
		return nil, err
	}
	return a.approvable(s, wire.Approve{Digest: digest})
}

// about is what the rules read of a message that waits.
func about(m *alerts.Message) authority.About {
	out := authority.About{Message: authority.Message{
		Key: m.Entry.Key, MsgType: m.Entry.MsgType, Status: m.Entry.Status, Author: m.Entry.Author, Targets: m.EveryTarget,
	}}
	if whole, err := m.Whole(); err == nil && whole.Alert != nil { // else whom it addresses cannot be read either, and Check says so
		out.Message.Infos = whole.Alert.Infos
	}
	return out
}

func (a *Approvals) hasApproved(m *alerts.Message, name string) bool {
	for _, given := range a.book.Approvers(m) {
		if given.By == name {
			return true
		}
	}
	return false
}
