//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// leading stands, in a plan, for whichever node leads when the step begins.
const leading = -2

// Kind names a fault.
type Kind string

// The faults. Those of the wires and those of the processes happen side by side.
const (
	Isolate  Kind = "isolate"   // one node from all others
	Halves   Kind = "halves"    // the district in two
	AllAlone Kind = "all-alone" // every node from every other
	OneWay   Kind = "one-way"   // one node hears no other, or no other hears it
	Bridge   Kind = "bridge"    // two groups that only one node can talk with
	Slow     Kind = "slow"      // everything of one node is late
	Lossy    Kind = "lossy"     // some of everything is lost
	Unplug   Kind = "unplug"    // one node from its devices and clients, which go elsewhere

	Kill    Kind = "kill"           // kill -9, started again later
	KillAll Kind = "kill-all"       // all at once: a power cut of the district
	Freeze  Kind = "freeze"         // SIGSTOP, SIGCONT later
	Stop    Kind = "stop"           // planned, started again later
	Reboot  Kind = "reboot"         // of some devices, which keep their memory
	Grow    Kind = "grow"           // a further node joins
	Swap    Kind = "swap"           // a node is removed and comes back under a new id
	Shrink  Kind = "shrink"         // a node is removed for good
	Move    Kind = "address change" // killed, started at another address later
	Clock   Kind = "clock"          // one node's time of day jumps, and back later

	Descriptors Kind = "descriptors" // strangers open connections to one node without end
)

// The faults of a node's own disk.
const (
	SlowDisk  Kind = "slow-disk"
	StallDisk Kind = "stalled-disk" // nothing becomes durable any more
	FullDisk  Kind = "full-disk"
	PowerCut  Kind = "power-cut" // of one node: what was not synced is gone
	PowerAll  Kind = "power-all" // the same of all nodes at once
)

// Step is one fault of a plan.
type Step struct {
	At, For time.Duration
	Kind    Kind
	Node    int   // leading: who leads then
	Group   []int // Halves and Bridge: one side
	Deaf    bool  // OneWay: Node hears nobody; else nobody hears it
	Refuse  bool  // connections end at once; else they fall silent
	Delay   time.Duration
	Loss    float64       // Lossy: share of what is sent
	Jump    time.Duration // Clock
	Alone   time.Duration // Swap: for so long the node is cut off before it is removed
	Bytes   int           // FullDisk: that can still be written
}

// String is the step as it is printed.
func (s Step) String() string {
	who := fmt.Sprintf("n%d", s.Node+1)
	if s.Node == leading {
		who = "the leader"
	}
	var side []string
	for _, n := range s.Group {
		side = append(side, fmt.Sprintf("n%d", n+1))
	}
	how := "silently"
	if s.Refuse {
		how = "with resets"
	}
	text := string(s.Kind) + " " + who
	switch s.Kind {
	case Isolate:
		text = fmt.Sprintf("isolate %s %s", who, how)
	case Halves:
		text = fmt.Sprintf("halves: {%s} from the others %s", strings.Join(side, " "), how)
	case Bridge:
		text = fmt.Sprintf("bridge: {%s} reach the others only as far as %s %s", strings.Join(side, " "), who, how)
	case AllAlone:
		text = "all alone " + how
	case OneWay:
		text = map[bool]string{true: who + " hears nobody ", false: "nobody hears " + who + " "}[s.Deaf] + how
	case Slow:
		text = fmt.Sprintf("slow: %v each way at %s", s.Delay, who)
	case Lossy:
		text = fmt.Sprintf("lossy: %.0f %% between all nodes", 100*s.Loss)
	case Unplug:
		text = fmt.Sprintf("unplug the devices and clients of %s %s", who, how)
	case Clock:
		text = fmt.Sprintf("the clock of %s jumps by %v", who, s.Jump)
	case Swap:
		text = fmt.Sprintf("swap: %s is removed, after %v alone, and comes back under a new id", who, s.Alone)
	case SlowDisk:
		text = fmt.Sprintf("slow disk: %v more for every write at %s", s.Delay, who)
	case FullDisk:
		text = fmt.Sprintf("full disk: %d more bytes at %s", s.Bytes, who)
	case Grow:
		text = "another node joins, invited by " + who
	case KillAll, Reboot, PowerAll:
		text = string(s.Kind)
	}
	return fmt.Sprintf("%s for %v", text, s.For)
}

