// Package district keeps the district's own record: it begins it, once in the district's life,
// puts on it that the district was begun anew, and says under which CAP sender the district
// writes.
//
//	Genesis (first node) ─> Begin ─> record ─> Record, Isolated, Sender
//
// It never imports api, channels or another part of node but access, authority and folder.
package district

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/node/access"
	"almenara/node/authority"
	"almenara/node/folder"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/audience/imports"
	"almenara/storage/noderecord"
)

// Proposer has a change agreed on; *records.Proposer is one.
type Proposer interface {
	Propose(ctx context.Context, actor string, payload command.Payload) (command.Result, error)
}

// Options say what a District needs. None may be nil but Genesis.
type Options struct {
	Identity *identity.Identity // of this node
	Name     string             // of this node, for the audit
	Genesis  *folder.Genesis    // what the district begins with; nil where another node began it
	Store    *storage.Store
	Proposer Proposer
	Logger   *slog.Logger
}

// District is the district as its own record says it. Its methods may be called from any
// goroutine.
type District struct {
	identity *identity.Identity
	name     string
	genesis  *folder.Genesis
	store    *storage.Store
	proposer Proposer
	log      *slog.Logger
}

// New makes one.
func New(o Options) *District {
	return &District{identity: o.Identity, name: o.Name, genesis: o.Genesis, store: o.Store, proposer: o.Proposer, log: o.Logger}
}

// Begin commits the district's own record, once in its life, and the incarnation that this node
// carries. The leader calls it.
func (d *District) Begin(ctx context.Context) error {
	if err := d.begin(ctx); err != nil {
		return err
	}
	return d.incarnate(ctx)
}

// begin commits the district's own record, once in its life.
func (d *District) begin(ctx context.Context) error {
	if d.genesis == nil || d.Record().ID != "" {
		return nil
	}
	own := d.identity.District
	if _, err := d.proposer.Propose(ctx, d.name, &command.PutUser{User: storage.User{
		Name: "administrator", Roles: []string{"administrator"}, TokenHash: d.genesis.TokenHash,
	}}); err != nil {
		return err
	}
	if places := homePlaces(d.genesis.Place); len(places) > 0 {
		if _, err := d.proposer.Propose(ctx, d.name, &command.PutPlaces{Places: places}); err != nil {
			return err
		}
	}
	_, err := d.proposer.Propose(ctx, d.name, &command.PutDistrict{District: noderecord.District{
		ID: own.ID, Name: own.Name, RootPublicKey: own.RootPublic(), CACert: string(access.PEM(own.CA.Raw)), Incarnation: 1,
	}})
	return err
}

// homePlaces are the places that a district of Hong Kong begins with: the 18
// districts under the codes by which the Observatory's alerts cite them.
func homePlaces(district string) []audience.Place {
	places := imports.HongKongPlaces()
	home := audience.Path(district)
	if slices.ContainsFunc(places, func(p audience.Place) bool { return home.Under(p.Path) }) {
		return places
	}
	return nil
}

// incarnate puts the incarnation that this node carries on the district's record, so
// that the audit says that the district was begun anew, where, and from what.
func (d *District) incarnate(ctx context.Context) error {
	carried := d.identity.Incarnation
	record := d.Record()
	if record.ID == "" || carried.Count() <= record.Incarnation {
		return nil
	}
	record.Incarnation = carried.Count()
	actor := fmt.Sprintf("%s on %s after index %d", carried.Why, carried.By, carried.Index)
	_, err := d.proposer.Propose(ctx, actor, &command.PutDistrict{District: record})
	if err == nil {
		d.log.Warn("the district goes on from this node alone", "incarnation", record.Incarnation, "why", carried.Why)
	}
	return err
}

// Isolated reports whether this node is of a copy for a drill: it has an authority of its
// own, and the record that it was restored with is of another.
func (d *District) Isolated() bool {
	record := d.Record().ID
	return record != "" && record != d.identity.District.ID
}

// Drill says so where the copy is looked at.
func (d *District) Drill() why.Sentence {
	if !d.Isolated() {
		return why.Sentence{}
	}
	return why.Sayf("DRILL COPY: this is a copy of the district restored with --isolated, with keys of its own; the district does not hear it, and its alerts reach nobody there").Because(why.DrillCopy)
}

// Record is the agreed record; its zero value before there is one.
func (d *District) Record() noderecord.District {
	var record noderecord.District
	if err := d.store.View(func(t *storage.Txn) (err error) {
		record, _, err = noderecord.DistrictRecord.Get(t)
		return err
	}); err != nil {
		d.log.Error("reading the district", "error", err)
	}
	if record.ID == "" {
		record.Name = d.identity.District.Name
	}
	return record
}

// Sender is the CAP sender of messages that this district writes itself.
func (d *District) Sender() string {
	return "almenara." + strings.ToLower(strings.Join(strings.FieldsFunc(d.Record().Name, func(r rune) bool {
		return strings.ContainsRune(" ,<&\t\n", r)
	}), "-"))
}

// SenderOf is the CAP sender of what a caller writes without naming one: the
// district, or the caller's own where it may speak for some senders only.
func (d *District) SenderOf(by authority.Caller) string {
	if len(by.Senders) > 0 {
		return by.Senders[0]
	}
	return d.Sender()
}
