package ability

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/node/authority"
	"almenara/node/whereabouts"
	"almenara/node/wire"
	"almenara/node/wire/able"
)

var (
	hongKong = time.FixedZone("HKT", 8*3600)
	evening  = time.Date(2026, 7, 19, 22, 0, 0, 0, hongKong)
	duty     = authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}}
)

// device is how one device of the district behaves.
type device struct {
	node   string // that it is connected to; "" is none
	broker string // the node that reaches it through a broker; "" is none
	answer string // result of a test; "" tells nothing
	why    string
	sends  error // of the gateway
	busy   int   // how often it has not acknowledged yet what it was sent before
	asked  []string
}

// town is a district of nodes in memory.
type town struct {
	t  *testing.T
	mu sync.Mutex

	now       time.Time
	begun     time.Time
	devices   map[string]*device
	nodes     map[string]*Asked
	testers   map[string]*Tester
	dir       string
	cut       map[string]bool
	emergency bool
}

func (w *town) clock() time.Time { return w.now.Add(time.Since(w.begun)) }

func (w *town) placeOf(id string) string {
	return "d/" + map[bool]string{true: "east", false: "west"}[id < "lift-5"] + "/b1/" + id
}

func (w *town) enrolled() (map[string]string, error) {
	out := map[string]string{}
	for id := range w.devices {
		out[id] = w.placeOf(id)
	}
	return out, nil
}

func (w *town) list(_ context.Context, after string, limit int) (page []wire.Device, next string, err error) {
	for _, id := range slices.Sorted(maps.Keys(w.devices)) {
		if id <= after {
			continue
		}
		d := wire.Device{ID: id, Member: id, Kind: "screen", Place: w.placeOf(id), Node: w.devices[id].node}
		connected := d.Node != "" && !w.cut[d.Node]
		if connected || len(w.cut) == 0 {
			d.Connected = &connected
		}
		if page = append(page, d); len(page) == limit {
			return page, id, nil
		}
	}
	return page, "", nil
}

// node adds a node, with what it remembers.
func (w *town) node(id string) {
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(w.t, err)
	log := slog.New(slog.DiscardHandler)
	var tester *Tester
	tester = NewTester(TesterOptions{
		Memory: OpenMemory(filepath.Join(w.dir, id+".json"), log), Signer: contract.Signer{KeyID: contract.KeyID(key.Public().(ed25519.PublicKey)), Key: key}, Enrolled: w.enrolled,
		Emergency: func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.emergency }, Clock: w.clock, Zone: hongKong, Logger: log,
		Here: func() (out []string) {
			for name, d := range w.devices {
				if d.node == id {
					out = append(out, name)
				}
			}
			return out
		},
		Broker: atBroker{w, id, func(name string, payload []byte) error { return w.carry(tester, key, w.devices[name], name, payload) }},
		Send: func(_ context.Context, name string, payload []byte) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			d := w.devices[name]
			if d.node != id {
				return mqtt.ErrNotConnected
			}
			if d.sends != nil {
				return d.sends
			}
			if d.busy > 0 {
				d.busy--
				return mqtt.ErrBusy
			}
			return w.carry(tester, key, d, name, payload)
		},
	})
	w.addNode(id, tester, log)
}

// atBroker is the way to devices of a town that a node reaches through a broker.
type atBroker struct {
	w     *town
	id    string
	carry func(name string, payload []byte) error
}

func (b atBroker) Devices() (out []string) {
	for name, d := range b.w.devices {
		if d.broker == b.id {
			out = append(out, name)
		}
	}
	return out
}

func (b atBroker) Command(_ context.Context, name string, payload []byte) error {
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	if d := b.w.devices[name]; d.broker != b.id || d.sends != nil {
		return errors.New("it is not at the broker")
	}
	return b.carry(name, payload)
}

// carry has a device carry out a command. mu is held.
func (w *town) carry(tester *Tester, key ed25519.PrivateKey, d *device, name string, payload []byte) error {
	ring, err := contract.NewRing(contract.KeyRing{Time: w.clock(), Keys: []contract.Key{contract.NewKey("n", key.Public().(ed25519.PublicKey), time.Time{}, time.Time{})}})
	require.NoError(w.t, err)
	c, err := contract.Open[contract.Command](ring, payload)
	if err != nil {
		return err
	}
	d.asked = append(d.asked, c.Do+" "+c.Place)
	if c.Do == contract.DoTest && d.answer != "" {
		told := contract.Tested{ID: c.ID, Result: d.answer, Why: d.why}
		if d.answer == contract.TestPassed {
			told.Exercised = []string{contract.ExercisedDisplay}
		}
		go func() {
			tester.State(channels.Endpoint{Device: "another"}, contract.State{Tested: &contract.Tested{ID: c.ID, Result: contract.TestFailed}})
			tester.State(channels.Endpoint{Device: name}, contract.State{Tested: &told})
		}()
	}
	return nil
}

