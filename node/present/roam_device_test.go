package present

import (
	"fmt"
	"slices"
	"time"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/storage/alert"
)

// roamDevice is the real rules, and what the world remembers of the device.
type roamDevice struct {
	w      *roamWorld
	member uint32
	rules  *rules.Rules
	flash  []byte // what Save was given last
	on     bool
	offset time.Duration
	dying  bool // the power goes after the memory is saved, before anything is carried out

	at        *roamNode // nil while not connected
	connected time.Time
	listing   *channels.Listing // sent last on this connection
	sent      map[string]bool
	mail      []letter
	backlog   [][]byte // every body that was ever made for the device

	heard  bool // a whole manifest came on this connection
	pages  map[uint64]map[int]bool
	dead   map[int]bool
	over   map[string]uint64 // what the device was told is over, ever
	overBy map[string]contract.Ended
	cut    map[int]bool         // stories that some node knew to be cancelled, whose manifest came
	hint   map[int]bool         // the same, and at least a page of the manifest came
	top    map[string]uint64    // highest revision that was listed, ever
	topAt  map[string]time.Time // and when the screen last had to follow
	starts map[string]int
	shown  map[string]*contract.Body
}

// letter is a message on its way to a device.
type letter struct {
	due      time.Time
	manifest []byte
	body     []byte
	dead     map[int]bool // with a manifest: what its node knew
}

func newRoamDevice(w *roamWorld, member uint32) *roamDevice {
	return &roamDevice{
		w: w, member: member, rules: rules.New(), on: true, offset: w.within(2*time.Hour) - time.Hour,
		over: map[string]uint64{}, overBy: map[string]contract.Ended{}, cut: map[int]bool{}, hint: map[int]bool{}, top: map[string]uint64{},
		topAt: map[string]time.Time{}, starts: map[string]int{}, shown: map[string]*contract.Body{},
	}
}

func (d *roamDevice) clock() time.Time { return d.w.now.Add(d.offset) }

func (d *roamDevice) connect(n *roamNode) {
	d.disconnect()
	if !d.on || !n.up {
		return
	}
	d.w.note("device %d reaches node %d", d.member, n.i)
	d.at, d.connected, d.sent = n, d.w.now, map[string]bool{}
	d.rules.Connected()
	if n.stale {
		n.present()
		return
	}
	d.push(n)
}

func (d *roamDevice) disconnect() {
	d.at, d.mail, d.listing, d.heard, d.dead, d.pages = nil, nil, nil, false, nil, map[uint64]map[int]bool{}
}

// push sends what the device lacks, as the gateway does.
func (d *roamDevice) push(n *roamNode) {
	if d.at != n {
		return
	}
	for _, a := range n.plan.Active {
		key := fmt.Sprint(a.Alert, "/", a.Revision, a.Digest)
		if d.sent[key] || !a.To.Contains(d.member) {
			continue
		}
		d.sent[key] = true
		d.backlog = append(d.backlog, a.Body)
		d.w.note("device %d is sent %s/%d", d.member, a.Alert[:4], a.Revision)
		d.post(letter{body: a.Body})
	}
	if listing := n.plan.Of(n.plan.Places.Of(d.member)); d.listing != listing {
		d.listing = listing
		for _, page := range listing.Pages {
			d.post(letter{manifest: page, dead: n.dead})
		}
	}
}

// post puts a message on its way, now and then twice, in any order.
func (d *roamDevice) post(l letter) {
	for range 1 + d.w.random.IntN(8)/7 {
		l.due = d.w.now.Add(d.w.within(time.Second))
		d.mail = append(d.mail, l)
	}
}

// next is when the device has something to do; the zero time is never.
func (d *roamDevice) next() (next time.Time) {
	if !d.on {
		return next
	}
	if at, ok := d.rules.Next(); ok {
		next = at.Add(-d.offset)
	}
	for _, l := range d.mail {
		if next.IsZero() || l.due.Before(next) {
			next = l.due
		}
	}
	return next
}

// work does what is due.
func (d *roamDevice) work() {
	for d.on && d.w.failure == "" {
		i := slices.IndexFunc(d.mail, func(l letter) bool { return !l.due.After(d.w.now) })
		if i < 0 {
			break
		}
		l := d.mail[i]
		d.mail = slices.Delete(d.mail, i, i+1)
		d.open(l)
	}
	if d.on {
		d.carryOut(d.rules.Tick(d.clock()))
	}
}

