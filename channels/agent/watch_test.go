package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
)

// kiosk counts how often the browser was started anew.
type kiosk struct {
	mu       sync.Mutex
	restarts int
}

func (k *kiosk) Restart() { k.mu.Lock(); k.restarts++; k.mu.Unlock() }
func (k *kiosk) Starts() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return 1 + k.restarts
}

// watched is an agent that watches its browser, in a bubble of synctest. It is not connected.
func watched(t *testing.T, change func(*Options)) (*Agent, *kiosk) {
	t.Helper()
	a, k := made(t), &kiosk{}
	a.options.Browser = k
	if change != nil {
		change(&a.options)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var under sync.WaitGroup
	under.Go(func() { a.watch(ctx) })
	under.Go(func() { a.lookAgain(ctx) })
	t.Cleanup(func() { cancel(); under.Wait() })
	return a, k
}

// tab is a page of a test, which answers as a browser does.
type tab struct {
	a    *Agent
	id   string
	says seen
}

func (a *Agent) open(t *testing.T, id string) *tab {
	t.Helper()
	require.True(t, a.listen(id))
	return &tab{a: a, id: id, says: seen{Page: id, Health: map[string]string{"display": "nothing in force"}}}
}

// paints is what the page does each heartbeat for so long.
func (p *tab) paints(t *testing.T, d time.Duration, on ...device.Revision) {
	t.Helper()
	for end := time.Now().Add(d); ; {
		p.says.Frames += 4
		p.says.Painted = on
		p.says.Health = map[string]string{"display": "nothing in force"}
		if len(on) > 0 {
			p.says.Health["display"] = "painted"
		}
		require.True(t, p.a.saw(p.says))
		if !time.Now().Before(end) {
			return
		}
		pass(heartbeat)
	}
}

func pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

var onFire = device.Revision{Alert: "fire", Revision: 7}

func (a *Agent) says(name string) string { return a.healthNow()[name] }

func TestWatch_AFrozenPageShowsNothingAndIsStartedAnew(t *testing.T) {
	for name, still := range map[string]func(*tab){
		"it says nothing":      func(*tab) {},
		"it paints no frame":   func(p *tab) { p.a.saw(p.says) },
		"it begins to say old": func(p *tab) { p.says.Painted = []device.Revision{onFire}; p.a.saw(p.says) },
	} {
		synctest.Test(t, func(t *testing.T) {
			a, k := watched(t, nil)
			p := a.open(t, "p")
			require.ErrorIs(t, a.present(fire(rules.Start)), device.ErrPending)
			p.paints(t, time.Minute, onFire)
			require.True(t, a.canBeSeen("fire"))
			require.Equal(t, "painted", a.says("display"))
			for began := time.Now(); time.Since(began) < frozenAfter+time.Second; {
				still(p)
				pass(time.Second)
			}
			require.Equal(t, "frozen", a.says("display"), name)
			require.False(t, a.canBeSeen("fire"), "what was told is taken back: %s", name)
			require.False(t, a.painted("fire"))
			for began := time.Now(); time.Since(began) < frozenMost+time.Second; {
				still(p)
				pass(time.Second)
			}
			require.Equal(t, 2, k.Starts(), name)
			a.leave("p")
			q := a.open(t, "q")
			now, _ := a.content()
			require.True(t, now.Alerts[0].Resumed, "it is no beginning")
			q.paints(t, 10*time.Second, onFire)
			require.True(t, a.canBeSeen("fire"))
			require.Equal(t, "1", a.says(contract.HealthReloads))
			require.Equal(t, 2, k.Starts())
		})
	}
}

func TestWatch_AHiddenPageShowsNothingAndIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, k := watched(t, nil)
		p := a.open(t, "p")
		require.ErrorIs(t, a.present(fire(rules.Start)), device.ErrPending)
		p.says.Hidden = true
		p.paints(t, time.Minute, onFire)
		require.Equal(t, "hidden", a.says("display"))
		require.False(t, a.canBeSeen("fire"))
		a.mu.Lock()
		proven := a.alerts["fire"].proven
		a.mu.Unlock()
		require.False(t, proven, "a hidden page proves nothing, whatever it says")
		p.says.Hidden = false
		p.paints(t, time.Minute, onFire)
		require.True(t, a.canBeSeen("fire"))
		p.paints(t, time.Minute)
		require.False(t, a.canBeSeen("fire"), "it is covered")
		p.says.Hidden = true
		p.paints(t, heartbeat)
		require.Equal(t, "hidden", a.says("display"))
		require.Equal(t, 1, k.Starts())
		pass(frozenAfter + time.Second)
		require.Equal(t, "frozen", a.says("display"), "a hidden page answers, too")
	})
}

