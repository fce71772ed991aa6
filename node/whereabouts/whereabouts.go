// Package whereabouts asks the nodes of the district where devices are connected. Each node
// knows that only of its own, and nothing of it is on record: so what a node that does not
// answer knows is not known, and nobody may take it for a no.
//
//	Ask ─> Here (this node) and Call (each other node) ─> Found: At, Gone, Silent
//
// It has no clock and never imports cluster, api, channels or another part of node but wire.
package whereabouts

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire/devicehealth"
)

// Path is where a node tells the others; POST a question.
const Path = "/node/presence"

// patience is how long another node is waited for: people wait for the answer.
const patience = time.Second

// Device is one device as a node knows it.
type Device struct {
	Device string    `json:"device"` // id
	Member uint32    `json:"member"` // ordinal
	Since  time.Time `json:"since"`  // when it was connected
	State  string    `json:"state"`  // as it last said
	// Gone is when its last session at the node ended, if it is not connected there; zero
	// where it is. Only who asks for devices by name is told of those.
	Gone time.Time `json:"gone,omitzero"`
	// Health is what it last said of itself; nil where it said nothing, and from older nodes.
	Health *devicehealth.DeviceHealth `json:"health,omitempty"`
}

// question asks for devices, or for those of the given members that have any. Older nodes send
// none and get all that are connected; asked by this, they answer that.
type question struct {
	Devices []string `json:"devices,omitempty"`
	Members []byte   `json:"members,omitempty"` // a bitmap of ordinals
}

// those answers a question for members: which of them have a device that is connected.
type those struct {
	Members []byte `json:"members"`
}

// Nodes are the nodes that can be asked. Its fields are set once; its methods may be called
// from any goroutine.
type Nodes struct {
	Self   string          // id of this node
	Others func() []string // ids of the others that devices may be connected to
	// Call posts to another node.
	Call func(ctx context.Context, node, path string, body []byte) ([]byte, error)
	Here func() []Device // those connected to this node
	// Among is which of the members have a device that is connected to this node; a bitmap of the caller's own.
	Among func(members *roaring.Bitmap) *roaring.Bitmap
	Gone  func(device string) time.Time // when its last session at this node ended; zero: none since this node started
}

// At is a connected device and the node that it is connected to.
type At struct {
	Device
	Node string
}

// Found is what the nodes said. It is not modified once made.
type Found struct {
	Silent []string // ids of the nodes that did not answer in time, sorted: devices may be connected there

	at   map[string]At
	gone map[string]time.Time
}

// Of is where a device is connected; false where no node that answered has it. A device that
// roamed is where it came last.
func (f Found) Of(device string) (At, bool) {
	at, ok := f.at[device]
	return at, ok
}

// Gone is when the last session of a device ended at any node that answered; zero where there
// was none since those nodes started.
func (f Found) Gone(device string) time.Time { return f.gone[device] }

// Ask asks every node for these devices, all at once. It takes a second at most, and returns
// when all have answered.
func (n Nodes) Ask(ctx context.Context, devices []string) Found {
	found := Found{at: map[string]At{}, gone: map[string]time.Time{}}
	found.note(n.Self, n.answer(devices))
	if len(devices) == 0 {
		return found
	}
	found.Silent = n.each(ctx, n.Others(), question{Devices: devices}, func(node string, raw []byte) error {
		var told []Device
		if err := json.Unmarshal(raw, &told); err != nil {
			return err
		}
		found.note(node, told)
		return nil
	})
	return found
}

