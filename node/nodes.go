package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/internode"
	"almenara/node/admission"
	"almenara/node/api"
	"almenara/node/machine"
	"almenara/node/records"
	"almenara/node/whereabouts"
	"almenara/node/wire"
	"almenara/storage"
)

const (
	inviteMinutes = 60          // without a wish
	inviteMost    = 7 * 24 * 60 // minutes
)

// invited commits an invitation's hash, for cluster.Invite.
func (n *Node) invited(ctx context.Context, hash string, expires time.Time) error {
	raw, err := hex.DecodeString(hash)
	if err != nil {
		return fmt.Errorf("reading the token's hash: %w", err)
	}
	_, err = n.proposer.Propose(ctx, n.Name(), &command.PutJoinToken{Hash: raw, Expires: expires.UnixMilli()})
	return err
}

// admitNode uses the token up, and puts the new node and its key on record before
// it becomes a member: a node whose key is in no ring could not warn anybody. What a
// repeat must be, node/admission says; requests are judged one at a time.
func (n *Node) admitNode(ctx context.Context, req cluster.JoinRequest) error {
	select {
	case <-n.joined: // the port is open before this node is whole
	case <-ctx.Done():
		return cluster.ErrBusy
	}
	hash, err := hex.DecodeString(req.TokenHash)
	if err != nil {
		return fmt.Errorf("%w: unreadable token", cluster.ErrRefused)
	}
	n.admitting.Lock()
	defer n.admitting.Unlock()
	if err := n.cluster.Linearizable(ctx); err != nil { // what an earlier leader admitted counts
		return err
	}
	asked := admission.Request{TokenHash: hash, Node: req.NodeID, Key: req.SigningKey, Proven: req.Proven}
	if err := admission.Judge(n.store, asked, n.options.Clock()); err != nil {
		return fmt.Errorf("%w: %w", cluster.ErrRefused, err)
	}
	_, err = n.proposer.Propose(ctx, n.Name(), &command.UseJoinToken{Hash: hash, NodeID: req.NodeID})
	switch {
	case errors.Is(err, command.ErrNotFound):
		return fmt.Errorf("%w: the token is not one of this district", cluster.ErrRefused)
	case errors.Is(err, command.ErrConflict), errors.Is(err, command.ErrExpired):
		return fmt.Errorf("%w: the token is used or has expired; ask for a new one", cluster.ErrRefused)
	case err != nil:
		return err
	}
	_, err = n.proposer.Propose(ctx, n.Name(), &command.PutNode{Node: storage.Node{
		ID: req.NodeID, Name: req.NodeID[:8], Internode: req.Addrs[0], KeyID: req.KeyID, PublicKey: req.SigningKey,
		Version: n.admittedVersion(ctx, req.Version),
	}})
	if err != nil {
		return err
	}
	return n.keepKeyRing(ctx)
}

// addressOf names the internode address that a node announced last.
func (n *Node) addressOf(id string) (string, bool) {
	var node storage.Node
	var known bool
	err := n.store.View(func(t *storage.Txn) (err error) {
		node, known, err = t.Node(id)
		return err
	})
	return node.Internode, err == nil && known && node.Internode != ""
}

// Invite implements api.District.
func (n *Node) Invite(ctx context.Context, by api.Caller, in wire.Invite) (wire.Invited, error) {
	minutes := in.Minutes
	if minutes == 0 {
		minutes = inviteMinutes
	}
	if minutes < 0 || minutes > inviteMost {
		return wire.Invited{}, wire.Problemf(wire.KindMalformed, "an invitation is good for 1 to %d minutes", inviteMost)
	}
	ttl := time.Duration(minutes) * time.Minute
	token, err := n.cluster.Invite(ctx, ttl)
	if err != nil {
		return wire.Invited{}, n.proposer.Problem(err)
	}
	n.log.Info("a node was invited", "by", by.Name, "expires_in", ttl)
	return wire.Invited{Token: token.String(), Expires: n.options.Clock().Add(ttl).UTC().Truncate(time.Second)}, nil
}

