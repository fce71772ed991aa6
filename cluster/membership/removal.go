package membership

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
	"almenara/cluster/group"
	"almenara/cluster/internode"
	"almenara/cluster/marks"
	"almenara/cluster/outcome"
	"almenara/cluster/peers"
)

// Remove is Cluster.Remove.
func (m *Membership) Remove(ctx context.Context, id string) error {
	err := m.Proposals.OnLeader(ctx, func(ctx context.Context) error {
		return m.removeHere(ctx, id)
	}, func(ctx context.Context, leader string) error {
		_, err := m.Proposals.Forward(ctx, leader, "/cluster/remove", []byte(id), nil)
		return err
	})
	if id == m.Group.Self && errors.Is(err, outcome.ErrRemoved) {
		return nil // the answer was lost, but we have learnt it
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", id, err)
	}
	return nil
}

func (m *Membership) removeHere(ctx context.Context, id string) error {
	if !group.InConfiguration(raft.Configuration{Servers: m.Group.Servers()}, id) {
		return outcome.ErrNotMember
	}
	if err := m.Removable(ctx, id); err != nil {
		return err
	}
	if id == m.Group.Self {
		if err := m.Group.Transfer(ctx); err != nil {
			return fmt.Errorf("%w: handing over: %w", outcome.ErrRefused, err)
		}
		return outcome.ErrTryAgain // with the new leader
	}
	if err := m.Group.Raft.RemoveServer(raft.ServerID(id), 0, membershipTimeout).Error(); err != nil {
		return outcome.OfRaft(err)
	}
	m.CloseStrangers()
	return nil
}

// Removable is Cluster.Removable.
func (m *Membership) Removable(ctx context.Context, id string) error {
	servers := m.Group.Servers()
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
func (m *Membership) behind(ctx context.Context, servers []raft.Server) []string {
	ctx, cancel := context.WithTimeout(ctx, peers.AskTimeout)
	defer cancel()
	_, known := m.Group.FSM.Committed()
	ends := make([]uint64, len(servers))
	var asked sync.WaitGroup
	for i, s := range servers {
		asked.Go(func() { ends[i] = m.logEnd(ctx, string(s.ID)) })
	}
	asked.Wait()
	var ids []string
	for i, s := range servers {
		if m.memory.Lost(string(s.ID)) || ends[i] < max(known, 1) || ends[i]+promotionLag < m.Group.Raft.LastIndex() {
			ids = append(ids, string(s.ID))
		}
	}
	return ids
}

// logEnd asks a node where its log ends; 0 when it does not answer.
func (m *Membership) logEnd(ctx context.Context, id string) uint64 {
	if id == m.Group.Self {
		return m.Group.Raft.LastIndex()
	}
	b, err := m.rpc.Call(ctx, id, "/cluster/ping", nil)
	var p group.Pong
	if err != nil || foreign.Decode(b, &p) != nil {
		return 0
	}
	return p.LastIndex
}

func (m *Membership) HandleRemove(w http.ResponseWriter, req *http.Request) {
	id, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	if err := m.removeHere(req.Context(), string(id)); err != nil {
		outcome.Write(w, err)
	}
}

// BeRemoved stops raft on this node after it was removed.
func (m *Membership) BeRemoved() {
	m.removeOne.Do(func() {
		m.Logger.Warn("this node was removed from the district: stopping")
		if err := marks.MarkRemoved(m.Dir, m.Group.Self); err != nil {
			m.Logger.Error("marking removal", "error", err)
		}
		if err := m.Group.Shutdown(); err != nil {
			m.Logger.Error("ending raft", "error", err)
		}
		close(m.Removed)
	})
}

// LearnRemoval takes a peer's answer that we are no member: true when its
// configuration is newer than ours, in which we still are one.
func (m *Membership) LearnRemoval(err error) bool {
	var answer *internode.CallError
	var said stranger
	if !errors.As(err, &answer) || answer.Status != http.StatusGone ||
		foreign.Decode([]byte(answer.Text), &said) != nil {
		return false
	}
	conf, index := m.Group.FSM.Committed()
	return said.Index > index && group.InConfiguration(conf, m.Group.Self)
}
