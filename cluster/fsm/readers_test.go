package fsm

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// Readers go on while entries are applied and while the whole database is replaced.
func TestReaders_WhileEntriesAreAppliedAndASnapshotIsInstalled(t *testing.T) {
	s, from, to, a := newScript(t), newRig(t), newRig(t), newOrigin("node-a")
	id := keyOf("A1").ID()
	s.add(&command.AdoptFacts{Facts: []fact.Signed{a.alert(t, "A1")}})
	for i := range 20 {
		s.add(&command.PutMembers{Members: members(i*20, 20)})
		s.add(&command.AdoptFacts{Facts: []fact.Signed{a.receipts(t, id, 5, receipt.Sent, uint32(i))}})
	}
	from.all(s.logs)
	meta, raw := dump(t, from)
	to.one(s.logs[0])

	stop := make(chan struct{})
	var wg sync.WaitGroup
	reader := func(read func() error) {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := read(); err != nil {
					t.Errorf("reading: %v", err)
					return
				}
			}
		})
	}
	reader(func() error { _, _, err := to.memberNumber("m-000000"); return err })
	reader(func() error { _, err := to.alerts(5); return err })
	reader(func() error { _, err := to.counts([]alert.ID{id}, 5); return err })
	reader(func() error { return to.read.Recall(epoch, func(fact.Signed) error { return nil }) })
	for _, l := range s.logs[1:30] {
		to.one(l)
	}
	require.NoError(t, receive(to, meta, raw))
	close(stop)
	wg.Wait()
	require.Equal(t, from.hash(), to.hash())
	require.EqualValues(t, 20, must(to.counts([]alert.ID{id}, 5)).Sent)
}
