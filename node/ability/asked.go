package ability

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/whereabouts"
	"almenara/node/wire"
	"almenara/node/wire/able"
	"almenara/node/wire/why"
)

// How long another node is waited for: people wait for the answer. One that waits for a device has to be
// given its time.
const (
	patience = 3 * time.Second
	oneTakes = takes + waits + patience
	onesMost = 4 // single devices at once, for each node that is asked
)

// Options say what an Asked needs; all must be set.
type Options struct {
	Self   string          // id of this node
	Others func() []string // ids of the others that devices may be connected to
	Call   Caller
	Tester *Tester
	// Devices lists the devices of the district, with where each is connected.
	Devices func(ctx context.Context, after string, limit int) (page []wire.Device, next string, err error)
	// Find asks every node where a device is connected.
	Find   func(ctx context.Context, devices []string) whereabouts.Found
	Places func(ctx context.Context) ([]wire.Place, error)
	// PlaceOf is the place of one device; false where none is enrolled, or it was revoked.
	PlaceOf func(device string) (place string, enrolled bool, err error)
	Clock   func() time.Time
	Logger  *slog.Logger
}

// Asked answers what people and other nodes ask. Its methods may be called from any goroutine.
type Asked struct {
	o    Options
	ones chan struct{} // has room for as many as are asked for at once
}

// NewAsked makes one.
func NewAsked(o Options) *Asked { return &Asked{o, make(chan struct{}, onesMost)} }

// Handler answers the other nodes.
func (a *Asked) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, "the question cannot be read", http.StatusBadRequest)
			return
		}
		out, err := a.here(r.Context(), q)
		if err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out) // the caller sees a cut answer as an error
	})
}

var errUnknownQuestion = errors.New("this node does not know the question")

// here answers for this node.
func (a *Asked) here(ctx context.Context, q question) (out answer, err error) {
	t := a.o.Tester
	switch q.Do {
	case askResults:
		return t.o.Memory.page(q.After), nil
	case askNight:
		return answer{Done: a.nightHere(q.Night)}, nil
	case askTest:
		named := map[string]bool{}
		for _, id := range q.Devices {
			named[id] = true
		}
		devices := slices.DeleteFunc(t.here(), func(id string) bool { return len(named) > 0 && !named[id] })
		if len(devices) > 0 && !t.begin(job{devices: devices}) {
			return out, errTesting
		}
		return answer{Begun: len(devices)}, nil
	case askOne, askIdentify:
		if len(q.Devices) != 1 {
			return out, errUnknownQuestion
		}
		r, here := Result{}, false
		if q.Do == askOne {
			r, here = t.one(ctx, q.Devices[0], waits)
		} else {
			r, here = t.identify(ctx, q.Devices[0], q.Place)
		}
		if here {
			out.One = &r
		}
		return out, t.o.Memory.Save()
	}
	return out, errUnknownQuestion
}

// errTesting is the answer of a node that is at it already.
var errTesting = errors.New("devices are being tested already")

