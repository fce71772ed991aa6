//go:build e2e

package e2e

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var (
	shots   = flag.String("shots", "", "folder for pictures; none are kept without it")
	kiosk   = chromedp.Flag("autoplay-policy", "no-user-gesture-required")
	visible = chromedp.Flag("disable-backgrounding-occluded-windows", true)
)

// browser is where somebody's pages are kept apart from those of others: a profile of the
// Chromium that all stories share, or a Chromium of its own, whose profile stays when it is closed.
type browser struct {
	t       testing.TB
	profile string // of a Chromium of its own
	ctx     context.Context
	cancel  context.CancelFunc
}

// shared is the Chromium of all stories that need none of their own: it takes seconds of a
// processor to start one. end closes it.
var shared = sync.OnceValues(func() (ctx context.Context, end func()) {
	profile, err := os.MkdirTemp("", "almenara-e2e-")
	if err != nil {
		panic(err)
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options(profile)...)
	ctx, cancelTab := chromedp.NewContext(allocator)
	return ctx, func() { cancelTab(); cancel(); os.RemoveAll(profile) }
})

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	_, end := shared()
	end()
	os.Exit(code)
}

// headless is Chromium without what only a window needs, such as a toolbar that is drawn beside each page:
// stories take half of the processor time. Its engine is the same, built from the same source; kiosk_test.go has
// Chromium itself. Where Debian's package is missing, all have.
func headless() string {
	if path, err := exec.LookPath("chromium-headless-shell"); err == nil {
		return path
	}
	return "chromium"
}

func options(profile string) []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(headless()), chromedp.NoSandbox, chromedp.UserDataDir(profile), kiosk, visible)
}

// newBrowser opens a browser that may play sound, as a kiosk's may. It ends with the test.
func newBrowser(t testing.TB) *browser {
	t.Helper()
	chromium, _ := shared()
	startShared(t, chromium)
	b := &browser{t: t}
	b.ctx, b.cancel = chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	require.NoError(t, chromedp.Do(b.ctx))
	t.Cleanup(func() { b.cancel() })
	return b
}

// startShared starts the shared Chromium once; the others wait for it.
func startShared(t testing.TB, ctx context.Context) {
	t.Helper()
	starting.Lock()
	defer starting.Unlock()
	require.NoError(t, chromedp.Do(ctx), "scripts/e2e.sh installs chromium")
}

var starting sync.Mutex

// newOwnBrowser starts a Chromium with further flags, or for a story that kills it and starts
// it again.
func newOwnBrowser(t testing.TB, flags ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	b := &browser{t: t, profile: profile(t)}
	b.start(flags...)
	t.Cleanup(func() { b.cancel() })
	return b
}

// start starts the browser again with the profile that it has, as after a power cut; kill is
// the power cut.
func (b *browser) start(flags ...chromedp.ExecAllocatorOption) {
	b.t.Helper()
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), append(options(b.profile), flags...)...)
	ctx, cancelTab := chromedp.NewContext(allocator)
	b.ctx, b.cancel = ctx, func() { cancelTab(); cancel() }
	require.NoError(b.t, chromedp.Do(ctx))
}

func (b *browser) kill() {
	process := chromedp.FromContext(b.ctx).Browser.Process()
	_ = process.Kill()
	b.cancel()
	_ = os.Remove(filepath.Join(b.profile, "SingletonLock"))
}

// profile is a folder for one Chromium. It goes with the folder of the run: what ends last of Chromium still writes there
// when the story is over.
func profile(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "profile")
	require.NoError(t, err)
	return folder
}

func chromium(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	require.NoError(t, err, "scripts/e2e.sh installs it")
	return path
}

// tab is one page of a browser.
type tab struct {
	t   testing.TB
	ctx context.Context
}

// open opens a page in a tab of this many pixels. What its scripts throw or write to the
// console is in the test's log.
func (b *browser) open(url string, width, height int64) *tab {
	b.t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	p := &tab{b.t, ctx}
	require.NoError(b.t, chromedp.Do(ctx, chromedp.EmulateViewport(width, height))) // opens the tab, which lives as long as ctx
	_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watcher})
	require.NoError(b.t, err)
	said := make(chan struct{})
	go func() {
		defer close(said)
		for message, err := range chromedp.Console(ctx) {
			if err != nil {
				return
			}
			b.t.Logf("page: %s", message.Text)
		}
	}()
	b.t.Cleanup(func() {
		cancel()
		select {
		case <-said:
		case <-time.After(patience):
			b.t.Error("the page's console does not end")
		}
	})
	p.do(chromedp.Navigate(url))
	return p
}

