package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/raft"

	"almenara/cluster/foreign"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
)

// remove is Cluster.Remove.
func (m *membership) remove(ctx context.Context, id string) error {
	err := m.proposals.onLeader(ctx, func(ctx context.Context) error {
		return m.removeHere(ctx, id)
	}, func(ctx context.Context, leader string) error {
		_, err := m.proposals.forward(ctx, leader, "/cluster/remove", []byte(id), nil)
		return err
	})
	if id == m.self && errors.Is(err, outcome.ErrRemoved) {
		return nil // the answer was lost, but we have learnt it
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", id, err)
	}
	return nil
}

func (m *membership) removeHere(ctx context.Context, id string) error {
	if !inConfiguration(raft.Configuration{Servers: m.servers()}, id) {
		return outcome.ErrNotMember
	}
	if err := m.removable(ctx, id); err != nil {
		return err
	}
	if id == m.self {
		if err := m.transfer(ctx); err != nil {
			return fmt.Errorf("%w: handing over: %w", outcome.ErrRefused, err)
		}
		return outcome.ErrTryAgain // with the new leader
	}
	if err := m.raft.RemoveServer(raft.ServerID(id), 0, membershipTimeout).Error(); err != nil {
		return outcome.OfRaft(err)
	}
	m.closeStrangers()
	return nil
}

// removable is Cluster.Removable.
func (m *membership) removable(ctx context.Context, id string) error {
	servers := m.servers()
	remain := slices.DeleteFunc(slices.Clone(servers), func(s raft.Server) bool { return s.Suffrage != raft.Voter })
	at := slices.IndexFunc(remain, func(s raft.Server) bool { return string(s.ID) == id })
	if at < 0 {
		return nil // it has no vote to lose
	}
	leaving := remain[at : at+1 : at+1]
	newcomer := slices.IndexFunc(servers, func(s raft.Server) bool { return s.Suffrage != raft.Voter })
	if newcomer >= 0 && len(remain) <= 3 && len(m.behind(ctx, leaving)) == 0 {
		return fmt.Errorf("%w: without it %d nodes vote, and %s has joined and does not vote yet; wait until it does, some ten seconds, or remove it instead; nothing was changed",
			outcome.ErrRefused, len(remain)-1, servers[newcomer].ID)
	}
	remain = slices.Delete(slices.Clone(remain), at, at+1)
	away := m.behind(ctx, remain)
	if len(remain)-len(away) > len(remain)/2 {
		return nil
	}
	return fmt.Errorf("%w: without it %d nodes vote, and %s of them cannot be reached or is not up to date, so that they could not agree on anything; wait for it, or remove it first; nothing was changed",
		outcome.ErrRefused, len(remain), strings.Join(away, ", "))
}

// behind are the servers that do not answer, that lost what they had, whose log does not
// hold the configuration of today, or ends well before ours.
func (m *membership) behind(ctx context.Context, servers []raft.Server) []string {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	_, known := m.fsm.Committed()
	ends := make([]uint64, len(servers))
	var asked sync.WaitGroup
	for i, s := range servers {
		asked.Go(func() { ends[i] = m.logEnd(ctx, string(s.ID)) })
	}
	asked.Wait()
	var ids []string
	for i, s := range servers {
		if m.memory.Lost(string(s.ID)) || ends[i] < max(known, 1) || ends[i]+promotionLag < m.raft.LastIndex() {
			ids = append(ids, string(s.ID))
		}
	}
	return ids
}

// logEnd asks a node where its log ends; 0 when it does not answer.
func (m *membership) logEnd(ctx context.Context, id string) uint64 {
	if id == m.self {
		return m.raft.LastIndex()
	}
	b, err := m.rpc.Call(ctx, id, "/cluster/ping", nil)
	var p pong
	if err != nil || foreign.Decode(b, &p) != nil {
		return 0
	}
	return p.LastIndex
}

func (m *membership) handleRemove(w http.ResponseWriter, req *http.Request) {
	id, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	if err := m.removeHere(req.Context(), string(id)); err != nil {
		outcome.Write(w, err)
	}
}

// beRemoved stops raft on this node after it was removed.
func (m *membership) beRemoved() {
	m.removeOne.Do(func() {
		m.logger.Warn("this node was removed from the district: stopping")
		if err := marks.MarkRemoved(m.dir, m.self); err != nil {
			m.logger.Error("marking removal", "error", err)
		}
		if err := m.shutdown(); err != nil {
			m.logger.Error("ending raft", "error", err)
		}
		close(m.removed)
	})
}

// learnRemoval takes a peer's answer that we are no member: true when its
// configuration is newer than ours, in which we still are one.
func (m *membership) learnRemoval(err error) bool {
	var answer *internode.CallError
	var said stranger
	if !errors.As(err, &answer) || answer.Status != http.StatusGone ||
		foreign.Decode([]byte(answer.Text), &said) != nil {
		return false
	}
	conf, index := m.fsm.Committed()
	return said.Index > index && inConfiguration(conf, m.self)
}