// addNode has a node answer for its tester.
func (w *town) addNode(id string, tester *Tester, log *slog.Logger) {
	w.testers[id] = tester
	w.nodes[id] = NewAsked(Options{
		Self: id, Tester: tester, Devices: w.list, Clock: w.clock, Logger: log,
		PlaceOf: func(device string) (string, bool, error) {
			all, err := w.enrolled()
			place, known := all[device]
			return place, known, err
		},
		Others: func() []string {
			return slices.DeleteFunc(slices.Sorted(maps.Keys(w.nodes)), func(o string) bool { return o == id })
		},
		Call: func(ctx context.Context, to, _ string, body []byte) ([]byte, error) {
			if w.cut[to] {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			rec := httptest.NewRecorder()
			w.nodes[to].Handler().ServeHTTP(rec, httptest.NewRequestWithContext(ctx, http.MethodPost, Path, bytes.NewReader(body)))
			if rec.Code != http.StatusOK {
				return nil, errors.New(rec.Body.String())
			}
			return rec.Body.Bytes(), nil
		},
		Find: func(ctx context.Context, ids []string) whereabouts.Found {
			nodes := whereabouts.Nodes{
				Self: id, Others: func() []string { return nil }, Gone: func(string) time.Time { return time.Time{} },
				Here: func() (out []whereabouts.Device) { return nil },
			}
			if at := cmp.Or(w.devices[ids[0]].node, w.devices[ids[0]].broker); at != "" {
				nodes.Self, nodes.Here = at, func() []whereabouts.Device { return []whereabouts.Device{{Device: ids[0], Since: evening}} }
			}
			return nodes.Ask(ctx, ids)
		},
		Places: func(context.Context) ([]wire.Place, error) {
			return []wire.Place{{Path: "d/east", Names: map[string]string{"en": "East Estate", "zh-HK": "東邨"}}, {Path: "d/east/b1", Names: map[string]string{"en": "Block 1", "zh-HK": "一座"}}}, nil
		},
	})
}

// story is ten devices: lift-0 to lift-2 at n1, lift-3 to lift-8 at n2; lift-9 is nowhere.
func story(t *testing.T, tell func(w *town, pass func(time.Duration))) {
	synctest.Test(t, func(t *testing.T) {
		w := &town{t: t, now: evening, begun: time.Now(), devices: map[string]*device{}, nodes: map[string]*Asked{}, testers: map[string]*Tester{}, dir: t.TempDir(), cut: map[string]bool{}}
		for i := range 10 {
			d := &device{node: "n2", answer: contract.TestPassed}
			if i < 3 {
				d.node = "n1"
			}
			w.devices[fmt.Sprint("lift-", i)] = d
		}
		w.devices["lift-9"].node = ""
		w.node("n1")
		w.node("n2")
		ctx, cancel := context.WithCancel(t.Context())
		for _, tester := range w.testers {
			go tester.Run(ctx)
		}
		tell(w, func(d time.Duration) { time.Sleep(d); synctest.Wait() })
		cancel()
		synctest.Wait()
	})
}

// night lets the hours pass with the duty at one node, looking as often as duties do.
func (w *town) night(at string, pass func(time.Duration), hours int) {
	nights := NewNights(w.nodes[at])
	for range hours * 3600 / 5 {
		require.NoError(w.t, nights.Do(w.t.Context()))
		pass(5 * time.Second)
	}
}

func (w *town) ability(at, place string) able.Ability {
	out, err := w.nodes[at].Ability(w.t.Context(), place)
	require.NoError(w.t, err)
	return out
}

func (w *town) states(at string) map[string]string {
	out := map[string]string{}
	for _, d := range w.ability(at, "").Missing {
		out[d.Device] = d.Stands
	}
	return out
}

func TestNight_EachNodeTestsItsOwnOnce(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		w.devices["lift-1"].answer, w.devices["lift-1"].why = contract.TestFailed, "the page is hidden"
		w.devices["lift-4"].answer = ""
		w.devices["lift-6"].answer = contract.TestUnproven
		w.devices["lift-7"].sends = mqtt.ErrNotSubscribed
		for _, night := range []string{"2026-07-19", "2026-07-20"} { // by a node whose clock is another one
			require.False(t, w.nodes["n1"].nightHere(night))
		}
		w.night("n1", pass, 4)
		require.Empty(t, w.devices["lift-0"].asked, "not before three o'clock")
		w.night("n1", pass, 4)
		for id, d := range w.devices {
			if id != "lift-9" && d.sends == nil {
				require.Equal(t, []string{"test "}, d.asked, "%s is tested once", id)
			}
		}
		for _, at := range []string{"n1", "n2"} {
			a := w.ability(at, "")
			require.Equal(t, []any{uint64(10), uint64(5), "2026-07-20"}, []any{a.Devices, a.Passed, a.Night})
			require.Equal(t, map[string]string{"lift-1": "failed", "lift-4": "silent", "lift-6": "unproven", "lift-7": "failed", "lift-9": "never"}, w.states(at))
			require.Equal(t, "the page is hidden", a.Missing[0].Why.Text)
			require.Equal(t, []able.AbilityNight{{Night: "2026-07-20", Places: []able.AbilityPlace{{Place: "d/east", Devices: 5, Passed: 3}, {Place: "d/west", Devices: 5, Passed: 2}}}}, a.Nights)
		}
		require.EqualValues(t, 5, w.ability("n1", "d/west").Devices)
		require.Len(t, w.ability("n1", "d/west/b1").Nights[0].Places, 1, "of its estate")

		w.devices["lift-0"].node = ""
		require.Equal(t, "dark", w.states("n2")["lift-0"], "what has passed and is away could not be warned")
		w.now = w.now.Add(40 * time.Hour)
		require.Equal(t, "untested", w.states("n2")["lift-2"], "an old result proves nothing")
	})
}

