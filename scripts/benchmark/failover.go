//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"almenara/node/client"
	"almenara/node/wire"
)

// failover is how long a district of three cannot agree on anything after its leader lost
// power, with and without strangers at the ports between the nodes.
type failover struct {
	Strangers int
	Took      time.Duration // from the kill until a record is committed
}

// mostFailover is the promise: that of one failover in a hundred, strangers or not (cluster/DESIGN.md, "Numbers").
const mostFailover = 1200 * time.Millisecond

// killed is the variant of the cell.
const killed = "leader killed"

// box is one node of the district that can be killed and come back.
type box struct {
	*child
	id, data, internode string
	client              *client.Client
}

// boxes are the nodes of the district.
func (a *almenara) boxes(ctx context.Context) (all []*box, err error) {
	st, err := a.client.Status(ctx, false)
	if err != nil {
		return nil, err
	}
	for i, name := range []string{"n1", "n2", "n3"} {
		b := &box{child: a.child, data: filepath.Join(a.setup.dir, name), client: a.client}
		if i == 0 {
			b.data = filepath.Join(a.setup.dir, "data")
		} else {
			b.child = a.others[i-1]
		}
		at := slices.IndexFunc(st.Nodes, func(n wire.NodeInfo) bool { return n.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("%s is no member of the district", name)
		}
		b.id, b.internode = st.Nodes[at].ID, st.Nodes[at].Internode
		if i > 0 {
			if b.client, err = client.New(client.Config{URL: st.Nodes[at].API, Token: a.token, Timeout: time.Minute}); err != nil {
				return nil, err
			}
		}
		all = append(all, b)
	}
	return all, nil
}

// failovers measures both, in one district.
func (c *cell) failovers(ctx context.Context) (err error) {
	u, err := c.begin(ctx, nodeName)
	if err != nil {
		return err
	}
	defer u.end()
	node := u.sys.(*almenara)
	all, err := node.boxes(ctx)
	if err != nil {
		return err
	}
	defer func() {
		for _, b := range all {
			b.child.stop()
		}
	}()
	var at []string
	for _, b := range all {
		at = append(at, b.internode)
	}
	for _, strangers := range []int{0, c.strangers()} {
		var there *child
		if strangers > 0 {
			if there, err = c.meet(ctx, "strangers", at...); err != nil {
				return err
			}
		}
		for range c.runs {
			if err = c.failover(ctx, node, all, strangers); err != nil {
				break
			}
		}
		there.stop()
		if err != nil {
			return err
		}
	}
	return nil
}

// failover kills the leader once, and lets it come back.
func (c *cell) failover(ctx context.Context, node *almenara, all []*box, strangers int) error {
	leader, err := whole(ctx, all)
	if err != nil {
		return err
	}
	if err := leader.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	begun := time.Now()
	survivor := all[slices.IndexFunc(all, func(b *box) bool { return b != leader })]
	for end := begun.Add(awaitTime); ; {
		bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := survivor.client.PutPlaces(bounded, []wire.Place{{Path: district + "/failover", Names: map[string]string{"en": fmt.Sprint(stamp())}}})
		cancel()
		if err == nil {
			break
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("nothing was agreed after the leader's end: %w", err)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	f := failover{strangers, time.Since(begun)}
	c.say("%d strangers: agreed again after %s", strangers, milli(f.Took))
	<-leader.exited
	leader.child, err = node.run(ctx, filepath.Join(node.setup.dir, "again.log"), "serve", "--data", leader.data)
	return errors.Join(err, c.record(f))
}

// whole waits until all nodes know the same leader and have applied the same, and returns it.
func whole(ctx context.Context, all []*box) (*box, error) {
	for end := time.Now().Add(districtTime); ; {
		known, applied := map[string]int{}, map[uint64]bool{}
		var wrong error
		for _, b := range all {
			st, err := b.client.Status(ctx, false)
			wrong = errors.Join(wrong, err)
			known[st.Leader]++
			applied[st.Applied] = true
		}
		for i, b := range all {
			if wrong == nil && known[b.id] == len(all) && len(applied) == 1 {
				return all[i], pause(ctx, 2*time.Second) // a leader that is new knows its followers only after some heartbeats
			}
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("the district is not whole after %v: %w", districtTime, errors.Join(wrong, errRestless))
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// worst is the longest failover; ok is false where none was measured.
func (r *results) worst(strangers bool) (most time.Duration, ok bool) {
	for _, f := range r.failovers {
		if f.Strangers > 0 == strangers {
			most, ok = max(most, f.Took), true
		}
	}
	return most, ok
}

// failoverTargets judges failovers.
func (r *results) failoverTargets() (all []target) {
	for _, strangers := range []bool{false, true} {
		t := target{system: nodeName, text: fmt.Sprintf("3 nodes, leader killed until agreed again, most: %s", milli(mostFailover))}
		if strangers {
			t.text += ", " + strings.Replace(manyStrangers, "silent", fmt.Sprint(strangersCount), 1)
		}
		if took, ok := r.worst(strangers); ok {
			t.measured, t.reached = milli(took), took <= mostFailover
		}
		all = append(all, t)
	}
	return all
}