// watcher runs before a page's own scripts. It notes every alert that was ever drawn, and when
// two frames were painted with it; and it keeps what came on WebSockets, so that a story can
// bring it again, whole or forged, as if it came from the network. It notes also that a page is being left: it may
// say already what a story waits for from the next one, and what is pressed on it goes nowhere.
const watcher = `(() => {
  window.leaving = false
  window.addEventListener("submit", e => {
    const how = e.submitter && e.submitter.hasAttribute("formmethod") ? e.submitter.formMethod : e.target.method
    if (!e.defaultPrevented && how !== "dialog" && !e.target.target) window.leaving = true
  })
  window.addEventListener("click", e => {
    const link = e.target.closest && e.target.closest("a[href]")
    if (!link || e.defaultPrevented || link.target || link.hasAttribute("download")) return
    if (link.href.split("#")[0] !== location.href.split("#")[0]) window.leaving = true
  })
  window.everDrawn = []
  new MutationObserver(changes => {
    for (const { addedNodes } of changes) for (const node of addedNodes) {
      if (!node.dataset || !node.dataset.alert) continue
      const drawn = { alert: node.dataset.alert, revision: Number(node.dataset.revision), at: 0 }
      if (everDrawn.some(d => d.alert === drawn.alert && d.revision === drawn.revision)) continue
      everDrawn.push(drawn)
      requestAnimationFrame(() => requestAnimationFrame(() => { drawn.at = Date.now() }))
    }
  }).observe(document, { childList: true, subtree: true })
  const Real = window.WebSocket
  window.came = []
  window.sockets = []
  window.WebSocket = class extends Real {
    constructor (...args) {
      super(...args)
      sockets.push(this)
      this.addEventListener('message', e => came.push(new Uint8Array(e.data)))
    }
  }
  window.bodies = () => came.filter(b => new TextDecoder('latin1').decode(b).includes('/alert/'))
  window.bring = bytes => sockets[sockets.length - 1].onmessage({ data: bytes.buffer })
})()`

// do carries out steps of chromedp that must succeed. What a step finds may be replaced before it is touched, as on a
// page that is live: it is looked for again.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for _, step := range steps {
		end := time.Now().Add(patience)
		ctx, cancel := context.WithDeadline(p.ctx, end)
		err := chromedp.Do(ctx, step)
		for replaced(err) && time.Now().Before(end) {
			err = chromedp.Do(ctx, step)
		}
		cancel()
		if err != nil {
			p.shot("failed-" + filepath.Base(p.t.Name()))
			require.NoError(p.t, err)
		}
	}
}

// replaced is true of what Chromium says before it has touched anything: there is no such element any more.
func replaced(err error) bool {
	if err == nil {
		return false
	}
	for _, said := range []string{"Could not find node with given id", "No node with given id found", "Node is detached from document", "Node with given id does not belong to the document", "Could not compute content quads"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}

// script runs JavaScript in the page, and awaits what it promises.
func (p *tab) script(js string) {
	p.t.Helper()
	read[chromedp.Void](p, js)
}

// reload loads the page again. What is awaited next is awaited of the new one.
func (p *tab) reload() {
	p.t.Helper()
	p.script("leaving = true; location.reload()")
}

// read is the value of an expression in the page.
func read[T any](p *tab, js string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	require.NoError(p.t, err, js)
	return value
}

// until waits until an expression is true in a page that is read to its end and is not being left, also while it
// loads again; a picture shows how it was otherwise.
func (p *tab) until(what, js string) {
	p.t.Helper()
	// The page itself looks for a second at a time: to ask it costs Chromium more than to look, and to look lays
	// the page out.
	asked := chromedp.Evaluate[bool](`new Promise((resolve, reject) => {
		const end = performance.now() + 1000
		const look = () => {
			let problem
			try {
				if (document.readyState !== "loading" && !window.leaving && !!(`+js+`)) return resolve(true)
			} catch (e) { problem = e }
			if (performance.now() < end) setTimeout(look, 100)
			else if (problem) reject(problem)
			else resolve(false)
		}
		look()
	})`, chromedp.EvalAwaitPromise)
	ask := func() (bool, error) {
		ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second) // a page that is frozen does not answer
		defer cancel()
		return chromedp.Run(ctx, asked)
	}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if true, err := ask(); err == nil && true {
			return
		} else if time.Now().After(end) {
			p.shot("failed-" + filepath.Base(p.t.Name()))
			p.t.Logf("the page says: %s", read[string](p, "document.body.innerText"))
			require.FailNow(p.t, what, "it was never so: %s (%v)", js, err)
		}
	}
}

// shot takes a picture of what is on the glass.
func (p *tab) shot(name string) {
	p.t.Helper()
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	require.NoError(p.t, err)
	require.NoError(p.t, os.MkdirAll(*shots, 0o755))
	require.NoError(p.t, os.WriteFile(filepath.Join(*shots, name+".png"), png, 0o644))
}
