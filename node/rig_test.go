package node_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/cluster/clustertest"
	"almenara/node"
	"almenara/node/api"
	"almenara/node/api/openapi/openapitest"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/storage/audit"
)

// patience is how long anything in these tests may take; only broken code needs it.
const patience = 60 * time.Second

// district is some nodes in this process, made as people make them. in gives the
// same one to a subtest.
type district struct {
	t *testing.T
	*town
}

// town is what subtests share.
type town struct {
	token string
	nodes []*node.Node // nil while stopped
	opts  []node.Options
	used  string // a join token that was used
	feed  string // token of the observatory; "": messages come from the administrator
	spots int    // estates laid so far
	tune  func(i int, o *node.Options)
}

// described is the description of the API: every answer that these tests get is held against it.
var described = func() *openapitest.Document {
	d, err := openapitest.Read(api.OpenAPI(""))
	if err != nil {
		panic(err)
	}
	return d
}()

func freeAddr(t *testing.T) string {
	t.Helper()
	return clustertest.FreeAddr(t)
}

// newDistrict brings up a district of n voters.
func newDistrict(t *testing.T, n int) *district {
	t.Helper()
	return newTuned(t, n, func(int, *node.Options) {})
}

// newTuned is newDistrict with options of its own for node i.
func newTuned(t *testing.T, n int, tune func(i int, o *node.Options)) *district {
	t.Helper()
	d := &district{t: t, town: &town{tune: tune}}
	d.add("")
	for i := 1; i < n; i++ {
		d.invite()
	}
	d.voting()
	return d
}

// invite lets another node join.
func (d *district) invite() {
	d.t.Helper()
	invited := agreed(d, func() (wire.Invited, error) { return d.client(0).Invite(d.ctx(), wire.Invite{}) })
	d.add(invited.Token)
	d.used = invited.Token
}

// voting waits until all nodes are voters, and know it.
func (d *district) voting() {
	d.t.Helper()
	n := len(d.nodes)
	d.await(func(s wire.Status) bool {
		voters := 0
		for _, peer := range s.Nodes {
			if peer.Voter && peer.API != "" {
				voters++
			}
		}
		return s.Ready && voters == n
	})
	for _, one := range d.nodes {
		d.eventually("a state that holds all voters", func() bool {
			held, err := one.VotersHeld()
			require.NoError(d.t, err)
			return held == n
		})
	}
}

func (d *district) in(t *testing.T) *district { return &district{t: t, town: d.town} }

