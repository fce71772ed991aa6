package device

import (
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/device/past"
	"almenara/channels/device/rules"
	"almenara/channels/mqtt"
)

// lift is the box of a lift that loses its power while every node is away, in a bubble of synctest. No device runs: the
// test hands it what would come on a connection.
type lift struct {
	t      *testing.T
	box    *Device
	link   *link
	memory []byte
	ahead  time.Duration // how far somebody has set the box's clock ahead
	still  bool          // its clock stood still without power
	lit    map[string]uint64
}

func newLift(t *testing.T) *lift {
	l := &lift{t: t, lit: map[string]uint64{}}
	l.on()
	l.link = l.box.newLink("tcp://127.0.0.1:1")
	l.gets(contract.TopicKeys, ringOf(t, time.Now(), 1))
	l.gets(contract.TopicNow, l.signed(1, manifestNow()))
	l.gets(contract.TopicAlert("lift-7", "fire"), l.signed(1, bodyNow()))
	require.Equal(t, map[string]uint64{"fire": 1}, l.lit)
	require.Equal(t, []string{"verified", "presented"}, l.rungs())
	return l
}

func (l *lift) on() {
	o := options(7, &tower{url: "tcp://127.0.0.1:1"})
	o.Memory, o.Save = l.memory, func(raw []byte) error { l.memory = raw; return nil }
	o.Wall = wall{func() time.Time { return time.Now().Add(l.ahead) }, func(string) bool { return !l.still }}
	o.Present = func(e rules.Effect) error {
		if delete(l.lit, e.Alert); e.Action != rules.Stop {
			l.lit[e.Alert] = e.Revision
		}
		return nil
	}
	var err error
	l.box, err = New(o)
	require.NoError(l.t, err)
	l.t.Cleanup(l.box.Stop)
}

// cut cuts the power, which comes back after a while; nobody answers then.
func (l *lift) cut(away time.Duration) {
	l.box.Stop()
	clear(l.lit)
	time.Sleep(away)
	l.on()
}

func (l *lift) signed(n byte, v any) []byte {
	jws, err := signerOf(n).Sign(v)
	require.NoError(l.t, err)
	return jws
}

func (l *lift) gets(topic string, payload []byte) {
	l.box.receive(l.link, letter{topic: topic, payload: payload})
}

func (l *lift) rungs() (list []string) {
	for _, r := range l.box.outbox.Waiting {
		list = append(list, r.Rung)
	}
	return list
}

// alone is what may be shown now as not confirmed.
func (l *lift) alone() (list []string) {
	for _, e := range LocalOf(l.box).Unconfirmed() {
		require.Equal(l.t, rules.Look{Tier: contract.TierEmergency, Sound: "none"}, e.Look)
		list = append(list, e.Alert)
	}
	return list
}

// change changes what is stored, as somebody with the box could.
func (l *lift) change(how func(stored map[string]any)) {
	var all map[string]any
	require.NoError(l.t, json.Unmarshal(l.memory, &all))
	how(all)
	var err error
	l.memory, err = json.Marshal(all)
	require.NoError(l.t, err)
}

func TestUnconfirmed_AfterAPowerCutWithoutANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLift(t)
		l.cut(10 * time.Minute)
		require.Empty(t, l.alone(), "nodes have five seconds to say what stands")
		time.Sleep(past.Patience)
		require.Equal(t, []string{"fire"}, l.alone())
		require.Empty(t, l.lit, "it is presented by nobody")
		require.Empty(t, l.box.Presenting())
		require.Equal(t, []string{"verified", "presented"}, l.rungs())
		l.box.Acknowledge("fire", 1, "safe")
		require.Len(t, l.rungs(), 2, "nobody can confirm it")

		l.cut(10 * time.Minute)
		time.Sleep(past.Patience)
		require.Equal(t, []string{"fire"}, l.alone(), "after the second power cut as well")
		time.Sleep(30 * time.Minute)
		require.Equal(t, []string{"fire"}, l.alone())

		l.link = l.box.newLink("tcp://127.0.0.1:1")
		m := manifestNow()
		m.Version, m.InForce = 2, nil
		l.gets(contract.TopicNow, l.signed(1, m))
		require.Empty(t, l.alone())
		require.Equal(t, map[string]uint64{"fire": 1}, l.lit, "a node has not ended it: the rules take it up again")
		require.Equal(t, []string{"verified", "presented"}, l.rungs())
	})
}

