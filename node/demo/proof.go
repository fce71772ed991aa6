package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/node"
	"almenara/node/access"
	"almenara/node/cli/inprocess"
	"almenara/node/client"
	"almenara/node/wire"
)

// stopLeader stops the leading node while receipts come in. A district of one or
// two nodes would have no majority left, so nothing is stopped there.
func (s *show) stopLeader(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	if _, any := s.wanted(); !any || len(s.nodes) < 3 || s.sent.Addressed.Total == 0 {
		return nil
	}
	err := s.fleet.Wait(ctx, func(p device.Progress) bool { return p.Alerts[s.key()].Verified > 0 })
	if err != nil {
		return fmt.Errorf("waiting for the first receipt: %w", err)
	}
	leader, err := s.leader(ctx)
	if err != nil {
		return err
	}
	n := s.nodes[leader]
	s.nodes = slices.Delete(s.nodes, leader, leader+1)
	s.result.Stopped = n.Name()
	s.say("Receipts come in; the leader, %s, is stopped. Its devices go to the other nodes.", n.Name())
	if err := n.Stop(ctx); err != nil {
		return fmt.Errorf("stopping the leader: %w", err)
	}
	return nil
}

// leader finds the leading node; on a busy machine an election may be under way.
func (s *show) leader(ctx context.Context) (int, error) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		leader := slices.IndexFunc(s.nodes, func(n *node.Node) bool {
			st, err := n.Services().Status.Status(ctx, false)
			return err == nil && st.Role == "leader"
		})
		if leader >= 0 {
			return leader, nil
		}
		select {
		case <-ctx.Done():
			return 0, errors.New("no node leads")
		case <-ticker.C:
		}
	}
}

// awaitProof waits until every addressed device has proven the alert, and until
// every node that is left says the same as the devices.
func (s *show) awaitProof(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	proof, any := s.wanted()
	if !any {
		s.say("A message with status %s is recorded and never sent to devices.", s.message.alert.Status)
		return nil
	}
	want := int(s.sent.Addressed.Total)
	if want == 0 {
		return errors.New("the message addresses nobody")
	}
	proven := s.fleet.Wait(ctx, func(p device.Progress) bool { return proof(p.Alerts[s.key()]) == want })
	if proven == nil {
		proven = s.awaitAnswers(ctx)
	}
	if proven == nil {
		proven = s.awaitCounts(ctx, want)
	}
	if proven != nil && ctx.Err() == nil {
		return proven
	}
	return nil // the result says what is missing
}

// awaitAnswers waits for the people at the phones, where they are asked.
func (s *show) awaitAnswers(ctx context.Context) error {
	asked := 0
	for _, d := range s.fleet.Devices() {
		for _, e := range d.Log() {
			if e.What == device.Started && e.Body != nil && e.Body.Confirm == "person" && isPhone(e.Device) {
				asked++
			}
		}
	}
	return s.fleet.Wait(ctx, func(p device.Progress) bool { return p.Alerts[s.key()].Acknowledged >= asked })
}

func isPhone(id string) bool { return len(id) > 6 && id[:6] == "phone-" }

