// Package rules decides what a device shows: given bodies, manifests, ends and time, it says
// what is to be started, replaced, stopped and told, and what has to outlive a power cut. It
// owns what the device remembers of each alert, and knows neither connections nor clocks: the
// time comes with every call.
//
// Of our packages it imports channels/contract alone. A Rules is for one goroutine at a time.
package rules

import (
	"maps"
	"slices"
	"time"

	"almenara/channels/contract"
)

// The times of the contract.
const (
	// handover is how long a superseded revision stays while the new body is
	// awaited.
	handover = 5 * time.Second
	// afterlife is how long after its expiry an alert is remembered.
	afterlife = 24 * time.Hour
	// unknownLife bounds the lifetime of an alert of which only the end is known:
	// it was sent before that, and no alert holds longer.
	unknownLife = 31 * 24 * time.Hour
	// staleness is how old a manifest may be when it arrives: nodes send one every
	// 10 seconds and give the last one to a device that subscribes in between.
	staleness = 15 * time.Second
	// maxAlerts and maxNodes bound the memory. What would be forgotten first goes.
	maxAlerts = 4096
	maxNodes  = 1024
	// maxStopping is how many revisions of one alert may wait to be told as shown no more. Only a
	// device that cannot stop lets them wait.
	maxStopping = 8
)

// Rules is the device's side of the contract as a pure state machine: what to
// present, when to stop, what to tell. It has no clock, no input and no output; the
// payloads it is given have been verified. One goroutine at a time may use it.
//
// Starting needs positive evidence, stopping needs explicit evidence, and silence
// says nothing: the node that a device reaches now may never have heard of the
// alert that another half of the district started.
type Rules struct {
	alerts   map[string]*memory
	commands map[string]time.Time // id to expires
	versions map[string]uint64    // highest manifest version of each node

	newest    time.Time                   // of the newest manifest that came whole, on the last connection that had one
	listed    map[string]contract.InForce // by that manifest
	heard     bool                        // a whole manifest came on this connection
	partly    map[string]*pages           // by node: a newer one of which pages are still to come
	skew      time.Duration
	skewKnown bool
	lastWord  time.Time // by the device's clock
	changed   bool      // since Changed was asked last
}

// memory is what is known of one alert. Revisions only grow.
type memory struct {
	id      string
	highest uint64    // highest revision that a manifest listed or that was begun
	done    uint64    // highest revision that began, ran out or was refused: none up to it begins again
	ended   uint64    // revisions up to this one are over; all of them when cancelled
	forget  time.Time // by the corrected clock

	held   *contract.Body // verified, waiting for evidence
	other  *contract.Body // the same revision with other content; nil without held
	shown  *contract.Body // being presented
	resume *contract.Body // was being presented when power went
	cut    bool           // power went, and no whole manifest has come since
	asked  uint64         // the revision of resume that was to be shown without a manifest; 0: none
	ranOut bool           // resume has run out by a clock that no manifest has corrected since power went
	until  time.Time      // by the device's clock: shown is superseded and must go then

	reminded time.Time // by the corrected clock: when shown was presented from its beginning last

	told    []contract.Receipt // of revision toldRev, without seq
	toldRev uint64

	stopping []uint64 // revisions that are to be shown no more, until Stopped or Presented says that they are not
}

// New starts with nothing known.
func New() *Rules {
	return &Rules{
		alerts: map[string]*memory{}, commands: map[string]time.Time{}, versions: map[string]uint64{}, partly: map[string]*pages{},
	}
}

// Connected says that a new connection, perhaps to another node, is up. Nothing
// begins before its first whole manifest: until then a body may be backlog.
func (r *Rules) Connected() {
	r.heard = false
	clear(r.partly)
}

// Manifest takes a verified manifest, or a page of one, at now by the device's clock. What
// it ends and which higher revisions it lists counts always, for that is never taken back;
// as a clock counts only the newest, and as evidence for starting the newest of which all
// pages have come.
func (r *Rules) Manifest(m contract.Manifest, now time.Time) []Effect {
	r.accept(m, now)
	for _, in := range m.InForce {
		r.list(in, now)
	}
	for _, end := range m.Ended {
		r.end(end)
	}
	effects := r.Tick(now)
	for _, in := range m.InForce {
		effects = append(effects, r.remind(in, now)...)
	}
	return effects
}

