package machine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScrubber_TellsWhatIsDamagedAndOnlyThat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rotten := errors.New("rotten")
		var told []string
		part := func(name string, err error) Part {
			return Part{Name: name, Rotten: rotten, Verify: func(context.Context) error { return err }, Damaged: func(why string) { told = append(told, why) }}
		}
		var skip atomic.Bool
		s := NewScrubber(ScrubOptions{
			Clock: time.Now, Logger: quiet(), Skip: skip.Load,
			Parts: func() []Part {
				return []Part{part("the state", fmt.Errorf("block 7: %w", rotten)), part("the journal", errors.New("too busy")), part("the log", nil)}
			},
		})
		done := make(chan struct{})
		go func() { defer close(done); s.Run(t.Context()) }()
		synctest.Wait()
		require.Zero(t, s.Last())
		time.Sleep(scrubEvery + time.Second)
		synctest.Wait()
		require.Equal(t, []string{"the state: block 7: rotten"}, told)
		require.Equal(t, time.Now().Add(-time.Second).Unix(), s.Last())
		skip.Store(true)
		time.Sleep(scrubEvery)
		synctest.Wait()
		require.Len(t, told, 1, "what is quarantined already is not read again")
		s.Stop()
		<-done
	})
}

// Stop does not wait for a read that nobody can interrupt.
func TestScrubber_EndsWhileItReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		s := NewScrubber(ScrubOptions{Every: time.Hour, Clock: time.Now, Logger: quiet(), Parts: func() []Part {
			return []Part{{Name: "the state", Verify: func(context.Context) error { <-stuck; return nil }}}
		}})
		done := make(chan struct{})
		go func() { defer close(done); s.Run(t.Context()) }()
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		s.Stop()
		<-done
	})
}
