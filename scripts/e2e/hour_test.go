//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// screenWatch is how long TestScreen_IsTheSameAfterAnHour watches a screen: the promise is about an hour,
// scripts/e2e.sh -run AnHour -watch 60m.
var screenWatch = flag.Duration("watch", 20*time.Second, "how long the story of a screen that does not grow takes")

// residentOf is what processes hold, in bytes.
func residentOf(t testing.TB, pids ...int) (sum int) {
	t.Helper()
	for _, pid := range pids {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			continue // it has ended
		}
		var kib int
		_, rest, _ := strings.Cut(string(raw), "VmRSS:")
		_, err = fmt.Sscan(rest, &kib)
		require.NoError(t, err)
		sum += kib << 10
	}
	return sum
}

// A screen is warned and told the end again and again, loud and quiet in turns, by a real node. It shows each,
// none comes back, and it needs no more memory at the end than after the first turns.
func TestScreen_IsTheSameAfterAnHour(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	b := newOwnBrowser(t, chromedp.Flag("js-flags", "--expose-gc"))
	p := d.screen(b, 0, "lift-1", 1920, 1080)
	each := 2 * time.Second
	if *screenWatch > 5*time.Minute {
		each = 13 * time.Second // 300 ends in an hour are the most that a place carries
	}
	type held struct{ heap, elements, resident int }
	hold := func() held {
		p.script("came.length = 0; everDrawn.length = 0; gc()") // what the stories themselves keep
		p.script("new Promise(resolve => setTimeout(resolve, 300))")
		p.script("gc()")
		return held{read[int](p, "performance.memory.usedJSHeapSize"), read[int](p, "document.getElementsByTagName('*').length"), residentOf(t, b.renderers()...)}
	}
	begun := time.Now()
	var first, last held
	const measures = 10
	turns := 0
	for measured := 0; measured <= measures; turns++ {
		end := time.Now().Add(each)
		i := text("en", "Fire", fmt.Sprintf("Turn %d of the watch", turns), "Leave by the stairs.")
		if turns%2 == 1 {
			i = i.with("urgency", "Expected").with("severity", "Minor").with("certainty", "Possible")
		}
		a := d.warn(0, time.Hour, "Actual", i)
		p.until("it is shown", fmt.Sprintf(`document.querySelector('[data-alert="%s"]') !== null`, a.Alert))
		d.rung(0, a.Alert, "presented", 1)
		d.cancel(0, a.Alert)
		p.until("it is gone", idle)
		require.LessOrEqual(t, drawn(p, a.Alert), 1)
		if time.Since(begun) >= time.Duration(measured)**screenWatch/measures && turns >= 3 {
			last = hold()
			if measured == 0 {
				first = last
			}
			t.Logf("after %4.0f s and %3d alerts: heap %.2f MB, %d elements, renderers hold %.0f MB", time.Since(begun).Seconds(), turns+1, float64(last.heap)/1e6, last.elements, float64(last.resident)/1e6)
			measured++
		}
		time.Sleep(time.Until(end))
	}
	require.Equal(t, first.elements, last.elements)
	// Of each alert that is over it remembers for a day what it has told, of 4,096 at most, so that it never comes back.
	require.Less(t, last.heap, first.heap+first.heap/10+500_000+turns*6_000)
	require.Less(t, last.resident, first.resident+first.resident/4, "of the renderers, which collect when they like")
}