func TestNight_NeverWhileAnEmergencyIsInForce(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		for i := range 300 {
			w.devices[fmt.Sprintf("lift-1%03d", i)] = &device{node: "n1", answer: contract.TestPassed}
		}
		set := func(yes bool) { w.mu.Lock(); w.emergency = yes; w.mu.Unlock() }
		asked := func() (n int) {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, d := range w.devices {
				n += len(d.asked)
			}
			return n
		}
		set(true)
		w.night("n1", pass, 6)
		require.Zero(t, asked())
		_, err := w.nodes["n1"].TestDevices(w.t.Context(), duty, able.TestDevices{})
		var p *wire.Problem
		require.ErrorAs(t, err, &p)
		require.Equal(t, wire.KindConflict, p.Kind)
		set(false)
		nights := NewNights(w.nodes["n1"])
		require.NoError(t, nights.Do(w.t.Context()))
		pass(3 * time.Second)
		before := asked()
		require.NotZero(t, before)
		require.Less(t, before, 150, "no more than 20 a second at a node")
		set(true)
		pass(time.Minute)
		require.LessOrEqual(t, asked(), before+25, "an emergency ends it within a second")
		require.False(t, w.testers["n1"].o.Memory.Done("2026-07-20"))
		set(false)
		for range 12 {
			require.NoError(t, nights.Do(w.t.Context()))
			pass(10 * time.Second)
		}
		require.True(t, w.testers["n1"].o.Memory.Done("2026-07-20"), "it is taken up again")
		for id, d := range w.devices {
			require.LessOrEqual(t, len(d.asked), 1, "%s is not tested twice", id)
		}
	})
}

func TestMemory_SurvivesARestartAndIsBounded(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		w.night("n1", pass, 8)
		before := w.ability("n1", "")
		w.node("n1") // again, from its file
		require.Equal(t, before.Missing, w.ability("n1", "").Missing)
		require.Equal(t, before.Nights, w.ability("n1", "").Nights)
	})
	m := OpenMemory(filepath.Join(t.TempDir(), "m"), slog.New(slog.DiscardHandler))
	for i := range 200 {
		m.Keep(Night{Night: evening.AddDate(0, 0, i).Format(time.DateOnly)})
	}
	for i := range maxResults + 10 {
		m.Note(fmt.Sprint(i), Result{})
	}
	require.Len(t, m.nights, maxNights)
	require.Equal(t, evening.AddDate(0, 0, 199).Format(time.DateOnly), m.nights[maxNights-1].Night)
	require.Len(t, m.results, maxResults)
	seen := 0
	for after, first := "", true; first || after != ""; first = false {
		page := m.page(after)
		seen, after = seen+len(page.Results), page.Next
	}
	require.Equal(t, maxResults, seen, "every result is on one page")
	m.Forget(map[string]string{"7": "d"})
	require.Len(t, m.results, 1, "who is enrolled no more is forgotten")
}

func TestMemory_ADamagedFileIsBegunAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	require.NoError(t, os.WriteFile(path, []byte(`{"results":[`), 0o600))
	m := OpenMemory(path, slog.New(slog.DiscardHandler))
	m.Note("lift", Result{State: able.DevicePassed, At: evening})
	require.NoError(t, m.Save())
	again := OpenMemory(path, slog.New(slog.DiscardHandler))
	require.Equal(t, evening.UTC(), again.results["lift"].Passed.UTC())
}

func TestTest_OneDeviceAtWhicheverNodeItIs(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		got, err := w.nodes["n1"].TestDevice(w.t.Context(), duty, "lift-4")
		require.NoError(t, err)
		require.Equal(t, []any{"n2", "passed", []string{"display"}}, []any{got.Node, got.Stands, got.Exercised})
		_, err = w.nodes["n1"].IdentifyDevice(w.t.Context(), duty, "lift-4")
		require.NoError(t, err)
		require.Equal(t, []string{"test ", "identify 東邨 一座 lift-4 · East Estate Block 1 lift-4"}, w.devices["lift-4"].asked)
		w.devices["lift-4"].answer = ""
		got, err = w.nodes["n1"].TestDevice(w.t.Context(), duty, "lift-4")
		require.NoError(t, err)
		require.Equal(t, "silent", got.Stands)
		for id, kind := range map[string]wire.Kind{"lift-9": wire.KindConflict, "unheard": wire.KindNotFound} {
			var p *wire.Problem
			_, err := w.nodes["n1"].TestDevice(w.t.Context(), duty, id)
			require.ErrorAs(t, err, &p, id)
			require.Equal(t, kind, p.Kind, id)
		}
	})
}

// A device to which something is on its way, such as a manifest, is asked again: it is no silent one.
func TestTest_AsksADeviceThatIsBusyAgain(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		w.devices["lift-4"].busy = 10
		got, err := w.nodes["n1"].TestDevice(w.t.Context(), duty, "lift-4")
		require.NoError(t, err)
		require.Equal(t, able.DevicePassed, got.Stands)
		w.devices["lift-4"].busy = 1000
		got, err = w.nodes["n1"].TestDevice(w.t.Context(), duty, "lift-4")
		require.NoError(t, err)
		require.Equal(t, able.DeviceSilent, got.Stands, "for 5 s")
	})
}

func TestTestDevices_OfOnePlaceNowAndOneJobAtATime(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		begun, err := w.nodes["n2"].TestDevices(w.t.Context(), duty, able.TestDevices{Places: []string{"d/east"}})
		require.NoError(t, err)
		require.Equal(t, able.TestBegun{Devices: 5, Nodes: []string{"n1", "n2"}}, begun)
		_, err = w.nodes["n1"].TestDevices(w.t.Context(), duty, able.TestDevices{})
		require.Error(t, err, "it is under way")
		pass(time.Minute)
		require.Len(t, w.states("n1"), 5)
		require.Empty(t, w.devices["lift-5"].asked)
		require.Empty(t, w.ability("n1", "").Nights, "what somebody asked for is no night")
		_, err = w.nodes["n1"].TestDevices(w.t.Context(), duty, able.TestDevices{Places: []string{"d/north"}})
		require.Error(t, err)
	})
}