func (d *roamDevice) open(l letter) {
	if l.body != nil {
		b := payload[contract.Body](l.body)
		d.w.note("device %d gets body %s/%d of %.1fs", d.member, b.Alert[:4], b.Revision, b.Time.Sub(noon).Seconds())
		d.carryOut(d.rules.Body(b, d.clock()))
		return
	}
	m := payload[contract.Manifest](l.manifest)
	d.w.note("device %d gets manifest %d of %s, %.1fs: in force %d, ended %d", d.member, m.Version, m.Node,
		m.Time.Sub(noon).Seconds(), len(m.InForce), len(m.Ended))
	for story := range l.dead {
		d.hint[story] = true
	}
	if d.pages[m.Version] == nil {
		d.pages[m.Version] = map[int]bool{}
	}
	if d.pages[m.Version][m.Page] = true; len(d.pages[m.Version]) == max(m.Pages, 1) {
		d.heard, d.dead = true, l.dead
		for story := range l.dead {
			d.cut[story] = true
		}
	}
	for _, end := range m.Ended {
		d.over[end.ID], d.overBy[end.ID] = max(d.over[end.ID], end.Covers()), end
	}
	for _, in := range m.InForce {
		if in.Revision > d.top[in.ID] {
			if b := d.shown[in.ID]; b == nil || d.top[in.ID] <= b.Revision { // else it has been going for some time
				d.topAt[in.ID] = d.w.now
			}
			d.top[in.ID] = in.Revision
		}
	}
	d.carryOut(d.rules.Manifest(m, d.clock()))
}

// carryOut saves first, as the device does, and may not live to do the rest.
func (d *roamDevice) carryOut(effects []rules.Effect) {
	d.save()
	if d.dying && len(effects) > 0 {
		d.w.note("device %d dies before it has done %s %s", d.member, effects[0].Action, effects[0].Alert[:4])
		d.powerOff()
		return
	}
	for _, e := range effects {
		d.do(e)
	}
	d.look()
}

func (d *roamDevice) save() {
	if !d.rules.Changed() {
		return
	}
	raw, err := d.rules.Export()
	if err != nil {
		d.w.fail("%v", err)
	}
	d.flash = raw
}

func (d *roamDevice) powerOff() {
	d.disconnect()
	d.on, d.dying = false, false
	clear(d.shown)
}

func (d *roamDevice) powerOn() {
	d.on, d.offset = true, d.w.within(2*time.Hour)-time.Hour
	d.rules = rules.New()
	if d.flash != nil {
		rules, err := rules.Import(d.flash)
		if err != nil {
			d.w.fail("%v", err)
			return
		}
		d.rules = rules
	}
	for id := range d.topAt {
		d.topAt[id] = d.w.now
	}
}

func (d *roamDevice) do(e rules.Effect) {
	if e.Action == rules.Tell {
		return
	}
	d.w.note("device %d: %s %s/%d %s", d.member, e.Action, e.Alert[:4], e.Revision, e.Reason)
	switch e.Action {
	case rules.Start, rules.Replace:
		d.began(e)
	case rules.Resume:
		d.w.count.resumes++
		d.appears(e)
	case rules.Stop:
		d.stopped(e)
		delete(d.shown, e.Alert)
		d.rules.Stopped(e.Alert, e.Revision, d.clock())
		d.save()
		return
	}
	d.shown[e.Alert] = e.Body
	d.rules.Presented(e.Alert, e.Revision, d.clock())
	d.save()
}

// began holds every start against the rules of the contract.
func (d *roamDevice) began(e rules.Effect) {
	d.appears(e)
	key := fmt.Sprint(e.Alert, "/", e.Revision)
	if d.starts[key]++; d.starts[key] > 1 {
		d.w.fail("device %d: %s started twice", d.member, key)
	}
	d.w.count.starts++
	if e.Action == rules.Replace {
		d.w.count.replaces++
	}
	if (e.Action == rules.Replace) != (d.shown[e.Alert] != nil) {
		d.w.fail("device %d: %s of %s, but shown is %v", d.member, e.Action, key, d.shown[e.Alert])
	}
}

