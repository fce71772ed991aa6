package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/node/wire"
	"almenara/storage/alert"
)

// plain is a device of another maker: a general MQTT 3.1.1 client.
type plain struct {
	mqtt.Client
	d  *district
	id string
}

// plainDevice connects it to one node.
func (d *district) plainDevice(o device.Options, i int) *plain {
	d.t.Helper()
	d.eventually("enrolled there", func() bool { return !d.refuses(o, i) })
	p := &plain{d: d, id: o.ID, Client: mqtt.NewClient(d.mqttOptions(o, i))}
	p.done(p.Connect())
	d.t.Cleanup(func() { p.Disconnect(0) })
	return p
}

func (d *district) mqttOptions(o device.Options, i int) *mqtt.ClientOptions {
	return mqtt.NewClientOptions().AddBroker(d.nodes[i].MQTT()[0]).SetClientID(o.ID).SetUsername(o.ID).
		SetPassword(o.Secret).SetProtocolVersion(4).SetAutoReconnect(false).SetConnectTimeout(patience)
}

func (p *plain) done(token mqtt.Token) {
	p.d.t.Helper()
	require.True(p.d.t, token.WaitTimeout(patience))
	require.NoError(p.d.t, token.Error())
}

// tell publishes receipts and waits for the PUBACK.
func (p *plain) tell(rs ...contract.Receipt) {
	p.d.t.Helper()
	raw, err := json.Marshal(rs)
	require.NoError(p.d.t, err)
	p.done(p.Publish(contract.TopicReceipt(p.id), 1, false, raw))
}

func presented(r device.Revision, seq uint64) contract.Receipt {
	return contract.Receipt{Alert: r.Alert, Revision: r.Revision, Rung: contract.RungPresented, At: time.Now().UTC(), Seq: seq}
}

// countsOnce lets a device send its receipts again and again, also to another node,
// as one does that never saw the PUBACK.
func countsOnce(d *district) {
	here := d.estate("counted")
	o := d.enrol("kiosk", here.Block, 1)[0]
	storm := warning("storm", polygon(here.Area))
	first := d.post(0, storm, "", "committed")
	one := d.plainDevice(o, 0)
	for range 3 {
		one.tell(presented(revisionOf(first), 1))
	}
	one.Disconnect(100)
	other := d.plainDevice(o, 1)
	other.tell(presented(revisionOf(first), 1))
	d.everywhere(first.Alert, "counted once", func(a wire.Alert) bool {
		return a.Rungs.Presented == 1 && a.Rungs.Verified == 1 && a.Rungs.Queued == 1
	})

	second := d.post(2, storm.update("worse"), "", "committed")
	d.everywhere(first.Alert, "a new revision begins anew", func(a wire.Alert) bool {
		return a.Revision == second.Revision && a.Rungs.Presented == 0 && a.Rungs.Queued == 1
	})
	other.tell(presented(revisionOf(second), 2))
	d.everywhere(first.Alert, "and is counted", func(a wire.Alert) bool { return a.Rungs.Presented == 1 })
}

// bearsStrangers has a faulty device tell of hundreds of alerts that do not exist,
// with a good receipt among them.
func bearsStrangers(d *district) {
	here := d.estate("strangers")
	sent := d.post(0, warning("strangers", polygon(here.Area)), "", "committed")
	p := d.plainDevice(d.enrol("kiosk", here.Block, 1)[0], 0)
	before := d.blocks()
	var rs []contract.Receipt
	for i := range 300 {
		id := alert.Key{Sender: "nobody", Identifier: fmt.Sprint(i), Sent: alert.NewDateTime(time.Now())}.ID()
		rs = append(rs, presented(device.Revision{Alert: string(id), Revision: 1}, uint64(i+1)))
	}
	p.tell(append(rs, presented(revisionOf(sent), 301))...)
	d.everywhere(sent.Alert, "the good one counts", func(a wire.Alert) bool { return a.Rungs.Presented == 1 })
	require.LessOrEqual(d.t, d.blocks()-before, 40, "each unknown alert costs an entry of the log")
	require.True(d.t, p.IsConnected())
}

