package node_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node"
	"almenara/node/client"
	"almenara/node/wire"
)

// patience is how long anything in these tests may take; only broken code needs it.
const patience = 30 * time.Second

// district is some nodes in this process, made as people make them.
type district struct {
	t     *testing.T
	token string
	nodes []*node.Node
	dirs  []string
	opts  []node.Options
}

func freeAddr(t *testing.T) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, ln.Close()) }()
	return ln.Addr().String()
}

// newDistrict brings up a district of n voters.
func newDistrict(t *testing.T, n int) *district {
	d := &district{t: t}
	d.add("")
	for i := 1; i < n; i++ {
		invited, err := d.client(0).Invite(d.ctx(), wire.Invite{})
		require.NoError(t, err)
		d.add(invited.Token)
	}
	d.await(func(s wire.Status) bool {
		voters := 0
		for _, peer := range s.Nodes {
			if peer.Voter && peer.API != "" {
				voters++
			}
		}
		return s.Ready && voters == n
	})
	return d
}

// add makes and starts one node; without a token the first one.
func (d *district) add(token string) {
	d.t.Helper()
	o := node.DefaultOptions(filepath.Join(d.t.TempDir(), "data"))
	o.Name = fmt.Sprintf("box-%d", len(d.nodes)+1)
	o.Internode = freeAddr(d.t)
	o.Stabilization = 200 * time.Millisecond
	o.JournalBytes, o.SpoolBytes = 16<<20, 16<<20
	o.Logger = slog.New(slog.NewTextHandler(testWriter{d.t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o.Halt = func(err error) { d.t.Errorf("halted: %v", err) }
	if token == "" {
		admin, err := node.Init(o, "tuen-mun")
		require.NoError(d.t, err)
		d.token = admin
	} else {
		require.NoError(d.t, node.Join(d.ctx(), o, token))
	}
	d.opts = append(d.opts, o)
	d.nodes = append(d.nodes, nil)
	d.start(len(d.nodes) - 1)
}

func (d *district) start(i int) {
	d.t.Helper()
	n, err := node.New(d.opts[i])
	require.NoError(d.t, err)
	require.NoError(d.t, n.Start(d.ctx()))
	d.nodes[i] = n
	d.t.Cleanup(func() { require.NoError(d.t, n.Stop(context.Background())) })
	d.awaitOn(i, func(s wire.Status) bool { return s.Ready || len(s.Nodes) != 1 })
}

func (d *district) ctx() context.Context {
	ctx, cancel := context.WithTimeout(d.t.Context(), patience)
	d.t.Cleanup(cancel)
	return ctx
}

func (d *district) client(i int) *client.Client {
	d.t.Helper()
	c, err := client.New(client.Config{URL: d.nodes[i].API(), Token: d.token})
	require.NoError(d.t, err)
	return c
}

// await waits until every node's status is as wanted.
func (d *district) await(ok func(wire.Status) bool) {
	d.t.Helper()
	for i := range d.nodes {
		d.awaitOn(i, ok)
	}
}

func (d *district) awaitOn(i int, ok func(wire.Status) bool) {
	d.t.Helper()
	var last wire.Status
	require.Eventually(d.t, func() bool {
		s, err := d.nodes[i].Status(context.Background(), false)
		last = s
		return err == nil && ok(s)
	}, patience, 20*time.Millisecond, "status of node %d: %+v", i, &last)
}

// enrol makes devices and gives them as they would be set up on a wall.
func (d *district) enrol(kind, place string, count int) []device.Options {
	d.t.Helper()
	var in []wire.Enrol
	for i := range count {
		in = append(in, wire.Enrol{ID: fmt.Sprintf("%s-%s-%d", kind, filepath.Base(place), i+1), Kind: kind, Place: place})
	}
	enrolled, err := d.client(0).EnrolDevices(d.ctx(), in)
	require.NoError(d.t, err)
	var out []device.Options
	for i, e := range enrolled {
		root, err := base64.RawURLEncoding.DecodeString(e.RootKey)
		require.NoError(d.t, err)
		out = append(out, device.Options{
			ID: e.ID, Secret: e.Secret, Kind: kind, Servers: tcpOnly(e.Servers), RootKey: root, FirstServer: i,
			RetryMin: 20 * time.Millisecond, RetryMax: 200 * time.Millisecond,
		})
	}
	return out
}

func tcpOnly(servers []string) []string {
	var out []string
	for _, s := range servers {
		if len(s) > 4 && s[:4] == "tcp:" {
			out = append(out, s)
		}
	}
	return out
}

func (d *district) fleet(devices []device.Options) *device.Fleet {
	d.t.Helper()
	f, err := device.NewFleet(device.FleetOptions{Devices: devices, PerSecond: 1000})
	require.NoError(d.t, err)
	d.t.Cleanup(f.Stop)
	f.Start()
	require.NoError(d.t, f.Wait(d.ctx(), func(p device.Progress) bool { return p.Connected == len(devices) }))
	return f
}

// warning is the JSON form of an emergency.
func warning(headline, selection string) wire.SendAlert {
	body := map[string]any{"info": []map[string]any{{
		"language": "en", "category": []string{"Met"}, "event": "Rainstorm", "urgency": "Immediate",
		"severity": "Extreme", "certainty": "Observed", "headline": headline, "instruction": "Stay indoors.",
		"expires": time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05") + "-00:00",
		"area":    []map[string]any{{"areaDesc": "On Ting Estate"}},
	}}}
	raw, _ := json.Marshal(body) // maps of strings always encode
	return wire.SendAlert{Alert: raw, Select: selection}
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(p))
	return len(p), nil
}

func TestDistrict_WarnsItsDevicesAndKnowsWhoGotIt(t *testing.T) {
	d := newDistrict(t, 3)
	addressed := d.enrol("screen", "tuen-mun/on-ting/block-1", 12)
	others := d.enrol("screen", "tuen-mun/butterfly/block-9", 3)
	fleet := d.fleet(append(addressed, others...))

	sent, err := d.client(1).SendAlert(d.ctx(), warning("Black rainstorm", "place under tuen-mun/on-ting"), "committed")
	require.NoError(t, err)
	require.Equal(t, "in-force", sent.Effect)
	require.Equal(t, "committed", sent.State)
	require.EqualValues(t, 12, sent.Addressed.Total)

	key := device.Revision{Alert: sent.Alert, Revision: sent.Revision}
	require.NoError(t, fleet.Wait(d.ctx(), func(p device.Progress) bool { return p.Alerts[key].Proven == 12 }))
	for i := range d.nodes {
		require.Eventually(t, func() bool {
			a, err := d.client(i).ShowAlert(d.ctx(), sent.Alert)
			return err == nil && a.Rungs.Presented == 12 && a.Rungs.Queued == 12
		}, patience, 50*time.Millisecond)
	}
	require.Zero(t, fleet.Progress().Alerts[key].Twice)
	for _, dev := range fleet.Devices()[12:] {
		require.Zero(t, dev.Tally(key).Starts, "a device outside of the selection was warned")
	}
}
