//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"almenara/node/client"
	"almenara/node/wire"
)

// devices are the screens that give receipts.
const devices = 3

// traffic is people and devices at work, and what they were promised.
type traffic struct {
	d       *district
	screens []wire.Enrolled

	mu       sync.Mutex // guards what follows
	number   int
	alerts   map[string]bool   // acknowledged: cancelled or not
	unsure   map[string]bool   // a cancel was asked for and not answered
	receipts map[string]string // alert/member acknowledged by PUBACK
	users    []string
	places   []string
	imports  []string // a member of each
}

// newTraffic enrols the screens.
func newTraffic(ctx context.Context, d *district) (*traffic, error) {
	t := &traffic{d: d, alerts: map[string]bool{}, unsure: map[string]bool{}, receipts: map[string]string{}}
	var in []wire.Enrol
	for i := range devices {
		id := fmt.Sprintf("screen-%d", i)
		in = append(in, wire.Enrol{ID: id, Member: id, Kind: "screen", Place: "power-cut/hall"})
	}
	var err error
	t.screens, err = d.members[0].client.EnrolDevices(ctx, in)
	return t, err
}

// next is a number that was not given before.
func (t *traffic) next() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number++
	return t.number
}

func (t *traffic) note(fn func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fn()
}

// run works on every node until the power fails, at the flush so many from now.
func (t *traffic) run(ctx context.Context, after uint64) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i, m := range t.d.members {
		wg.Go(func() {
			var screen mqtt.Client
			for ctx.Err() == nil {
				if screen == nil || !screen.IsConnectionOpen() {
					screen = t.connect(m, i)
					defer screen.Disconnect(0)
				}
				_ = t.warn(ctx, m, screen) // what was not answered was not promised
			}
		})
		wg.Go(func() {
			for ctx.Err() == nil {
				_ = t.edit(ctx, m)
			}
		})
	}
	t.d.disk.CutAt(t.d.disk.Flushes() + after)
	<-t.d.disk.Dark()
	t.d.kill()
	cancel()
	wg.Wait()
}

// connect is a screen's session with one node. It does not connect again by itself: paho
// then completes the tokens of what it sends again as if a PUBACK had come.
func (t *traffic) connect(m *member, i int) mqtt.Client {
	s := t.screens[i%devices]
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(m.mqtt).SetProtocolVersion(4).SetClientID(s.ID).SetUsername(s.ID).
		SetPassword(s.Secret).SetAutoReconnect(false))
	c.Connect().WaitTimeout(2 * time.Second)
	return c
}

const alertText = `{"info":[{"language":"en","category":["Fire"],"event":"Fire","urgency":"Immediate","severity":"Severe","certainty":"Observed",
"headline":"Fire %d","expires":"%s","area":[{"areaDesc":"Hall"}]}]}`

// warn sends an alert, gives a receipt for it, and cancels every third.
func (t *traffic) warn(ctx context.Context, m *member, screen mqtt.Client) error {
	n := t.next()
	out, err := t.send(ctx, m, n)
	if err != nil || out.Replication == wire.ReplicationMemory {
		return err
	}
	if t.acknowledge(out, screen, n); n%3 != 0 {
		return nil
	}
	t.note(func() { t.unsure[out.Alert] = true })
	cancelled, err := m.client.CancelAlert(ctx, out.Alert, wire.CancelAlert{Reason: "over"}, "local")
	if err == nil && cancelled.Replication != wire.ReplicationMemory {
		t.note(func() { t.alerts[out.Alert] = true })
	}
	return err
}

// send sends an alert.
func (t *traffic) send(ctx context.Context, m *member, n int) (wire.Outcome, error) {
	text := fmt.Sprintf(alertText, n, time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05-00:00"))
	out, err := m.client.SendAlert(ctx, wire.SendAlert{Alert: json.RawMessage(text), Select: "place under power-cut"}, "local")
	if err == nil && out.Replication != wire.ReplicationMemory {
		t.note(func() { t.alerts[out.Alert] = false })
	}
	return out, err
}

// acknowledge publishes a receipt; PUBACK is the promise. It comes when no alert of the
// node waits, so the next alert waits for it.
func (t *traffic) acknowledge(out wire.Outcome, screen mqtt.Client, n int) {
	reader := screen.OptionsReader()
	id := reader.ClientID()
	body := fmt.Sprintf(`[{"alert":"%s","revision":%d,"rung":"acknowledged","at":"%s","seq":%d}]`,
		out.Alert, out.Revision, time.Now().UTC().Format(time.RFC3339), n)
	if !screen.IsConnectionOpen() {
		return
	}
	token := screen.Publish("almenara/1/device/"+id+"/receipt", 1, false, body)
	if token.WaitTimeout(2*time.Second) && token.Error() == nil {
		t.note(func() { t.receipts[out.Alert+"/"+id] = id })
	}
}

// edit changes the agreed part: a user, a place, an import.
func (t *traffic) edit(ctx context.Context, m *member) error {
	n := t.next()
	name := fmt.Sprintf("user-%d", n)
	if _, err := m.client.AddUser(ctx, wire.AddUser{Name: name, Roles: []string{"viewer"}}); err != nil {
		return err
	}
	t.note(func() { t.users = append(t.users, name) })
	place := fmt.Sprintf("power-cut/block-%d", n)
	if err := m.client.PutPlaces(ctx, []wire.Place{{Path: place}}); err != nil {
		return err
	}
	t.note(func() { t.places = append(t.places, place) })
	csv := "id,kind,place\n"
	for i := range 50 {
		csv += fmt.Sprintf("import-%d-%d,phone,%s\n", n, i, place)
	}
	if _, err := m.client.Import(ctx, client.Import{CSV: strings.NewReader(csv)}); err != nil {
		return err
	}
	t.note(func() { t.imports = append(t.imports, fmt.Sprint(n)) })
	return nil
}

func (t *traffic) counts() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%d alerts, %d receipts, %d users, %d places, %d imports", len(t.alerts), len(t.receipts), len(t.users), len(t.places), len(t.imports))
}

