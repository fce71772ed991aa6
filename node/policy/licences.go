package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/known"
	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/rights"
)

// Licences answers service.Licences. Its methods may be called from any goroutine.
type Licences struct {
	state    State
	proposer Proposer
	clock    func() time.Time
}

// NewLicences makes one.
func NewLicences(state State, p Proposer, clock func() time.Time) *Licences {
	return &Licences{state: state, proposer: p, clock: clock}
}

// ListLicences implements service.Licences.
func (c *Licences) ListLicences(context.Context) ([]wire.Licence, error) {
	rules, err := c.state.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading licences: %w", err)
	}
	var out []wire.Licence
	for _, l := range rules.Licences {
		out = append(out, licenceOut(l))
	}
	return out, nil
}

func licenceOut(l rights.Licence) wire.Licence {
	return wire.Licence{
		ID: l.ID, Operator: l.Operator, Scenarios: l.Scenarios, Place: l.Place, Until: time.UnixMilli(l.Until).UTC(),
		GrantedBy: l.GrantedBy, GrantedAt: time.UnixMilli(l.GrantedAt).UTC(), Revoked: l.Revoked,
	}
}

// GrantLicence implements service.Licences.
func (c *Licences) GrantLicence(ctx context.Context, by authority.Caller, in wire.Licence) (wire.Licence, error) {
	if in.ID != "" || in.Revoked || in.GrantedBy != "" || !in.GrantedAt.IsZero() {
		return wire.Licence{}, wire.Problemf(wire.KindMalformed, "id, granted_by, granted_at and revoked of a licence are set by the node").Because(why.FormWrong)
	}
	if _, err := authority.Under(in.Place); err != nil {
		return wire.Licence{}, err
	}
	if in.Until.IsZero() || len(in.Scenarios) == 0 || in.Operator == "" {
		return wire.Licence{}, wire.Problemf(wire.KindMalformed, "a licence needs an operator, scenarios, a place and an end").Because(why.LicenceIncomplete)
	}
	if err := c.good(in); err != nil {
		return wire.Licence{}, err
	}
	l := rights.Licence{
		ID: shortid.New()[:12], Operator: in.Operator, Scenarios: in.Scenarios, Place: in.Place, Until: in.Until.UnixMilli(),
	}
	if _, err := c.proposer.Change(ctx, by.Name, &command.PutLicence{Licence: l}); err != nil {
		return wire.Licence{}, err
	}
	l.GrantedBy, l.GrantedAt = by.Name, c.clock().UnixMilli()
	return licenceOut(l), nil
}

// good refuses a licence that could not be used: for a place that is not in the district, or for a
// scenario that there is not. Who holds it would find out on a node that is alone, where nobody can
// grant another one.
func (c *Licences) good(in wire.Licence) error {
	rules, err := c.state.Authority()
	if err != nil {
		return fmt.Errorf("reading scenarios: %w", err)
	}
	names := []string{rights.AnyScenario}
	for _, s := range rules.Scenarios {
		names = append(names, s.ID)
	}
	for _, id := range in.Scenarios {
		if !slices.Contains(names, id) {
			return wire.Problemf(wire.KindRefused, "there is no scenario %s; put it first, or license one of %s; nothing was changed", id, strings.Join(names, ", ")).Because(why.NoScenario, id)
		}
	}
	return known.Places(c.state.Index(), in.Place)
}

// RevokeLicence implements service.Licences.
func (c *Licences) RevokeLicence(ctx context.Context, by authority.Caller, id string) error {
	found, err := c.meant(id)
	if err != nil {
		return err
	}
	_, err = c.proposer.Change(ctx, by.Name, &command.RevokeLicence{ID: found})
	return err
}

// meant is the id of the licence that is meant: by its id, or by the beginning of it. One
// that is not known is left as it is.
func (c *Licences) meant(id string) (string, error) {
	rules, err := c.state.Authority()
	if err != nil {
		return "", fmt.Errorf("reading licences: %w", err)
	}
	var found []string
	for _, l := range rules.Licences {
		if l.ID == id {
			return id, nil
		}
		if strings.HasPrefix(l.ID, id) {
			found = append(found, l.ID)
		}
	}
	if len(id) < shortid.Least || len(found) == 0 {
		return id, nil
	}
	return shortid.Pick("licence", id, found)
}
