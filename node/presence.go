package node

import (
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
)

// presence knows the devices that are connected to this node. It is soft state:
// nothing of it survives a restart, nothing depends on it but what people see.
// Safe for concurrent use.
type presence struct {
	mu      sync.Mutex
	devices map[string]*seen
	clock   func() time.Time
}

// seen is one connected device.
type seen struct {
	Device string    `json:"device"`
	Member uint32    `json:"member"`
	Since  time.Time `json:"since"`
	State  string    `json:"state"`
}

func newPresence(clock func() time.Time) *presence {
	return &presence{devices: map[string]*seen{}, clock: clock}
}

// session notes that a device came or went.
func (p *presence) session(from channels.Endpoint, up bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !up {
		delete(p.devices, from.Device)
		return
	}
	p.devices[from.Device] = &seen{Device: from.Device, Member: from.Member, Since: p.clock().UTC()}
}

// state notes what a device says of itself.
func (p *presence) state(from channels.Endpoint, s contract.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d, ok := p.devices[from.Device]; ok {
		d.State = s.State
	}
}

// all lists the connected devices in no particular order.
func (p *presence) all() []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]seen, 0, len(p.devices))
	for _, d := range p.devices {
		out = append(out, *d)
	}
	return out
}

func (p *presence) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.devices)
}

// countOf counts the connected devices of the given members.
func (p *presence) countOf(members *roaring.Bitmap) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, d := range p.devices {
		if members.Contains(d.Member) {
			n++
		}
	}
	return n
}