// Who is limited to places asks nothing of the devices of others, by name or by place, nor of all.
func TestAttack_WhoIsLimitedAsksNothingOfDevicesOfOthers(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		eve := authority.Caller{Name: "eve", Roles: []string{authority.RoleDeviceManager}, Places: []string{"d/east"}}
		a := w.nodes["n1"]
		refused := func(err error) {
			t.Helper()
			var p *wire.Problem
			require.ErrorAs(w.t, err, &p)
			require.Equal(w.t, wire.KindForbidden, p.Kind)
		}
		_, err := a.TestDevice(w.t.Context(), eve, "lift-7")
		refused(err)
		_, err = a.IdentifyDevice(w.t.Context(), eve, "lift-7")
		refused(err)
		for _, places := range [][]string{nil, {"d/west"}, {"d"}, {"d/east", "d/west"}} {
			_, err = a.TestDevices(w.t.Context(), eve, able.TestDevices{Places: places})
			refused(err)
		}
		pass(time.Minute)
		for id, d := range w.devices {
			require.Empty(w.t, d.asked, id)
		}
		_, err = a.TestDevice(w.t.Context(), eve, "lift-0")
		require.NoError(w.t, err)
		_, err = a.TestDevices(w.t.Context(), eve, able.TestDevices{Places: []string{"d/east"}})
		require.NoError(w.t, err)
		pass(time.Minute)
	})
}

// What shows an alert was not tried: its last test goes on to count.
func TestTest_BusyTakesNothingBack(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		test := func(answer string) {
			w.devices["lift-0"].answer = answer
			_, err := w.nodes["n1"].TestDevice(w.t.Context(), duty, "lift-0")
			require.NoError(w.t, err)
		}
		test(contract.TestBusy)
		require.Equal(w.t, "busy", w.states("n1")["lift-0"], "nothing else is known")
		test(contract.TestPassed)
		test(contract.TestBusy)
		require.NotContains(w.t, w.states("n1"), "lift-0")
		test(contract.TestFailed)
		test(contract.TestBusy)
		require.Equal(w.t, "failed", w.states("n1")["lift-0"])
	})
}

// What a node that does not answer knows is not known, and nobody may take it for a no.
func TestAbility_SaysWhichNodesDidNotAnswer(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		w.night("n1", pass, 8)
		w.cut["n2"] = true
		a := w.ability("n1", "")
		require.Equal(t, []string{"n2"}, a.Unanswered)
		require.EqualValues(t, 3, a.Passed)
		require.Equal(t, "unknown", w.states("n1")["lift-5"])
		require.Equal(t, "unknown", w.states("n1")["lift-9"])
	})
}

func TestTester_TakesNoWordOfAnotherDevice(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) { // each answer is preceded by another device's, of the same id
		got, err := w.nodes["n1"].TestDevice(w.t.Context(), duty, "lift-0")
		require.NoError(t, err)
		require.Equal(t, able.DevicePassed, got.Stands)
	})
}

// A device at a broker is tested and found through it, by the node that publishes there; what the broker does
// not tell is said.
func TestTest_ThroughABroker(t *testing.T) {
	story(t, func(w *town, pass func(time.Duration)) {
		far := w.devices["lift-4"]
		far.node, far.broker = "", "n1"
		got, err := w.nodes["n2"].TestDevice(w.t.Context(), duty, "lift-4")
		require.NoError(w.t, err)
		require.Equal(w.t, able.DevicePassed, got.Stands)
		require.Equal(w.t, "n1", got.Node)
		got, err = w.nodes["n2"].IdentifyDevice(w.t.Context(), duty, "lift-4")
		require.NoError(w.t, err)
		require.Equal(w.t, able.DeviceUnproven, got.Stands)
		require.Contains(w.t, got.Why.Text, "whether the device got it")
		require.Equal(w.t, []string{"test ", "identify 東邨 一座 lift-4 · East Estate Block 1 lift-4"}, far.asked)

		far.answer = ""
		got, err = w.nodes["n2"].TestDevice(w.t.Context(), duty, "lift-4")
		require.NoError(w.t, err)
		require.Equal(w.t, able.DeviceSilent, got.Stands)
		require.Contains(w.t, got.Why.Text, "the broker has the test, and the device told nothing")
		far.sends = errors.New("no link")
		_, err = w.nodes["n2"].TestDevice(w.t.Context(), duty, "lift-4")
		require.Error(w.t, err, "it is not there")
		far.sends, far.answer = nil, contract.TestPassed

		begun, err := w.nodes["n2"].TestDevices(w.t.Context(), duty, able.TestDevices{})
		require.NoError(w.t, err)
		require.Equal(w.t, 9, begun.Devices, "the eight that are connected, and the one at the broker")
		pass(time.Minute)
		w.devices["lift-0"].broker = "n1" // a device that is at both is tested once
		require.Len(w.t, w.testers["n1"].here(), 4)
	})
}
