package authority

import (
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/alert"
)

// speaks keeps every CAP sender to whom it was granted, and the district's own to the
// district.
func (r *Rules) speaks(by Caller, sender string, direct bool) error {
	switch {
	case sender == alert.IncidentSender:
		return wire.Problemf(wire.KindForbidden, "nothing was sent: no message has the CAP sender %s", sender).Because(why.NotForSender, sender)
	case len(by.Senders) > 0 && !by.Speaks(sender):
		return wire.Problemf(wire.KindForbidden, "%s may not speak for the CAP sender %s", by.Name, sender).Because(why.NotForSender, sender)
	case by.Speaks(sender):
		return nil
	case strings.EqualFold(sender, r.Sender()):
		if direct && sender == r.Sender() {
			return nil
		}
		return wire.Problemf(wire.KindForbidden,
			"nothing was sent: %s is the CAP sender of the district itself, and its nodes alone write CAP under it; send the alert in its JSON form, or under another sender", sender).Because(why.NotForSender, sender)
	}
	granted, err := r.granted(sender, func(storage.User) bool { return true })
	if err != nil || !granted {
		return err
	}
	return wire.Problemf(wire.KindForbidden,
		"nothing was sent: the CAP sender %s is granted to another user, and nobody else speaks for it, also no administrator; send it under another sender", sender).Because(why.NotForSender, sender)
}

// names lets nobody who is limited write an Update or a Cancel under a key that might be
// somebody else's: such a message also changes or ends what has its own key, and this node
// may not have heard of that yet. So the node makes its identifier, unless nobody else is
// known to send under its sender: it was granted to the caller and, where the caller is
// limited to places, to no other user; or it is nobody's, and what came under it was the
// caller's. An Alert needs none of this: of two with one key the one that was accepted first
// stands.
func (r *Rules) names(by Caller, about About) error {
	key := about.Message.Key
	if about.Message.MsgType == alert.MsgTypeAlert || about.Made || !by.Limited() || by.Speaks(key.Sender) && len(by.Places) == 0 {
		return nil
	}
	if about.Direct && !by.Speaks(key.Sender) {
		return wire.Problemf(wire.KindForbidden,
			"nothing was sent: %s, who is limited to %s, leaves the identifier of an Update or a Cancel to the node; send it without one",
			by.Name, by.limits()).Because(why.LeaveIdentifier)
	}
	shared, err := r.granted(key.Sender, func(u storage.User) bool { return u.Name != by.Name })
	if err != nil || !shared && !r.Heard(key.Sender, by.Name) {
		return err
	}
	return wire.Problemf(wire.KindForbidden,
		"nothing was sent: others send under the CAP sender %s too, so %s, who is limited to %s, leaves the identifier of an Update or a Cancel to the node; send it in its JSON form without one, or have a sender granted",
		key.Sender, by.Name, by.limits()).Because(why.LeaveIdentifier)
}

// granted reports whether a user who was not revoked, and of whom the question is, has the
// sender. Spellings that people take for the same are the same.
func (r *Rules) granted(sender string, of func(storage.User) bool) (bool, error) {
	users, err := r.Users()
	return slices.ContainsFunc(users, func(u storage.User) bool {
		return !u.Revoked && of(u) && slices.ContainsFunc(u.Senders, func(s string) bool { return strings.EqualFold(s, sender) })
	}), err
}

// over checks the caller's authority over every alert that is ended, changed or joined.
func (r *Rules) over(by Caller, about About) error {
	if !by.Limited() {
		return nil
	}
	for _, key := range about.Unknown {
		if len(by.Places) > 0 || !by.Speaks(key.Sender) {
			return wire.Problemf(wire.KindForbidden,
				"nothing was done: the message %s is not known here, so it is not known whom it addresses; %s, who is limited to %s, can end or change only what is known",
				key, by.Name, by.limits()).Because(why.UnknownToLimited, by.limits())
		}
	}
	for _, a := range about.Changes {
		if err := r.overOne(by, a); err != nil {
			return err
		}
	}
	return nil
}

// limits says in words to what the caller is limited.
func (c Caller) limits() string {
	var out []string
	if len(c.Places) > 0 {
		out = append(out, "the places "+strings.Join(c.Places, ", "))
	}
	if len(c.Senders) > 0 {
		out = append(out, "the CAP senders "+strings.Join(c.Senders, ", "))
	}
	return strings.Join(out, " and ")
}

// overOne holds a limited caller against one alert. Who is limited to senders must have
// begun it, or its sender must be the caller's. Who is limited to places must have written
// every message of it that addresses anybody outside of them, and one that addresses nobody
// now, because that says nothing about whom it is for.
func (r *Rules) overOne(by Caller, a Alert) error {
	for _, m := range a.Messages {
		own := m.Author == by.Name
		if len(by.Senders) > 0 && m.MsgType == alert.MsgTypeAlert && !own && !by.Speaks(m.Key.Sender) {
			return wire.Problemf(wire.KindForbidden, "%s may not change a message of the CAP sender %s", by.Name, m.Key.Sender).Because(why.NotForSender, m.Key.Sender)
		}
		if len(by.Places) == 0 || own {
			continue
		}
		members, err := r.whole(m)
		if err != nil {
			return err
		}
		outside, err := r.outside(members, by.Places...)
		switch {
		case err != nil:
			return err
		case outside > 0:
			return wire.Problemf(wire.KindForbidden,
				"nothing was done: the alert %s, which this would end or change, also addresses %d members outside %s, where %s may warn; who may warn all of them can do it",
				a.ID, outside, strings.Join(by.Places, " and "), by.Name).Because(why.OutsidePlaces, outside, strings.Join(by.Places, " · "))
		case members.IsEmpty():
			return wire.Problemf(wire.KindForbidden,
				"nothing was done: the alert %s, which this would end or change, was written by somebody else and addresses nobody now, so it is not known to lie in %s, where %s may warn",
				a.ID, strings.Join(by.Places, " and "), by.Name).Because(why.NotInPlaces, strings.Join(by.Places, " · "))
		}
	}
	return nil
}

// whole is everybody whom the message addresses now or has addressed, and who is still a
// member.
func (r *Rules) whole(m Message) (*roaring.Bitmap, error) {
	now, err := r.reach(m)
	if err != nil || m.Addressed == nil {
		return now.members, err
	}
	before, err := m.Addressed()
	if err != nil {
		return nil, fmt.Errorf("reading whom the alert addressed: %w", err)
	}
	all, err := r.Audience().Select(everyone)
	if err != nil {
		return nil, fmt.Errorf("selecting everybody: %w", err)
	}
	return roaring.Or(now.members, roaring.And(before, all)), nil
}
