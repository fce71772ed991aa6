package cluster

import (
	"errors"
	"runtime"
	"time"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/types"
)

// QuarantineFor ends this node's part in raft for good, because something that it has
// on disk is not what it wrote: reason says what, in words for an operator. The mark is on
// this disk when it returns; raft ends soon after (Quarantined). Devices are warned on.
// Only the first call counts, also after a newer incarnation was met.
func (c *Cluster) QuarantineFor(reason string) {
	c.beQuarantined(&Quarantine{Reason: reason, At: time.Now().UTC().Truncate(time.Second)})
}

// MarkQuarantined leaves the mark of QuarantineFor in dir, an Options.Dir, for a node
// that is not running. A mark that is there stays.
func MarkQuarantined(dir string, reason string, d *District) error {
	if q, err := LoadQuarantine(dir, d); err != nil || q != nil {
		return err
	}
	return (&Quarantine{Reason: reason, At: time.Now().UTC().Truncate(time.Second)}).save(dir)
}

// CheckLog reads the whole raft log and quarantines this node when it is damaged. It
// takes about a second per 100 MB and may be called at any time.
func (c *Cluster) CheckLog() error {
	err := checkEntries(c.store)
	if errors.Is(err, ErrLogDamaged) {
		c.QuarantineFor(logReason(err))
	}
	return err
}

// GetLog implements raft.LogStore. Raft panics on what it cannot read and must go by;
// so its goroutine ends here, quietly, and raft with it.
func (s watchedStore) GetLog(index uint64, l *raft.Log) error {
	err := s.LogStore.GetLog(index, l)
	if s.damaged != nil && errors.Is(err, ErrLogDamaged) && s.running() {
		s.damaged(logReason(err))
		runtime.Goexit()
	}
	return err
}

// openLog opens the log, and looks at all of it. A damaged one quarantines the node: raft
// is started over an empty log in memory then, so that it can be ended like any other.
func (c *Cluster) openLog(path string) error {
	q, err := LoadQuarantine(c.options.Dir, c.options.Identity.District)
	if err != nil {
		return err
	}
	store, err := c.options.OpenLog(path)
	if err == nil {
		c.store = watchedStore{LogStore: store, dog: c.dog}
		err = checkEntries(store)
	}
	if q == nil && damaged(err) {
		q = &Quarantine{Reason: logReason(err), At: time.Now().UTC().Truncate(time.Second)}
		if err := q.save(c.options.Dir); err != nil {
			return err
		}
		c.options.Logger.Error("this node is quarantined: its raft log is damaged", "error", err)
	}
	if q != nil && q.By == nil {
		if store != nil {
			c.options.Logger.Debug("closing the raft log of a quarantined node", "error", store.Close())
		}
		c.store, err = watchedStore{LogStore: emptyLog{raft.NewInmemStore()}, dog: c.dog}, nil
	}
	c.marked = q
	return err
}

func logReason(err error) string { return "the raft log: " + err.Error() }

func damaged(err error) bool {
	return errors.Is(err, ErrLogDamaged) || errors.Is(err, types.ErrCorrupt)
}

// emptyLog stands in for a log that cannot be used.
type emptyLog struct{ *raft.InmemStore }

// Close implements io.Closer.
func (emptyLog) Close() error { return nil }