// What never works is started anew ever more seldom, and soon again once it has worked for long.
func TestWatch_RestartsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, k := watched(t, nil)
		pass(pagelessMost - 2*time.Second)
		require.Equal(t, 1, k.Starts(), "a browser takes time to start")
		pass(time.Hour)
		require.InDelta(t, 10, k.Starts(), 2)
		before := k.Starts()
		pass(10 * time.Hour)
		require.InDelta(t, 60, k.Starts()-before, 2, "one in ten minutes")
		p := a.open(t, "p")
		p.paints(t, restartMost+time.Minute)
		a.leave("p")
		before = k.Starts()
		pass(pagelessMost + 2*time.Second)
		require.Equal(t, before+1, k.Starts())
	})
}

// An emergency that people see is not taken from them because another page hangs.
func TestWatch_NeverRestartsWhatIsPainted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, k := watched(t, nil)
		a.open(t, "hangs")
		p := a.open(t, "paints")
		require.ErrorIs(t, a.present(fire(rules.Start)), device.ErrPending)
		p.paints(t, time.Hour, onFire)
		require.Equal(t, 1, k.Starts())
		require.True(t, a.canBeSeen("fire"))
	})
}

func TestWatch_ABoxLooksAfterFewPages(t *testing.T) {
	a := made(t)
	for i := range maxPages {
		require.True(t, a.listen(fmt.Sprint(i)))
	}
	require.False(t, a.listen("more"))
	require.True(t, a.listen("0"), "which connects again, before its old connection is known to be gone")
	a.leave("0")
	require.Len(t, a.pages, maxPages)
	a.leave("0")
	require.True(t, a.listen("more"))
	r, err := http.NewRequest(http.MethodGet, "http://localhost/agent/events?page="+string(bytes.Repeat([]byte("x"), maxPageID+1)), nil)
	require.NoError(t, err)
	w := &answered{header: http.Header{}}
	a.Handler().ServeHTTP(w, r)
	require.Equal(t, http.StatusTooManyRequests, w.code)
}

type answered struct {
	header http.Header
	code   int
}

func (w *answered) Header() http.Header       { return w.header }
func (w *answered) WriteHeader(code int)      { w.code = code }
func (*answered) Write(b []byte) (int, error) { return len(b), nil }

// screenOf is a picture of a screen of a colour, with a mark at its lower right, or none.
func screenOf(of color.Color, cells string) []byte {
	p := image.NewRGBA(image.Rect(0, 0, 600, 400))
	draw.Draw(p, p.Bounds(), image.NewUniform(of), image.Point{}, draw.Src)
	for i, c := range cells {
		is := map[rune]color.Color{'w': color.White, 'k': color.Black, 'y': color.RGBA{255, 213, 0, 255}, 'b': color.RGBA{31, 111, 235, 255}}[c]
		draw.Draw(p, image.Rect(540+i%6*10, 380+i/6*10, 550+i%6*10, 390+i/6*10), image.NewUniform(is), image.Point{}, draw.Src)
	}
	var out bytes.Buffer
	_ = png.Encode(&out, p) // of memory: it does not fail
	return out.Bytes()
}

// marks has the page draw the marks that it is asked for, and gives what is on the glass then.
func (p *tab) marks() (cells string) {
	now, _ := p.a.content()
	if now.Shot == 0 {
		return ""
	}
	cells = fmt.Sprintf("wkwkky%05bb", now.Shot%32)
	cells = string(bytes.Map(func(r rune) rune {
		switch r {
		case '0':
			return 'k'
		case '1':
			return 'w'
		}
		return r
	}, []byte(cells)))
	at := [4]float64{0.9, 0.95, 0.1, 0.05}
	p.says.Mark = &mark{Shot: now.Shot, Cells: cells, Columns: 6, Page: [4]float64{0, 0, 0.1, 0.1}, Screen: at}
	return cells
}

