package fsm

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/stretchr/testify/require"

	"almenara/cluster/agreed"
	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

// rig is one replica over a store in a temporary directory.
type rig struct {
	*testing.T
	dir   string
	store *storage.Store
	fsm   *FSM
	read  *agreed.Reader
	hooks Hooks

	halts   []error
	adopted []command.FactOutcome
	changed []apply.Change
}

func newRig(t *testing.T) *rig { return newRigWith(t, Hooks{}) }

func newRigWith(t *testing.T, hooks Hooks) *rig {
	t.Helper()
	r := &rig{T: t, dir: t.TempDir(), hooks: hooks}
	r.hooks.Halt = func(err error) { r.halts = append(r.halts, err) }
	r.hooks.Adopted = func(_ fact.Signed, _ fact.Fact, o command.FactOutcome) { r.adopted = append(r.adopted, o) }
	r.hooks.Changed = func(c apply.Change) { r.changed = append(r.changed, c) }
	r.hooks.Logger = slog.New(slog.DiscardHandler)
	r.open()
	t.Cleanup(r.close)
	return r
}

func (r *rig) open() {
	r.Helper()
	var err error
	r.store, err = storage.Open(r.dir, storage.Options{MemTableSize: storage.MinMemTableSize, MinFree: 1, Logger: r.hooks.Logger})
	require.NoError(r, err)
	r.fsm, err = New(r.store, r.hooks)
	require.NoError(r, err)
	r.read = agreed.New(r.fsm)
}

func (r *rig) close() {
	require.NoError(r, r.store.Close())
}

func (r *rig) reopen() {
	r.Helper()
	r.close()
	r.open()
}

func (r *rig) hash() string {
	r.Helper()
	_, sum, err := r.fsm.StateHash()
	require.NoError(r, err)
	return fmt.Sprintf("%x", sum)
}

// one applies a single entry and returns its result.
func (r *rig) one(l *raft.Log) command.Result {
	r.Helper()
	return resultOf(r, r.fsm.Apply(l))
}

// all applies every entry in one batch.
func (r *rig) all(logs []*raft.Log) []any { return r.fsm.ApplyBatch(logs) }

func resultOf(t require.TestingT, response any) command.Result {
	raw, ok := response.([]byte)
	if !ok {
		require.FailNow(t, "no result", "%v", response)
	}
	res, err := command.DecodeResult(raw)
	require.NoError(t, err)
	return res
}

// script writes log entries with ascending indexes, a minute apart.
type script struct {
	t    testing.TB
	logs []*raft.Log
	next uint64

	later time.Duration // that has passed besides
}

func newScript(t testing.TB) *script { return &script{t: t, next: 1} }

var epoch = time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)

func (s *script) raw(data []byte) *raft.Log {
	l := &raft.Log{Index: s.next, Term: 3, Type: raft.LogCommand, Data: data}
	s.next++
	s.logs = append(s.logs, l)
	return l
}

func (s *script) add(p command.Payload) *raft.Log { return s.as("", p) }

// as adds a command with a request id.
func (s *script) as(request string, p command.Payload) *raft.Log {
	s.t.Helper()
	at := epoch.Add(s.later + time.Duration(s.next)*time.Minute).UnixMilli()
	raw, err := command.Command{RequestID: request, Actor: "amy", At: at, Payload: p}.Encode()
	require.NoError(s.t, err)
	return s.raw(raw)
}

func (s *script) configuration(ids ...string) *raft.Log {
	var c raft.Configuration
	for _, id := range ids {
		c.Servers = append(c.Servers, raft.Server{Suffrage: raft.Voter, ID: raft.ServerID(id), Address: raft.ServerAddress(id)})
	}
	l := s.raw(raft.EncodeConfiguration(c))
	l.Type = raft.LogConfiguration
	return l
}

// origin signs facts of one node with ascending sequence numbers.
type origin struct {
	id  string
	key ed25519.PrivateKey
	seq map[fact.Stream]uint64
	hlc uint64 // of what is made next
}