// awaitCounts waits until the nodes agree with the devices.
func (s *show) awaitCounts(ctx context.Context, want int) error {
	for i := range s.nodes {
		if err := s.poll(ctx, i, func(ctx context.Context, c *client.Client) (bool, error) {
			a, err := c.ShowAlert(ctx, s.sent.Alert)
			return err == nil && s.counted(a.Rungs) == want && int(a.Rungs.Acknowledged) == s.reach().Acknowledged, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// counted is the rung of a node's counts that stands for proof.
func (s *show) counted(r wire.Rungs) int {
	if s.message.alert.Status == "Test" {
		return int(r.Verified)
	}
	return int(r.Presented)
}

func (s *show) reach() device.Reach { return s.fleet.Progress().Alerts[s.key()] }

// sum writes the result.
func (s *show) sum(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	r := s.reach()
	s.result.Twice, s.result.Agree = r.Twice, true
	if first, last, any := s.starts.span(s.key()); any {
		s.result.FirstMS = milliseconds(first.Sub(s.result.Accepted))
		s.result.LastMS = milliseconds(last.Sub(s.result.Accepted))
	}
	proof, any := s.wanted()
	for i, n := range s.nodes {
		shown, err := s.show(ctx, i)
		if err != nil {
			return err
		}
		s.result.Agree = s.result.Agree && (!any || s.counted(shown.Rungs) == proof(r))
		s.result.Groups = shown.ByGroup
		if st, err := n.Services().Status.Status(ctx, false); err == nil && st.Role == "leader" {
			s.result.Leader = n.Name()
		}
	}
	s.countKinds()
	s.result.Proven = s.result.Agree && r.Twice == 0 && s.result.Outside == 0 && s.result.Missing == 0
	return s.keepOpen()
}

// show reads the alert from one node, once there is a leader again.
func (s *show) show(ctx context.Context, i int) (out wire.Alert, err error) {
	err = s.poll(ctx, i, func(ctx context.Context, c *client.Client) (bool, error) {
		out, err = c.ShowAlert(ctx, s.sent.Alert)
		return err == nil, err
	})
	return out, err
}

// countKinds counts the devices by kind, from what the devices themselves know.
func (s *show) countKinds() {
	_, any := s.wanted()
	kinds := map[string]*inprocess.KindProof{}
	for i, d := range s.fleet.Devices() {
		f := s.town.fixtures[i]
		k := kinds[f.enrol.Kind]
		if k == nil {
			k = &inprocess.KindProof{Kind: f.enrol.Kind}
			kinds[f.enrol.Kind] = k
		}
		tally := d.Tally(s.key())
		told := func(rung string) int {
			if slices.Contains(tally.Told, rung) {
				return 1
			}
			return 0
		}
		k.Connected++
		k.Verified += told("verified")
		k.Presented += told("presented")
		k.Acknowledged += told("acknowledged")
		k.Stopped += told(contract.RungCancelled)
		addressed := any && s.addressed(f)
		switch {
		case addressed:
			k.Addressed++
			if told("verified") == 0 || s.message.alert.Status != "Test" && (told("presented") == 0 || tally.Starts != 1) {
				s.result.Missing++
			}
		case len(tally.Told) > 0 || tally.Starts > 0:
			s.result.Outside++
		}
	}
	for _, k := range kinds {
		s.result.Kinds = append(s.result.Kinds, *k)
	}
	slices.SortFunc(s.result.Kinds, func(a, b inprocess.KindProof) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
}

// addressed says whether a device should have got the alert, by the town's plan and
// not by what the nodes say.
func (s *show) addressed(f fixture) bool {
	switch s.message.alert.Scope {
	case "Restricted":
		return !f.outside && f.enrol.Kind == "phone"
	case "Private":
		return slices.Contains(s.message.alert.Addresses, f.enrol.ID)
	}
	return !f.outside
}

// keepOpen notes where the nodes are, when they stay.
func (s *show) keepOpen() error {
	if !s.options.Keep {
		return nil
	}
	for _, n := range s.nodes {
		s.result.API = append(s.result.API, n.API())
		s.result.MQTT = append(s.result.MQTT, n.MQTT()...)
	}
	s.result.TokenFile = filepath.Join(s.dir, "node-1", access.TokenFile)
	return nil
}

// close ends everything and removes the folder.
func (s *show) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	if s.fleet != nil {
		s.fleet.Stop()
	}
	var errs []error
	for _, n := range s.nodes {
		errs = append(errs, n.Stop(ctx))
	}
	s.nodes = nil
	for _, log := range s.logs {
		errs = append(errs, log.Close())
	}
	s.logs = nil
	switch {
	case s.dir == "":
	case s.result.Proven:
		errs = append(errs, os.RemoveAll(s.dir))
	default:
		s.say("The nodes' folders and logs are kept in %s.", s.dir)
	}
	return errors.Join(errs...)
}

// await waits until every node's status is as wanted.
func (s *show) await(ctx context.Context, ok func(wire.Status) bool) error {
	for i := range s.nodes {
		if err := s.poll(ctx, i, func(ctx context.Context, c *client.Client) (bool, error) {
			st, err := c.Status(ctx, false)
			return err == nil && ok(st), err
		}); err != nil {
			return err
		}
	}
	return nil
}

// poll asks one node until done says so, or ctx ends.
func (s *show) poll(ctx context.Context, i int, done func(context.Context, *client.Client) (bool, error)) error {
	c, err := s.client(i)
	if err != nil {
		return err
	}
	defer c.Close()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done(ctx, c)
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

func (s *show) client(i int) (*client.Client, error) {
	return client.New(client.Config{URL: s.nodes[i].API(), Token: s.token})
}

func voters(s wire.Status) int {
	n := 0
	for _, peer := range s.Nodes {
		if peer.Voter {
			n++
		}
	}
	return n
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// freeAddress is a loopback address that nothing listens on, with a port below those that Linux gives to whoever
// connects (32768 on): another program would have it before the node listens there.
func freeAddress() (address string, err error) {
	for range 1000 {
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))); err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", fmt.Errorf("finding a free port: %w", err)
}
