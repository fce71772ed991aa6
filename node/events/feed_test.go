package events_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/apply"
	"almenara/node/events"
	"almenara/node/wire"
	"almenara/storage/alert"
)

const (
	rain = "abcdefghijklmnopqrstuvwxya"
	wind = "abcdefghijklmnopqrstuvwxyb"
)

// newFeed knows what rain has come to, and nothing of wind.
func newFeed(change func(*events.Options)) *events.Feed {
	o := events.Options{
		Clock:   time.Now,
		Find:    func(string) (alert.ID, error) { return rain, nil },
		Alert:   func(id alert.ID) (wire.Event, bool) { return wire.Event{Alert: string(id), Text: "Rain"}, id == rain },
		Changed: func(apply.Change) {},
	}
	if change != nil {
		change(&o)
	}
	return events.New(o)
}

// Readers that are too slow are let go; the others hear everything, in order.
func TestEvents_LetsASlowReaderGo(t *testing.T) {
	const backlog = 256
	f := newFeed(nil)
	ctx, cancel := context.WithCancel(t.Context())
	slow, err := f.Events(ctx, "")
	require.NoError(t, err)
	other, err := f.Events(ctx, rain)
	require.NoError(t, err)
	for range backlog + 1 {
		f.Tell(events.Alert, wire.Event{Alert: wind})
	}
	f.Tell(events.Alert, wire.Event{Alert: rain})
	heard := 0
	for range slow {
		heard++
	}
	require.Equal(t, backlog, heard)
	e := <-other
	require.True(t, strings.HasSuffix(e.ID, "-258"), e.ID)
	cancel()
	_, open := <-other
	require.False(t, open)
}

// An id of one process is never taken for one of another.
func TestEvents_HaveIDsOfTheirProcess(t *testing.T) {
	var runs []string
	for range 2 {
		f := newFeed(nil)
		heard, err := f.Events(t.Context(), "")
		require.NoError(t, err)
		f.Tell(events.Node, wire.Event{})
		run, number, _ := strings.Cut((<-heard).ID, "-")
		require.Equal(t, "1", number)
		require.Len(t, run, 12)
		runs = append(runs, run)
	}
	require.NotEqual(t, runs[0], runs[1])
}

func TestEvents_FindsTheAlertThatIsMeant(t *testing.T) {
	f := newFeed(func(o *events.Options) {
		o.Find = func(id string) (alert.ID, error) {
			if id == "abcd" {
				return rain, nil
			}
			return "", errors.New("not known")
		}
	})
	_, err := f.Events(t.Context(), "zzzz")
	require.EqualError(t, err, "not known")
	heard, err := f.Events(t.Context(), "abcd")
	require.NoError(t, err)
	f.Tell(events.Alert, wire.Event{Alert: wind})
	f.Tell(events.Alert, wire.Event{Alert: rain})
	require.Equal(t, rain, (<-heard).Alert)
	_, err = f.Events(t.Context(), wind)
	require.NoError(t, err, "one that is not known yet may be awaited")
}

// What happens between two looks is told once: first that an alert changed, then that receipts
// came in for it, then which records changed.
func TestRun_GathersWhatHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var before []apply.Change
		asked := 0
		f := newFeed(func(o *events.Options) {
			known := o.Alert
			o.Alert = func(id alert.ID) (wire.Event, bool) { asked++; return known(id) }
			o.Changed = func(what apply.Change) { before = append(before, what) }
		})
		ctx, cancel := context.WithCancel(t.Context())
		go f.Run(ctx)
		f.Touch(rain, events.Receipts)
		time.Sleep(time.Second + time.Millisecond) // between two looks
		require.Zero(t, asked, "nobody listens")

		heard, err := f.Events(ctx, "")
		require.NoError(t, err)
		for range 1000 {
			f.Touch(rain, events.Receipts)
			f.Touch(rain, events.Alert)
			f.Touch(wind, events.Receipts)
			f.TouchRecords(apply.ChangedDevices | apply.ChangedKeys)
			f.TouchRecords(apply.ChangedPlaces)
		}
		began := time.Now()
		var kinds []string
		for range 4 {
			e := <-heard
			kinds = append(kinds, e.Type)
			require.Equal(t, e.At, time.Now().UTC())
		}
		require.Equal(t, []string{events.Alert, events.Receipts, events.Devices, events.Audience}, kinds)
		require.LessOrEqual(t, time.Since(began), 250*time.Millisecond)
		require.Equal(t, 3, asked)
		require.Equal(t, []apply.Change{apply.ChangedDevices | apply.ChangedKeys | apply.ChangedPlaces}, slices.Clip(before))
		time.Sleep(time.Second)
		require.Empty(t, heard, "nothing else has happened")
		cancel()
		synctest.Wait()
		_, open := <-heard
		require.False(t, open)
	})
}
