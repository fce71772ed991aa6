package health_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/node/health"
	"almenara/node/wire/devicehealth"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

func TestOf_IsWhatTheDeviceSaid(t *testing.T) {
	h := health.Of(contract.State{
		State: contract.StateReady, Version: "2026.7", ClockSkew: -2, Health: map[string]string{
			"level": "C", "engine": "Chromium 140", "sound": "armed", "voice": "zh-HK en", "display": "painted", "store": "indexeddb", "persisted": "yes", "awake": "yes",
			"keys": "2026-07-20T11:00:00Z", "drawn": "abc/7", "drawn-at": "2026-07-20T19:59:00+08:00", "queued": "3", "reloads": "12", "memory": "512", "colour": "blue", "picture": "visible", "power": "on", "lacks": "ur",
		},
	}, noon)
	require.Equal(t, &devicehealth.DeviceHealth{
		At: noon, Version: "2026.7", Level: "C", Engine: "Chromium 140", ClockSkew: -2, Sound: "armed", Voice: "zh-HK en", Display: "painted", Picture: "visible", Power: "on", Store: "indexeddb",
		Persisted: new(true), Awake: new(true), Keys: noon.Add(-time.Hour), Drawn: "abc/7", DrawnAt: noon.Add(-time.Minute), Queued: 3, Reloads: 12, MemoryMB: 512,
		Lacks: "ur", Faults: []string{devicehealth.FaultLetters},
	}, h)
}

func TestOf_NamesEachFault(t *testing.T) {
	for fault, s := range map[string]contract.State{
		devicehealth.FaultReload: {Health: map[string]string{"level": "A"}}, devicehealth.FaultSilent: {Health: map[string]string{"sound": "blocked"}},
		devicehealth.FaultUnseen: {Health: map[string]string{"display": "covered"}}, devicehealth.FaultStore: {Health: map[string]string{"store": "none"}},
		devicehealth.FaultPicture: {Health: map[string]string{"picture": "black"}}, devicehealth.FaultLetters: {Health: map[string]string{"lacks": "ne ur"}},
		devicehealth.FaultSleeps: {Health: map[string]string{"awake": "no"}}, devicehealth.FaultClock: {ClockSkew: 301}, devicehealth.FaultRefuses: {Health: map[string]string{"refused": "key"}},
	} {
		s.State = contract.StateReady
		require.Equal(t, []string{fault}, health.Of(s, noon).Faults)
	}
	require.Len(t, devicehealth.Faults, 9)
	require.Empty(t, health.Of(contract.State{State: contract.StateReady}, noon).Faults, "who says nothing is not faulty")
	require.Nil(t, health.Of(contract.State{State: contract.StateLost}, noon), "a will is no word of the device")
}

func TestOf_BelievesNothingThatCannotBe(t *testing.T) {
	long := strings.Repeat("<\x1b\u202e<<安", 100)
	hostile := map[string]string{}
	for _, name := range []string{
		"level", "engine", "sound", "voice", "display", "store", "persisted", "awake", "keys", "drawn", "drawn-at", "queued", "reloads", "memory", "refused", "picture", "power",
	} {
		hostile[name] = long
	}
	for _, skew := range []float64{math.NaN(), math.Inf(1), 1e18} {
		h := health.Of(contract.State{State: contract.StateReady, Version: long, ClockSkew: skew, Health: hostile}, noon)
		require.Zero(t, h.ClockSkew)
		require.Empty(t, h.Level)
		require.Zero(t, h.DrawnAt)
		require.NotContains(t, h.Engine, "\x1b")
		require.NotContains(t, h.Engine, "\u202e")
		raw, err := json.Marshal(h)
		require.NoError(t, err)
		require.Less(t, len(raw), 4<<10, "a thousand of them fit into one answer between nodes")
	}
	for value, name := range map[string]string{"-1": "queued", "99999999999999999999": "reloads", "2026-07-20T13:00:00Z": "keys", "0001-01-01T00:00:00Z": "drawn-at"} {
		h := health.Of(contract.State{State: contract.StateReady, Health: map[string]string{name: value}}, noon)
		require.Equal(t, &devicehealth.DeviceHealth{At: noon}, h, name)
	}
}