// newPlan lays out the faults of a run: the same for the same seed, number of nodes,
// length and disks. Every step has ended by then.
func newPlan(seed uint64, nodes int, length time.Duration, disks bool) []Step {
	r := rand.New(rand.NewPCG(seed, 1))
	steps := track(r, nodes, length, wireStep, 2*time.Second, 7*time.Second)
	steps = append(steps, track(r, nodes, length, processStep, 3*time.Second, 12*time.Second)...)
	steps = append(steps, track(r, nodes, length, clockStep, 6*time.Second, 25*time.Second)...)
	members := inSplits(steps, track(r, nodes, length, memberSteps(), 5*time.Second, 15*time.Second), length)
	if disks {
		of := rand.New(rand.NewPCG(seed, 4))
		steps = append(steps, track(of, nodes, length, diskStep, 4*time.Second, 14*time.Second)...)
		if s, ok := stallStep(of, nodes, length); ok {
			steps = append(alone(steps, s), s)
		}
	}
	steps = append(steps, members...)
	steps = append(steps, track(r, nodes, length, rebootStep, 10*time.Second, 20*time.Second)...)
	steps = append(steps, track(rand.New(rand.NewPCG(seed, 5)), nodes, length, strangerStep, 5*time.Second, 20*time.Second)...)
	slices.SortStableFunc(steps, func(a, b Step) int { return int(a.At - b.At) })
	return steps
}

// inSplits moves changes of the membership to where the district is split next, if it
// ever is.
func inSplits(steps, members []Step, length time.Duration) []Step {
	const into = 500 * time.Millisecond
	next := 0 // of the steps of the wires, which come first and are in order: each split takes one change
	for i, m := range members {
		if m.Alone > 0 { // it makes its own split
			continue
		}
		for j, s := range steps[next:] {
			if (s.Kind == Isolate || s.Kind == Halves || s.Kind == OneWay) && s.At >= m.At && s.At+into+m.For <= length {
				members[i].At, next = s.At+into, next+j+1
				break
			}
		}
	}
	return members
}

// stallStep is the one stalled disk of a run, the leader's, in its first half. The
// others must have a leader soon, which can be judged only when nothing else is wrong.
func stallStep(r *rand.Rand, nodes int, length time.Duration) (Step, bool) {
	s := Step{Kind: StallDisk, Node: leading, For: 20 * time.Second, At: between(r, length/10, length/2)}
	return s, s.At+s.For <= length
}

// alone leaves out what would happen at the same time as s, or shortly before.
func alone(steps []Step, s Step) []Step {
	const before = 3 * time.Second
	return slices.DeleteFunc(steps, func(o Step) bool { return o.At < s.At+s.For && o.At+o.For > s.At-before })
}

// track lays steps one after the other, with pauses in between.
func track(r *rand.Rand, nodes int, length time.Duration, make func(*rand.Rand, int) Step, least, most time.Duration) (steps []Step) {
	for at := between(r, least, most); ; {
		s := make(r, nodes)
		s.At = at
		if s.At+s.For > length {
			return steps
		}
		steps = append(steps, s)
		at += s.For + between(r, least, most)
	}
}

// between is a time from least to most, in tenths of a second.
func between(r *rand.Rand, least, most time.Duration) time.Duration {
	const unit = 100 * time.Millisecond
	return least + time.Duration(r.Int64N(int64((most-least)/unit)+1))*unit
}

func wireStep(r *rand.Rand, nodes int) Step {
	s := Step{For: between(r, 3*time.Second, 15*time.Second), Node: someNode(r, nodes), Refuse: r.IntN(2) == 0}
	switch pick := r.IntN(100); {
	case pick < 26:
		s.Kind = Isolate
	case pick < 44:
		s.Kind, s.Group = Halves, someGroup(r, nodes)
	case pick < 55:
		s.Kind = AllAlone
	case pick < 70:
		s.Kind, s.Deaf, s.Refuse = OneWay, r.IntN(2) == 0, false // a reset needs both directions
	case pick < 77:
		s.Kind, s.Node = Bridge, r.IntN(nodes)
		s.Group = slices.DeleteFunc(someGroup(r, nodes), func(n int) bool { return n == s.Node })
	case pick < 84:
		s.Kind, s.Loss = Lossy, float64(2+r.IntN(24))/100
	case pick < 92:
		s.Kind = Unplug
	default:
		s.Kind, s.Delay = Slow, between(r, 100*time.Millisecond, 500*time.Millisecond)
	}
	return s
}

func processStep(r *rand.Rand, nodes int) Step {
	s := Step{For: between(r, time.Second, 10*time.Second), Node: someNode(r, nodes)}
	switch pick := r.IntN(100); {
	case pick < 35:
		s.Kind = Kill
	case pick < 45:
		s.Kind = KillAll
	case pick < 75:
		s.Kind, s.For = Freeze, frozenFor(r)
	default:
		s.Kind = Stop
	}
	return s
}

