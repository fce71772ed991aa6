package delivery

import (
	"slices"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/receipt"
)

// Device is what a Receiver needs to know of its device.
type Device struct {
	Member    uint32
	Prefix    string // of its own topics, with the last slash
	V5        bool   // it speaks MQTT 5
	Window    int    // deliveries in flight, at most
	MaxPacket int    // bytes of a packet that it takes; 0 is no limit
}

// Receiver is one device as what is sent sees it, from CONNECT to the end of the
// connection: what it wants, what it was sent, and what it has not acknowledged. Its methods
// are called under a lock of its user's; OldestInFlight and Postpone need none.
type Receiver struct {
	clock     *Clock
	member    uint32
	prefix    string
	v5        bool
	maxWindow int
	maxPacket int

	nowQoS    int8 // granted; -1: not subscribed
	keysQoS   int8
	alertsQoS int8 // of a filter that covers all alerts; -1: none does
	nowRetain bool // the next one is due to a subscribe
	keyRetain bool
	filters   []ownFilter // below the device's own prefix

	nowSent  uint64 // serials
	nowPart  uint64 // serial of the manifest of which some pages were sent; 0: none
	nowPage  int    // pages of nowPart that were sent
	keysSent uint64
	caughtUp uint64 // generation of which nothing is lacking; 0: none

	lookGeneration uint64 // of the plan of which looked deliveries were looked at
	lookPlaces     *channels.Places
	looked         int

	sent []uint64 // serials, ascending
	window
}

// NewReceiver is a device that has not connected: it wants nothing.
func NewReceiver(c *Clock) Receiver {
	return Receiver{clock: c, nowQoS: -1, keysQoS: -1, alertsQoS: -1}
}

// Connect says who the device is, once, before anything is delivered.
func (r *Receiver) Connect(d Device) {
	r.member, r.prefix, r.v5, r.maxWindow, r.maxPacket = d.Member, d.Prefix, d.V5, d.Window, d.MaxPacket
}

// Prefix is that of the device's own topics, with the last slash.
func (r *Receiver) Prefix() string { return r.prefix }

// Lacks is the quick answer for devices that are up to date.
func (r *Receiver) Lacks(p *Plan) bool {
	return r.LacksBodies(p) ||
		r.nowQoS >= 0 && r.nowSent != p.nowSerial(r.member) ||
		r.keysQoS >= 0 && r.keysSent != p.keysSerial
}

// LacksBodies reports whether bodies wait, most likely for room in the window.
func (r *Receiver) LacksBodies(p *Plan) bool { return r.caughtUp != p.generation && r.wantsAlerts() }

func (r *Receiver) wantsAlerts() bool { return len(r.filters) > 0 }

// AppendLacking adds keys, bodies and manifest to b.Buf, so that one write carries all. What
// it adds counts as sent. It reports whether there is more than fits one chunk.
func (r *Receiver) AppendLacking(b *Batch, p *Plan) (more bool) {
	if r.keysQoS >= 0 && r.keysSent != p.keysSerial {
		r.keysSent = p.keysSerial
		r.appendShared(b, contract.TopicKeys, p.now.Keys, r.keyRetain)
		r.keyRetain = false
	}
	if r.LacksBodies(p) {
		more = r.appendBodies(b, p)
	}
	if serial := p.nowSerial(r.member); r.nowQoS >= 0 && r.nowSent != serial {
		more = r.appendManifest(b, p, serial) || more
	}
	return more
}

// appendManifest adds the manifest of the device's place. One of several pages goes page
// by page, as each chunk has room; it begins anew when another one takes its place.
func (r *Receiver) appendManifest(b *Batch, p *Plan, serial uint64) (more bool) {
	if serial == 0 {
		r.nowSent = 0
		return false
	}
	pages := p.listing(p.group(r.member)).Pages
	if b.BodiesFirst && (len(pages) > 1 || len(pages[0]) > smallManifest) {
		b.Skipped = true
		return false
	}
	if r.nowPart != serial {
		r.nowPart, r.nowPage = serial, 0
	}
	for ; r.nowPage < len(pages); r.nowPage++ {
		if len(pages) > 1 && len(b.Buf) > 0 && len(b.Buf)+len(pages[r.nowPage]) > chunk {
			return true
		}
		r.appendShared(b, contract.TopicNow, pages[r.nowPage], r.nowRetain)
	}
	r.nowSent, r.nowPart, r.nowRetain = serial, 0, false
	return false
}

