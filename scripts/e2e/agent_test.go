//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
)

// box is the agent of one device, a process of its own.
type box struct {
	t         testing.TB
	enrolment string
	more      []string      // further arguments
	env       []string      // in the place of that of the test
	page      string        // host:port
	took      time.Duration // until it served, the fastest time
	process   *exec.Cmd
}

func (d *district) box(node int, id string, more ...string) *box {
	d.t.Helper()
	return d.boxIn(os.Environ(), node, id, more...)
}

func (d *district) boxIn(env []string, node int, id string, more ...string) *box {
	d.t.Helper()
	b := &box{t: d.t, env: env, more: more, enrolment: filepath.Join(d.t.TempDir(), id+".json"), page: clustertest.FreeAddr(d.t)}
	require.NoError(d.t, os.WriteFile(b.enrolment, d.run(node, "--json", "device", "enrol", "--kind", "screen", "--place", block, id), 0o600))
	b.start()
	d.t.Cleanup(b.end)
	return b
}

func (b *box) start() {
	b.t.Helper()
	began := time.Now()
	b.process = exec.Command(*program, "device", "run", "--enrolment", b.enrolment, "--listen", b.page, "--zone", "Asia/Hong_Kong")
	b.process.Args = append(b.process.Args, b.more...)
	b.process.Env = b.env
	b.process.Stderr = os.Stderr
	require.NoError(b.t, b.process.Start())
	require.Eventually(b.t, func() bool {
		answer, err := http.Get("http://" + b.page + "/screen/")
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	}, patience, 10*time.Millisecond)
	if took := time.Since(began); b.took == 0 || took < b.took {
		b.took = took
	}
	b.touched()
}

// end is a power cut.
func (b *box) end() {
	_ = b.process.Process.Signal(syscall.SIGKILL)
	_ = b.process.Wait()
}

// touched makes the kernel forget which pages the process has used so far.
func (b *box) touched() {
	b.t.Helper()
	require.NoError(b.t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", b.process.Process.Pid), []byte("1"), 0o200))
}

// memory is what the process holds, in bytes, and how much of it are pages of its program's file that it has used
// since it was up. The kernel maps many pages around each, as many as it happens to have read: these are its own, and
// it takes them back as it likes.
func (b *box) memory() (all, file int) {
	b.t.Helper()
	at := fmt.Sprintf("/proc/%d/", b.process.Process.Pid)
	its, err := os.Readlink(at + "exe")
	require.NoError(b.t, err)
	raw, err := os.ReadFile(at + "smaps")
	require.NoError(b.t, err)
	program := false
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		switch {
		case !strings.HasSuffix(fields[0], ":"): // a mapping begins
			program = fields[len(fields)-1] == its && !strings.Contains(fields[1], "w")
		case fields[0] == "Referenced:" && program, fields[0] == "Rss:" && !program:
			kib, err := strconv.Atoi(fields[1])
			require.NoError(b.t, err)
			if all += kib << 10; program {
				file += kib << 10
			}
		}
	}
	require.NotZero(b.t, file)
	return all, file
}

// small holds an agent to what a small box of a lift gives it.
func (b *box) small() {
	b.t.Helper()
	all, file := b.memory()
	b.t.Logf("the agent holds %.1f MB, %.1f of them pages of its program, and serves %v after it was started", float64(all)/1e6, float64(file)/1e6, b.took.Round(time.Millisecond))
	require.Less(b.t, all, 40_000_000)
	require.Less(b.t, b.took, time.Second)
}

// The page of a box survives a reload while no node is there, and shows what the agent has verified.
func TestAgent_ShowsWithoutANode(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	agent := d.box(0, "lift-1")
	p := newBrowser(t).open("http://"+agent.page+"/screen/", 1920, 1080)
	p.until("the agent is connected", connected)
	first := d.warn(0, time.Hour, "Actual", text("en", "Fire", "First", "Leave."))
	p.until("it is shown", showing("danger", "First"))
	d.rung(0, first.Alert, "presented", 1)
	second := d.warn(0, time.Hour, "Actual", text("en", "Gas", "Second", "Leave."))
	d.rung(0, second.Alert, "presented", 1)
	require.Equal(t, "C", read[string](p, "almenara.receiver.health.level"))

	d.crash(0)
	p.reload()
	p.until("both are shown again", showing("danger", "First")+" && "+showing("danger", "Second"))
	d.start(0)
	d.cancel(0, first.Alert)
	p.until("one is gone", "!("+showing("danger", "First")+") && "+showing("danger", "Second"))
	d.rung(0, first.Alert, "cancelled", 1)

	agent.end()
	agent.start()
	p.until("what is in force is shown after a power cut of the box", showing("danger", "Second"))
	d.cancel(0, second.Alert)
	p.until("nothing is in force", idle)
	d.rung(0, second.Alert, "cancelled", 1)
	agent.small()
}

