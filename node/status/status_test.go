package status_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/cluster/peers"
	"almenara/node/alone"
	"almenara/node/district"
	"almenara/node/expiry"
	"almenara/node/folder"
	"almenara/node/keyring"
	"almenara/node/records/recordstest"
	"almenara/node/status"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/noderecord"
	"almenara/storage/rights"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// parts are those of a node that is well, until a test says otherwise.
type parts struct {
	id     *identity.Identity
	link   cluster.Status
	fence  *marks.Quarantine
	halted error
	full   bool
	lonely alone.State
	ring   *keyring.Ring
	said   string
	past   time.Duration // since noon
}

func (p *parts) Status() cluster.Status                        { return p.link }
func (p *parts) Quarantine() *marks.Quarantine                 { return p.fence }
func (p *parts) Identity() *identity.Identity                  { return p.id }
func (p *parts) Halted() error                                 { return p.halted }
func (p *parts) StateHash() (uint64, [sha256.Size]byte, error) { return 7, [sha256.Size]byte{1}, nil }
func (p *parts) Full() bool                                    { return p.full }

func (p *parts) Sentence() why.Sentence {
	if p.full {
		return why.Sentence{Text: "the disk is full"}
	}
	return why.Sentence{}
}

// newReporter is of a node that has begun its district and whose key devices know.
func newReporter(t *testing.T) (*status.Reporter, *parts, *recordstest.Log) {
	t.Helper()
	d, err := identity.NewDistrict("tuen-mun")
	require.NoError(t, err)
	id, err := identity.New(d, []string{"127.0.0.1:8470"})
	require.NoError(t, err)
	log, quiet := recordstest.New(t, clock), slog.New(slog.DiscardHandler)
	ring := keyring.New(keyring.Options{Identity: id, Name: "n1", Store: log.Store, Proposer: log, Clock: clock})
	own := district.New(district.Options{
		Identity: id, Name: "n1", Genesis: &folder.Genesis{Place: "tuen-mun", TokenHash: make([]byte, 32)}, Store: log.Store, Proposer: log, Logger: quiet,
	})
	require.NoError(t, own.Begin(t.Context()))
	_, err = log.Propose(t.Context(), "n1", &command.PutNode{Node: noderecord.Node{
		ID: id.NodeID, Name: "n1", Internode: "127.0.0.1:8470", API: "http://n1", KeyID: id.KeyID, PublicKey: id.SigningPublic(),
	}})
	require.NoError(t, err)
	require.NoError(t, ring.Keep(t.Context()))
	require.NoError(t, ring.Reread())
	p := &parts{id: id, ring: ring, link: cluster.Status{HasQuorum: true, Leader: id.NodeID, AppliedIndex: 9, Peers: []peers.Peer{
		{ID: id.NodeID, Voter: true, Reachable: true}, {ID: "other", Voter: true},
	}}}
	return status.New(status.Options{
		Self: status.Self{ID: id.NodeID, Name: "n1", District: "tuen-mun"}, Cluster: p, State: log.State, Machine: p, Disk: p, Store: log.Store,
		Ring: ring, District: own, Alone: func() alone.State { return p.lonely }, Parts: func(s *wire.Status) { s.Devices = 3 },
		Sentences: []func() why.Sentence{p.Sentence, func() why.Sentence { return why.Sentence{Text: p.said} }}, Clock: func() time.Time { return noon.Add(p.past) }, Logger: quiet,
	}), p, log
}

func TestStatus_GathersWhatThePartsSay(t *testing.T) {
	r, p, _ := newReporter(t)
	p.said = "look at the clock"
	p.lonely = alone.State{Alone: true, Age: -1}
	s, err := r.Status(t.Context(), false)
	require.NoError(t, err)
	require.True(t, s.Ready, s.Why)
	require.Equal(t, 3, s.Devices)
	require.Equal(t, "http://n1", s.Nodes[0].API)
	require.True(t, s.Nodes[0].Leader)
	require.EqualValues(t, -1, s.PolicyAge, "it has never had a majority")
	require.Empty(t, s.StateHash)
	require.Equal(t, []string{"look at the clock", "node other has not answered this node since it was started"}, s.Warnings.Texts())

	s, err = r.Status(t.Context(), true)
	require.NoError(t, err)
	require.Contains(t, s.StateHash, "7:01")
}

// What counts the seconds back from the present says another one whenever the two clocks
// are read a little further apart.
func TestStatus_SaysOneTimeForOneLoss(t *testing.T) {
	r, p, _ := newReporter(t)
	since := noon.Add(-time.Hour - 30*time.Second + 499999*time.Microsecond) // the link is asked for nothing
	p.lonely = alone.State{Alone: true, Since: since}
	for range 50 {
		p.link.HasQuorum, p.link.AloneSince = false, time.Now().Add(-time.Hour)
		s, err := r.Status(t.Context(), false)
		require.NoError(t, err)
		require.Equal(t, since.Truncate(time.Second), s.AloneSince)
	}
	p.lonely = alone.State{}
	s, err := r.Status(t.Context(), false)
	require.NoError(t, err)
	require.Zero(t, s.AloneSince)
}

