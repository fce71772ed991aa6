//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
)

// kioskBox is a box that keeps its own browser running, which has no screen but takes its own pictures.
func (d *district) kioskBox(node int, id string) *box {
	d.t.Helper()
	browser := []string{
		chromium(d.t), "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1366,768", "--autoplay-policy=no-user-gesture-required",
		"--no-first-run", "--log-level=3", "--user-data-dir=" + profile(d.t),
	}
	return d.box(node, id, "--kiosk", strings.Join(browser, " "), "--cec", "off")
}

// browser is the process of the browser of a box, which leads a group of its own; 0 while there is none.
func (b *box) browser() int {
	for _, file := range glob(b.t, fmt.Sprintf("/proc/%d/task/*/children", b.process.Process.Pid)) {
		raw, _ := os.ReadFile(file) // a thread that has ended has none
		for _, child := range strings.Fields(string(raw)) {
			pid, err := strconv.Atoi(child)
			require.NoError(b.t, err)
			return pid
		}
	}
	return 0
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return files
}

// says is what a device says of itself.
type says struct {
	ID        string
	Condition string
	Health    struct {
		Display, Picture string
		Reloads          int
		Faults           []string
	}
}

func (d *district) says(node int, id string) says {
	d.t.Helper()
	var all []says
	require.NoError(d.t, d.get(node, "devices", &all))
	i := slices.IndexFunc(all, func(s says) bool { return s.ID == id })
	require.GreaterOrEqual(d.t, i, 0, "%s is enrolled", id)
	return all[i]
}

// untilSays waits until a device says of its display what is wanted, and gives how long that took.
func (d *district) untilSays(node int, id, display string) time.Duration {
	d.t.Helper()
	began := time.Now()
	d.until(id+" says "+display, func() bool { return d.says(node, id).Health.Display == display })
	return time.Since(began)
}

// A browser that is killed comes back; one that hangs is said to, shows nothing any more, and is started
// anew. What is in force is on the glass again afterwards, and on its picture.
func TestKiosk_TheBrowserIsWatched(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	agent := d.kioskBox(0, "lift-1")
	d.untilSays(0, "lift-1", "nothing in force")
	a := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in block 2", "Leave by the stairs."))
	d.rung(0, a.Alert, "presented", 1)
	d.untilSays(0, "lift-1", "painted")
	d.until("a picture shows it", func() bool { return d.says(0, "lift-1").Health.Picture == "visible" })
	require.Equal(t, "presenting", d.says(0, "lift-1").Condition)

	first := agent.browser()
	require.NotZero(t, first)
	require.NoError(t, syscall.Kill(first, syscall.SIGKILL))
	t.Logf("killed: no browser is said after %v", d.untilSays(0, "lift-1", "no browser").Round(10*time.Millisecond))
	require.True(t, slices.Contains(d.says(0, "lift-1").Health.Faults, "unseen"))
	require.Equal(t, "ready", d.says(0, "lift-1").Condition, "nothing is on the glass")
	t.Logf("killed: painted again after %v", d.untilSays(0, "lift-1", "painted").Round(10*time.Millisecond))

	second := agent.browser()
	require.NotEqual(t, first, second)
	require.NoError(t, syscall.Kill(-second, syscall.SIGSTOP))
	took := d.untilSays(0, "lift-1", "frozen")
	t.Logf("stopped: frozen is said after %v", took.Round(10*time.Millisecond))
	require.Less(t, took, 10*time.Second)
	require.Equal(t, "ready", d.says(0, "lift-1").Condition)
	t.Logf("stopped: painted again after further %v", d.untilSays(0, "lift-1", "painted").Round(10*time.Millisecond))
	require.NotEqual(t, second, agent.browser())
	require.Equal(t, 2, d.says(0, "lift-1").Health.Reloads)
	require.Equal(t, 1, d.rungs(0, a.Alert)["presented"])

	d.cancel(0, a.Alert)
	d.rung(0, a.Alert, "cancelled", 1)
	var tested struct{ Stands, Why string }
	d.read(0, &tested, "device", "test", "lift-1")
	require.Equal(t, "passed", tested.Stands, tested.Why)
	agent.small()
	last := agent.browser()
	require.NoError(t, agent.process.Process.Kill())
	require.Eventually(t, func() bool { return syscall.Kill(last, 0) != nil }, patience, 10*time.Millisecond, "the browser does not outlive the agent")
}

