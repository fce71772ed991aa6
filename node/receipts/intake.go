package receipts

import (
	"context"
	"log/slog"
	"time"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/loglimit"
	"almenara/storage/receipt"
)

// Options say what an Intake needs. None may be nil.
type Options struct {
	// Knows reports whether this node has heard of the revision of the alert.
	Knows   func(alert.ID, alert.Revision) bool
	Settler Settler
	Spool   Spool
	Clock   func() time.Time
	Logger  *slog.Logger
}

// Intake takes receipts from every way to devices. Its methods may be called from any
// goroutine.
type Intake struct {
	o         Options
	spool     Spool
	collector *collector
	repeats   *repeats
	unknown   unknownLimiter
	failed    loglimit.Lines
}

// New makes one; what is taken is answered once Run runs.
func New(o Options) *Intake {
	in := &Intake{o: o, spool: o.Spool, repeats: newRepeats()}
	in.collector = newCollector(o.Settler, func(err error) { in.failed.Log(o.Logger, slog.LevelError, "receipts were not recorded", "error", err) })
	in.collector.pressure = newPressure(o.Spool.Usage)
	return in
}

// Run settles what is taken until ctx ends, then refuses what is left: the devices keep it
// and send it again.
func (in *Intake) Run(ctx context.Context) { in.collector.Run(ctx) }

// Take implements channels.Receipts. It never blocks; done is called when the receipts are
// committed by a majority or, without one, fsynced here. Receipts of too many unknown
// revisions are left out; the device is told the same as if they had been taken, or it
// would send them for ever.
func (in *Intake) Take(from channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	now := in.o.Clock()
	kept := rs[:0]
	var last about // most are of one revision
	for _, one := range rs {
		told := about{one.Alert, one.Revision}
		if told == last || in.o.Knows(one.Alert, one.Revision) || in.unknown.admit(from.Device, told, now) {
			kept, last = append(kept, one), told
		}
	}
	if left := len(rs) - len(kept); left > 0 && in.unknown.first(from.Device) {
		in.o.Logger.Warn("a device tells of too many revisions that nobody here knows", "device", from.Device, "left_out", left)
	}
	kept, keys := in.repeats.leaveOut(kept)
	in.collector.Take(from, kept, func(err error) { // also when none is left: answers keep their order
		if err == nil {
			in.repeats.remember(keys)
		}
		done(err)
	})
}

// Sent notes that an alert was written to the connections of members.
func (in *Intake) Sent(id alert.ID, revision alert.Revision, members []uint32) {
	in.collector.sent(id, revision, members, in.o.Clock())
}