// appears is true of everything that comes onto a screen, also after a power cut.
func (d *roamDevice) appears(e rules.Effect) {
	story := d.w.stories[alert.ID(e.Alert)]
	switch {
	case !d.heard:
		d.w.fail("device %d: %s appeared before the connection's first manifest", d.member, e.Alert)
	case e.Revision <= d.over[e.Alert]:
		d.w.fail("device %d: %s/%d appeared after its end was told", d.member, e.Alert, e.Revision)
	case !d.w.partial && (d.dead[story] || d.cut[story] && d.w.statusOf(story) == alert.StatusActual): // a drill's end forbids what was known of it
		d.w.fail("device %d: %s/%d appeared, but its node knew that it was cancelled", d.member, e.Alert, e.Revision)
	case e.Revision < d.top[e.Alert]:
		d.w.fail("device %d: %s/%d appeared below a revision that was listed", d.member, e.Alert, e.Revision)
	case d.w.now.After(e.Body.Expires.Add(d.w.skew + 16*time.Second)):
		d.w.fail("device %d: %s/%d appeared after its expiry", d.member, e.Alert, e.Revision)
	case e.Body.Status == "Exercise" && (e.Look.Tier != contract.TierDrill || e.Look.Sound == "siren"):
		d.w.fail("device %d: the drill %s looks real", d.member, e.Alert)
	case e.Body.Status == "Actual" && e.Look.Tier != contract.TierEmergency || e.Body.Status == "Test":
		d.w.fail("device %d: %s %s looks like %s", d.member, e.Body.Status, e.Alert, e.Look.Tier)
	}
}

// stopped holds every stop against the three reasons that there are.
func (d *roamDevice) stopped(e rules.Effect) {
	b := d.shown[e.Alert]
	story := d.w.stories[alert.ID(e.Alert)]
	switch {
	case b == nil || b.Revision != e.Revision:
		d.w.fail("device %d: stopped %s/%d, which was not shown", d.member, e.Alert, e.Revision)
	case e.Reason == rules.ReasonEnded:
		d.w.count.ended++
		end := d.overBy[e.Alert]
		if d.over[e.Alert] < e.Revision || !d.w.partial && !d.hint[story] && !d.w.goesOn(story, end) {
			d.w.fail("device %d: %s stopped as ended (%s), but nobody has cancelled it", d.member, e.Alert, end.Why)
		}
	case e.Reason == rules.ReasonExpired:
		d.w.count.expired++
		if d.w.now.Before(b.Expires.Add(-d.w.skew - time.Second)) {
			d.w.fail("device %d: %s stopped as expired before its time", d.member, e.Alert)
		}
	case e.Reason == rules.ReasonSuperseded:
		d.w.count.superseded++
		if d.top[e.Alert] <= e.Revision || d.w.now.Sub(d.topAt[e.Alert]) < 4*time.Second {
			d.w.fail("device %d: %s/%d stopped as superseded too early", d.member, e.Alert, e.Revision)
		}
	}
}

// goesOn reports whether an end that is no cancel is true: the story was corrected,
// perhaps under another id, where a slow clock has sent a correction before what it
// corrects; or the message that stands has run out.
func (w *roamWorld) goesOn(story int, end contract.Ended) bool {
	return end.Why != contract.WhyCancelled && slices.ContainsFunc(w.tales, func(t *roamTale) bool {
		over := (end.Why == contract.WhyExpired || end.Why == contract.WhyDrillOver) && !t.expire.IsZero() && !t.expire.After(w.now.Add(w.skew+time.Second))
		return t.story == story && (over || t.m.Entry.MsgType == alert.MsgTypeUpdate)
	})
}

// look: nothing dead, superseded or expired stays on the screen.
func (d *roamDevice) look() {
	for id, b := range d.shown {
		switch {
		case b.Revision <= d.over[id]:
			d.w.fail("device %d: %s is still shown after its end was told", d.member, id)
		case b.Revision < d.top[id] && d.w.now.Sub(d.topAt[id]) > 5100*time.Millisecond:
			d.w.fail("device %d: %s/%d is still shown 5 s after revision %d was listed", d.member, id, b.Revision, d.top[id])
		case d.w.now.After(b.Expires.Add(d.w.skew + 16*time.Second)):
			d.w.fail("device %d: %s is still shown after its expiry", d.member, id)
		}
	}
	if len(d.rules.Presenting()) != len(d.shown) {
		d.w.fail("device %d: rules present %v, the screen shows %d", d.member, d.rules.Presenting(), len(d.shown))
	}
}

// settled holds for a device that has been connected for some seconds: it shows what
// its node would have it show, unless it knows better.
func (d *roamDevice) settled() {
	if !d.on || d.at == nil {
		return
	}
	for _, a := range d.at.plan.Active {
		id, rev := string(a.Alert), uint64(a.Revision)
		b := payload[contract.Body](a.Body)
		switch {
		case !a.To.Contains(d.member), b.Status == "Test":
		case rev <= d.over[id], rev < d.top[id]:
			d.w.count.dead++ // look and appears see to it that it is not shown
		case d.w.now.Add(2*d.w.skew + 2*time.Second).After(b.Expires): // some clock may have judged it expired
		case d.shown[id] == nil || d.shown[id].Revision != rev:
			d.w.fail("device %d: %s/%d is in force at its node %d and not shown", d.member, id, rev, d.at.i)
		default:
			d.w.count.musts++
		}
	}
}