// RemoveNode implements api.District. The key goes from the ring first, so that
// devices stop believing the node before its vote is gone.
func (n *Node) RemoveNode(ctx context.Context, by api.Caller, named string) error {
	id, err := records.NodeMeant(n.store, named)
	if err != nil {
		return err
	}
	if n.lastVoter(id) {
		return wire.Problemf(wire.KindRefused, "%s is the only node that votes, and the district would end with it; nothing was changed", named)
	}
	if err := n.cluster.Removable(ctx, id); err != nil {
		return records.WithNames(n.store, n.proposer.Problem(fmt.Errorf("removing %s: %w", id, err)))
	}
	if _, err := n.proposer.Change(ctx, by.Name, &command.RemoveNode{ID: id}); err != nil {
		return err
	}
	if err := n.keepKeyRing(ctx); err != nil {
		return n.proposer.Problem(err)
	}
	err = n.cluster.Remove(ctx, id)
	switch {
	case errors.Is(err, cluster.ErrNotMember): // left out when the district was recovered
		return nil
	case errors.Is(err, cluster.ErrRefused): // who is at hand has changed since it was asked
		return wire.Problemf(wire.KindBusy, "%s is being removed and its devices go to the other nodes; it has a vote until enough of those that remain can be reached", named)
	case err != nil:
		return n.proposer.Problem(err)
	}
	return nil
}

