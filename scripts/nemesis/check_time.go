//go:build linux

package main

import (
	"time"

	"almenara/channels/device"
	"almenara/node/wire"
)

// localInTime judges promise one: what a node has accepted reaches the devices
// attached to it at once, whatever becomes of the others.
func localInTime(e Evidence) Verdict {
	return e.inTime(func(m Message) bool { return !m.Alone })
}

func aloneInTime(e Evidence) Verdict {
	return e.inTime(func(m Message) bool { return m.Alone })
}

func (e Evidence) inTime(which func(Message) bool) (v Verdict) {
	first := map[revision]time.Time{}
	for _, h := range e.starts() {
		if at, ok := first[h.key()]; !ok || h.At.Before(at) {
			first[h.key()] = h.At
		}
	}
	lives, stays := e.estates(), e.stays()
	for _, m := range e.acked("Alert", "Update") {
		if m.State != wire.StateInForce || !which(m) {
			continue
		}
		due := m.Answered.Add(inTime)
		if e.excused(m, due) {
			v.Excused++
			continue
		}
		for _, d := range attached(stays, m, due) {
			if lives[d] != m.Estate {
				continue
			}
			v.Judged++
			at, ok := first[revision{d, m.Alert, m.Revision}]
			switch {
			case !ok:
				v.breach("%s at %s never began %s revision %d, which %s took at %s", d, nodeName(m.Node), short(m.Alert), m.Revision, nodeName(m.Node), clock(m.Answered))
			case at.After(due):
				v.breach("%s at %s began %s revision %d %v after %s had answered", d, nodeName(m.Node), short(m.Alert), m.Revision, at.Sub(m.Answered).Round(time.Millisecond), nodeName(m.Node))
			}
		}
	}
	return v
}

// excused reports whether the node, the machine or another message of the same alert
// stood in the way. The node has said that the alert is in force, so its clock did not.
func (e Evidence) excused(m Message, due time.Time) bool {
	return !m.Expires.After(due) || e.ailing(m.Node, m.Asked.Add(-settled), due, append([]Kind{Clock}, blinding...)) || e.overtaken(m, due)
}

// stay is a time in which a device was connected to a node.
type stay struct {
	device   string
	node     int
	from, to time.Time // zero to: still there
}

func (e Evidence) stays() (out []stay) {
	open := map[string]int{}
	for _, h := range e.Happenings {
		switch h.What {
		case device.Connected:
			open[h.Device] = len(out)
			out = append(out, stay{device: h.Device, node: h.Node, from: h.At})
		case device.Disconnected:
			if i, ok := open[h.Device]; ok {
				out[i].to = h.At
				delete(open, h.Device)
			}
		}
	}
	return out
}

// attached are the devices that were connected to the message's node well before it
// was asked and until the answer was due.
func attached(stays []stay, m Message, due time.Time) (out []string) {
	for _, s := range stays {
		if s.node == m.Node && s.from.Before(m.Asked.Add(-settled)) && (s.to.IsZero() || s.to.After(due)) {
			out = append(out, s.device)
		}
	}
	return out
}
