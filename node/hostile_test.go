package node_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/marks"
	"almenara/node"
	"almenara/node/folder"
	"almenara/node/reachable"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/durable"
)

// halts notes what each node was told when it had to stop.
type halts struct {
	mu   sync.Mutex
	errs map[int]error
}

func (h *halts) hook(i int) func(error) {
	return func(err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.errs[i] = err
	}
}

func (h *halts) of(i int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.errs[i]
}

func (h *halts) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.errs)
}

// An entry of newer software must stop every replica before it, also after a restart
// with the same software, and lose nothing of what was agreed before.
func TestHostile_EntryOfAnUnknownVersionHaltsEveryReplica(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	d.enrol("screen", "tuen-mun/on-ting/block-1", 5)
	halted := &halts{errs: map[int]error{}}
	for i := range d.nodes {
		d.stop(i)
		d.opts[i].Halt = halted.hook(i)
		d.start(i)
		d.await(func(s wire.Status) bool { return s.Ready && s.Quorum })
	}
	leader := d.leader()
	d.await(func(s wire.Status) bool { return s.Members == 5 })
	entry, err := cbor.Marshal(map[int]any{1: 1, 2: 999, 4: "newer", 5: 0, 6: map[int]any{}})
	require.NoError(t, err)
	_, _ = d.nodes[leader].ProposeRaw(d.ctx(), entry) // nobody can say what became of it

	for range 2 {
		for i := range d.nodes {
			d.eventually("a halt of every node", func() bool { return halted.of(i) != nil })
			require.ErrorIs(t, halted.of(i), command.ErrUnknownVersion)
			require.Contains(t, halted.of(i).Error(), "type 999")
		}
		for i := range d.nodes {
			d.kill(i)
		}
		halted.forget()
		for i := range d.nodes {
			d.start(i)
		}
		for i := range d.nodes {
			s, err := d.nodes[i].Services().Status.Status(d.ctx(), false)
			require.NoError(t, err)
			require.EqualValues(t, 5, s.Members, "what was agreed before is there")
		}
	}
}

// spoilt copies the folder of a node that has been stopped and spoils the copy.
func spoilt(t *testing.T, o node.Options, spoil func(dir string) error) node.Options {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	for _, part := range []string{"identity", "raft", "state", "node.json"} {
		from := filepath.Join(o.Dir, part)
		require.NoError(t, filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			to := filepath.Join(dir, strings.TrimPrefix(path, o.Dir))
			if e.IsDir() {
				return os.MkdirAll(to, 0o700)
			}
			raw, err := os.ReadFile(path)
			if err == nil {
				err = os.MkdirAll(filepath.Dir(to), 0o700)
			}
			if err == nil {
				err = os.WriteFile(to, raw, 0o600)
			}
			return err
		}))
	}
	require.NoError(t, spoil(dir))
	o.Dir = dir
	return o
}

// starting gives the error of a node that must not run.
func starting(t *testing.T, o node.Options) error {
	t.Helper()
	n, err := node.New(o)
	if err == nil {
		err = n.Start(t.Context())
	}
	if err == nil {
		require.NoError(t, n.Stop(t.Context()))
	}
	return err
}

func TestHostile_FolderOfARunningNodeIsRefused(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	second := d.opts[0]
	second.Internode, second.API, second.MQTT = "127.0.0.1:0", "http://127.0.0.1:0", "127.0.0.1:0"
	err := starting(t, second)
	require.ErrorIs(t, err, durable.ErrInUse)
	requireOneSentence(t, err)
	d.enrol("screen", "tuen-mun/on-ting/block-1", 1)
	require.ErrorIs(t, initAgain(second), folder.ErrNotEmpty)
}

func initAgain(o node.Options) error {
	_, err := node.Init(o, "tuen-mun")
	return err
}

func requireOneSentence(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.NotContains(t, err.Error(), "\n")
	require.NotContains(t, err.Error(), "goroutine")
	require.Less(t, len(err.Error()), 400)
}