// Without a browser nothing is presented, and the district hears that it failed.
func TestAgent_WithoutABrowserPresentsNothing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	agent := d.box(0, "lift-1")
	d.until("the agent is connected", func() bool {
		return strings.Contains(string(d.run(0, "--json", "device", "list")), `"connected": true`)
	})
	a := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Nobody draws this", "Leave."))
	d.rung(0, a.Alert, "failed", 1)
	require.Zero(t, d.rungs(0, a.Alert)["presented"])
	p := newBrowser(t).open("http://"+agent.page+"/screen/", 1920, 1080)
	p.until("it is shown, late", showing("danger", "Nobody draws this"))
	d.rung(0, a.Alert, "presented", 1)
}

// The lift's screen in a blackout: box and node lose their power, and the box alone has it again. Its page shows what it
// had shown, marked, in both languages, and nobody is told. A cancel that comes with the node takes it away.
func TestAgent_ShowsUnconfirmedAfterABlackout(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	agent := d.box(0, "lift-1")
	p := newBrowser(t).open("http://"+agent.page+"/screen/", 1920, 1080)
	p.until("the agent is connected", connected)
	fire := d.warn(0, time.Hour, "Actual", text("en", "Fire", "Fire in On Lai House", "Leave."), text("zh-HK", "火警", "安麗樓火警", "請即離開。"))
	drill := d.warn(0, time.Hour, "Exercise", text("en", "Drill", "Drill in On Hong House", "Go to the lobby."))
	short := d.warn(0, 40*time.Second, "Actual", text("en", "Gas", "Gas in On Ping House", "Stay inside."))
	runsOut := time.Now().Add(40 * time.Second)
	for _, a := range []sent{fire, drill, short} {
		d.rung(0, a.Alert, "presented", 1)
	}

	agent.end()
	d.crash(0)
	d.until("one has run out without power", func() bool { return time.Now().After(runsOut) })
	agent.start()
	p.reload()
	p.until("the fire is shown, and that nobody has confirmed it", marked("On Lai"))
	p.until("in Chinese as well", `document.querySelector(".card.danger[lang|=zh] .unconfirmed")?.innerText.includes("未獲節點確認")`)
	p.until("the drill is one still", `document.querySelector(".card.drill .unconfirmed")`)
	p.shot("agent-blackout")
	p.accessible(t, "agent after a blackout")
	require.Equal(t, 2, read[int](p, `document.querySelectorAll(".card").length`), "what has run out meanwhile is not shown")
	require.Equal(t, "never", read[string](p, `document.querySelector("#age").className`))
	require.Empty(t, read[[]string](p, `almenara.receiver.picture.alerts.map(a => a.alert)`), "nothing of it is presented")

	d.start(0)
	p.until("it is confirmed", showing("danger", "On Lai")+` && !document.querySelector(".unconfirmed")`)
	require.Equal(t, 1, d.rungs(0, fire.Alert)["presented"], "it has not begun a second time")
	d.rung(0, short.Alert, "cancelled", 1)

	// Once more, and it ends while the box is dark: the node that comes back has the cancel.
	agent.end()
	d.cancel(0, fire.Alert)
	d.crash(0)
	agent.start()
	p.reload()
	p.until("it is shown: the box has not heard of its end", marked("On Lai"))
	d.start(0)
	p.until("it is gone, and the drill is confirmed", `!(`+showing("danger", "On Lai")+`) && document.querySelector(".card.drill") && !document.querySelector(".unconfirmed")`)
	d.rung(0, fire.Alert, "cancelled", 1)
	d.cancel(0, drill.Alert)
	p.until("nothing is in force", idle)

	// Nothing of what is over comes back with the next blackout.
	agent.end()
	d.crash(0)
	agent.start()
	p.reload()
	p.until("the page is there", `window.almenara && almenara.receiver.picture`)
	p.until("the nodes had their time", `almenara.receiver.picture.beat > 5`)
	require.Equal(t, 0, read[int](p, `document.querySelectorAll(".card").length`))
}
