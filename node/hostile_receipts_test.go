package node_test

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node/wire"
)

// The flood: every publish of a device acknowledges one alert that no other publish
// of it does, and answers all of the others with as much text as there may be.
const (
	floodDevices = 100
	floodRounds  = 24
	floodFiller  = 50 // alerts that every publish answers
	floodWindow  = 4  // publishes of a device under way
)

// flooder is one device of the flood.
type flooder struct {
	device.Options
	kept     map[int]bool // publishes that were acknowledged
	sentAway bool         // the node closed the connection
}

// dialDevice logs a device in without a device's manners.
func dialDevice(o device.Options, server string) (net.Conn, error) {
	conn, err := net.Dial("tcp", server)
	if err != nil {
		return nil, err
	}
	connect := packets.NewControlPacket(packets.Connect).(*packets.ConnectPacket)
	connect.ProtocolName, connect.ProtocolVersion, connect.CleanSession, connect.Keepalive = "MQTT", 4, true, 60
	connect.ClientIdentifier, connect.Username, connect.UsernameFlag = o.ID, o.ID, true
	connect.Password, connect.PasswordFlag = []byte(o.Secret), true
	if err := connect.Write(conn); err != nil {
		return nil, err
	}
	_, err = packets.ReadPacket(conn)
	return conn, err
}

// run publishes round after round, as long as the node acknowledges.
func (f *flooder) run(server string, marks, filler []wire.Outcome) error {
	conn, err := dialDevice(f.Options, server)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for sent := 0; len(f.kept) < len(marks); {
		for ; sent < len(marks) && sent-len(f.kept) < floodWindow; sent++ {
			if err := f.publish(conn, sent, append(filler[:len(filler):len(filler)], marks[sent])); err != nil {
				f.sentAway = true
				return nil
			}
		}
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		p, err := packets.ReadPacket(conn)
		if err != nil {
			f.sentAway = true
			return nil
		}
		ack, ok := p.(*packets.PubackPacket)
		if !ok {
			continue
		}
		f.kept[int(ack.MessageID)-1] = true
	}
	return nil
}

func (f *flooder) publish(conn net.Conn, n int, alerts []wire.Outcome) error {
	var items []string
	for i, a := range alerts {
		items = append(items, fmt.Sprintf(`{"alert":%q,"revision":%d,"rung":"acknowledged","at":%q,"seq":%d,"answer":"%064d"}`,
			a.Alert, a.Revision, time.Now().UTC().Format(time.RFC3339), n*len(alerts)+i+1, n))
	}
	p := packets.NewControlPacket(packets.Publish).(*packets.PublishPacket)
	p.Qos, p.MessageID, p.TopicName = 1, uint16(n+1), "almenara/1/device/"+f.ID+"/receipt"
	p.Payload = []byte("[" + strings.Join(items, ",") + "]")
	return p.Write(conn)
}

// rain is an alert in the JSON form for everybody.
func rain(t *testing.T) wire.SendAlert {
	t.Helper()
	body, err := json.Marshal(map[string]any{"info": []map[string]any{{
		"language": "en", "category": []string{"Met"}, "event": "Rain", "urgency": "Immediate", "severity": "Severe",
		"certainty": "Observed", "headline": "Rain", "area": []map[string]any{{"areaDesc": "here"}},
	}}})
	require.NoError(t, err)
	return wire.SendAlert{Alert: body, Select: "place under tuen-mun"}
}

