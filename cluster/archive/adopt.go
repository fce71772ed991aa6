package archive

import (
	"encoding/hex"
	"fmt"
	"log/slog"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/archived"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
)

// Summon brings the groups back that the message names. It is called before the message is
// added or approved.
func (a *Alerts) Summon(t *storage.Txn, msg *Message) error {
	for _, k := range append([]alert.Key{msg.Entry.Key, msg.Entry.Root}, msg.Entry.References...) {
		id := k.ID()
		if k == (alert.Key{}) || a.has(id) {
			continue
		}
		g, ok, err := archived.Of(t, string(id))
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := a.restore(t, g.Facts, nil); err != nil {
			return err
		}
		if err := archived.Take(t, g); err != nil {
			return err
		}
	}
	return nil
}

// LayWaiting lays the approvals on the board that came before the message.
func (a *Alerts) LayWaiting(t *storage.Txn, msg *Message) error {
	if msg.Entry.Approvals == 0 {
		return nil
	}
	waiting, err := archived.ApprovalsOf(t, msg.ID[:])
	if err != nil {
		return err
	}
	for _, w := range waiting {
		if err := archived.StopWaiting(t, w.Place); err != nil {
			return err
		}
	}
	return a.layApprovals(t, waiting)
}

// Adopted records that a message, which was added, was adopted: where, and how many ordinals
// of members had been given until then.
func (a *Alerts) Adopted(t *storage.Txn, msg *Message, adopted factlog.Adoption, ordinals uint32) error {
	one := Placed{Adoption: adopted, Ordinals: ordinals}
	a.place(msg.Entry, one)
	if a.frozen {
		return nil
	}
	a.state.Alert = one.fact().Place
	if err := archived.PutActive(t, one.fact()); err != nil {
		return err
	}
	return archived.StateRecord.Put(t, a.state)
}

// Approved records that an approval was adopted at a place: it is listed under what it
// approves.
func (a *Alerts) Approved(t *storage.Txn, p factbody.Approval, at factlog.Place, id []byte) error {
	if a.frozen {
		return nil
	}
	known, err := factlog.Has(t, p.Fact)
	if err != nil {
		return err
	}
	a.state.Approval = at
	if err := archived.PutApprovalOf(t, p.Fact, a.state.Approval, id, !known); err != nil {
		return err
	}
	return archived.StateRecord.Put(t, a.state)
}

// restore adds messages of the archive to the board.
func (a *Alerts) restore(t *storage.Txn, facts []archived.Fact, log *slog.Logger) error {
	for _, f := range facts {
		msg, err := Stored(t, f.ID)
		if err != nil {
			return err
		}
		if msg == nil {
			if log != nil {
				log.Error("adopted alert cannot be read by this version", "fact", hex.EncodeToString(f.ID))
			}
			continue
		}
		adopted, ok, err := factlog.AdoptionAt(t, f.Place)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: no message was adopted at %d.%d", storage.ErrDamaged, f.Place.Index, f.Place.N)
		}
		if msg.Entry.Approvals > 0 {
			approvals, err := archived.ApprovalsOf(t, f.ID)
			if err == nil {
				err = a.layApprovals(t, approvals)
			}
			if err != nil {
				return err
			}
		}
		a.Add(msg)
		a.place(msg.Entry, Placed{Adoption: adopted, Ordinals: f.Ordinals})
	}
	return nil
}

// layApprovals lays adopted approvals on the board.
func (a *Alerts) layApprovals(t *storage.Txn, approvals []archived.Fact) error {
	for _, one := range approvals {
		stored, ok, err := factlog.ByID(t, one.ID)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: approval %x is gone", storage.ErrDamaged, one.ID)
		}
		p, ok, err := approvalOf(stored)
		if err != nil {
			return err
		}
		if ok {
			a.Approve(p)
		}
	}
	return nil
}

// approvalOf reads a stored approval; false for one that counted for nothing when it was
// adopted.
func approvalOf(stored factlog.Fact) (p factbody.Approval, ok bool, err error) {
	signed, err := fact.DecodeSigned(stored.Signed)
	if err != nil {
		return p, false, fmt.Errorf("%w: approval of %s: %w", storage.ErrDamaged, stored.Key.Origin, err)
	}
	f, err := signed.Fact()
	if err != nil {
		return p, false, fmt.Errorf("%w: approval of %s: %w", storage.ErrDamaged, stored.Key.Origin, err)
	}
	p, err = factbody.DecodeApproval(f.Body)
	return p, err == nil && len(p.Fact) == len(fact.ID{}), nil
}
