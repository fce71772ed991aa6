//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"almenara/node/wire"
)

// View is what one node says after the district has healed.
type View struct {
	Node     string
	Status   wire.Status // with its hash
	Alerts   []wire.Alert
	Reached  map[string]map[string][]string // alert, rung, members
	Members  map[string]string              // id, batch
	Devices  []string
	Audit    []byte
	Unproven string // why the audit chain does not verify; "" when it does
}

// provenRungs are the rungs that only a device can tell.
var provenRungs = []string{"verified", "presented", "acknowledged", "failed", "refused"}

// most is the largest page of the API.
const most = 1000

// look reads everything from every node.
func (g *rig) look(ctx context.Context) ([]View, error) {
	nodes := g.now()
	views := make([]View, len(nodes))
	var all errgroup.Group // at once: alerts run out while they are read, half a minute a node
	for i, n := range nodes {
		all.Go(func() (err error) { views[i], err = g.view(ctx, n); return err })
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("reading the nodes: %w", err)
	}
	return views, g.hashes(ctx, views)
}

func (g *rig) view(ctx context.Context, n *node) (View, error) {
	v := View{Node: n.name, Reached: map[string]map[string][]string{}, Members: map[string]string{}}
	list, _, err := n.client.ListAlerts(ctx, wire.AlertQuery{Limit: most})
	if err != nil {
		return v, err
	}
	slices.SortFunc(list, func(a, b wire.Alert) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
	for _, a := range list {
		if err := g.alert(ctx, n, &v, a.ID); err != nil {
			return v, err
		}
	}
	if err := patient(ctx, func() error { v.Devices = nil; return people(ctx, n, &v) }); err != nil {
		return v, err
	}
	return v, patient(ctx, func() error { return g.audit(ctx, n, &v) })
}

// patient asks again while the node says that it is asked too often: what reads everything
// does so faster than a person may.
func patient(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		var refused *wire.Problem
		if !errors.As(err, &refused) || refused.Kind != wire.KindOverBudget && refused.Kind != wire.KindBusy {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

func (g *rig) alert(ctx context.Context, n *node, v *View, id string) error {
	var a wire.Alert
	err := patient(ctx, func() (err error) { a, err = n.client.ShowAlert(ctx, id); return err })
	if err != nil {
		return err
	}
	v.Alerts, v.Reached[id] = append(v.Alerts, a), map[string][]string{}
	for _, rung := range provenRungs {
		var page wire.ReceiptPage
		err := patient(ctx, func() (err error) {
			page, err = n.client.AlertReceipts(ctx, id, wire.ReceiptQuery{Rung: rung, Limit: most})
			return err
		})
		if err != nil {
			return err
		}
		for _, row := range page.Rows {
			v.Reached[id][rung] = append(v.Reached[id][rung], row.Member)
		}
	}
	return nil
}

func people(ctx context.Context, n *node, v *View) error {
	found, err := n.client.Select(ctx, "kind = person", "", most)
	if err != nil {
		return err
	}
	for _, m := range found.Members {
		v.Members[m.ID] = m.Tags["batch"]
	}
	devices, err := n.client.ListDevices(ctx, "", most)
	for _, d := range devices {
		v.Devices = append(v.Devices, d.ID)
	}
	return err
}

// audit exports the node's chain and lets the program itself verify it.
func (g *rig) audit(ctx context.Context, n *node, v *View) error {
	var out bytes.Buffer
	if err := n.client.ExportAudit(ctx, &out, 0, 0); err != nil {
		return err
	}
	v.Audit = out.Bytes()
	file := filepath.Join(g.dir, n.name+"-audit.jsonl")
	if err := os.WriteFile(file, v.Audit, 0o600); err != nil {
		return fmt.Errorf("keeping audit: %w", err)
	}
	if _, err := g.run(ctx, n.berth, "audit", "verify", file); err != nil {
		v.Unproven = err.Error()
	}
	return nil
}

// hashes asks until all nodes have hashed their state at one index, or for a few
// seconds.
func (g *rig) hashes(ctx context.Context, views []View) error {
	until := time.Now().Add(5 * time.Second)
	for {
		same := true
		for i, n := range g.now() {
			s, err := n.client.Status(ctx, true)
			if err != nil {
				return err
			}
			views[i].Status = s
			same = same && s.StateHash == views[0].Status.StateHash
		}
		if same || time.Now().After(until) {
			return nil
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}