// Two of three nodes are gone and devices send more receipts than the spool holds.
// What the node acknowledged must be in the log when the others are back; what it
// could not keep it must not acknowledge; and it must go on warning.
func TestHostile_ReceiptFloodWithoutQuorum(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 3)
	for i := range d.nodes { // the spool is made anew, and small
		d.stop(i)
		d.opts[i].SpoolBytes = 4 << 20
		require.NoError(t, os.RemoveAll(filepath.Join(d.opts[i].Dir, "journal")))
		d.start(i)
		d.await(func(s wire.Status) bool { return s.Quorum })
	}
	devices := d.enrol("screen", "tuen-mun/on-ting/block-1", floodDevices)
	d.await(func(s wire.Status) bool { return s.Members == floodDevices })
	alone := d.follower()
	var alerts []wire.Outcome
	for range floodFiller + floodRounds {
		d.await(func(s wire.Status) bool { return s.Quorum && !s.Alone })
		sent, err := d.client(alone).SendAlert(d.ctx(), rain(t), "local")
		require.NoError(t, err)
		alerts = append(alerts, sent)
	}
	feed := d.user(wire.AddUser{Name: "feed", Roles: []string{"composer"}, Senders: []string{observatory}, System: true})
	filler, marks := alerts[:floodFiller], alerts[floodFiller:]
	for i := range d.nodes {
		if i != alone {
			d.kill(i)
		}
	}
	d.awaitOn(alone, func(s wire.Status) bool { return !s.Quorum })

	flooders := floodFrom(t, devices, strings.TrimPrefix(d.nodes[alone].MQTT()[0], "tcp://"), marks, filler)
	sentAway, kept := 0, 0
	for _, f := range flooders {
		kept += len(f.kept)
		if f.sentAway {
			sentAway++
		}
	}
	t.Logf("%d publishes acknowledged, %d of %d devices sent away", kept, sentAway, len(flooders))
	require.Positive(t, kept)
	require.Positive(t, sentAway, "the spool holds less than the flood")
	again, err := d.clientWith(alone, feed).SendAlert(d.ctx(), rain(t), "local")
	require.NoError(t, err, "receipts must not stand in the way of an alert")
	require.Equal(t, wire.StateInForce, again.State)

	for i := range d.nodes {
		if i != alone {
			d.start(i)
		}
	}
	for n, mark := range marks {
		d.eventually("every acknowledged receipt on every node", func() bool { return holds(d, mark, n, flooders) })
	}
}

func floodFrom(t *testing.T, devices []device.Options, server string, marks, filler []wire.Outcome) []*flooder {
	t.Helper()
	var flooders []*flooder
	var wg sync.WaitGroup
	errs := make(chan error, len(devices))
	for _, o := range devices {
		f := &flooder{Options: o, kept: map[int]bool{}}
		flooders = append(flooders, f)
		wg.Go(func() { errs <- f.run(server, marks, filler) })
	}
	wg.Wait()
	for range devices {
		require.NoError(t, told(t, errs))
	}
	return flooders
}

// holds says whether every node counts every device whose publish n was acknowledged.
func holds(d *district, mark wire.Outcome, n int, flooders []*flooder) bool {
	for i := range d.nodes {
		page, err := d.client(i).AlertReceipts(d.t.Context(), mark.Alert, wire.ReceiptQuery{Rung: "acknowledged", Limit: 1000})
		if err != nil {
			return false
		}
		counted := map[string]bool{}
		for _, row := range page.Rows {
			counted[row.Member] = true
		}
		for _, f := range flooders {
			if f.kept[n] && !counted[f.ID] {
				return false
			}
		}
	}
	return true
}

// A device that was not addressed says that it presented the alert. That must not look
// as if the one that was addressed had it.
func TestHostile_ForgedReceiptsProveNothing(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	d.enrol("screen", "tuen-mun/on-ting/block-1", 1)
	stranger := d.enrol("screen", "tuen-mun/butterfly/block-9", 1)[0]
	in := rain(t)
	in.Select = "place under tuen-mun/on-ting"
	sent, err := d.client(0).SendAlert(d.ctx(), in, "committed")
	require.NoError(t, err)

	conn, err := dialDevice(stranger, strings.TrimPrefix(d.nodes[0].MQTT()[0], "tcp://"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	f := &flooder{Options: stranger}
	require.NoError(t, f.publish(conn, 0, []wire.Outcome{sent}))
	p, err := packets.ReadPacket(conn)
	require.NoError(t, err)
	require.IsType(t, &packets.PubackPacket{}, p)

	shown, err := d.client(0).ShowAlert(d.ctx(), sent.Alert)
	require.NoError(t, err)
	require.Equal(t, wire.Rungs{Queued: 1}, shown.Rungs)
	page, err := d.client(0).AlertReceipts(d.ctx(), sent.Alert, wire.ReceiptQuery{Rung: "presented", Limit: 10})
	require.NoError(t, err)
	require.Empty(t, page.Rows)
}
