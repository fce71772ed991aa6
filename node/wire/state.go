package wire

import "slices"

// State is where an alert stands, or a message among those of its alert: whether devices
// show it now, or why they do not.
type State string

// The states.
const (
	StateInForce    State = "in-force"   // devices show it
	StateFuture     State = "future"     // its time has not come
	StatePending    State = "pending"    // approvals are missing; see Approvals
	StateSuperseded State = "superseded" // a newer message of the alert replaces it
	StateExpired    State = "expired"    // its time is over
	StateCancelled  State = "cancelled"  // the alert was cancelled
	StateRecorded   State = "recorded"   // kept and never shown: System, Draft, what ran out before it was approved, a Cancel that ends nothing
)

var states = []State{StateInForce, StateFuture, StatePending, StateSuperseded, StateExpired, StateCancelled, StateRecorded}

// Enum lists every state, for documents and tests.
func (State) Enum() []string { return texts(states) }

// Over reports whether an alert in this state is never shown again.
func (s State) Over() bool {
	return slices.Contains([]State{StateSuperseded, StateExpired, StateCancelled, StateRecorded}, s)
}

// Effect is what a message does to people, which decides whether its sender has got what was
// asked for.
type Effect string

// The values of Effect.
const (
	EffectWarns Effect = "warns" // it is in force: devices of those whom it addresses show it
	EffectLater Effect = "later" // its time has not come
	EffectWaits Effect = "waits" // approvals are missing; nobody is warned before
	EffectEnds  Effect = "ends"  // it is a Cancel, and its alert is over
	EffectKept  Effect = "kept"  // a Draft or a System message, which nobody is ever shown: it is on record
	EffectNone  Effect = "none"  // nobody is warned and nothing ends: it ran out, a newer message stands, or its alert was cancelled; it is on record
)

var effects = []Effect{EffectWarns, EffectLater, EffectWaits, EffectEnds, EffectKept, EffectNone}

// Enum lists every value, for documents and tests.
func (Effect) Enum() []string { return texts(effects) }

// Usual is how many a scenario addresses against the range that it usually does.
type Usual string

// The values of Usual.
const (
	UsualBelow  Usual = "below"  // fewer
	UsualWithin Usual = "within" // as many as usual
	UsualAbove  Usual = "above"  // more
)

var usuals = []Usual{UsualBelow, UsualWithin, UsualAbove}

// Enum lists every value, for documents and tests.
func (Usual) Enum() []string { return texts(usuals) }

// Replication is how far a record has got.
type Replication string

// The values of Replication, each further than the one before.
const (
	ReplicationMemory    Replication = "memory"    // not even on the disk of the node that took it, which is full
	ReplicationLocal     Replication = "local"     // fsynced on the node that took it
	ReplicationHeld      Replication = "held"      // fsynced on further nodes too: held_by of held_of
	ReplicationCommitted Replication = "committed" // agreed by a majority
)

var replications = []Replication{ReplicationMemory, ReplicationLocal, ReplicationHeld, ReplicationCommitted}

// Enum lists every value, for documents and tests.
func (Replication) Enum() []string { return texts(replications) }

// Copy is whether the answering node has the original of a message.
type Copy string

// The values of Copy.
const (
	CopyHere    Copy = "here"
	CopyMissing Copy = "missing" // it is being fetched
	CopyNotKept Copy = "not-kept"
)

var copies = []Copy{CopyHere, CopyMissing, CopyNotKept}

// Enum lists every value, for documents and tests.
func (Copy) Enum() []string { return texts(copies) }

func texts[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = string(one)
	}
	return out
}

// Source is whose knowledge a count or a rung is.
type Source string

// The values of Source.
const (
	SourceDistrict Source = "district" // agreed by a majority
	// SourceThisNode is what the answering node knows, which is without a majority or has a
	// full disk: what is agreed, and what it holds besides. Other nodes may know of more.
	SourceThisNode Source = "this_node"
)

var sources = []Source{SourceDistrict, SourceThisNode}

// Enum lists every value, for documents and tests.
func (Source) Enum() []string { return texts(sources) }