// pictured is an agent with a camera, whose page draws marks each half second; glass is what the camera sees.
func pictured(t *testing.T, glass func(cells string) ([]byte, error)) (*Agent, *tab) {
	t.Helper()
	var mu sync.Mutex
	cells := ""
	a, _ := watched(t, func(o *Options) {
		o.Picture = func(context.Context) ([]byte, bool, error) {
			mu.Lock()
			defer mu.Unlock()
			raw, err := glass(cells)
			return raw, true, err
		}
	})
	p := a.open(t, "p")
	require.ErrorIs(t, a.present(fire(rules.Start)), device.ErrPending)
	ctx, cancel := context.WithCancel(context.Background())
	var under sync.WaitGroup
	under.Go(func() {
		for ctx.Err() == nil {
			mu.Lock()
			cells = p.marks()
			p.says.Frames++
			p.says.Painted, p.says.Health = []device.Revision{onFire}, map[string]string{"display": "painted"}
			says := p.says
			mu.Unlock()
			a.saw(says)
			select {
			case <-ctx.Done():
			case <-time.After(500 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { cancel(); under.Wait() })
	return a, p
}

func TestGlass_APictureMustShowWhatThePageSays(t *testing.T) {
	for want, glass := range map[string]func(string) ([]byte, error){
		"visible": func(cells string) ([]byte, error) { return screenOf(color.Black, cells), nil },
		"black":   func(string) ([]byte, error) { return screenOf(color.Black, ""), nil },
		"other":   func(string) ([]byte, error) { return screenOf(color.White, ""), nil },
		"unknown": func(string) ([]byte, error) { return nil, errors.New("no display") },
	} {
		synctest.Test(t, func(t *testing.T) {
			a, _ := pictured(t, glass)
			pass(10 * time.Second)
			require.Equal(t, want, a.says(contract.HealthPicture))
			require.Equal(t, want == "visible" || want == "unknown", a.canBeSeen("fire"), "%s", want)
			a.command(contract.Command{ID: "c1", Do: contract.DoTest})
			a.answered(contract.Tested{ID: "c1", Result: contract.TestPassed, Exercised: []string{"display"}})
			pass(10 * time.Second)
			told := a.tested(t)
			require.Equal(t, want == "visible" || want == "unknown", told.Result == contract.TestPassed, "%s: %s", want, told.Why)
		})
	}
}

// A picture that the screen has kept from before is none of what the page shows now, and a screen that
// comes back is seen within a minute.
func TestGlass_AnOldPictureIsNotSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		kept, stuck := "", false
		a, _ := pictured(t, func(cells string) ([]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			if !stuck {
				kept = cells
			}
			return screenOf(color.RGBA{211, 0, 27, 255}, kept), nil
		})
		pass(10 * time.Second)
		require.True(t, a.canBeSeen("fire"))
		mu.Lock()
		stuck = true
		mu.Unlock()
		pass(lookEach + 10*time.Second)
		require.Equal(t, "other", a.says(contract.HealthPicture))
		require.False(t, a.canBeSeen("fire"))
		mu.Lock()
		stuck = false
		mu.Unlock()
		pass(lookEach + 10*time.Second)
		require.True(t, a.canBeSeen("fire"))
	})
}

// power is that of a screen in a test.
type power struct {
	is     string
	needed []bool
}

func (p *power) Need(on bool)    { p.needed = append(p.needed, on) }
func (p *power) Powered() string { return p.is }

func TestPower_OfTheScreen(t *testing.T) {
	a := made(t)
	p := &power{is: "standby"}
	a.options.Power = p
	require.True(t, a.listen("p"))
	require.ErrorIs(t, a.present(fire(rules.Start)), device.ErrPending)
	require.True(t, a.saw(seen{Page: "p", Painted: []device.Revision{onFire}, Health: map[string]string{"display": "painted"}}))
	require.Equal(t, []bool{true}, p.needed)
	require.Equal(t, "standby", a.says("display"))
	require.False(t, a.canBeSeen("fire"))
	for _, is := range []string{"on", "unknown"} {
		p.is = is
		require.True(t, a.canBeSeen("fire"))
		require.Equal(t, "painted", a.says("display"))
		require.Equal(t, is, a.says(contract.HealthPower))
	}
	minor := fire(rules.Start)
	minor.Alert, minor.Look.Tier = "minor", contract.TierAdvisory
	require.ErrorIs(t, a.present(minor), device.ErrPending)
	require.ErrorIs(t, a.present(fire(rules.Stop)), device.ErrPending)
	require.Equal(t, []bool{true, true, false}, p.needed, "an advisory wakes nobody")
}
