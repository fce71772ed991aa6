package present

import (
	"flag"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/storage/alert"
)

var (
	roamSeed = flag.Uint64("roam.seed", 0, "run one schedule of the roaming model and print it; 0: run many")
	roamRuns = flag.Uint64("roam.runs", 600, "how many schedules of the roaming model to run; 20000 after a change of the rules")
)

// roamSteps is the length of a schedule.
const roamSteps = 45

// step is one thing that happens. Its random numbers are its own, so that a
// schedule with steps left out is still the same schedule otherwise.
func (w *roamWorld) step(i int) {
	w.random = rand.New(rand.NewPCG(w.seed, uint64(i)+1))
	n, d := w.nodes[w.random.IntN(3)], w.devices[w.random.IntN(2)]
	switch dice := w.random.IntN(100); {
	case dice < 14:
		w.warn(n)
	case dice < 23:
		w.correct(n)
	case dice < 29:
		w.cancel(n)
	case dice < 37:
		if w.split(); w.random.IntN(4) == 0 {
			w.move()
		}
	case dice < 49:
		d.connect(n)
	case dice < 52:
		w.note("device %d loses its link", d.member)
		d.disconnect()
	case dice < 58:
		w.powerDevice(d)
	case dice < 63:
		w.powerNode(n)
	case dice < 67:
		if len(d.backlog) > 0 && d.on && d.at != nil { // a broker that keeps what it should not
			w.note("device %d gets an old body", d.member)
			d.post(letter{body: d.backlog[w.random.IntN(len(d.backlog))]})
		}
	case dice < 70:
		n.offset = w.within(2*w.skew) - w.skew // the clock is set
		n.present()
	case dice < 95:
		w.advance(w.within([]time.Duration{time.Second, 8 * time.Second, 40 * time.Second}[w.random.IntN(3)]))
	case dice < 97:
		w.jump(w.within(10 * time.Minute))
	default:
		w.settle()
	}
	w.gossip()
}

// warn starts a story, now and then one that another node has just started with
// other words.
func (w *roamWorld) warn(n *roamNode) {
	status := alert.StatusActual
	if dice := w.random.IntN(20); dice < 4 {
		status = alert.StatusExercise
	} else if dice < 5 {
		status = alert.StatusTest
	}
	if i := len(w.tales) - 1; i >= 0 && w.random.IntN(12) == 0 && w.tales[i].m.Entry.MsgType == alert.MsgTypeAlert && n.up {
		last := w.tales[i]
		w.tell(n, last.story, last.m.Entry.Key, last.m.Entry.Status, alert.MsgTypeAlert, nil)
		return
	}
	if n.up {
		w.tell(n, len(w.tales), alert.Key{}, status, alert.MsgTypeAlert, nil)
	}
}

// known picks a story that the node knows, and the keys that it has.
func (w *roamWorld) known(n *roamNode) (story int, keys []alert.Key, ok bool) {
	if !n.up || len(n.journal) == 0 {
		return 0, nil, false
	}
	t := n.journal[max(0, len(n.journal)-1-w.random.IntN(4))]
	card, ok := n.book.Card(t.m.Entry.Key.ID())
	if !ok || len(card.Messages) == 0 {
		return 0, nil, false
	}
	return w.stories[card.ID], card.Keys, true
}

func (w *roamWorld) correct(n *roamNode) {
	story, keys, ok := w.known(n)
	if !ok {
		return
	}
	if w.partial {
		keys = keys[len(keys)-1:]
	}
	w.tell(n, story, alert.Key{}, w.statusOf(story), alert.MsgTypeUpdate, keys)
}

// cancel ends a story that the node knows, or one that it has never heard of, for a
// central system may have; or it only drills it.
func (w *roamWorld) cancel(n *roamNode) {
	story, keys, ok := w.known(n)
	if len(w.tales) > 0 && n.up && w.random.IntN(4) == 0 {
		t := w.tales[w.random.IntN(len(w.tales))]
		story, keys, ok = t.story, nil, true
		for _, other := range w.tales {
			if other.story == story && other.m.Entry.MsgType != alert.MsgTypeCancel {
				keys = append(keys, other.m.Entry.Key)
			}
		}
	}
	if !ok {
		return
	}
	status := w.statusOf(story)
	if w.random.IntN(6) == 0 {
		status = alert.StatusExercise
	}
	w.tell(n, story, alert.Key{}, status, alert.MsgTypeCancel, keys)
}

// move gives the devices places of their own, or a common one; the nodes hear of it later.
func (w *roamWorld) move() {
	one, two := roaring.BitmapOf(1), roaring.BitmapOf(2)
	w.places = channels.NewPlaces([][]*roaring.Bitmap{{one, two}, {two, one}, {roaring.BitmapOf(1, 2)}, {one}, {}}[w.random.IntN(5)])
	w.note("the devices are in places %d and %d", w.places.Of(1), w.places.Of(2))
}

func (w *roamWorld) split() {
	for _, n := range w.nodes {
		n.half = w.random.IntN(2)
		if w.random.IntN(3) == 0 {
			n.half = 0
		}
	}
	w.note("halves %d %d %d", w.nodes[0].half, w.nodes[1].half, w.nodes[2].half)
}

