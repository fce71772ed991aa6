package node_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/client"
	"almenara/node/wire"
	"almenara/node/wire/places"
)

// Whoever manages one block fills no node of the district: not with members, also not by files that are read
// beside each other, not with places, and not with devices.
func TestAttack_WhoManagesOneBlockFillsNoNode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	const block = "tuen-mun/on-ting/block-1"
	_, err := d.imports("id,kind,place\nlift,screen," + block + "\n")
	require.NoError(t, err)
	eve := d.clientWith(0, d.user(wire.AddUser{Name: "eve", Roles: []string{"audience-manager", "device-manager"}, Places: []string{block}}))
	people := func(c *client.Client, of string, n int) error {
		var csv strings.Builder
		csv.WriteString("id,kind,place\n")
		for i := range n {
			fmt.Fprintf(&csv, "%s-%d,person,%s\n", of, i, block)
		}
		_, err := c.Import(d.ctx(), client.Import{CSV: strings.NewReader(csv.String())})
		return err
	}
	requireKind(t, wire.KindOverBudget, people(eve, "a", 50_000), "one more than there may be")
	both := make(chan error, 2)
	for _, of := range []string{"a", "b"} {
		go func() { both <- people(eve, of, 26_000) }()
	}
	one, two := told(t, both), told(t, both)
	if one == nil {
		one, two = two, one
	}
	require.NoError(t, two)
	requireKind(t, wire.KindOverBudget, one, "two at once are no way around")
	found, err := d.client(0).Select(d.ctx(), "all", "", 0)
	require.NoError(t, err)
	require.EqualValues(t, 26_001, found.Counts.Total)
	require.NoError(t, errors.Join(people(eve, "a", 1000), people(eve, "b", 1000)), "what is within")
	require.NoError(t, people(d.client(0), "c", 25_000), "who is limited to no place may bring more")
	_, err = eve.EnrolDevices(d.ctx(), []wire.Enrol{{ID: "x", Kind: "screen", Place: block}})
	requireKind(t, wire.KindOverBudget, err, "a device brings a member")

	some := make([]wire.Place, 500)
	for n := range 10 {
		for i := range some {
			some[i].Path = fmt.Sprintf("%s/f%d-%d", block, n, i)
		}
		require.NoError(t, eve.PutPlaces(d.ctx(), some))
	}
	requireKind(t, wire.KindOverBudget, eve.PutPlaces(d.ctx(), []wire.Place{{Path: block}}), "a place too many")
	_, err = eve.ChangePlace(d.ctx(), places.ChangePlace{Path: block, Place: &wire.Place{Path: block}})
	requireKind(t, wire.KindOverBudget, err, "one by one")
}
