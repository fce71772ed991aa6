package agent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
)

// boxWall is the clock of a box with a battery.
type boxWall struct{}

func (boxWall) Now() time.Time       { return time.Now() }
func (boxWall) Run() string          { return "" }
func (boxWall) RanSince(string) bool { return true }

// remembered is the memory of a device that had presented two alerts, one of them a drill, when its power went.
func remembered(t *testing.T, root, node ed25519.PrivateKey) []byte {
	t.Helper()
	public := node.Public().(ed25519.PublicKey)
	sign := func(key ed25519.PrivateKey, v any) string {
		jws, err := contract.Signer{KeyID: contract.KeyID(public), Key: key}.Sign(v)
		require.NoError(t, err)
		return string(jws)
	}
	r := rules.New()
	r.Connected()
	now := time.Now()
	m := contract.Manifest{Time: now, Node: "A", Version: 1}
	fire := contract.Body{Alert: "fire", Revision: 7, Digest: "d", Time: now, Status: "Actual", Tier: contract.TierEmergency, Sound: "siren", Expires: now.Add(time.Hour)}
	drill := contract.Body{Alert: "drill", Revision: 1, Digest: "d", Time: now, Status: "Exercise", Sound: "siren", Expires: now.Add(time.Minute)}
	bodies := []contract.Body{fire, drill}
	for _, b := range bodies {
		m.InForce = append(m.InForce, contract.InForce{ID: b.Alert, Revision: b.Revision, Digest: b.Digest, Expires: b.Expires})
	}
	r.Manifest(m, now)
	var signed []string
	for _, b := range bodies {
		r.Body(b, now)
		r.Presented(b.Alert, b.Revision, now)
		signed = append(signed, sign(node, b))
	}
	raw, err := r.Export()
	require.NoError(t, err)
	keys := contract.KeyRing{District: "tm", Time: now, Keys: []contract.Key{contract.NewKey("A", public, time.Time{}, time.Time{})}}
	memory, err := json.Marshal(map[string]any{
		"rules": json.RawMessage(raw), "keys": sign(root, keys), "session": 1, "outbox": map[string]any{"seq": 4},
		"bodies": signed, "time": map[string]any{"at": now, "ahead": 0},
	})
	require.NoError(t, err)
	return memory
}

// cut is an agent whose box has its power again, while every node is away.
func cut(t *testing.T) (*Agent, *spoken) {
	t.Helper()
	root, node := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	said := &spoken{}
	a, err := New(Options{
		Pages: made(t).options.Pages, Speak: func(e rules.Effect) { said.effects = append(said.effects, e) }, Power: said,
		Device: device.Options{
			ID: "lift-1", Servers: []string{"tcp://127.0.0.1:1"}, RootKey: root.Public().(ed25519.PublicKey),
			Memory: remembered(t, root, node), Wall: boxWall{}, Save: func([]byte) error { return nil },
		},
	})
	require.NoError(t, err)
	t.Cleanup(a.device.Stop)
	return a, said
}

// spoken is what the box made of effects besides showing them.
type spoken struct {
	effects []rules.Effect
	needed  []bool
}

func (s *spoken) Need(yes bool)   { s.needed = append(s.needed, yes) }
func (s *spoken) Powered() string { return "on" }

func marked(p content) (list []string) {
	for _, a := range p.Unconfirmed {
		list = append(list, fmt.Sprintf("%s/%d %s %s resumed %t", a.Alert, a.Revision, a.Look.Tier, a.Look.Sound, a.Resumed))
	}
	return list
}

func TestAgent_ShowsUnconfirmedAfterAPowerCutWithoutANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, said := cut(t)
		p := a.open(t, "page")
		now, changed := a.content()
		require.Empty(t, now.Unconfirmed)
		for range 5 {
			time.Sleep(time.Second)
			a.lookAfter()
		}
		select {
		case <-changed:
		default:
			t.Fatal("no page is told that it is to show anything")
		}
		now, _ = a.content()
		require.Equal(t, []string{"drill/1 drill none resumed true", "fire/7 emergency none resumed true"}, marked(now))
		require.Empty(t, now.Alerts)
		require.EqualValues(t, -1, now.Silence)

		// What the page paints of it is told by nobody.
		p.paints(t, 10*time.Second, device.Revision{Alert: "fire", Revision: 7}, device.Revision{Alert: "drill", Revision: 1})
		require.Empty(t, said.effects, "a speaker stays silent")
		require.Equal(t, []bool{true}, said.needed, "a screen in standby would show nobody anything")
		require.False(t, a.canBeSeen("fire"), "it is not presented")
		require.Empty(t, a.device.Presenting())
		require.Empty(t, a.device.Record())

		time.Sleep(time.Minute)
		a.lookAfter()
		now, _ = a.content()
		require.Equal(t, []string{"fire/7 emergency none resumed true"}, marked(now), "the drill has run out")
	})
}

// What a node ends is told as gone only once no page paints it.
func TestAgent_WhatANodeEndsIsToldOnceItIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := cut(t)
		p := a.open(t, "page")
		time.Sleep(5 * time.Second)
		now, _ := a.content()
		require.Len(t, now.Unconfirmed, 2)
		on := device.Revision{Alert: "fire", Revision: 7}
		p.says.Seq = now.Seq
		p.paints(t, 0, on)

		// As the rules ask for, see channels/device/rules.
		require.ErrorIs(t, a.present(rules.Effect{Action: rules.Stop, Alert: "fire", Revision: 7, Reason: rules.ReasonEnded}), device.ErrPending)
		p.says.Seq = now.Seq + 1
		p.paints(t, 0, on)
		require.Equal(t, 1, a.leaving())
		p.paints(t, 0)
		require.Zero(t, a.leaving())
	})
}
