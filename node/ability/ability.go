// Package ability knows which devices would show or sound an alert, because it tries them: every night
// each node has the devices that are connected to it test themselves silently, and remembers what each
// came to. Any node tells of all, by asking the others.
//
//	night (one node) ─> every node: test yours ─> Tester ─> command test ─> device
//	state of a device (tested) ─────────────────> Tester ─> Memory (a file of this node)
//	who asks ─> Asked: Report, Test, One ─> the Memory of every node, devices, where they are connected
//
// Nothing of it is agreed on by the district or travels with an alert: a node that is lost takes with it
// what it remembered, and the next night fills it in again. It never imports api, cluster, or another
// part of node but authority, wire and whereabouts.
package ability

import (
	"context"
	"encoding/json"
	"time"

	"almenara/node/wire/able"
	"almenara/node/wire/why"
)

// Path is where a node is asked by the others; POST a question.
const Path = "/node/ability"

// Result is what the last test of a device came to, at the node that tested it.
type Result struct {
	At        time.Time  `json:"at"`
	State     string     `json:"state"` // of wire: passed, failed, silent, busy, unproven
	Exercised []string   `json:"did,omitempty"`
	Why       string     `json:"why,omitempty"`
	Reason    why.Reason `json:"reason,omitempty"` // which sentence of a node Why is; "" where the device says it
	Passed    time.Time  `json:"passed,omitzero"`  // when one last passed here
}

// sentence is why, for people.
func (r Result) sentence() why.Sentence {
	return why.Sentence{Text: r.Why, Why: why.Why{Reason: r.Reason}}
}

// What a node is asked to do.
const (
	askResults  = "results"  // what is remembered, a page of it
	askNight    = "night"    // test all of yours, once in this night
	askTest     = "test"     // test those of yours that are named, now
	askOne      = "one"      // test one and wait for it
	askIdentify = "identify" // have one identify itself
)

// question is what one node asks another.
type question struct {
	Do      string   `json:"do"`
	After   string   `json:"after,omitempty"` // results: behind this device
	Night   string   `json:"night,omitempty"` // night
	Devices []string `json:"devices,omitempty"`
	Place   string   `json:"place,omitempty"` // identify: in people's words
}

// answer is what a node says.
type answer struct {
	Results map[string]Result `json:"results,omitempty"` // by device
	Next    string            `json:"next,omitempty"`    // "" after the last page
	Nights  []Night           `json:"nights,omitempty"`  // with the first page
	Done    bool              `json:"done,omitempty"`    // night: all of mine were tested
	Begun   int               `json:"begun,omitempty"`   // test: of those that are connected here
	One     *Result           `json:"one,omitempty"`     // one, identify; absent: it is not connected here
}

// Night is what the tests of one night came to at one node, by estate.
type Night struct {
	Night  string            `json:"night"`          // YYYY-MM-DD of the day on which it ends
	Done   bool              `json:"done,omitempty"` // every device that was connected here was tested
	Passed map[string]uint64 `json:"passed"`         // by estate: those that passed here
	Of     map[string]uint64 `json:"of"`             // by estate: those enrolled in the district then
}

// Caller posts to another node.
type Caller func(ctx context.Context, node, path string, body []byte) ([]byte, error)

// ask asks one node.
func (c Caller) ask(ctx context.Context, node string, q question) (a answer, err error) {
	body, _ := json.Marshal(q) // texts always encode
	raw, err := c(ctx, node, Path, body)
	if err != nil {
		return answer{}, err
	}
	return a, json.Unmarshal(raw, &a)
}

// stands is how a device stands that was tested with this result.
func (r Result) stands() string {
	switch r.State {
	case able.DevicePassed, able.DeviceFailed, able.DeviceSilent, able.DeviceBusy:
		return r.State
	}
	return able.DeviceUnproven
}
