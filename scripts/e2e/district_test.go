//go:build e2e

package e2e

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/clustertest"
)

var program = flag.String("program", "", "the program that is tested, as it is shipped")

// patience is how long a story waits for what must come. Nothing that is measured rests on it.
const patience = 2 * time.Minute

// district is nodes of the real program, one process each, on free ports of loopback.
type district struct {
	t     testing.TB
	nodes []*member
	token string // the administrator's
}

type member struct {
	folder, listen, ws string
	flags              []string
	serve              []string  // further flags of serve
	tls                bool      // it listens where others reach it, so that its API is HTTPS
	process            *exec.Cmd // nil while it is stopped
	log                *os.File
}

// newDistrict founds a district of n nodes that vote. They end with the test, and what they
// said is shown where it failed.
func newDistrict(t testing.TB, n int) *district {
	t.Helper()
	require.NotEmpty(t, *program, "run scripts/e2e.sh, or give -program")
	logCost(t)
	d := &district{t: t}
	for i := range n {
		m := newMember(t, i)
		d.nodes = append(d.nodes, m)
		name := "n" + strconv.Itoa(i+1)
		if i == 0 {
			mustRun(t, append([]string{"init", "--data", m.folder, "--name", name, "--district", "tuen-mun"}, m.flags...)...)
			token, err := os.ReadFile(filepath.Join(m.folder, "operator.token"))
			require.NoError(t, err)
			d.token = strings.TrimSpace(string(token))
		} else {
			var invited struct{ Token string }
			d.read(0, &invited, "node", "invite")
			mustRun(t, append(append([]string{"join", "--data", m.folder, "--name", name}, m.flags...), invited.Token)...)
		}
		d.start(i)
	}
	d.until("all nodes vote", func() bool {
		var is struct{ Nodes []struct{ Voter bool } }
		err, voters := d.get(0, "status", &is), 0
		for _, node := range is.Nodes {
			if node.Voter {
				voters++
			}
		}
		return err == nil && voters == n
	})
	return d
}

func newMember(t testing.TB, i int) *member {
	m := &member{folder: filepath.Join(t.TempDir(), "n"+strconv.Itoa(i+1)), listen: clustertest.FreeAddr(t), ws: clustertest.FreeAddr(t)}
	m.flags = []string{"--internode", clustertest.FreeAddr(t), "--listen", m.listen, "--mqtt", clustertest.FreeAddr(t), "--mqtt-tls", clustertest.FreeAddr(t), "--mqtt-ws", m.ws}
	return m
}

// api is where the node's pages and its API are; ws where it speaks MQTT over WebSocket.
func (d *district) api(i int) string {
	if d.nodes[i].tls {
		return "https://" + d.nodes[i].listen
	}
	return "http://" + d.nodes[i].listen
}

func (d *district) ws(i int) string { return "ws://" + d.nodes[i].ws + "/mqtt" }

// start starts nodes and waits until they can do their work.
func (d *district) start(nodes ...int) {
	d.t.Helper()
	for _, i := range nodes {
		d.launch(i)
	}
	for _, i := range nodes {
		d.until("node "+strconv.Itoa(i+1)+" is ready", func() bool {
			var is struct{ Ready bool }
			return d.get(i, "status", &is) == nil && is.Ready
		})
	}
}

func (d *district) launch(i int) {
	d.t.Helper()
	m := d.nodes[i]
	log, err := os.OpenFile(m.folder+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(d.t, err)
	m.process, m.log = exec.Command(*program, append([]string{"serve", "--data", m.folder}, m.serve...)...), log
	m.process.Stdout, m.process.Stderr = log, log
	if hour := time.Now().Hour(); hour >= 2 && hour < 5 { // a story is no night, in which devices are tested
		m.process.Env = append(os.Environ(), "TZ=Etc/GMT-8")
	}
	require.NoError(d.t, m.process.Start())
	d.t.Cleanup(func() { d.end(i, syscall.SIGTERM) })
}

// stop ends a node as planned; crash as a power cut does.
func (d *district) stop(i int)  { d.end(i, syscall.SIGTERM) }
func (d *district) crash(i int) { d.end(i, syscall.SIGKILL) }

func (d *district) end(i int, signal os.Signal) {
	m := d.nodes[i]
	if m.process == nil {
		return
	}
	_ = m.process.Process.Signal(signal)
	_ = m.process.Process.Signal(syscall.SIGCONT) // a frozen one would not end
	_ = m.process.Wait()
	m.process = nil
	m.log.Close()
	if d.t.Failed() {
		said, _ := os.ReadFile(m.folder + ".log")
		d.t.Logf("node %d said:\n%s", i+1, said[max(len(said)-4000, 0):])
	}
}

// try runs a command at a node and returns what it printed.
func (d *district) try(i int, args ...string) ([]byte, error) {
	cmd := exec.Command(*program, append([]string{"--api", d.api(i), "--ca", filepath.Join(d.nodes[i].folder, "ca.pem"), "--token", d.token}, args...)...)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	err := cmd.Run()
	if err != nil {
		err = &commandError{err, problem.String()}
	}
	return out.Bytes(), err
}

type commandError struct {
	error
	said string
}

func (e *commandError) Error() string { return e.error.Error() + ": " + e.said }

// run runs a command that must succeed; read takes its JSON.
func (d *district) run(i int, args ...string) []byte {
	d.t.Helper()
	out, err := d.try(i, args...)
	require.NoError(d.t, err, "%q", args)
	return out
}

func (d *district) read(i int, into any, args ...string) {
	d.t.Helper()
	require.NoError(d.t, json.Unmarshal(d.run(i, append([]string{"--json"}, args...)...), into))
}

// get reads over the API of a node, for what waits: a command is a process, and takes thirty times as long.
func (d *district) get(i int, path string, into any) error {
	client := http.DefaultClient
	if d.nodes[i].tls {
		ca, err := os.ReadFile(filepath.Join(d.nodes[i].folder, "ca.pem"))
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(ca)
		client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}
	}
	q, err := http.NewRequest(http.MethodGet, d.api(i)+"/api/v1/"+path, nil)
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+d.token)
	answer, err := client.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// until waits for what must come true. A node that does not know yet what it is asked for, or has no leader for a
// moment, is asked again: what fails meanwhile is said where it never comes true.
func (d *district) until(what string, true func() bool) {
	d.t.Helper()
	story := d.t
	defer func() { d.t = story }()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		try := &attempt{TB: story}
		d.t = try
		if try.is(true) {
			return
		} else if time.Now().After(end) {
			require.FailNow(story, "it never came true", "%s %s", what, try.said)
		}
	}
}

// attempt is a look at what may not be so yet: what must be so within it fails the attempt, and not the story.
type attempt struct {
	testing.TB
	said string
}

func (a *attempt) Errorf(format string, args ...any) { a.said += fmt.Sprintf(format, args...) }
func (a *attempt) FailNow()                          { runtime.Goexit() }

func (a *attempt) is(true func() bool) (so bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		so = true() && a.said == ""
	}()
	<-done
	return so
}

func mustRun(t testing.TB, args ...string) {
	t.Helper()
	out, err := exec.Command(*program, args...).CombinedOutput()
	require.NoError(t, err, "%q: %s", args, out)
}
