package cec

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// What cec-ctl 1.30.1 prints. It ends with success also where nobody has answered.
const (
	asked = "Transmit from Playback Device 1 to TV (4 to 0):\nGIVE_DEVICE_POWER_STATUS (0x8f)\n"
	info  = "Driver Info:\n\tDriver Name                : vc4_hdmi\n\tAvailable Logical Addresses: 1\n\tPhysical Address           : 1.0.0.0\n" +
		"\tLogical Address Mask       : 0x0010\n\tCEC Version                : 2.0\n"
	unplugged    = "Driver Info:\n\tDriver Name                : vc4_hdmi\n\tPhysical Address           : f.f.f.f\n\tLogical Address Mask       : 0x0000\n"
	notAnswered  = "\tSequence: 20 Tx Timestamp: 22142.328382s\n\tTx, Not Acknowledged (4), Max Retries\n"
	aborted      = "    Received from TV (0):\n    FEATURE_ABORT (0x00):\n\tabort-msg: 143 (0x8f, GIVE_DEVICE_POWER_STATUS)\n\treason: unrecognized-op (0x00)\n\tTx, OK, Rx, OK, Feature Abort\n"
	acknowledged = "Transmit from Playback Device 1 to TV (4 to 0):\nIMAGE_VIEW_ON (0x04)\n\tSequence: 32 Tx Timestamp: 6505.611748s\n"
)

func reported(state string) string {
	return asked + "    Received from TV (0):\n    REPORT_POWER_STATUS (0x90):\n\tpwr-state: " + state + "\n\tSequence: 34 Tx Timestamp: 6505.823752s Rx Timestamp: 6505.914749s\n\tApproximate response time: 18 ms\n"
}

func TestPowerOf_WhatTheToolPrints(t *testing.T) {
	for out, want := range map[string]string{
		reported("on (0x00)"): On, reported("standby (0x01)"): Standby, reported("to-standby (0x03)"): Standby,
		reported("to-on (0x02)"): Unknown, asked + notAnswered: Unknown, asked + aborted: Unknown, info: Unknown, "": Unknown,
		"Failed to open /dev/cec0: No such file or directory\n":                 Unknown,
		asked + "CEC_MSG_REPORT_POWER_STATUS (0x90):\n\tpwr-state: on (0x00)\n": On, // of version 1.22
	} {
		require.Equal(t, want, powerOf(out), "%s", out)
	}
}

// television answers as one does, and notes what it was told.
type television struct {
	address string

	mu    sync.Mutex // guards what follows
	power string     // on, standby; "": it answers nothing
	told  []string
}

// set is somebody who switches it, or plugs it in or out.
func (v *television) set(power string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.power = power
}

func (v *television) heard() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.told)
}

func (v *television) run(_ context.Context, args ...string) (string, error) {
	line := strings.TrimSpace(strings.TrimPrefix(strings.Join(args, " "), "--playback"))
	if line == "" {
		return v.address, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.power == "" {
		return asked + notAnswered, nil
	}
	switch line {
	case "--to 0 --give-device-power-status":
		return reported(map[string]string{On: "on (0x00)", Standby: "standby (0x01)"}[v.power]), nil
	case "--to 0 --image-view-on":
		v.power = On
	case "--to 0 --standby":
		v.power = Standby
	}
	v.told = append(v.told, line)
	return acknowledged, nil
}

// runs runs a screen with a television, in a bubble of synctest.
func runs(t *testing.T, v *television) *Screen {
	s := New(Options{Run: v.run})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func after(d time.Duration) { time.Sleep(d); synctest.Wait() }

func TestScreen_IsSwitchedOnForAnEmergencyAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &television{power: Standby, address: info}
		require.Equal(t, Unknown, New(Options{Run: v.run}).Powered(), "before it was asked")
		s := runs(t, v)
		after(time.Second)
		require.Equal(t, Standby, s.Powered())
		require.Empty(t, v.heard())
		s.Need(true)
		after(askSoon + time.Second)
		require.Equal(t, On, s.Powered())
		require.Equal(t, []string{"--to 0 --image-view-on", "--active-source phys-addr=1.0.0.0"}, v.heard())
		after(time.Hour)
		s.Need(false)
		after(backAfter - time.Second)
		require.Len(t, v.heard(), 2, "another alert may follow")
		after(2*time.Second + askSoon)
		require.Equal(t, "--to 0 --standby", v.heard()[2])
		require.Equal(t, Standby, s.Powered())
		after(time.Hour)
		require.Len(t, v.heard(), 3)
	})
}

// A screen that is on may show another box: it is told once to show this one, and stays on afterwards.
func TestScreen_ThatWasOnShowsThisBoxAndStaysOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &television{power: On, address: info}
		s := runs(t, v)
		after(time.Minute)
		require.Empty(t, v.heard(), "nothing is in force")
		for n := range 2 {
			s.Need(true)
			after(10 * time.Minute)
			require.Equal(t, slices.Repeat([]string{"--to 0 --image-view-on", "--active-source phys-addr=1.0.0.0"}, n+1), v.heard(), "once for each emergency")
			s.Need(false)
			after(time.Hour)
		}
		require.NotContains(t, v.heard(), "--to 0 --standby")
	})
}

// What does not answer is unknown, is asked to be on all the same, and is left as it is afterwards.
func TestScreen_ThatDoesNotAnswerIsUnknownAndNeverOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &television{address: unplugged}
		s := runs(t, v)
		s.Need(true)
		after(time.Minute)
		require.Equal(t, Unknown, s.Powered())
		v.set(On) // somebody plugs it in
		after(time.Minute)
		require.Equal(t, On, s.Powered())
		s.Need(false)
		after(time.Hour)
		require.NotContains(t, v.heard(), "--to 0 --standby")
		v.set("")
		after(time.Minute)
		require.Equal(t, Unknown, s.Powered(), "what was on once need not be on now")
	})
}

// A screen that somebody switches off during an emergency is switched on again.
func TestScreen_IsHeldOnDuringAnEmergency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &television{power: On, address: info}
		s := runs(t, v)
		s.Need(true)
		after(time.Minute)
		v.set(Standby)
		after(askEach + askSoon + time.Second)
		require.Equal(t, On, s.Powered())
	})
}

func TestScreen_WithoutTheToolIsUnknown(t *testing.T) {
	s := New(Options{Run: func(context.Context, ...string) (string, error) {
		return reported("on (0x00)"), errors.New("exit status 1")
	}})
	require.Equal(t, Unknown, s.ask(t.Context()))
	require.False(t, s.tell(t.Context(), "switching it on"))
	s = New(Options{Run: func(context.Context, ...string) (string, error) { return acknowledged + notAnswered, nil }})
	require.False(t, s.tell(t.Context(), "switching it on"), "success of the program is none of the screen")
}

// The program of the box is run with its adapter, as a playback device.
func TestProgram_IsCecCtl(t *testing.T) {
	folder := t.TempDir()
	script := "#!/bin/sh\nprintf '%s\\n' \"$*\" >" + folder + "/args\nprintf '" + strings.ReplaceAll(reported("standby (0x01)"), "\n", "\\n") + "'\n"
	require.NoError(t, os.WriteFile(filepath.Join(folder, "cec-ctl"), []byte(script), 0o755))
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	s := New(Options{})
	require.Equal(t, Standby, s.ask(t.Context()))
	args, err := os.ReadFile(folder + "/args")
	require.NoError(t, err)
	require.Equal(t, "--device /dev/cec0 --playback --to 0 --give-device-power-status\n", string(args))
}