// options are those of the next node. Devices know its address for good.
func (d *district) options() node.Options {
	o := node.DefaultOptions(filepath.Join(d.t.TempDir(), "data"))
	o.Name = fmt.Sprintf("box-%d", len(d.nodes)+1)
	o.Internode, o.MQTT, o.MQTTS, o.WS = freeAddr(d.t), freeAddr(d.t), "", ""
	o.Stabilization = 200 * time.Millisecond
	o.JournalBytes, o.SpoolBytes = 16<<20, 16<<20
	o.Logger = slog.New(slog.DiscardHandler)
	if testing.Verbose() {
		o.Logger = slog.New(slog.NewTextHandler(testWriter{d.t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	o.Halt = func(err error) { panic(err) }
	d.tune(len(d.nodes), &o)
	return o
}

// add makes and starts one node; without a token the first one.
func (d *district) add(token string) {
	d.t.Helper()
	o := d.options()
	if token == "" {
		admin, err := node.Init(o, "tuen-mun")
		require.NoError(d.t, err)
		d.token = admin
	} else {
		require.NoError(d.t, node.Join(d.ctx(), o, token))
	}
	i := len(d.nodes)
	d.opts, d.nodes = append(d.opts, o), append(d.nodes, nil)
	d.start(i)
	d.awaitOn(i, func(s wire.Status) bool { return s.Ready })
	d.t.Cleanup(func() { // the last node of a district needs no time to hand over
		if n := d.nodes[i]; n != nil {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			require.NoError(d.t, n.Stop(ctx))
		}
	})
}

func (d *district) start(i int) {
	d.t.Helper()
	n, err := node.New(d.opts[i])
	require.NoError(d.t, err)
	require.NoError(d.t, n.Start(d.ctx()))
	d.nodes[i] = n
}

// stop stops a node as planned, and kill as nearly as one process can be killed:
// nothing is handed over and nothing is waited for.
func (d *district) stop(i int) {
	d.t.Helper()
	require.NoError(d.t, d.nodes[i].Stop(d.ctx()))
	d.nodes[i] = nil
}

func (d *district) kill(i int) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = d.nodes[i].Stop(ctx) // it says what it did not wait for
	d.nodes[i] = nil
}

// live lists the nodes that run.
func (d *district) live() []int {
	var out []int
	for i, n := range d.nodes {
		if n != nil {
			out = append(out, i)
		}
	}
	return out
}

// leader is the node that leads, follower one that does not.
func (d *district) leader() int { return d.role("leader") }

func (d *district) follower() int { return d.role("follower") }

func (d *district) role(role string) int {
	d.t.Helper()
	found := -1
	d.eventually("a "+role, func() bool {
		for _, i := range d.live() {
			if s, err := d.nodes[i].Services().Status.Status(context.Background(), false); err == nil && s.Quorum && s.Role == role {
				found = i
			}
		}
		return found >= 0
	})
	return found
}

func (d *district) ctx() context.Context {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	d.t.Cleanup(cancel)
	return ctx
}

// client calls node i as the administrator, clientWith as who holds the token.
func (d *district) client(i int) *client.Client { return d.clientWith(i, d.token) }

func (d *district) clientWith(i int, token string) *client.Client {
	d.t.Helper()
	c, err := client.New(client.Config{URL: d.nodes[i].API(), Token: token, Around: func(next http.RoundTripper) http.RoundTripper {
		return described.Transport(d.t, next)
	}})
	require.NoError(d.t, err)
	d.t.Cleanup(c.Close)
	return c
}

// told waits for the next of a channel, as long as anything may take: what never comes is a
// failed test, and not one that keeps all others waiting.
func told[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case one := <-from:
		return one
	case <-time.After(patience):
		require.FailNow(t, "nothing came")
		panic("not reached")
	}
}

// eventually waits for what no signal tells of.
func (d *district) eventually(what string, holds func() bool) {
	d.t.Helper()
	require.Eventually(d.t, holds, patience, 20*time.Millisecond, what)
}

// await waits until the status of every live node is as wanted.
func (d *district) await(ok func(wire.Status) bool) {
	d.t.Helper()
	for _, i := range d.live() {
		d.awaitOn(i, ok)
	}
}

// agreed does what needs a majority. On a busy machine there is none for seconds at
// times; what was refused for that has not happened, and what may have happened is no other thing when it is
// asked for again.
func agreed[T any](d *district, ask func() (T, error)) (answer T) {
	d.t.Helper()
	var err error
	d.eventually("a majority", func() bool {
		var p *wire.Problem
		answer, err = ask()
		return !errors.As(err, &p) || p.Kind != wire.KindNoQuorum && p.Kind != wire.KindUnknownOutcome
	})
	require.NoError(d.t, err)
	return answer
}

func (d *district) awaitOn(i int, ok func(wire.Status) bool) {
	d.t.Helper()
	var last wire.Status
	defer func() {
		if d.t.Failed() {
			d.t.Logf("status of node %d: %+v", i, last)
		}
	}()
	d.eventually("status", func() bool {
		s, err := d.nodes[i].Services().Status.Status(context.Background(), false)
		if err == nil {
			last = s
		}
		return err == nil && ok(s)
	})
}

// enrol makes devices and gives them as they would be set up on a wall.
func (d *district) enrol(kind, place string, count int) []device.Options {
	d.t.Helper()
	var in []wire.Enrol
	for i := range count {
		id := fmt.Sprintf("%s-%s-%d", kind, strings.ReplaceAll(place, "/", "-"), i+1)
		in = append(in, wire.Enrol{ID: id, Kind: kind, Place: place})
	}
	return d.enrolAll(in)
}

func (d *district) enrolAll(in []wire.Enrol) []device.Options {
	d.t.Helper()
	enrolled := agreed(d, func() ([]wire.Enrolled, error) { return d.client(d.live()[0]).EnrolDevices(d.ctx(), in) })
	var out []device.Options
	for i, e := range enrolled {
		root, err := base64.RawURLEncoding.DecodeString(e.RootKey)
		require.NoError(d.t, err)
		out = append(out, device.Options{
			ID: e.ID, Secret: e.Secret, Kind: e.Kind, Servers: e.Servers, RootKey: root, FirstServer: i,
			RetryMin: 20 * time.Millisecond, RetryMax: 200 * time.Millisecond,
		})
	}
	return out
}

// fleet switches devices on and waits until all are connected.
func (d *district) fleet(devices ...device.Options) *fleet {
	d.t.Helper()
	f, err := device.NewFleet(device.FleetOptions{Devices: devices, PerSecond: 1000})
	require.NoError(d.t, err)
	d.t.Cleanup(f.Stop)
	f.Start()
	out := &fleet{Fleet: f, d: d}
	out.await("connected", func(p device.Progress) bool { return p.Connected == len(devices) })
	return out
}

// audit is the audit chain of node i, verified.
func (d *district) audit(i int) (text string, report audit.Report) {
	d.t.Helper()
	var out bytes.Buffer
	require.NoError(d.t, d.client(i).ExportAudit(d.ctx(), &out, 0, 0))
	report, err := audit.Verify(bytes.NewReader(out.Bytes()))
	require.NoError(d.t, err)
	require.Empty(d.t, report.Problem)
	return out.String(), report
}

// audited waits until the audit of every live node has a line with all the words.
func (d *district) audited(words ...string) {
	d.t.Helper()
	for _, i := range d.live() {
		d.eventually("audit of "+strings.Join(words, ", "), func() bool {
			text, _ := d.audit(i)
			for line := range strings.Lines(text) {
				if containsAll(line, words) {
					return true
				}
			}
			return false
		})
	}
}

func containsAll(line string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(line, w) {
			return false
		}
	}
	return true
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	if w.t.Context().Err() == nil { // a node's last words may come after the test's
		w.t.Log(strings.TrimRight(string(p), "\n"))
	}
	return len(p), nil
}

var _ io.Writer = testWriter{}