// remind presents again what nobody has confirmed here, once for each later reminder. What began after the
// reminder, or was taken up again, was seen or heard just now.
func (r *Rules) remind(in contract.InForce, now time.Time) []Effect {
	m := r.alerts[in.ID]
	if m == nil || m.shown == nil || m.shown.Revision != in.Revision || !in.Reminded.After(m.reminded) || in.Reminded.After(r.Corrected(now).Add(staleness)) {
		return nil
	}
	m.reminded = in.Reminded
	if m.toldRev == in.Revision && slices.ContainsFunc(m.told, func(t contract.Receipt) bool { return t.Rung == contract.RungAcknowledged }) {
		return nil
	}
	return []Effect{{Action: Remind, Alert: m.id, Revision: m.shown.Revision, Body: m.shown, Look: LookOf(m.shown)}}
}

// accept makes m the newest manifest, unless it is an older one of the same node, or its
// other pages are still to come. The very same one may come again on a new connection: it
// counts while it is fresh.
func (r *Rules) accept(m contract.Manifest, now time.Time) {
	last, known := r.versions[m.Node]
	switch {
	case !known || m.Version > last:
		r.correct(m.Time.Sub(now))
	case m.Version == last && !r.skewKnown:
		r.correct(m.Time.Sub(now))
	case m.Version == last && r.Corrected(now).Sub(m.Time) <= staleness:
	default:
		return
	}
	r.lastWord = now
	if listed := r.gather(m); listed != nil {
		r.remember(m)
		r.newest, r.heard, r.listed = m.Time, true, listed
	}
}

// pages is a manifest of which some pages have come on this connection.
type pages struct {
	version uint64
	got     []map[string]contract.InForce // by page; nil: still to come
}

// gather gives what the manifest lists as in force once it is whole; nil until then.
func (r *Rules) gather(m contract.Manifest) map[string]contract.InForce {
	listed := make(map[string]contract.InForce, len(m.InForce))
	for _, in := range m.InForce {
		listed[in.ID] = in
	}
	p := r.partly[m.Node]
	if m.Pages == 0 {
		if p != nil && p.version <= m.Version {
			delete(r.partly, m.Node)
		}
		return listed
	}
	if p == nil || p.version < m.Version || p.version == m.Version && len(p.got) != m.Pages {
		if len(r.partly) >= maxNodes {
			clear(r.partly)
		}
		p = &pages{version: m.Version, got: make([]map[string]contract.InForce, m.Pages)}
		r.partly[m.Node] = p
	}
	if m.Version < p.version {
		return nil
	}
	p.got[m.Page-1] = listed
	whole := make(map[string]contract.InForce)
	for _, page := range p.got {
		if page == nil {
			return nil
		}
		maps.Copy(whole, page)
	}
	delete(r.partly, m.Node)
	return whole
}

// remember keeps the version, so that an older manifest of that node is known as
// such, also after a power cut.
func (r *Rules) remember(m contract.Manifest) {
	if len(r.versions) >= maxNodes {
		clear(r.versions)
	}
	r.versions[m.Node] = m.Version
}

// correct follows the node's clock. A manifest may have waited before it came, so
// a small step back is its age, not an error of the clock.
func (r *Rules) correct(skew time.Duration) {
	if r.skewKnown && skew < r.skew && r.skew-skew <= staleness {
		return
	}
	r.skew, r.skewKnown = skew, true
}

// Corrected is the device's time now, corrected by the newest manifest.
func (r *Rules) Corrected(now time.Time) time.Time { return now.Add(r.skew) }

// list notes that a revision is in force somewhere in the district.
func (r *Rules) list(in contract.InForce, now time.Time) {
	m := r.of(in.ID)
	m.keep(in.Expires)
	if in.Revision > m.highest {
		m.highest, r.changed = in.Revision, true
	}
	m.supersede(now)
}

// supersede gives what is shown its last seconds once a higher revision is known.
func (m *memory) supersede(now time.Time) {
	if m.shown != nil && m.highest > m.shown.Revision && m.until.IsZero() {
		m.until = now.Add(handover)
	}
}

// end notes that the alert is over, up to a revision or for ever.
func (r *Rules) end(end contract.Ended) {
	m := r.of(end.ID)
	if covers := end.Covers(); covers > m.ended {
		m.ended, r.changed = covers, true
	}
	if end.Expires.IsZero() {
		end.Expires = end.At.Add(unknownLife)
	}
	m.keep(end.Expires)
}

func (r *Rules) of(id string) *memory {
	m, ok := r.alerts[id]
	if !ok {
		m = &memory{id: id}
		r.alerts[id] = m
	}
	return m
}