// finishRemovals takes nodes out of the raft group whose removal was agreed and could not
// be finished: who asked for it was cut off, or too few of the others were at hand.
func (n *Node) finishRemovals(ctx context.Context) error {
	nodes, _, err := n.keys()
	if err != nil {
		return err
	}
	var errs []error
	peers := n.cluster.Status().Peers
	for _, node := range nodes {
		if !node.Removed || !slices.ContainsFunc(peers, func(p cluster.Peer) bool { return p.ID == node.ID }) {
			continue
		}
		if err := n.cluster.Remove(ctx, node.ID); err != nil && !errors.Is(err, cluster.ErrNotMember) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// lastVoter reports whether no other node of the district has a vote.
func (n *Node) lastVoter(id string) bool {
	peers := n.cluster.Status().Peers
	return slices.ContainsFunc(peers, func(p cluster.Peer) bool { return p.ID == id }) &&
		!slices.ContainsFunc(peers, func(p cluster.Peer) bool { return p.Voter && p.ID != id })
}

// Status implements api.District.
func (n *Node) Status(_ context.Context, withHash bool) (wire.Status, error) {
	c := n.cluster.Status()
	now := n.options.Clock()
	apiURL, mqttURLs := n.listeners.urls()
	s := wire.Status{
		Node: n.ID(), Name: n.Name(), Version: n.options.Version, District: n.identity.District.Name,
		Incarnation: c.Incarnation, Isolated: n.Isolated(), Quarantined: n.cluster.Quarantine() != nil, Role: c.Role, Leader: c.Leader, Term: c.Term, Quorum: c.HasQuorum, AloneSince: c.AloneSince,
		Applied: c.AppliedIndex, Committed: c.CommitIndex, Members: uint64(n.state.Index().Len()),
		Devices: n.presence.count(), InForce: n.book.Count(now), PendingFacts: n.under.count(),
		API: apiURL, MQTT: mqttURLs, Internode: n.cluster.Advertised(), DataDirectory: n.options.Dir, Broker: n.externalStatus(),
		Nodes: n.nodeInfos(c), Disk: n.disk.Status(), Clock: n.clock.Status(), Spool: n.receipts.SpoolStatus(), Warnings: n.warnings(),
	}
	if !s.AloneSince.IsZero() { // measured by the monotonic clock, said in the node's time
		s.AloneSince = now.Add(-time.Since(s.AloneSince)).Round(time.Second)
	}
	s.Ready, s.Why = n.ready(c)
	state := n.alone.Now()
	s.Alone, s.PolicyAge = state.Alone, int64(state.Age.Seconds())
	if state.Age < 0 {
		s.PolicyAge = -1
	}
	rules, err := n.state.Authority()
	if err != nil {
		return s, fmt.Errorf("reading the policy: %w", err)
	}
	s.PolicyVersion = rules.Version
	if withHash {
		index, sum, err := n.machine.StateHash()
		if err != nil {
			return s, fmt.Errorf("hashing the state: %w", err)
		}
		s.StateHash = fmt.Sprintf("%d:%x", index, sum)
	}
	return s, nil
}

// ready says whether the node does all of its work, and what is missing otherwise.
// A node that is alone still warns its devices; it is not ready for the rest.
func (n *Node) ready(c cluster.Status) (bool, string) {
	switch {
	case n.machine.Halted() != nil:
		return false, "the state machine has stopped: " + n.machine.Halted().Error()
	case n.cluster.Quarantine() != nil && c.AppliedIndex == 0:
		return false, strings.ReplaceAll(quarantined(n.cluster.Quarantine()), stillWarned, "it has nothing left by which to warn devices")
	case n.cluster.Quarantine() != nil:
		return false, quarantined(n.cluster.Quarantine())
	case n.district().ID == "":
		return false, "the district's record has not arrived yet"
	case !n.inKeyRing.Load():
		return false, "this node's key is not in the district's key ring, so its devices are at the others; it is about to be let in, or to end"
	case n.disk.Full():
		return false, n.disk.Sentence()
	case !c.HasQuorum:
		return false, "no majority of the district's nodes can be reached; devices here are still warned"
	case c.DiskStalled > 2*time.Second:
		return false, "the disk has not answered for " + c.DiskStalled.Round(time.Second).String()
	}
	return true, ""
}

func (n *Node) nodeInfos(c cluster.Status) []wire.NodeInfo {
	nodes, _, err := n.keys()
	if err != nil {
		n.log.Error("reading the nodes", "error", err)
	}
	var out []wire.NodeInfo
	for _, p := range c.Peers {
		info := wire.NodeInfo{ID: p.ID, Internode: p.Addr, Voter: p.Voter, Reachable: p.Reachable, Leader: p.ID == c.Leader,
			CommandVersion: p.Version, LogHeld: p.Held, LostLog: p.LostLog, NeverSeen: records.NeverSeen(p)}
		if !p.Answered.IsZero() { // measured by the monotonic clock, said in the node's time
			info.LastAnswer = n.options.Clock().Add(-time.Since(p.Answered)).UTC().Truncate(time.Second)
		}
		for _, node := range nodes {
			if node.ID == p.ID {
				info.Name, info.API = node.Name, node.API
			}
		}
		out = append(out, info)
	}
	return out
}

// district is the agreed record; its zero value before there is one.
func (n *Node) district() storage.District {
	var d storage.District
	if err := n.store.View(func(t *storage.Txn) (err error) {
		d, _, err = t.District()
		return err
	}); err != nil {
		n.log.Error("reading the district", "error", err)
	}
	if d.ID == "" {
		d.Name = n.identity.District.Name
	}
	return d
}

// serveNodes answers the other nodes.
func (n *Node) serveNodes() {
	for path, handler := range n.exchange.Handlers() {
		n.cluster.Handle(path, handler)
	}
	for path, handler := range n.originals.Handlers() {
		n.cluster.Handle(path, handler)
	}
	n.cluster.Handle("POST "+machine.TimePath, n.times.Handler(internode.PeerID))
	n.cluster.Handle("POST "+whereabouts.Path, n.whereabouts.Handler())
}

// whereaboutsOf lets this node ask the others for devices, and answer them.
func whereaboutsOf(n *Node) whereabouts.Nodes {
	return whereabouts.Nodes{
		Self: n.ID(), Call: n.cluster.Call, Gone: n.presence.goneSince,
		// Who was admitted and has not run yet announced no address to devices, and has none.
		Others: func() []string {
			nodes, _, err := n.keys()
			return slices.DeleteFunc(n.cluster.Members(), func(id string) bool {
				return id == n.ID() || err == nil && slices.ContainsFunc(nodes, func(of storage.Node) bool { return of.ID == id && len(of.MQTT) == 0 })
			})
		},
		Here: func() (out []whereabouts.Device) {
			for _, d := range n.here() {
				out = append(out, whereabouts.Device{Device: d.Device, Member: d.Member, Since: d.Since, State: d.State})
			}
			return out
		},
	}
}
