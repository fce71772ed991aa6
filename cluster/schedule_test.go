package cluster_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/clustertest"
	"almenara/cluster/identity"
)

const (
	scheduleTime  = 6 * time.Second // for as many seeds as fit, at least one and at most scheduleSeeds
	scheduleSeeds = 40
	scheduleSteps = 60
	scheduleNodes = 5 // of which three begin and the others join
)

// peer is one node of a schedule: raft with our settings over links and a disk in
// memory. raft is nil while it is down.
type peer struct {
	id    raft.ServerID
	raft  *raft.Raft
	store *raft.InmemStore // outlives the process, as the state machine does
	fsm   *clustertest.FSM
	links *raft.InmemTransport
}

// schedule is one seed's run, in a bubble of its own time.
type schedule struct {
	*testing.T
	seed    uint64
	rand    *rand.Rand
	peers   []*peer
	cut     map[[2]int]bool
	leaders map[uint64]raft.ServerID // by term
	acked   []string                 // proposals that were answered
	open    []raft.ApplyFuture
	texts   []string // of open
	sent    int
}

// Links are cut and healed, leaders end, nodes come back, join without a vote, are
// promoted and removed, and proposals go on all the while, some with unknown outcomes.
// Never do two nodes lead in one term or hold different entries in one place; when all
// links are whole, nothing that was answered is lost or there twice, all state machines
// are equal, and whoever joined votes.
func TestSchedules_KeepWhatIsCommitted(t *testing.T) {
	begun, seed := time.Now(), uint64(0)
	for ; seed < scheduleSeeds && (seed == 0 || time.Since(begun) < scheduleTime); seed++ {
		synctest.Test(t, func(t *testing.T) {
			s := &schedule{T: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 77)), cut: map[[2]int]bool{}, leaders: map[uint64]raft.ServerID{}}
			defer s.stopAll() // also after a failure: a bubble ends with its goroutines
			s.begin()
			for range scheduleSteps {
				s.step()
				s.look()
			}
			s.heal()
			s.end()
		})
	}
	t.Logf("%d seeds in %s", seed, time.Since(begun).Round(time.Millisecond))
}

func (s *schedule) begin() {
	var first raft.Configuration
	for i := range scheduleNodes {
		p := &peer{id: raft.ServerID(fmt.Sprint("n", i)), store: raft.NewInmemStore(), fsm: clustertest.NewFSM()}
		s.peers = append(s.peers, p)
		if i < 3 {
			first.Servers = append(first.Servers, raft.Server{ID: p.id, Address: raft.ServerAddress(p.id)})
		}
	}
	for i, p := range s.peers {
		s.start(i)
		if i < 3 {
			s.noError(p.raft.BootstrapCluster(first).Error())
		}
	}
}

func (s *schedule) noError(err error) {
	s.Helper()
	require.NoError(s.T, err, "seed %d", s.seed)
}

func (s *schedule) start(i int) {
	p := s.peers[i]
	_, p.links = raft.NewInmemTransportWithTimeout(raft.ServerAddress(p.id), 500*time.Millisecond)
	config := cluster.Options{
		Identity: &identity.Identity{NodeID: string(p.id)}, HeartbeatTimeout: clustertest.Heartbeat, Logger: slog.New(slog.DiscardHandler),
	}.RaftConfig()
	config.SnapshotThreshold, config.TrailingLogs, config.SnapshotInterval = 16, 8, 2*time.Second
	var err error
	p.raft, err = raft.NewRaft(config, p.fsm, p.store, p.store, p.fsm, p.links)
	s.noError(err)
	s.wire()
}

// wire lays all links that are not cut.
func (s *schedule) wire() {
	for i, a := range s.peers {
		for j, b := range s.peers {
			switch {
			case i == j || a.raft == nil:
			case b.raft == nil || s.cut[[2]int{min(i, j), max(i, j)}]:
				a.links.Disconnect(raft.ServerAddress(b.id))
			default:
				a.links.Connect(raft.ServerAddress(b.id), b.links)
			}
		}
	}
}