// keep makes sure that the alert is remembered until expires and a day longer.
func (m *memory) keep(expires time.Time) {
	if until := expires.Add(afterlife); until.After(m.forget) {
		m.forget = until
	}
}

// Body takes a verified body at now by the device's clock.
func (r *Rules) Body(b contract.Body, now time.Time) []Effect {
	m := r.of(b.Alert)
	m.keep(b.Expires)
	switch {
	case b.Revision <= m.done:
		return r.again(m, b)
	case m.held != nil && b.Revision < m.held.Revision:
		return nil
	case !presentable(b.Status):
		m.done, r.changed = b.Revision, true
		return r.tell(m, b.Revision, contract.RungRefused, now)
	}
	effects := append(r.again(m, b), r.tell(m, b.Revision, contract.RungVerified, now)...)
	m.hold(&b)
	return append(effects, r.settle(m, now)...)
}

// hold keeps a body that waits. Two halves of the district may have taken different
// messages under one key, and bodies overtake each other, so that which of them
// stands is for the manifest to say.
func (m *memory) hold(b *contract.Body) {
	switch {
	case m.held == nil || m.held.Revision != b.Revision:
		m.other = nil
	case m.held.Digest != b.Digest:
		m.other = m.held
	}
	m.held = b
}

// letGo forgets what waits.
func (m *memory) letGo() { m.held, m.other = nil, nil }

// again answers a body that came before: whoever sends it again does not have what
// was told, because it went to another node, or a broker between them lost it.
func (r *Rules) again(m *memory, b contract.Body) []Effect {
	if b.Revision != m.toldRev {
		return nil
	}
	var effects []Effect
	for _, receipt := range m.told {
		effects = append(effects, Effect{Action: Tell, Alert: m.id, Revision: b.Revision, Receipt: receipt})
	}
	return effects
}

// tell makes a receipt, at most once for each rung of a revision. Of lower revisions only
// the newest thing is told that there is, that they are shown no more.
func (r *Rules) tell(m *memory, revision uint64, rung string, now time.Time) []Effect {
	if revision > m.toldRev {
		m.told, m.toldRev = nil, revision
	}
	if revision == m.toldRev && slices.ContainsFunc(m.told, func(t contract.Receipt) bool { return t.Rung == rung }) {
		return nil
	}
	receipt := contract.Receipt{
		Alert: m.id, Revision: revision, Rung: rung, At: r.Corrected(now).UTC().Truncate(time.Millisecond),
	}
	r.changed = true
	if revision == m.toldRev {
		m.told = append(m.told, receipt)
	}
	return []Effect{{Action: Tell, Alert: m.id, Revision: revision, Receipt: receipt}}
}

// Tick lets time pass: what has expired or was superseded stops, what may be
// forgotten is. Call it no later than Next says; more often does no harm.
func (r *Rules) Tick(now time.Time) []Effect {
	var effects []Effect
	for _, id := range slices.Sorted(maps.Keys(r.alerts)) {
		effects = append(effects, r.settle(r.alerts[id], now)...)
	}
	r.forget(now)
	return effects
}

// Next is the time by the device's clock at which the next Tick is due; false when
// nothing waits for time.
func (r *Rules) Next() (time.Time, bool) {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, m := range r.alerts {
		sooner(m.until)
		for _, b := range []*contract.Body{m.shown, m.held} {
			if b != nil && r.skewKnown { // before the first manifest nothing can expire
				sooner(b.Expires.Add(-r.skew))
			}
		}
	}
	return next, !next.IsZero()
}

// forget drops what can have no effect any more.
func (r *Rules) forget(now time.Time) {
	if !r.skewKnown {
		return
	}
	at := r.Corrected(now)
	maps.DeleteFunc(r.alerts, func(_ string, m *memory) bool { return m.idle() && !at.Before(m.forget) })
	maps.DeleteFunc(r.commands, func(_ string, expires time.Time) bool { return !at.Before(expires) })
	for len(r.alerts) > maxAlerts && r.forgetOne() {
	}
}

// forgetOne drops the alert that would be forgotten first; false when all are busy.
func (r *Rules) forgetOne() bool {
	var first *memory
	for _, m := range r.alerts {
		if m.idle() && (first == nil || m.forget.Before(first.forget)) {
			first = m
		}
	}
	if first == nil {
		return false
	}
	delete(r.alerts, first.id)
	return true
}

func (m *memory) idle() bool { return m.held == nil && m.shown == nil && m.resume == nil }
