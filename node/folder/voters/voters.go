// Package voters asks the other voters of a district whether they live and agree, before a
// folder is made the district's only one. It writes nothing and decides nothing.
package voters

import (
	"cmp"
	"context"
	"sync"

	"github.com/hashicorp/raft"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/storage/noderecord"
)

// Voter is another node that had a vote.
type Voter struct {
	ID, Name, Address string
	Answers           bool   // it answers now, and belongs to the same incarnation
	Other             uint64 // it answers, and belongs to this other incarnation; 0 for not
	Standing          internode.Standing
}

// Of lists those of a configuration but one, with their names and newest addresses
// where nodes has them.
func Of(conf raft.Configuration, nodes []noderecord.Node, but string) (out []Voter) {
	for _, s := range conf.Servers {
		if s.Suffrage != raft.Voter || string(s.ID) == but {
			continue
		}
		v := Voter{ID: string(s.ID), Address: string(s.Address)}
		for _, n := range nodes {
			if n.ID == v.ID {
				v.Name, v.Address = n.Name, cmp.Or(n.Internode, v.Address)
			}
		}
		out = append(out, v)
	}
	return out
}

// Ask fills in what they answer to the holder of the identity; all are asked at once, for
// 5 s at most.
func Ask(ctx context.Context, id *identity.Identity, voters []Voter) {
	var asked sync.WaitGroup
	for i := range voters {
		asked.Go(func() {
			v := &voters[i]
			found, err := internode.Ask(ctx, id, v.ID, v.Address)
			if err != nil {
				return
			}
			v.Answers, v.Standing = found.Same, found.Standing
			if found.Reached && !found.Same {
				v.Other = found.Incarnation.Count()
			}
		})
	}
	asked.Wait()
}

// QuorumLives reports whether the district agrees without us: one of them says so, or
// those who answer could, with us where we have a vote. Who is quarantined agrees to
// nothing any more, though it answers.
func QuorumLives(voters []Voter, us int) bool {
	answer := us
	for _, v := range voters {
		switch {
		case v.Standing == internode.StandingAgrees:
			return true
		case v.Answers && v.Standing != internode.StandingQuarantined:
			answer++
		}
	}
	return len(voters) > 0 && answer > (len(voters)+us)/2
}
