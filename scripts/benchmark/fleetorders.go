//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"almenara/channels/contract"
)

// handle is the fleet's part of orders.
func (f *fleet) handle(o order) (reply, error) {
	switch o.Do {
	case "mark": // what comes from now on is counted
		f.mark()
		return reply{}, nil
	case "await": // Count publishes since the mark
		return f.await(func(t tally) int { return t.publishes }, o.Count)
	case "subscribe": // with another QoS
		return f.subscribe(o.QoS)
	case "receipts": // every device tells that it verified and presented an alert
		return f.tellReceipts(o)
	case storm: // all devices drop their connections and come back
		return f.storm()
	case "check":
		return f.check(), nil
	}
	return reply{}, fmt.Errorf("unknown order %q", o.Do)
}

// subscribe asks for another QoS; MQTT 3.1.1 §3.8.4: it replaces the subscription.
func (f *fleet) subscribe(qos byte) (reply, error) {
	f.mark()
	err := f.each(func(d *device) error {
		_, err := d.conn.Write(subscribePacket(2, d.Filter, qos))
		return err
	})
	if err != nil {
		return reply{}, err
	}
	return f.await(func(t tally) int { return t.subacks }, f.live())
}

// tellReceipts publishes two receipts of each device and waits for the PUBACKs.
func (f *fleet) tellReceipts(o order) (reply, error) {
	f.mark()
	var bodies [][]byte
	for i, rung := range []string{contract.RungVerified, contract.RungPresented} {
		body, err := json.Marshal([]contract.Receipt{{
			Alert: o.Alert, Revision: o.Revision, Rung: rung, At: time.Now().UTC(), Seq: uint64(i + 1),
		}})
		if err != nil {
			return reply{}, err
		}
		bodies = append(bodies, body)
	}
	first := stamp()
	err := f.each(func(d *device) error {
		for i, body := range bodies {
			if _, err := d.conn.Write(publishPacket(d.Receipts, 1, uint16(i+1), body)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return reply{}, err
	}
	r, err := f.await(func(t tally) int { return t.pubacks }, len(bodies)*f.live())
	r.First = first
	return r, err
}

func (f *fleet) each(do func(*device) error) error {
	for _, d := range f.devices {
		if !d.live {
			continue
		}
		if err := do(d); err != nil {
			return fmt.Errorf("device %s: %w", d.ID, err)
		}
	}
	return nil
}

// check says how many publishes the live devices got, the least and the most, and how many of the others are still connected.
func (f *fleet) check() reply {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := reply{Min: math.MaxInt}
	for _, d := range f.devices {
		if d.live {
			r.Min, r.Max = min(r.Min, d.count), max(r.Max, d.count)
		} else if !d.socket.hungUp() {
			r.Count++
		}
	}
	return r
}