func newOrigin(id string) *origin {
	seed := sha256.Sum256([]byte(id))
	return &origin{id: id, key: ed25519.NewKeyFromSeed(seed[:]), seq: make(map[fact.Stream]uint64)}
}

func (o *origin) sign(t testing.TB, kind fact.Kind, stream fact.Stream, body []byte) fact.Signed {
	t.Helper()
	o.seq[stream]++
	return o.signAt(t, kind, stream, o.seq[stream], body)
}

func (o *origin) signAt(t testing.TB, kind fact.Kind, stream fact.Stream, seq uint64, body []byte) fact.Signed {
	t.Helper()
	f := fact.Fact{Kind: kind, Stream: stream, Origin: o.id, Epoch: 7, Seq: seq, HLC: o.hlc, Body: body}
	s, err := fact.Sign(f, o.id+"-key", o.key)
	require.NoError(t, err)
	return s
}

// alert makes an alert fact; options change the message.
func (o *origin) alert(t testing.TB, identifier string, change ...func(*factbody.Issue)) fact.Signed {
	t.Helper()
	issue := factbody.Issue{
		Message: capMessage(identifier, "Alert", "Rainstorm", ""), Author: "amy", Accepted: epoch.UnixMilli(),
		Targets: []audience.Target{{Select: "kind = screen"}},
	}
	for _, fn := range change {
		fn(&issue)
	}
	body, err := issue.Encode()
	require.NoError(t, err)
	return o.sign(t, fact.KindAlert, fact.Alerts, body)
}

func (o *origin) receipts(t testing.TB, id alert.ID, revision alert.Revision, rung receipt.Rung, members ...uint32) fact.Signed {
	t.Helper()
	var b receipt.Block
	for _, m := range members {
		b.Receipts = append(b.Receipts, receipt.Receipt{Alert: id, Revision: revision, Member: m, Rung: rung, At: epoch})
	}
	body, err := b.Encode()
	require.NoError(t, err)
	return o.sign(t, fact.KindReceipts, fact.Receipts, body)
}

const sent = "2026-07-20T17:40:00+08:00"

func capMessage(identifier, msgType, event, references string) []byte {
	return capMessageAt(identifier, msgType, event, references, sent)
}

func capMessageAt(identifier, msgType, event, references, at string) []byte {
	if references != "" {
		references = "<references>" + references + "</references>"
	}
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>%s</identifier><sender>observatory</sender><sent>%s</sent>
<status>Actual</status><msgType>%s</msgType><scope>Public</scope>%s
<info><language>en</language><category>Met</category><event>%s</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Observed</certainty><expires>2026-07-20T23:40:00+08:00</expires>
<headline>%s in force</headline><area><areaDesc>Tuen Mun</areaDesc></area></info></alert>`,
		identifier, at, msgType, references, event, event)
}

func keyOf(identifier string) alert.Key {
	at, _ := alert.ParseDateTime(sent)
	return alert.Key{Sender: "observatory", Identifier: identifier, Sent: at}
}

func members(from, n int) [][]byte {
	out := make([][]byte, 0, n)
	for i := from; i < from+n; i++ {
		m := memberNumber(i)
		out = append(out, audience.EncodeMember(&m))
	}
	return out
}

func memberNumber(i int) audience.Member {
	kinds := []audience.Kind{audience.KindScreen, audience.KindSpeaker, audience.KindPhone}
	return audience.Member{
		ID: fmt.Sprintf("m-%06d", i), Kind: kinds[i%3], Place: audience.Path(fmt.Sprintf("tuen-mun/estate-%d/block-%d", i%7, i%50)),
		Tags:      []audience.Tag{{Name: "risk", Value: []string{"high", "low"}[i%2]}},
		Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: fmt.Sprintf("lift-%06d", i)}},
	}
}

func hash32(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:]
}

func adoptResult(t require.TestingT, r command.Result) []command.FactOutcome {
	require.NoError(t, r.Error())
	out, err := command.DecodeData[command.AdoptResult](r)
	require.NoError(t, err)
	return out.Facts
}