// node asks this node or another one.
func (a *Asked) node(ctx context.Context, id string, q question, most time.Duration) (answer, error) {
	if id == a.o.Self {
		return a.here(ctx, q)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	return a.o.Call.ask(ctx, id, q)
}

// each asks every node at once, hands their answers to take one at a time, and lists, sorted, those that
// did not answer.
func (a *Asked) each(ctx context.Context, ask func(id string) question, take func(id string, got answer)) (silent []string) {
	var mu sync.Mutex
	var calls sync.WaitGroup
	for _, id := range slices.Concat([]string{a.o.Self}, a.o.Others()) {
		calls.Go(func() {
			for q := ask(id); ; {
				got, err := a.node(ctx, id, q, patience)
				mu.Lock()
				if err == nil {
					take(id, got)
				} else {
					silent = append(silent, id)
				}
				mu.Unlock()
				if err != nil || got.Next == "" {
					return
				}
				q.After = got.Next
			}
		})
	}
	calls.Wait()
	slices.Sort(silent)
	return silent
}

// TestDevices implements service.Ability: every node begins to test its own.
func (a *Asked) TestDevices(ctx context.Context, by authority.Caller, in able.TestDevices) (out able.TestBegun, err error) {
	if a.o.Tester.o.Emergency() {
		return out, wire.Problemf(wire.KindConflict, "an emergency is in force, and devices are left alone; what they show of it proves that they work").Because(why.EmergencyNow)
	}
	if len(in.Places) == 0 {
		if err := inplaces.Whole(by, authority.TestDevices); err != nil {
			return out, err
		}
	}
	for _, place := range in.Places {
		if err := inplaces.Hold(by, authority.TestDevices, place, place); err != nil {
			return out, err
		}
	}
	var devices []string
	if len(in.Places) > 0 {
		err := a.eachDevice(ctx, func(d wire.Device) {
			if within(d.Place, in.Places) {
				devices = append(devices, d.ID)
			}
		})
		if err != nil {
			return out, err
		}
		if len(devices) == 0 {
			return out, wire.Problemf(wire.KindNotFound, "no device is enrolled at %s", strings.Join(in.Places, ", ")).Because(why.NoDeviceAt, strings.Join(in.Places, " · "))
		}
	}
	out.Nodes = []string{}
	out.Unanswered = a.each(ctx, func(string) question { return question{Do: askTest, Devices: devices} }, func(id string, got answer) {
		out.Devices, out.Nodes = out.Devices+got.Begun, append(out.Nodes, id)
	})
	slices.Sort(out.Nodes)
	if len(out.Nodes) == 0 {
		return out, wire.Problemf(wire.KindConflict, "the nodes are testing devices already, or do not answer; see the result in some minutes").Because(why.TestsRun)
	}
	a.o.Logger.Info("a test of devices was asked for", "by", by.Name, "places", in.Places, "devices", out.Devices)
	return out, nil
}

// within reports whether a place is one of these or below it.
func within(place string, of []string) bool {
	return slices.ContainsFunc(of, func(p string) bool { return place == p || strings.HasPrefix(place, strings.TrimSuffix(p, "/")+"/") })
}

// TestDevice implements service.Ability: one device is tested by the node that it is connected to.
func (a *Asked) TestDevice(ctx context.Context, by authority.Caller, device string) (able.DeviceTest, error) {
	return a.one(ctx, by, question{Do: askOne, Devices: []string{device}})
}

// IdentifyDevice implements service.Ability.
func (a *Asked) IdentifyDevice(ctx context.Context, by authority.Caller, device string) (able.DeviceTest, error) {
	return a.one(ctx, by, question{Do: askIdentify, Devices: []string{device}})
}

func (a *Asked) one(ctx context.Context, by authority.Caller, q question) (out able.DeviceTest, err error) {
	id := q.Devices[0]
	place, enrolled, err := a.o.PlaceOf(id)
	if err != nil {
		return out, err
	}
	if !enrolled {
		return out, wire.Problemf(wire.KindNotFound, "no device %.100q is enrolled", id).Because(why.NoDevice, id)
	}
	if err := inplaces.Hold(by, authority.TestDevices, id, place); err != nil {
		return out, err
	}
	if q.Do == askIdentify {
		q.Place = a.saidOf(ctx, place)
	}
	found := a.o.Find(ctx, []string{id})
	at, connected := found.Of(id)
	if !connected {
		return out, notConnected(id, found.Silent)
	}
	select {
	case a.ones <- struct{}{}:
		defer func() { <-a.ones }()
	default:
		return out, wire.Problemf(wire.KindBusy, "%d devices are being tested by name already; try again in some seconds", onesMost).Because(why.TestsManyRun, onesMost)
	}
	got, err := a.node(ctx, at.Node, q, oneTakes)
	switch {
	case err != nil:
		return out, wire.Problemf(wire.KindNotReady, "the node that %.100s is connected to did not answer", id).Because(why.DeviceNodeSilent, id)
	case got.One == nil:
		return out, notConnected(id, found.Silent)
	}
	a.o.Logger.Info("a device was asked to "+q.Do, "by", by.Name, "device", id, "state", got.One.State)
	return able.DeviceTest{Device: id, Node: at.Node, Stands: got.One.State, Exercised: got.One.Exercised, Why: got.One.sentence(), At: got.One.At}, nil
}

func notConnected(id string, silent []string) error {
	if len(silent) > 0 {
		return wire.Problemf(wire.KindNotReady, "%.100s is connected to no node that answered; %s did not", id, strings.Join(silent, ", ")).Because(why.DeviceNotSeen, id, strings.Join(silent, " · "))
	}
	return wire.Problemf(wire.KindConflict, "%.100s is connected to no node, and cannot be asked for anything", id).Because(why.DeviceNotConnected, id)
}

// saidOf is what people call a place: the names of what it lies in, below the district, in Chinese and
// then in English where they differ.
func (a *Asked) saidOf(ctx context.Context, place string) string {
	places, err := a.o.Places(ctx)
	if err != nil {
		return place
	}
	names := map[string]map[string]string{}
	for _, p := range places {
		names[p.Path] = p.Names
	}
	said := func(chinese bool) string {
		var out []string
		for depth, all := 2, strings.Count(place, "/")+1; depth <= all; depth++ {
			path := upTo(place, depth)
			out = append(out, nameOf(names[path], path[strings.LastIndex(path, "/")+1:], chinese))
		}
		return strings.Join(out, " ")
	}
	if zh, en := said(true), said(false); zh != en {
		return zh + " · " + en
	}
	if said(false) == "" {
		return place
	}
	return said(false)
}

// nameOf is a name in a language, or else the last part of the path.
func nameOf(names map[string]string, last string, chinese bool) string {
	for tag, name := range names {
		if strings.HasPrefix(strings.ToLower(tag), "zh") == chinese && (chinese || strings.HasPrefix(strings.ToLower(tag), "en")) {
			return name
		}
	}
	return last
}

// eachDevice goes over the devices that are not revoked, a page at a time.
func (a *Asked) eachDevice(ctx context.Context, fn func(wire.Device)) error {
	for after := ""; ; {
		page, next, err := a.o.Devices(ctx, after, 1000)
		if err != nil {
			return err
		}
		for _, d := range page {
			if !d.Revoked {
				fn(d)
			}
		}
		if after = next; next == "" {
			return nil
		}
	}
}