// frozenFor is short as often as long: pauses of a garbage collector, and of a
// machine that is moved.
func frozenFor(r *rand.Rand) time.Duration {
	if r.IntN(2) == 0 {
		return between(r, 100*time.Millisecond, 3*time.Second)
	}
	return between(r, 3*time.Second, 30*time.Second)
}

func rebootStep(r *rand.Rand, _ int) Step {
	return Step{Kind: Reboot, For: between(r, 500*time.Millisecond, 4*time.Second)}
}

func strangerStep(r *rand.Rand, nodes int) Step {
	return Step{Kind: Descriptors, For: between(r, 3*time.Second, 12*time.Second), Node: someNode(r, nodes)}
}

// clockStep is an hour as often as a few minutes, either way.
func clockStep(r *rand.Rand, nodes int) Step {
	s := Step{Kind: Clock, For: between(r, 5*time.Second, 20*time.Second), Node: someNode(r, nodes), Jump: time.Hour}
	if r.IntN(2) == 0 {
		s.Jump = between(r, 30*time.Second, 10*time.Minute).Truncate(time.Second)
	}
	if r.IntN(2) == 0 {
		s.Jump = -s.Jump
	}
	return s
}

// memberSteps adds a node, swaps one, gives one another address and removes one in turn.
func memberSteps() func(*rand.Rand, int) Step {
	turn := 0
	return func(r *rand.Rand, nodes int) Step {
		turn++
		switch turn % 4 {
		case 1:
			return Step{Kind: Grow, For: between(r, 10*time.Second, 15*time.Second), Node: r.IntN(nodes)}
		case 2:
			s := Step{Kind: Swap, For: between(r, 10*time.Second, 15*time.Second), Node: someNode(r, nodes+1)}
			if r.IntN(3) > 0 {
				s.Alone = between(r, 2*time.Second, 8*time.Second)
			}
			return s
		case 3:
			return Step{Kind: Move, For: between(r, time.Second, 5*time.Second), Node: someNode(r, nodes)}
		default:
			return Step{Kind: Shrink, For: between(r, 5*time.Second, 10*time.Second), Node: someNode(r, nodes+1)}
		}
	}
}

// diskStep cuts the power as often as it spoils a disk.
func diskStep(r *rand.Rand, nodes int) Step {
	s := Step{For: between(r, time.Second, 8*time.Second), Node: someNode(r, nodes)}
	switch pick := r.IntN(100); {
	case pick < 40:
		s.Kind = PowerCut
	case pick < 50:
		s.Kind = PowerAll
	case pick < 75:
		s.Kind, s.For, s.Delay = SlowDisk, between(r, 4*time.Second, 12*time.Second), between(r, 100*time.Millisecond, 500*time.Millisecond)/4
	default:
		s.Kind, s.For, s.Bytes = FullDisk, between(r, 4*time.Second, 12*time.Second), r.IntN(256<<10)
	}
	return s
}

// someNode is the leader as often as not.
func someNode(r *rand.Rand, nodes int) int {
	if n := r.IntN(2 * nodes); n < nodes {
		return n
	}
	return leading
}

// someGroup is a smaller half, not empty.
func someGroup(r *rand.Rand, nodes int) []int {
	all := r.Perm(nodes)
	group := all[:1+r.IntN(nodes/2)]
	slices.Sort(group)
	return group
}

// cuts gives every link what the step asks for. Node must be resolved.
func (s Step) cuts(from, to int) link {
	if from == outside || to == outside {
		if s.Kind == Unplug && (from == s.Node || to == s.Node) {
			return link{cut: true, refuse: s.Refuse}
		}
		return link{}
	}
	cut := link{cut: true, refuse: s.Refuse}
	inside := func(n int) bool { return slices.Contains(s.Group, n) }
	switch s.Kind {
	case Isolate:
		if from == s.Node || to == s.Node {
			return cut
		}
	case Halves:
		if inside(from) != inside(to) {
			return cut
		}
	case Bridge:
		if from != s.Node && to != s.Node && inside(from) != inside(to) {
			return cut
		}
	case AllAlone:
		return cut
	case OneWay:
		if s.Deaf && to == s.Node || !s.Deaf && from == s.Node {
			return cut
		}
	case Slow:
		if from == s.Node || to == s.Node {
			return link{delay: s.Delay}
		}
	case Lossy:
		return link{loss: s.Loss}
	}
	return link{}
}