func TestHostile_SpoiltFoldersAreRefusedInASentence(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	d.enrol("screen", "tuen-mun/on-ting/block-1", 3)
	d.eventually("the mark beside the identity", func() bool {
		_, err := os.Stat(filepath.Join(d.opts[0].Dir, "identity", "begun"))
		return err == nil
	})
	d.stop(0)
	in := func(name, content string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600) }
	}
	without := func(names ...string) func(string) error {
		return func(dir string) error {
			for _, name := range names {
				if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		spoil func(string) error
		is    error // nil is any
	}{
		"settings cut":              {in("node.json", `{"name":"n`), nil},
		"settings of another shape": {in("node.json", `[1,2]`), nil},
		"settings gone":             {without("node.json"), nil},
		"identity cut":              {in("identity/identity.json", `{"version":1,`), nil},
		"identity of nobody":        {in("identity/identity.json", `{}`), nil},
		"identity gone":             {without("identity"), nil},
		"tokens in the clear":       {in("node.json", `{"name":"n","internode":"127.0.0.1:0","api":"http://0.0.0.0:0"}`), reachable.ErrOptions},
		"raft gone":                 {without("raft"), marks.ErrAmnesia},
		"raft and state gone":       {without("raft", "state"), marks.ErrAmnesia},
		"raft's log gone":           {without("raft/raft", "state"), marks.ErrAmnesia},
		"database unnamed":          {in("state/CURRENT", "nonsense\n"), storage.ErrDamaged},
		"database without manifest": {in("state/db-000001/MANIFEST", "nonsense"), nil},
		"a file in place of a folder": {func(dir string) error {
			return errors.Join(os.RemoveAll(filepath.Join(dir, "state")), in("state", "")(dir))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			o := d.opts[0]
			o.Internode, o.API, o.MQTT = "", "", ""
			err := starting(t, spoilt(t, o, c.spoil))
			requireOneSentence(t, err)
			if c.is != nil {
				require.ErrorIs(t, err, c.is)
			}
		})
	}
	d.start(0) // none of it touched the node itself
	d.await(func(s wire.Status) bool { return s.Ready && s.Members == 3 })
}

// What is refused must have changed nothing: not the first half of it either.
func TestHostile_RefusedChangesChangeNothing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	c := d.client(0)
	d.enrol("screen", "tuen-mun/on-ting/block-1", 3)
	before, _ := d.audit(0)

	var many []wire.Enrol
	for i := range 1200 {
		many = append(many, wire.Enrol{ID: fmt.Sprintf("new-%04d", i), Kind: "screen", Place: "tuen-mun/on-ting/block-2"})
	}
	many[1100].Place = "../elsewhere"
	_, err := c.EnrolDevices(d.ctx(), many)
	require.ErrorContains(t, err, "nothing was enrolled")
	_, err = c.EnrolDevices(d.ctx(), []wire.Enrol{many[0], many[0]})
	require.ErrorContains(t, err, "twice")
	_, err = c.EnrolDevices(d.ctx(), []wire.Enrol{many[0], {ID: "orphan device", Member: "screen-block-1-1"}})
	require.Error(t, err)

	_, err = c.AddUser(d.ctx(), wire.AddUser{Name: "administrator", Roles: []string{"viewer"}})
	require.ErrorContains(t, err, "exists")
	_, err = c.AddUser(d.ctx(), wire.AddUser{Name: "amy", Roles: []string{"god"}})
	require.ErrorContains(t, err, "no role")
	require.ErrorContains(t, c.RevokeUser(d.ctx(), "administrator"), "last administrator")
	require.ErrorContains(t, c.RemoveNode(d.ctx(), d.nodes[0].ID()), "only node")
	require.Error(t, c.PutPlaces(d.ctx(), []wire.Place{{Path: "tuen-mun/a"}, {Path: "tuen-mun/b", Shape: []string{"1,1 2,2"}}}))

	s, err := d.nodes[0].Services().Status.Status(d.ctx(), false)
	require.NoError(t, err)
	require.EqualValues(t, 3, s.Members)
	places, err := c.ListPlaces(d.ctx())
	require.NoError(t, err)
	for _, p := range places {
		require.NotEqual(t, "tuen-mun/a", p.Path)
	}
	after, _ := d.audit(0)
	for _, action := range []string{"members put", "devices enrol", "places put", "node remove"} {
		require.Equal(t, strings.Count(before, action), strings.Count(after, action), action)
	}
	d.enrol("screen", "tuen-mun/on-ting/block-3", 1)
}

// A chart of the district is cut into as many entries as it needs.
func TestHostile_ManyLargePlacesAreTaken(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	var places []wire.Place
	for i := range 40 {
		var outline []string
		for n := range 900 {
			outline = append(outline, fmt.Sprintf("%.6f,%.6f", 22.3+float64(n)/1e5, 114+float64(n*n%977)/1e4))
		}
		places = append(places, wire.Place{Path: fmt.Sprintf("tuen-mun/estate-%d", i), Shape: []string{strings.Join(append(outline, outline[0]), " ")}})
	}
	require.NoError(t, d.client(0).PutPlaces(d.ctx(), places))
	got, err := d.client(0).ListPlaces(d.ctx())
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(got), 40)
}

func TestHostile_AlertThatNodesCannotPassOnIsTooLarge(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	body, err := json.Marshal(map[string]any{"info": []map[string]any{{
		"language": "en", "category": []string{"Met"}, "event": "Rain", "urgency": "Immediate", "severity": "Severe",
		"certainty": "Observed", "headline": "Rain", "description": strings.Repeat("<", 60_000),
		"area": []map[string]any{{"areaDesc": "here"}},
	}}})
	require.NoError(t, err)
	d.enrol("screen", "tuen-mun/on-ting/block-1", 1)
	_, err = d.client(0).SendAlert(d.ctx(), wire.SendAlert{Alert: body, Select: "place under tuen-mun"}, "local")
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, wire.KindTooLarge, p.Kind)
	alerts, _, err := d.client(0).ListAlerts(d.ctx(), wire.AlertQuery{Limit: 10})
	require.NoError(t, err)
	require.Empty(t, alerts)
}