// appendShared adds a message that is the same for all. QoS 0: it is replaced
// within seconds, and TCP delivers or ends.
func (r *Receiver) appendShared(b *Batch, topic string, payload []byte, retain bool) {
	if len(payload) == 0 {
		return
	}
	o := packet.Outgoing{Topic: [3]string{topic}, Retain: retain, Payload: payload}
	if !r.Fits(&o) {
		b.Rejected++
		return
	}
	b.Buf = o.Append(b.Buf, r.v5)
}

// Fits reports whether the packet is within the device's Maximum Packet Size.
func (r *Receiver) Fits(o *packet.Outgoing) bool {
	return r.maxPacket == 0 || o.Size(r.v5) <= r.maxPacket
}

// appendBodies adds every delivery for this member that the device was not sent,
// until the window or the chunk is full. The next call goes on where this one ended.
func (r *Receiver) appendBodies(b *Batch, p *Plan) (more bool) {
	if r.lookGeneration != p.generation || r.lookPlaces != p.now.Places {
		r.lookGeneration, r.lookPlaces, r.looked = p.generation, p.now.Places, 0
	}
	for may := p.lacking(r.caughtUp, p.group(r.member)); r.looked < len(may); r.looked++ {
		d := &p.active[may[r.looked]]
		at, was := slices.BinarySearch(r.sent, d.serial)
		if was || !d.To.Contains(r.member) {
			continue
		}
		qos := r.qosFor(string(d.Alert))
		if qos < 0 {
			continue
		}
		if qos > 0 && r.WindowFull() {
			return false // the next PUBACK goes on
		}
		if len(b.Buf) > 0 && len(b.Buf)+len(d.Body) > chunk {
			return true
		}
		r.sent = slices.Insert(r.sent, at, d.serial)
		r.appendBody(b, d, byte(qos))
	}
	r.caughtUp = p.generation
	r.forgetSent(p)
	return false
}

func (r *Receiver) appendBody(b *Batch, d *planned, qos byte) {
	o := packet.Outgoing{Topic: [3]string{r.prefix, leafAlert, string(d.Alert)}, QoS: qos, Payload: d.Body}
	if !r.Fits(&o) {
		b.Rejected++
		b.TooLarge = append(b.TooLarge, receipt.Receipt{
			Alert: d.Alert, Revision: d.Revision, Member: r.member,
			Rung: receipt.Failed, At: r.clock.Time(), Answer: "body exceeds the device's maximum packet size",
		})
		return
	}
	if qos > 0 {
		o.ID = r.Add(InFlight{Alert: d.Alert, Revision: d.Revision})
	}
	b.Buf = o.Append(b.Buf, r.v5)
	b.noteSent(d, r.member)
}

// forgetSent drops serials that cannot come back, now and then.
func (r *Receiver) forgetSent(p *Plan) {
	if len(r.sent) < 2*len(p.known)+8 {
		return
	}
	r.sent = slices.DeleteFunc(r.sent, func(serial uint64) bool {
		_, known := slices.BinarySearch(p.known, serial)
		return !known
	})
}

// WindowFull reports whether nothing more may be put in flight.
func (r *Receiver) WindowFull() bool { return len(r.flights) >= r.maxWindow }

// Add puts a PUBLISH in flight and returns its packet id.
func (r *Receiver) Add(f InFlight) uint16 { return r.add(f, r.clock.Now()) }

// Acknowledge takes what is in flight with a packet id out; false where nothing is: only
// what this connection was sent can be acknowledged.
func (r *Receiver) Acknowledge(id uint16) (InFlight, bool) { return r.remove(id) }

// EndAll ends with an error what somebody waits for, and forgets what is in flight.
func (r *Receiver) EndAll(err error) {
	for _, f := range r.flights {
		f.End(err)
	}
	r.flights = nil
}

// OldestInFlight is the clock when the oldest of what is in flight was sent; 0: nothing is.
func (r *Receiver) OldestInFlight() int64 { return r.oldest.Load() }

// Postpone counts the time of what is in flight from now on: its PUBACK may wait in what was
// not read.
func (r *Receiver) Postpone() {
	if r.oldest.Load() != 0 {
		r.oldest.Store(r.clock.Now())
	}
}
