package intake

import (
	"context"
	"fmt"
	"slices"

	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/judge"
	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/alert/capxml"
)

// CancelAlert implements service.Alerts: it writes a CAP Cancel for every message of the
// alert that this node knows. One of them would do here, but other nodes may know
// others.
func (t *Intake) CancelAlert(ctx context.Context, by authority.Caller, id string, in wire.CancelAlert, wait wire.Wait) (wire.Outcome, error) {
	parsed, err := t.stories.ID(id)
	if err != nil {
		return wire.Outcome{}, err
	}
	card, ok := t.book.Card(parsed)
	if !ok {
		return wire.Outcome{}, wire.Problemf(wire.KindNotFound, "no alert %s is known here", id).Because(why.NoAlert, id)
	}
	keys := cancelled(card, by)
	if len(keys) == 0 {
		return wire.Outcome{}, wire.Problemf(wire.KindForbidden,
			"nothing was cancelled: no message of the alert %s is known here, so it is not known whom it addresses, and %s may not warn everybody under every sender", id, by.Name).Because(why.UnknownToLimited, by.Name)
	}
	a := &alert.Alert{
		Identifier: shortid.New(), Sender: t.district.SenderOf(by), Sent: alert.NewDateTime(t.clock().UTC()),
		Status: card.Status, MsgType: alert.MsgTypeCancel, Scope: alert.ScopePublic,
		Note: judge.Printable(in.Reason), References: keys,
	}
	if newest := keys[len(keys)-1].Sender; by.Speaks(newest) {
		a.Sender = newest
	}
	raw, err := capxml.Write(a)
	if err != nil {
		return wire.Outcome{}, fmt.Errorf("writing the cancel: %w", err)
	}
	return t.take(ctx, incoming{by: by, alert: a, raw: raw, reason: in.Reason, wait: wait, direct: true, made: true})
}

// cancelled is what a Cancel of an alert references: the newest keys, which are ordered
// by sent, and the incident's own, so that it also ends what is still to come of that.
// A caller that is limited to senders or places ends what is known; empty is nothing.
func cancelled(card board.Card, by authority.Caller) []alert.Key {
	var incident, keys []alert.Key
	for _, k := range card.Keys {
		seen := slices.ContainsFunc(card.Messages, func(e board.Entry) bool { return e.Key.Same(k) })
		switch {
		case by.Limited() && !seen && (len(by.Places) > 0 || !by.Speaks(k.Sender)):
		case k.Sender == alert.IncidentSender:
			incident = append(incident, k)
		default:
			keys = append(keys, k)
		}
	}
	incident = incident[:min(1, len(incident))]
	return slices.Concat(incident, keys[max(0, len(keys)-budget.MaxReferences+1):])
}
