package node

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

// noted is a message that was taken at accepted by the fact of that name.
func noted(fact, headline string, accepted time.Time) *message {
	a := &alert.Alert{
		Identifier: "one", Sender: "hko", Sent: alert.NewDateTime(noon), Status: alert.StatusActual,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: []alert.Info{{
			Event: "Rain", Headline: headline, Expires: alert.NewDateTime(noon.Add(time.Hour)),
		}},
	}
	return &message{fact: fact, alert: a, entry: alert.EntryOf(a, a.Digest().String(), accepted, fact)}
}

func TestDesk_KnowsTheMessageThatStands(t *testing.T) {
	d := newDesk()
	second, first, lie := noted("b", "rain", noon.Add(time.Minute)), noted("a", "rain", noon), noted("c", "sun", noon.Add(-time.Hour))
	_, fresh := d.add(second)
	require.True(t, fresh)
	_, fresh = d.add(first)
	require.True(t, fresh, "another fact may address others: the presenter must look")
	_, fresh = d.add(first)
	require.False(t, fresh)
	_, fresh = d.add(lie)
	require.True(t, fresh)

	m, same := d.known(first.entry.Key, first.entry.Digest)
	require.True(t, same)
	require.Equal(t, "a", m.fact, "the fact that was accepted first")
	m, same = d.known(first.entry.Key, "unheard")
	require.False(t, same)
	require.Equal(t, "c", m.fact)
	m, _ = d.known(alert.Key{Sender: "hko", Identifier: "two", Sent: alert.NewDateTime(noon)}, "unheard")
	require.Nil(t, m)
}

func TestDesk_ForgetsWhatNobodyNeeds(t *testing.T) {
	d := newDesk()
	for i := range 3 {
		d.add(noted(fmt.Sprint(i), "rain", noon.Add(time.Duration(i))))
	}
	require.Len(t, d.at(noon.Add(time.Minute)).inForce, 1)
	d.at(noon.Add(40 * 24 * time.Hour))
	require.Empty(t, d.messages)
	require.Empty(t, d.byKey)
	standing, _ := d.standing(noted("0", "rain", noon), noon.Add(40*24*time.Hour))
	require.Equal(t, alert.Expired, standing, "also of a message that was forgotten")
}

// A state that another node brought was told to nobody: the desk must read it.
func TestNode_ReadsAnInstalledState(t *testing.T) {
	o := DefaultOptions(filepath.Join(t.TempDir(), "data"))
	o.Logger, o.JournalBytes, o.SpoolBytes = slog.New(slog.DiscardHandler), 16<<20, 16<<20
	_, err := Init(o, "tuen-mun")
	require.NoError(t, err)
	n, err := New(o)
	require.NoError(t, err)
	require.NoError(t, n.Start(t.Context()))
	text := `{"info":[{"language":"en","category":["Met"],"event":"Rain","urgency":"Immediate","severity":"Severe",
		"certainty":"Observed","headline":"Rain","area":[{"areaDesc":"here","polygon":["1,1 1,2 2,2 1,1"]}]}]}`
	out, err := n.SendAlert(t.Context(), api.Caller{Name: "duty"}, wire.SendAlert{Alert: []byte(text)}, api.WaitCommitted)
	require.NoError(t, err)
	require.Equal(t, "committed", out.State)
	require.Zero(t, n.under.count(), "what is committed is not underway any more")
	require.Empty(t, n.under.facts)
	require.NoError(t, n.Stop(t.Context()))

	again, err := New(o)
	require.NoError(t, err)
	require.NoError(t, again.openState(t.Context()))
	defer func() { require.NoError(t, again.Stop(t.Context())) }()
	again.desk = newDesk() // as it was before the other node's state came
	again.rereadState()
	require.Empty(t, again.desk.ids())
	again.stateChanged(fsm.ChangedAll)
	again.rereadState()
	require.Equal(t, []alert.ID{alert.ID(out.Alert)}, again.desk.ids())
}

func TestRingOf_RenewsKeysBeforeTheyEnd(t *testing.T) {
	public := ed25519.PublicKey(make([]byte, ed25519.PublicKeySize))
	nodes := []storage.Node{{ID: "a", KeyID: "ka", PublicKey: public}, {ID: "b", KeyID: "kb", PublicKey: public, Removed: true}}
	first := ringOf(nodes, nil, noon)
	require.Len(t, first, 1, "a node that was removed has no key")
	require.Equal(t, noon.Add(keyLife).UnixMilli(), first[0].NotAfter)
	soon := noon.Add(keyLife - keyRenewal - time.Hour)
	require.True(t, sameKey(first[0], ringOf(nodes, first, soon)[0]), "a ring that need not change does not")
	late := noon.Add(keyLife - keyRenewal + time.Hour)
	renewed := ringOf(nodes, first, late)
	require.Equal(t, late.Add(keyLife).UnixMilli(), renewed[0].NotAfter)
	require.Equal(t, first[0].NotBefore, renewed[0].NotBefore)
}

func TestNotes_RecordsARefusalOnce(t *testing.T) {
	var q notes
	require.True(t, q.first("lie"))
	require.False(t, q.first("lie"))
	for i := range 2 * maxRefusals {
		q.first(fmt.Sprint(i))
	}
	require.LessOrEqual(t, len(q.refused), maxRefusals)
}

func TestAnnounced_ForgetsWhatIsOver(t *testing.T) {
	var a announced
	rain := live{Active: alert.Active{ID: "rain", Revision: 1}}
	require.True(t, a.add("rain", 1))
	require.True(t, a.add("wind", 7))
	require.False(t, a.add("rain", 1))
	a.keep([]live{rain})
	require.Len(t, a.seen, 1)
	require.True(t, a.add("rain", 2))
}

func TestPresence_SeesThatACredentialEnded(t *testing.T) {
	p := newPresence(func() time.Time { return noon })
	record := storage.Device{ID: "lift", Ordinal: 3, SecretHash: []byte("old")}
	p.admitted("lift", record.SecretHash)
	p.session(channels.Endpoint{Device: "lift", Member: 3}, true)
	d, ok := p.of("lift")
	require.True(t, ok)
	require.True(t, d.sameAs(record))
	for name, change := range map[string]func(*storage.Device){
		"revoked": func(d *storage.Device) { d.Revoked = true },
		"renewed": func(d *storage.Device) { d.SecretHash = []byte("new") },
		"moved":   func(d *storage.Device) { d.Ordinal = 4 },
	} {
		other := record
		change(&other)
		require.False(t, d.sameAs(other), name)
	}
}

func TestUnderway_ForgetsWhatIsCommitted(t *testing.T) {
	var u underway
	p := &fact.Progress{ID: fact.ID{1}}
	u.put(p)
	require.Equal(t, 1, u.count())
	u.forget(p.ID.String())
	require.Zero(t, u.count())
}

// Readers that are too slow are let go; the others hear everything, in order.
func TestEvents_LetsASlowReaderGo(t *testing.T) {
	var v events
	ctx, cancel := context.WithCancel(t.Context())
	slow, other := v.subscribe(ctx, ""), v.subscribe(ctx, "rain")
	require.True(t, v.any())
	for range eventBacklog + 1 {
		v.publish(wire.Event{Alert: "wind"})
	}
	v.publish(wire.Event{Alert: "rain"})
	heard := 0
	for range slow {
		heard++
	}
	require.Equal(t, eventBacklog, heard)
	e := <-other
	require.Equal(t, fmt.Sprint(eventBacklog+2), e.ID)
	cancel()
	_, open := <-other
	require.False(t, open)
	require.False(t, v.any())
}