// stop ends a node's process. Nothing is handed over.
func (s *schedule) stop(i int) {
	p := s.peers[i]
	p.links.DisconnectAll()
	r := p.raft
	p.raft = nil
	s.wire()
	s.noError(r.Shutdown().Error())
}

func (s *schedule) leader() (int, bool) {
	var at []int
	for i, p := range s.peers {
		if p.raft != nil && p.raft.State() == raft.Leader {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return 0, false
	}
	return at[s.rand.IntN(len(at))], true // perhaps one that does not know yet
}

// step does one thing and lets some time pass.
func (s *schedule) step() {
	i, j := s.rand.IntN(scheduleNodes), s.rand.IntN(scheduleNodes)
	leader, led := s.leader()
	switch n := s.rand.IntN(20); {
	case n < 3 && i != j:
		s.cut[[2]int{min(i, j), max(i, j)}] = true
	case n < 4:
		for other := range s.peers {
			s.cut[[2]int{min(i, other), max(i, other)}] = true
		}
	case n < 7:
		clear(s.cut)
	case n < 8 && led:
		s.stop(leader)
	case n < 9 && s.peers[i].raft != nil:
		s.stop(i)
	case n < 12 && s.peers[i].raft == nil:
		s.start(i)
	case n < 15 && led:
		s.members(leader, i)
	case led:
		s.propose(leader)
	}
	s.wire()
	time.Sleep(time.Duration(s.rand.IntN(1500)) * time.Millisecond) // of the bubble's time
}

// members lets a node join without a vote, promotes one that has kept up, or takes a
// vote where a majority of the others has (see Cluster.Removable: raft gives no vote to
// who is not in the voter's configuration, so a majority of the new one must know the old).
func (s *schedule) members(leader, i int) {
	r, p := s.peers[leader].raft, s.peers[i]
	future := r.GetConfiguration()
	s.noError(future.Error())
	at := slices.IndexFunc(future.Configuration().Servers, func(x raft.Server) bool { return x.ID == p.id })
	switch servers := future.Configuration().Servers; {
	case at < 0:
		r.AddNonvoter(p.id, raft.ServerAddress(p.id), 0, time.Second)
	case servers[at].Suffrage != raft.Voter:
		if s.keepsUp(leader, p.id) {
			r.AddVoter(p.id, raft.ServerAddress(p.id), 0, time.Second)
		}
	case len(servers) > 3 && i != leader:
		remain := slices.DeleteFunc(slices.Clone(servers), func(x raft.Server) bool { return x.ID == p.id || x.Suffrage != raft.Voter })
		up := slices.DeleteFunc(slices.Clone(remain), func(x raft.Server) bool { return !s.keepsUp(leader, x.ID) })
		if len(up) > len(remain)/2 {
			r.DemoteVoter(p.id, 0, time.Second)
		}
	}
}

// keepsUp says that the leader reaches the node, and finds its own configuration in
// the node's log.
func (s *schedule) keepsUp(leader int, id raft.ServerID) bool {
	i := slices.IndexFunc(s.peers, func(p *peer) bool { return p.id == id })
	p, known := s.peers[i], s.peers[leader].raft.Stats()["latest_configuration_index"]
	index, err := strconv.ParseUint(known, 10, 64)
	s.noError(err)
	return p.raft != nil && !s.cut[[2]int{min(i, leader), max(i, leader)}] && p.raft.LastIndex() >= index
}

// propose does not wait: the answer is looked for later, or never comes.
func (s *schedule) propose(leader int) {
	for range 1 + s.rand.IntN(8) {
		text := fmt.Sprint("command ", s.sent)
		s.sent++
		if len(s.texts) > 0 && s.rand.IntN(6) == 0 {
			text = s.texts[s.rand.IntN(len(s.texts))] // a repeat of one whose outcome is unknown
		}
		s.open, s.texts = append(s.open, s.peers[leader].raft.Apply([]byte(text), time.Second)), append(s.texts, text)
	}
}

// look checks what must hold at every moment.
func (s *schedule) look() {
	synctest.Wait()
	for _, p := range s.peers {
		if p.raft == nil || p.raft.State() != raft.Leader {
			continue
		}
		term := p.raft.CurrentTerm()
		if known, ok := s.leaders[term]; ok {
			require.Equal(s.T, known, p.id, "seed %d: two leaders in term %d", s.seed, term)
		}
		s.leaders[term] = p.id
	}
	var longest []string
	for _, p := range s.peers {
		if c := p.fsm.Commands(); len(c) > len(longest) {
			longest = c
		}
	}
	for _, p := range s.peers {
		c := p.fsm.Commands()
		require.True(s.T, slices.Equal(longest[:len(c)], c), "seed %d: state machines of %s and another part:\n%v\n%v", s.seed, p.id, c, longest)
	}
	s.sameLogs()
}

// sameLogs holds entries of one index and term against each other: two of them would
// have been written by two leaders of the term.
func (s *schedule) sameLogs() {
	type place struct{ index, term uint64 }
	written := map[place]raft.Log{}
	for _, p := range s.peers {
		first, _ := p.store.FirstIndex()
		last, _ := p.store.LastIndex()
		for i := max(first, 1); i <= last; i++ {
			var l raft.Log
			if p.store.GetLog(i, &l) != nil {
				continue
			}
			at := place{l.Index, l.Term}
			if known, ok := written[at]; ok {
				require.Equal(s.T, string(known.Data), string(l.Data), "seed %d: entry %v", s.seed, at)
				require.True(s.T, known.AppendedAt.Equal(l.AppendedAt), "seed %d: entry %v was written twice", s.seed, at)
			}
			written[at] = l
		}
	}
}

// answers collects the proposals that were answered.
func (s *schedule) answers() {
	for i, f := range s.open {
		if f.Error() == nil {
			s.acked = append(s.acked, s.texts[i])
		}
	}
}

// heal makes everything whole and lets everybody vote.
func (s *schedule) heal() {
	clear(s.cut)
	for i, p := range s.peers {
		if p.raft == nil {
			s.start(i)
		}
	}
	s.wire()
	for range 60 {
		time.Sleep(time.Second) // of the bubble's time
		s.look()
		leader, led := s.leader()
		if !led {
			continue
		}
		for i := range s.peers {
			if !s.votes(leader, i) {
				s.members(leader, i)
				break
			}
		}
	}
}

func (s *schedule) votes(leader, i int) bool {
	future := s.peers[leader].raft.GetConfiguration()
	return future.Error() == nil && slices.ContainsFunc(future.Configuration().Servers, func(x raft.Server) bool {
		return x.ID == s.peers[i].id && x.Suffrage == raft.Voter
	})
}

// end checks what must hold when everything is whole.
func (s *schedule) end() {
	leader, led := s.leader()
	require.True(s.T, led, "seed %d: nobody leads: %s", s.seed, s.states())
	s.noError(s.peers[leader].raft.Barrier(5 * time.Second).Error())
	time.Sleep(5 * time.Second)
	s.answers()
	want := s.peers[leader].fsm.Commands()
	for i, p := range s.peers {
		require.True(s.T, s.votes(leader, i), "seed %d: %s does not vote", s.seed, p.id)
		require.True(s.T, slices.Equal(want, p.fsm.Commands()), "seed %d: %s has %v: %s", s.seed, p.id, p.fsm.Commands(), s.states())
	}
	slices.Sort(s.acked)
	for _, text := range slices.Compact(s.acked) {
		n := 0
		for _, c := range want {
			if c == text {
				n++
			}
		}
		require.Equal(s.T, 1, n, "seed %d: %q was answered", s.seed, text)
	}
	s.Logf("seed %d: %d terms, %d of %d proposals answered, %d applied", s.seed, len(s.leaders), len(s.acked), s.sent, len(want))
}

// states is what each node thinks, for the message of a failure.
func (s *schedule) states() (text string) {
	for _, p := range s.peers {
		if p.raft != nil {
			stats := p.raft.Stats()
			text += fmt.Sprintf("\n%s %s in term %s, log to %s of term %s, voters %s",
				p.id, stats["state"], stats["term"], stats["last_log_index"], stats["last_log_term"], stats["latest_configuration"])
		}
	}
	return text
}

func (s *schedule) stopAll() {
	for i, p := range s.peers {
		if p.raft != nil {
			s.stop(i)
		}
	}
}
