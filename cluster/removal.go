package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"almenara/storage/durable"
)

// Remove takes the node out of the district for good. On return the new
// configuration is committed; the node itself learns it within seconds if it is
// alive. A leader that removes itself hands over first. ErrNotMember when there
// is no such node; ErrRefused, and nothing happened, when Removable says so.
func (c *Cluster) Remove(ctx context.Context, id string) error {
	err := c.onLeader(ctx, func(ctx context.Context) error {
		return c.removeHere(ctx, id)
	}, func(ctx context.Context, leader string) error {
		_, err := c.forward(ctx, leader, "/cluster/remove", []byte(id))
		return err
	})
	if id == c.NodeID() && errors.Is(err, ErrRemoved) {
		return nil // the answer was lost, but we have learnt it
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", id, err)
	}
	return nil
}

func (c *Cluster) removeHere(ctx context.Context, id string) error {
	if !inConfiguration(raft.Configuration{Servers: c.servers()}, id) {
		return ErrNotMember
	}
	if err := c.Removable(ctx, id); err != nil {
		return err
	}
	if id == c.NodeID() {
		if err := c.transfer(ctx); err != nil {
			return fmt.Errorf("%w: handing over: %w", ErrRefused, err)
		}
		return errTryAgain // with the new leader
	}
	if err := c.raft.RemoveServer(raft.ServerID(id), 0, membershipTimeout).Error(); err != nil {
		return raftOutcome(err)
	}
	c.closeStrangers()
	return nil
}

// Removable asks every voter that would remain where its log ends, and refuses
// (ErrRefused, with a sentence) when a majority of them is not at hand and up to date:
// the removal itself could not be committed, and a voter that does not know the members
// of today gives raft's leaders of today no vote, so nobody could lead when it is back.
// It also refuses to take the vote of a node that is there and leave fewer than three,
// while another has joined and does not vote yet: whoever replaces nodes waits for each.
// It takes a second at most. Any number of callers, on any node.
func (c *Cluster) Removable(ctx context.Context, id string) error {
	servers := c.servers()
	remain := slices.DeleteFunc(slices.Clone(servers), func(s raft.Server) bool { return s.Suffrage != raft.Voter })
	at := slices.IndexFunc(remain, func(s raft.Server) bool { return string(s.ID) == id })
	if at < 0 {
		return nil // it has no vote to lose
	}
	leaving := remain[at : at+1 : at+1]
	newcomer := slices.IndexFunc(servers, func(s raft.Server) bool { return s.Suffrage != raft.Voter })
	if newcomer >= 0 && len(remain) <= 3 && len(c.behind(ctx, leaving)) == 0 {
		return fmt.Errorf("%w: without it %d nodes vote, and %s has joined and does not vote yet; wait until it does, some ten seconds, or remove it instead; nothing was changed",
			ErrRefused, len(remain)-1, servers[newcomer].ID)
	}
	remain = slices.Delete(slices.Clone(remain), at, at+1)
	away := c.behind(ctx, remain)
	if len(remain)-len(away) > len(remain)/2 {
		return nil
	}
	return fmt.Errorf("%w: without it %d nodes vote, and %s of them cannot be reached or is not up to date, so that they could not agree on anything; wait for it, or remove it first; nothing was changed",
		ErrRefused, len(remain), strings.Join(away, ", "))
}

// behind are the servers that do not answer, that lost what they had, whose log does not
// hold the configuration of today, or ends well before ours.
func (c *Cluster) behind(ctx context.Context, servers []raft.Server) []string {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	_, known := c.fsm.committed()
	ends := make([]uint64, len(servers))
	var asked sync.WaitGroup
	for i, s := range servers {
		asked.Go(func() { ends[i] = c.logEnd(ctx, string(s.ID)) })
	}
	asked.Wait()
	var ids []string
	for i, s := range servers {
		if c.logs.behind(string(s.ID)) || ends[i] < max(known, 1) || ends[i]+promotionLag < c.raft.LastIndex() {
			ids = append(ids, string(s.ID))
		}
	}
	return ids
}

// logEnd asks a node where its log ends; 0 when it does not answer.
func (c *Cluster) logEnd(ctx context.Context, id string) uint64 {
	if id == c.NodeID() {
		return c.raft.LastIndex()
	}
	b, err := c.rpc.call(ctx, id, "/cluster/ping", nil)
	var p pong
	if err != nil || decodeCBOR(b, &p) != nil {
		return 0
	}
	return p.LastIndex
}

func (c *Cluster) handleRemove(w http.ResponseWriter, req *http.Request) {
	id, ok := readBody(w, req)
	if !ok {
		return
	}
	if err := c.removeHere(req.Context(), string(id)); err != nil {
		fail(w, err)
	}
}

// beRemoved stops raft on this node after it was removed.
func (c *Cluster) beRemoved() {
	c.removeOne.Do(func() {
		c.options.Logger.Warn("this node was removed from the district: stopping")
		path := filepath.Join(c.options.Dir, removedFile)
		if err := durable.WriteFile(path, []byte(c.NodeID()+"\n")); err != nil {
			c.options.Logger.Error("marking removal", "error", err)
		}
		if err := c.shutdown(); err != nil {
			c.options.Logger.Error("ending raft", "error", err)
		}
		close(c.removed)
	})
}

// learnRemoval takes a peer's answer that we are no member: true when its
// configuration is newer than ours, in which we still are one.
func (c *Cluster) learnRemoval(err error) bool {
	var answer *CallError
	var said stranger
	if !errors.As(err, &answer) || answer.Status != http.StatusGone ||
		decodeCBOR([]byte(answer.Text), &said) != nil {
		return false
	}
	conf, index := c.fsm.committed()
	return said.Index > index && inConfiguration(conf, c.NodeID())
}