func TestReady_SaysWhatIsMissing(t *testing.T) {
	for want, change := range map[string]func(*parts){
		"the state machine has stopped: torn":          func(p *parts) { p.halted = errors.New("torn") },
		"devices here are still warned":                func(p *parts) { p.fence = &marks.Quarantine{Reason: "rot"} },
		"it has nothing left by which to warn devices": func(p *parts) { p.fence, p.link.AppliedIndex = &marks.Quarantine{Reason: "rot"}, 0 },
		"the disk is full":                             func(p *parts) { p.full = true },
		"no majority of the district's nodes":          func(p *parts) { p.link.HasQuorum = false },
		"the disk has not answered for 3s":             func(p *parts) { p.link.DiskStalled = 3 * time.Second },
		"the district was recovered without this node": func(p *parts) { p.fence = &marks.Quarantine{By: &identity.Incarnation{Number: 2}} },
		"a backup of the district was restored without ": func(p *parts) {
			p.fence = &marks.Quarantine{By: &identity.Incarnation{Number: 2, Why: identity.WhyRestore}}
		},
	} {
		r, p, _ := newReporter(t)
		change(p)
		s, err := r.Status(t.Context(), false)
		require.NoError(t, err)
		require.False(t, s.Ready, want)
		require.Contains(t, s.Why.Text, want)
	}
}

func TestReady_NeedsTheKeyRing(t *testing.T) {
	r, p, log := newReporter(t)
	_, err := log.Propose(t.Context(), "n1", &command.RemoveNode{ID: p.id.NodeID})
	require.NoError(t, err)
	require.NoError(t, p.ring.Keep(t.Context()))
	require.NoError(t, p.ring.Reread())
	s, err := r.Status(t.Context(), false)
	require.NoError(t, err)
	require.False(t, s.Ready)
	require.Contains(t, s.Why.Text, "not in the district's key ring")
}

func TestTrust_EndsWhereTheStateMayBeDamaged(t *testing.T) {
	r, p, _ := newReporter(t)
	require.NoError(t, r.Trust())
	p.fence = &marks.Quarantine{By: &identity.Incarnation{Number: 2}}
	require.NoError(t, r.Trust(), "what it has is true, and old")
	p.fence = &marks.Quarantine{Reason: "rot"}
	var problem *wire.Problem
	require.ErrorAs(t, r.Trust(), &problem)
	require.Equal(t, wire.KindNotReady, problem.Kind)
}

func TestWarnings_NameNodesAndEnds(t *testing.T) {
	r, p, log := newReporter(t)
	p.link.Peers[1] = peers.Peer{ID: "other", Voter: true, LostLog: true, Answered: time.Now().Add(-time.Hour)}
	_, err := log.Propose(t.Context(), "chief", &command.PutUser{User: storage.User{Name: "duty", Roles: []string{"composer"}, TokenHash: bytes.Repeat([]byte{1}, 32)}})
	require.NoError(t, err)
	_, err = log.Propose(t.Context(), "chief", &command.PutLicence{Licence: rights.Licence{
		ID: "l1", Operator: "duty", Scenarios: []string{"*"}, Place: "tuen-mun", Until: noon.Add(time.Hour).UnixMilli(),
	}})
	require.NoError(t, err)
	s, err := r.Status(t.Context(), false)
	require.NoError(t, err)
	require.Len(t, s.Warnings, 2)
	require.Contains(t, s.Warnings[0].Text, "was started with less of what was agreed")
	require.Contains(t, s.Warnings[1].Text, "has not answered this node since 2026-07-20T1")
	require.WithinDuration(t, noon.Add(-time.Hour), s.Nodes[1].LastAnswer, 30*time.Minute)
	require.EqualValues(t, noon.Add(time.Hour).Unix(), r.FirstEnd(expiry.Licence))
	require.Empty(t, s.Ends, "more than half of it is left")
	p.past = 45 * time.Minute
	s, err = r.Status(t.Context(), false)
	require.NoError(t, err)
	require.Len(t, s.Ends, 1)
	require.Equal(t, []string{expiry.Licence, "licence l1 of duty", "grant another one if it is needed"}, []string{s.Ends[0].Kind, s.Ends[0].Name.Text, s.Ends[0].Then.Text})
	require.Equal(t, noon.Add(time.Hour), s.Ends[0].At)
	require.Contains(t, s.Warnings[0].Text, "licence l1 of duty ends on")
	p.past = 0
	_, err = log.Propose(t.Context(), "chief", &command.RevokeLicence{ID: "l1"})
	require.NoError(t, err)
	require.Zero(t, r.FirstEnd(expiry.Licence))
	require.EqualValues(t, p.id.Cert.NotAfter.Unix(), r.FirstEnd(expiry.Certificate))
}