// A screen that is black, or shows something else, is found out by its picture: presented is taken back, and the
// silent test fails.
func TestKiosk_APictureFindsABlackScreen(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	folder := t.TempDir()
	save := func(name string, of color.Color) string {
		p := image.NewRGBA(image.Rect(0, 0, 1366, 768))
		draw.Draw(p, p.Bounds(), image.NewUniform(of), image.Point{}, draw.Src)
		var out bytes.Buffer
		require.NoError(t, png.Encode(&out, p))
		file := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(file, out.Bytes(), 0o600))
		return file
	}
	black, white, glass := save("black", color.Black), save("white", color.White), filepath.Join(folder, "glass")
	require.NoError(t, os.Symlink(black, glass))
	agent := d.box(0, "lift-1", "--picture", "cat "+glass, "--cec", "off")
	b := newOwnBrowser(t, chromedp.ExecPath(chromium(t))) // the headless shell keeps no screen awake, which the page would say
	p := b.open("http://"+agent.page+"/screen/", 1366, 768)
	p.until("the agent is connected", connected)
	a := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in block 2", "Leave by the stairs."))
	p.until("the page shows it", showing("danger", "Fire in block 2"))
	d.rung(0, a.Alert, "presented", 1)
	d.until("its picture is black", func() bool { return d.says(0, "lift-1").Health.Picture == "black" })
	says := d.says(0, "lift-1")
	require.Equal(t, []string{"not-visible"}, says.Health.Faults)
	require.Equal(t, "ready", says.Condition, "nothing is on the glass")
	p.shot("agent-mark")
	d.cancel(0, a.Alert)
	d.rung(0, a.Alert, "cancelled", 1)
	p.until("nothing is in force", idle)
	p.shot("agent-mark-idle")

	require.NoError(t, os.Remove(glass))
	require.NoError(t, os.Symlink(white, glass))
	var tested struct{ Stands, Why string }
	out, err := d.try(0, "--json", "device", "test", "lift-1")
	require.Error(t, err, "not all was proven")
	require.NoError(t, json.Unmarshal(out, &tested), "%s", out)
	require.Equal(t, "failed", tested.Stands)
	require.Contains(t, tested.Why, "does not show the page: other")
}

// On a real display, of which scrot takes the pictures: another window above the browser, of which the browser
// knows nothing, is found out, and when it is gone that is, too.
func TestKiosk_AnotherWindowIsFoundOut(t *testing.T) {
	t.Parallel()
	number, display := clustertest.FreeAddr(t), ""
	display = ":" + number[strings.LastIndex(number, ":")+1:]
	server := exec.Command("Xvfb", display, "-screen", "0", "1366x768x24")
	require.NoError(t, server.Start(), "scripts/e2e.sh installs it")
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	env := append(os.Environ(), "DISPLAY="+display, "WAYLAND_DISPLAY=")
	flags := []string{"--no-sandbox", "--disable-gpu", "--no-first-run", "--log-level=3", "--kiosk", "--window-size=1366,768", "--window-position=0,0", "--autoplay-policy=no-user-gesture-required"}
	require.Eventually(t, func() bool {
		shot := exec.Command("scrot", "--silent", "-")
		shot.Env = env
		return shot.Run() == nil
	}, patience, 100*time.Millisecond, "the display is there")

	d := newDistrict(t, 1)
	browser := append([]string{chromium(t)}, append(flags, "--user-data-dir="+profile(t), "--disable-backgrounding-occluded-windows")...) // else the page itself says that it is hidden
	d.boxIn(env, 0, "lift-1", "--kiosk", strings.Join(browser, " "), "--cec", "off")
	d.untilSays(0, "lift-1", "nothing in force")
	a := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in block 2", "Leave by the stairs."))
	d.rung(0, a.Alert, "presented", 1)
	d.until("a picture of the screen shows it", func() bool { return d.says(0, "lift-1").Health.Picture == "visible" })
	if *shots != "" {
		shot := exec.Command("scrot", "--silent", "--overwrite", filepath.Join(*shots, "kiosk-display.png"))
		shot.Env = env
		require.NoError(t, shot.Run())
	}

	above := exec.Command(chromium(t), append(flags, "--user-data-dir="+profile(t), "about:blank")...)
	above.Env, above.SysProcAttr = env, &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, above.Start())
	closed := false
	closeIt := func() {
		if !closed {
			_ = syscall.Kill(-above.Process.Pid, syscall.SIGKILL)
			_ = above.Wait()
		}
		closed = true
	}
	t.Cleanup(closeIt)
	is := func(picture string) func() bool {
		return func() bool { return d.says(0, "lift-1").Health.Picture == picture }
	}
	require.Eventually(t, is("other"), 2*patience, 500*time.Millisecond, "the window above is found out")
	says := d.says(0, "lift-1")
	t.Logf("covered by another window: display %q, picture %q, faults %v, %s", says.Health.Display, says.Health.Picture, says.Health.Faults, says.Condition)
	require.Contains(t, says.Health.Faults, "not-visible")
	require.Equal(t, "ready", says.Condition)
	closeIt()
	require.Eventually(t, is("visible"), 2*patience, 500*time.Millisecond, "it is gone again")
	require.Equal(t, "presenting", d.says(0, "lift-1").Condition)
}