func TestUnconfirmed_IsNothingThatIsDead(t *testing.T) {
	ended := func(l *lift, version uint64, inForce []contract.InForce, ended ...contract.Ended) {
		m := manifestNow()
		m.Version, m.InForce, m.Ended = version, inForce, ended
		l.gets(contract.TopicNow, l.signed(1, m))
	}
	for name, c := range map[string]struct {
		before, after func(l *lift)
		away          time.Duration
	}{
		"expired": {away: time.Hour},
		"cancelled": {before: func(l *lift) {
			ended(l, 2, nil, contract.Ended{ID: "fire", Revision: 1, At: time.Now(), Why: contract.WhyCancelled})
		}},
		"superseded": {before: func(l *lift) {
			ended(l, 2, []contract.InForce{{ID: "fire", Revision: 2, Digest: "e", Expires: time.Now().Add(time.Hour)}})
		}},
		"signed by a key that is not in the ring": {after: func(l *lift) {
			l.change(func(s map[string]any) { s["bodies"] = []any{string(l.signed(2, bodyNow()))} })
		}},
		"not signed": {after: func(l *lift) {
			l.change(func(s map[string]any) {
				s["bodies"] = []any{strings.TrimRight(s["bodies"].([]any)[0].(string), "=")[:200]}
			})
		}},
		"another body": {after: func(l *lift) {
			b := bodyNow()
			b.Digest = "x"
			l.change(func(s map[string]any) { s["bodies"] = []any{string(l.signed(1, b))} })
		}},
		"the memory of an older version": {after: func(l *lift) { l.change(func(s map[string]any) { delete(s, "bodies"); delete(s, "time") }) }},
		"the time is not known":          {after: func(l *lift) { l.change(func(s map[string]any) { delete(s, "time") }) }},
		"the clock was set back":         {after: func(l *lift) { l.ahead = -time.Hour }, away: time.Minute},
		"the clock stood still":          {after: func(l *lift) { l.still = true }},
		"the device was refused":         {before: func(l *lift) { letIn(l.box, false) }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLift(t)
				if c.before != nil {
					c.before(l)
				}
				l.box.Stop()
				if c.after != nil {
					c.after(l)
				}
				l.cut(c.away)
				for range 20 {
					time.Sleep(time.Second)
					require.Empty(t, l.alone())
				}
				require.Empty(t, l.lit)
			})
		})
	}
}

// What somebody sets the clock to while the box runs alone brings nothing back.
func TestUnconfirmed_WhenTheClockIsSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLift(t)
		l.cut(time.Minute)
		time.Sleep(past.Patience)
		require.Equal(t, []string{"fire"}, l.alone())
		l.ahead = -2 * time.Minute
		require.Empty(t, l.alone(), "nobody knows what has run out")
		l.ahead = 0
		require.Equal(t, []string{"fire"}, l.alone())
		require.Equal(t, time.Now().Round(0), LocalOf(l.box).Now().Round(0))
		l.ahead = time.Hour
		require.Empty(t, l.alone(), "it has run out")
		l.ahead = 0
		require.Empty(t, l.alone(), "and stays so")
		l.cut(time.Minute)
		time.Sleep(past.Patience)
		require.Empty(t, l.alone(), "over the next power cut as well")
	})
}

// A node that does not let the device in says that it is not enrolled any more: it shows nothing then, nor after the next
// power cut, until a node lets it in.
func TestUnconfirmed_ARevokedDeviceShowsNothing(t *testing.T) {
	tw := newTower(t, 1, mqtt.TCP)
	it, keys := fire(7), ringOf(t, time.Now(), 1)
	require.NoError(t, tw.dispatch.Set(channels.Situation{Keys: keys, InForce: []channels.Item{it}}))
	o := options(7, tw)
	box := wall{time.Now, func(string) bool { return true }}
	var memory []byte
	o.Wall, o.Save = box, func(raw []byte) error { memory = raw; return nil }
	d := run(t, o)
	soon(t, func() bool { return d.Tally(revisionOf(it)).Proven() }, "proven")
	d.Stop()

	late := func(secret string, servers ...string) *Device {
		o.Memory, o.Secret, o.Servers = memory, secret, servers
		var asked atomic.Bool
		o.Clock = func() time.Time { // it began five seconds ago
			if asked.Swap(true) {
				return time.Now().Add(past.Patience)
			}
			return time.Now()
		}
		d, err := New(o)
		require.NoError(t, err)
		t.Cleanup(d.Stop)
		return d
	}
	away := late("secret", "tcp://127.0.0.1:1")
	require.Len(t, LocalOf(away).Unconfirmed(), 1, "no node is there")

	revoked := late("another secret", tw.url)
	require.NoError(t, revoked.Start())
	soon(t, func() bool { return len(LocalOf(revoked).Unconfirmed()) == 0 }, "a node has refused it")
	revoked.Stop()
	require.Empty(t, LocalOf(late("another secret", "tcp://127.0.0.1:1")).Unconfirmed(), "that is remembered")

	again := late("secret", tw.url)
	require.NoError(t, again.Start())
	soon(t, func() bool { return len(again.Presenting()) == 1 }, "it is let in again")
	again.Stop()
	require.Len(t, LocalOf(late("secret", "tcp://127.0.0.1:1")).Unconfirmed(), 1)
}

func TestPowerCut_OfADeviceWithAClockShowsItToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLift(t)
		time.Sleep(time.Minute)
		require.NoError(t, PowerCut(l.box))
		require.Empty(t, l.alone())
		time.Sleep(past.Patience)
		require.Equal(t, []string{"fire"}, l.alone())
	})
}