// blocks is how many receipt blocks are in the log.
func (d *district) blocks() int {
	d.t.Helper()
	text, _ := d.audit(0)
	sum := 0
	for line := range strings.Lines(text) {
		var entry struct{ Action, Summary string }
		require.NoError(d.t, json.Unmarshal([]byte(line), &entry))
		var blocks, receipts int
		if entry.Action == "receipts adopt" {
			_, err := fmt.Sscanf(entry.Summary, "%d blocks, %d receipts", &blocks, &receipts)
			require.NoError(d.t, err)
			sum += blocks
		}
	}
	return sum
}

func showsLadder(d *district) {
	here := d.estate("ladder")
	good, bad, dark := d.enrol("screen", here.Block, 1), d.enrol("speaker", here.Block, 1), d.enrol("phone", here.Block, 1)
	good[0].ConfirmAfter = time.Millisecond
	bad[0].Present = func(rules.Effect) error { return errors.New("no amplifier") }
	fleet := d.fleet(good[0], bad[0])
	sent := d.post(0, warning("ladder", polygon(here.Area)), "", "committed")
	fleet.await("confirmed, failed", func(p device.Progress) bool {
		return p.Alerts[revisionOf(sent)].Acknowledged == 1 && p.Alerts[revisionOf(sent)].Failed == 1
	})
	d.everywhere(sent.Alert, "counts", func(a wire.Alert) bool {
		return a.Rungs.Queued == 3 && a.Rungs.Acknowledged == 1 && a.Rungs.Presented == 1 && a.Rungs.Failed == 1
	})
	for i := range d.nodes {
		require.Equal(d.t, map[string]string{good[0].ID: "acknowledged"}, d.rows(i, sent.Alert, "presented", false))
		require.Equal(d.t, map[string]string{bad[0].ID: "failed", dark[0].ID: "queued"}, d.rows(i, sent.Alert, "presented", true))
		require.Equal(d.t, map[string]string{bad[0].ID: "failed"}, d.rows(i, sent.Alert, "failed", false))
		require.Len(d.t, d.rows(i, sent.Alert, "queued", false), 3)
	}
	_, err := d.client(0).AlertReceipts(d.ctx(), sent.Alert, wire.ReceiptQuery{Rung: "delighted"})
	require.Equal(d.t, wire.KindMalformed, problemOf(d, nil, err).Kind)
}

func (d *district) rows(i int, id, rung string, missing bool) map[string]string {
	d.t.Helper()
	page, err := d.client(i).AlertReceipts(d.ctx(), id, wire.ReceiptQuery{Rung: rung, Missing: missing, Limit: 100})
	require.NoError(d.t, err)
	out := map[string]string{}
	for _, r := range page.Rows {
		out[r.Member] = r.Rung
	}
	return out
}

// tellsLive listens on another node than the one that takes the alert.
func tellsLive(d *district) {
	here := d.estate("live")
	fleet := d.fleet(d.enrol("screen", here.Block, 2)...)
	live := warning("live", polygon(here.Area))
	ctx, cancel := context.WithCancel(d.t.Context())
	listening, ended := make(chan struct{}), make(chan error, 1)
	heard := make(chan wire.Event, 1000)
	c := d.client(1)
	go func() {
		ended <- c.Events(ctx, live.id(), func() { close(listening) }, func(e wire.Event) { heard <- e })
	}()
	told(d.t, listening)

	sent := d.post(0, live, "", "")
	fleet.proven(revisionOf(sent), 2)
	d.hears(heard, "alert", func(e wire.Event) bool { return e.State == wire.StateInForce && e.Text == "live（中文）" })
	d.hears(heard, "receipts", func(e wire.Event) bool { return e.Rungs.Presented == 2 && e.Revision == sent.Revision })
	d.post(2, live.cancel(), "", "")
	d.hears(heard, "alert", func(e wire.Event) bool { return e.State == wire.StateCancelled })
	cancel()
	require.ErrorIs(d.t, told(d.t, ended), context.Canceled)
}

// hears waits for an event of the alert.
func (d *district) hears(heard <-chan wire.Event, kind string, is func(wire.Event) bool) {
	d.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	others := 0
	for {
		select {
		case e := <-heard:
			require.NotEmpty(d.t, e.ID)
			if e.Type == kind && is(e) {
				return
			}
			others++
		case <-late.C:
			require.Failf(d.t, "event did not come", "%s, after %d others", kind, others)
		}
	}
}