// check looks for every promise on every node, and that the nodes agree.
func (t *traffic) check(ctx context.Context) error {
	for _, m := range t.d.members {
		for _, c := range []func(context.Context, *member) error{t.seesAlerts, t.seesReceipts, t.seesEdits} {
			err := t.d.until(ctx, m.name+" has everything", func(ctx context.Context) error { return c(ctx, m) })
			if err != nil {
				return err
			}
		}
	}
	if err := t.d.until(ctx, "the nodes agree", t.agree); err != nil {
		return err
	}
	return t.audits(ctx)
}

func (t *traffic) seesAlerts(ctx context.Context, m *member) error {
	for id, cancelled := range t.alerts {
		a, err := m.client.ShowAlert(ctx, id)
		if err != nil {
			return fmt.Errorf("alert %s, acknowledged: %w", id, err)
		}
		if a.Replication != wire.ReplicationCommitted {
			return fmt.Errorf("alert %s is %s", id, a.Replication)
		}
		if cancelled && a.State != wire.StateCancelled {
			return fmt.Errorf("alert %s was cancelled, it is %s", id, a.State)
		}
		if !cancelled && !t.unsure[id] && a.State != wire.StateInForce {
			return fmt.Errorf("alert %s was sent, it is %s", id, a.State)
		}
	}
	return nil
}

func (t *traffic) seesReceipts(ctx context.Context, m *member) error {
	for key, id := range t.receipts {
		of, _, _ := strings.Cut(key, "/")
		page, err := m.client.AlertReceipts(ctx, of, wire.ReceiptQuery{Rung: "acknowledged", Limit: 10})
		if err != nil {
			return err
		}
		found := false
		for _, row := range page.Rows {
			found = found || row.Member == id
		}
		if !found {
			return fmt.Errorf("the receipt of %s for alert %s, acknowledged, is not there", id, of)
		}
	}
	return nil
}

func (t *traffic) seesEdits(ctx context.Context, m *member) error {
	users, err := m.client.ListUsers(ctx)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, u := range users {
		known[u.Name] = true
	}
	places, err := m.client.ListPlaces(ctx)
	if err != nil {
		return err
	}
	for _, p := range places {
		known[p.Path] = true
	}
	for _, want := range append(append([]string{}, t.users...), t.places...) {
		if !known[want] {
			return fmt.Errorf("%s, acknowledged, is not there", want)
		}
	}
	for _, n := range t.imports {
		s, err := m.client.Select(ctx, "place under power-cut/block-"+n, "", 1)
		if err != nil {
			return err
		}
		if s.Counts.Total != 50 {
			return fmt.Errorf("import %s, acknowledged, has %d of 50 members", n, s.Counts.Total)
		}
	}
	return nil
}

// agree compares the nodes' state at one index.
func (t *traffic) agree(ctx context.Context) error {
	var first wire.Status
	for i, m := range t.d.members {
		s, err := m.client.Status(ctx, true)
		if err != nil {
			return err
		}
		if i == 0 {
			first = s
		}
		if s.StateHash != first.StateHash {
			return fmt.Errorf("%s is at %d, %s at %d, and their states differ", first.Name, first.Applied, s.Name, s.Applied)
		}
	}
	return nil
}

// audits verifies every node's audit offline.
func (t *traffic) audits(ctx context.Context) error {
	for _, m := range t.d.members {
		var b bytes.Buffer
		if err := m.client.ExportAudit(ctx, &b, 0, 0); err != nil {
			return err
		}
		path := filepath.Join(t.d.dir, m.name+".audit")
		if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
			return err
		}
		if _, err := t.d.command("audit", "verify", path); err != nil {
			return err
		}
	}
	return nil
}