// Connected is which of the members have a device that is connected to a node that answered,
// and the ids of those that did not, sorted. Nodes of whom reachable says no are not asked,
// and neither is any other when it is nil. It takes a second at most.
func (n Nodes) Connected(ctx context.Context, members *roaring.Bitmap, reachable func(node string) bool) (connected *roaring.Bitmap, silent []string) {
	connected = n.Among(members)
	var ask []string
	for _, id := range n.Others() {
		if reachable != nil && reachable(id) {
			ask = append(ask, id)
		} else {
			silent = append(silent, id)
		}
	}
	if len(ask) == 0 {
		slices.Sort(silent)
		return connected, silent
	}
	raw, err := members.ToBytes()
	if err != nil {
		return connected, n.Others()
	}
	silent = append(silent, n.each(ctx, ask, question{Members: raw}, func(_ string, raw []byte) error {
		there, err := connectedThere(raw)
		if err == nil {
			there.And(members)
			connected.Or(there)
		}
		return err
	})...)
	slices.Sort(silent)
	return connected, silent
}

// connectedThere reads the answer to a question for members; an older node answers with all
// its devices.
func connectedThere(raw []byte) (*roaring.Bitmap, error) {
	var devices []Device
	if err := json.Unmarshal(raw, &devices); err == nil {
		return membersOf(devices), nil
	}
	var told those
	if err := json.Unmarshal(raw, &told); err != nil {
		return nil, err
	}
	out := roaring.New()
	return out, out.UnmarshalBinary(told.Members)
}

// membersOf is the members of connected devices.
func membersOf(devices []Device) *roaring.Bitmap {
	out := roaring.New()
	for _, d := range devices {
		if d.Gone.IsZero() {
			out.Add(d.Member)
		}
	}
	return out
}

// each asks nodes at once, hands their answers to take one at a time, and lists, sorted, those
// of whom none came in time that take could read.
func (n Nodes) each(ctx context.Context, nodes []string, asked question, take func(node string, raw []byte) error) (silent []string) {
	body, _ := json.Marshal(asked) // strings and bytes always encode
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var mu sync.Mutex
	var calls sync.WaitGroup
	for _, id := range nodes {
		calls.Go(func() {
			raw, err := n.Call(ctx, id, Path, body)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				err = take(id, raw)
			}
			if err != nil {
				silent = append(silent, id)
			}
		})
	}
	calls.Wait()
	slices.Sort(silent)
	return silent
}

// note takes in what a node told.
func (f *Found) note(node string, devices []Device) {
	for _, d := range devices {
		switch known, ok := f.at[d.Device]; {
		case !d.Gone.IsZero():
			if d.Gone.After(f.gone[d.Device]) {
				f.gone[d.Device] = d.Gone
			}
		case !ok || d.Since.After(known.Since):
			f.at[d.Device] = At{Device: d, Node: node}
		}
	}
}

// answer is what this node knows of the devices.
func (n Nodes) answer(devices []string) (out []Device) {
	here := map[string]Device{}
	for _, d := range n.Here() {
		here[d.Device] = d
	}
	for _, id := range devices {
		if d, ok := here[id]; ok {
			out = append(out, d)
		} else if gone := n.Gone(id); !gone.IsZero() {
			out = append(out, Device{Device: id, Gone: gone})
		}
	}
	return out
}

// ofMembers is which of the members have a device here.
func (n Nodes) ofMembers(raw []byte) those {
	members := roaring.New()
	if err := members.UnmarshalBinary(raw); err != nil {
		return those{}
	}
	out, _ := n.Among(members).ToBytes() // memory takes every byte
	return those{out}
}

func withoutHealth(devices []Device) []Device {
	out := make([]Device, len(devices))
	for i, d := range devices {
		d.Health = nil
		out[i] = d
	}
	return out
}

// Handler answers the other nodes.
func (n Nodes) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked question
		var told any
		switch err := json.NewDecoder(r.Body).Decode(&asked); {
		case err == nil && asked.Members != nil:
			told = n.ofMembers(asked.Members)
		case err != nil || asked.Devices == nil: // an older node
			told = withoutHealth(n.Here()) // it asks for all, and would not read it
		default:
			told = append([]Device{}, n.answer(asked.Devices)...)
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(told) // the caller sees a cut answer as an error
	})
}