func (w *roamWorld) powerDevice(d *roamDevice) {
	switch {
	case !d.on:
		w.note("device %d has power again", d.member)
		d.powerOn()
		d.connect(w.nodes[w.random.IntN(3)])
	case w.random.IntN(2) == 0:
		d.dying = true
	default:
		w.note("device %d loses power", d.member)
		d.powerOff()
	}
}

func (w *roamWorld) powerNode(n *roamNode) {
	if !n.up {
		w.note("node %d has power again", n.i)
		n.up = true
		n.boot()
		return
	}
	w.note("node %d loses power", n.i)
	n.up = false
	for _, d := range w.devices {
		if d.at == n {
			d.disconnect()
		}
	}
}

// advance lets time pass, one event after the other.
func (w *roamWorld) advance(by time.Duration) {
	until := w.now.Add(by)
	for turns := 0; w.failure == ""; turns++ {
		if turns > 2000 {
			w.fail("something is due again and again")
		}
		next := until
		sooner := func(t time.Time) {
			if !t.IsZero() && t.Before(next) {
				next = t
			}
		}
		for _, n := range w.nodes {
			if n.up && !n.stale {
				sooner(n.wake)
				sooner(n.refresh)
			}
		}
		for _, d := range w.devices {
			sooner(d.next())
		}
		if next.After(w.now) {
			w.now = next
		}
		for _, n := range w.nodes {
			if n.up && !n.stale && (!n.wake.IsZero() && !n.wake.After(w.now) || !n.refresh.After(w.now)) {
				n.present()
			}
		}
		for _, d := range w.devices {
			d.work()
		}
		if !w.now.Before(until) {
			return
		}
	}
}

// jump lets much time pass: devices are without word for most of it.
func (w *roamWorld) jump(by time.Duration) {
	for _, d := range w.devices {
		d.disconnect()
	}
	w.advance(by)
}

// settle gives everybody the seconds that the contract allows, and looks.
func (w *roamWorld) settle() {
	w.advance(6 * time.Second)
	for _, d := range w.devices {
		for i := range d.mail {
			d.mail[i].due = w.now
		}
		d.work()
		d.settled()
	}
}

// heal is the end of every schedule: all links are whole, everything has power.
func (w *roamWorld) heal() {
	w.random = rand.New(rand.NewPCG(w.seed, 1<<32))
	for _, n := range w.nodes {
		n.half = 0
		if !n.up {
			w.powerNode(n)
		}
	}
	w.gossip()
	for i, d := range w.devices {
		if !d.on {
			d.powerOn()
		}
		d.connect(w.nodes[i])
	}
	w.settle()
}

func runRoam(seed uint64, steps []int) *roamWorld {
	w := newRoamWorld(seed)
	for _, i := range steps {
		if w.step(i); w.failure != "" {
			return w
		}
	}
	w.heal()
	return w
}

func allSteps() []int {
	steps := make([]int, roamSteps)
	for i := range steps {
		steps[i] = i
	}
	return steps
}

// shrinkRoam leaves out steps as long as the schedule still fails.
func shrinkRoam(seed uint64) *roamWorld {
	steps := allSteps()
	for size := len(steps) / 2; size > 0; size /= 2 {
		for from := 0; from+size <= len(steps); {
			without := slices.Delete(slices.Clone(steps), from, from+size)
			if runRoam(seed, without).failure != "" {
				steps = without
			} else {
				from += size
			}
		}
	}
	return runRoam(seed, steps)
}

// No schedule of splits, roaming, power cuts, wrong clocks, corrections and cancels
// starts a dead alert, drops a live one or starts one twice.
func TestRoaming_HoldsUnderAnySchedule(t *testing.T) {
	if *roamSeed != 0 {
		t.Log("\n" + strings.Join(runRoam(*roamSeed, allSteps()).trace, "\n"))
	}
	var mu sync.Mutex
	var total roamCount
	var failed []uint64
	var wg sync.WaitGroup
	workers := uint64(runtime.GOMAXPROCS(0))
	for worker := range workers {
		wg.Go(func() {
			for seed := worker + 1; seed <= *roamRuns; seed += workers {
				w := runRoam(seed, allSteps())
				mu.Lock()
				total.add(w.count)
				if w.failure != "" {
					failed = append(failed, seed)
				}
				enough := len(failed) > 0
				mu.Unlock()
				if enough {
					return
				}
			}
		})
	}
	wg.Wait()
	if len(failed) > 0 {
		w := shrinkRoam(failed[0])
		t.Fatalf("seed %d (run it with -roam.seed), shortened:\n%s", failed[0], strings.Join(w.trace, "\n"))
	}
	t.Logf("%d schedules: %+v", *roamRuns, total)
	runs := int(*roamRuns)
	require.Greater(t, total.starts, runs, "the schedules are worth something")
	require.Greater(t, total.musts, runs)
	for _, some := range []int{total.replaces, total.resumes, total.ended, total.expired, total.superseded, total.dead} {
		require.Greater(t, some, runs/300)
	}
}

func (c *roamCount) add(o roamCount) {
	c.starts += o.starts
	c.replaces += o.replaces
	c.resumes += o.resumes
	c.ended += o.ended
	c.expired += o.expired
	c.superseded += o.superseded
	c.musts += o.musts
	c.dead += o.dead
}
