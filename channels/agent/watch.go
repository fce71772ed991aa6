package agent

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
)

// frozenAfter is how long a page may leave the agent unanswered, or paint no frame while it says that
// it can be seen, before it is taken for frozen: three heartbeats.
const frozenAfter = 3 * heartbeat

// ownHealth is how many entries of health are the agent's own.
const ownHealth = 8

// What the agent itself says of the glass.
const (
	displayNone   = "no browser"
	displayFrozen = "frozen"
	displayHidden = "hidden"
	displayOff    = "standby" // the screen has no power, and something is in force
)

// page is one page that listens.
type page struct {
	listens int       // connections: one that is made anew comes before the old one is known to be gone
	heard   time.Time // when it last said anything
	grew    time.Time // when it had last painted further frames
	frames  uint64
	hidden  bool
	on      map[device.Revision]bool // what it paints
	health  map[string]string
	mark    *mark
}

// alive reports whether the page answers and paints. A hidden one has nothing to paint.
func (p *page) alive(now time.Time) bool {
	return now.Sub(p.heard) < frozenAfter && (p.hidden || now.Sub(p.grew) < frozenAfter)
}

// visible reports whether what the page paints can be seen, as far as the page knows.
func (p *page) visible(now time.Time) bool { return !p.hidden && p.alive(now) }

// listen notes that a page listens; false where too many do.
func (a *Agent) listen(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.pages[id]
	if p == nil {
		if len(a.pages) >= maxPages {
			return false
		}
		now := a.options.Clock()
		p = &page{heard: now, grew: now}
		a.pages[id] = p
	}
	p.listens++
	device.LocalOf(a.device).HealthChanged()
	return true
}

// leave notes that a connection of a page is gone. When the last page goes, nothing is drawn any more.
func (a *Agent) leave(id string) {
	a.mu.Lock()
	p := a.pages[id]
	if p.listens--; p.listens == 0 {
		delete(a.pages, id)
	}
	var gone []device.Revision
	if len(a.pages) == 0 {
		gone = slices.Collect(maps.Keys(a.stopping))
		clear(a.stopping)
	}
	a.settle()
	a.mu.Unlock()
	for _, r := range gone {
		device.LocalOf(a.device).Stopped(r.Alert, r.Revision)
	}
}

// saw takes what a page says that it has painted, once it has drawn seq; false where it does not listen.
func (a *Agent) saw(s seen) bool {
	a.mu.Lock()
	p := a.pages[s.Page]
	if p == nil {
		a.mu.Unlock()
		return false
	}
	now := a.options.Clock()
	if p.heard = now; s.Frames != p.frames {
		p.frames, p.grew = s.Frames, now
	}
	p.hidden, p.mark, p.on = s.Hidden, s.Mark, map[device.Revision]bool{}
	p.health = map[string]string{}
	maps.Copy(p.health, s.Health)
	for _, r := range s.Painted {
		p.on[r] = true
	}
	var gone []device.Revision
	for r, seq := range a.stopping {
		if s.Seq >= seq && !p.on[r] {
			delete(a.stopping, r)
			gone = append(gone, r)
		}
	}
	painted := a.settle()
	a.mu.Unlock()
	for _, r := range painted {
		device.LocalOf(a.device).Presented(r.Alert, r.Revision)
	}
	for _, r := range gone {
		device.LocalOf(a.device).Stopped(r.Alert, r.Revision)
	}
	if s.Tested != nil {
		a.answered(*s.Tested)
	}
	return true
}

// settle holds what is to be shown against what pages paint now. It gives what is painted for the
// first time, and has the state told where that has changed. The caller holds mu.
func (a *Agent) settle() (first []device.Revision) {
	now := a.options.Clock()
	for id, p := range a.alerts {
		r := device.Revision{Alert: id, Revision: p.effect.Revision}
		painted := false
		for _, page := range a.pages {
			painted = painted || page.visible(now) && page.on[r]
		}
		if p.painted && !painted {
			a.options.Logger.Error("an alert is painted no more", "alert", id, "display", a.display(now))
		}
		if p.painted = painted; painted && !p.proven {
			p.proven = true
			p.timer.Stop()
			first = append(first, r)
		}
	}
	if len(first) > 0 {
		a.glass.ask(nil)
	}
	a.glass.told()
	if told := a.now(now); told != a.told {
		a.told = told
		device.LocalOf(a.device).HealthChanged()
	}
	return first
}

// now is all that the state tells of the page. The caller holds mu.
func (a *Agent) now(now time.Time) string {
	var out strings.Builder
	health := a.healthOf(now)
	for _, name := range slices.Sorted(maps.Keys(health)) {
		out.WriteString(name + "\x00" + health[name] + "\x00")
	}
	for _, id := range slices.Sorted(maps.Keys(a.alerts)) {
		out.WriteString(id + strconv.FormatBool(a.alerts[id].painted))
	}
	return out.String()
}

// canBeSeen reports whether an alert can be seen on the glass now, as far as is known.
func (a *Agent) canBeSeen(alert string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.alerts[alert]
	return p != nil && p.painted && !a.glass.bad() && !a.dark()
}

// dark reports whether the screen says that it has no power. The caller holds mu.
func (a *Agent) dark() bool { return a.options.Power != nil && a.options.Power.Powered() == displayOff }

// best is the page that people look at; nil where there is none. The caller holds mu.
func (a *Agent) best(now time.Time) *page {
	var best *page
	rank := func(p *page) int {
		switch {
		case p == nil:
			return -1
		case !p.alive(now):
			return 0
		case p.hidden:
			return 1
		case p.health[contract.HealthDisplay] != contract.DisplayPainted:
			return 2
		}
		return 3
	}
	for _, id := range slices.Sorted(maps.Keys(a.pages)) {
		if p := a.pages[id]; rank(p) > rank(best) {
			best = p
		}
	}
	return best
}

// display says in a word what can be seen. The caller holds mu.
func (a *Agent) display(now time.Time) string {
	best := a.best(now)
	switch {
	case best == nil:
		return displayNone
	case !best.alive(now):
		return displayFrozen
	case best.hidden:
		return displayHidden
	case len(a.alerts) > 0 && a.dark():
		return displayOff
	}
	return best.health[contract.HealthDisplay]
}

// healthNow is told in the device's state.
func (a *Agent) healthNow() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.healthOf(a.options.Clock())
}

// healthOf is healthNow for who holds mu.
func (a *Agent) healthOf(now time.Time) map[string]string {
	h := map[string]string{}
	if best := a.best(now); best != nil {
		maps.Copy(h, best.health)
	}
	h[contract.HealthLevel] = "C"
	if a.options.Device.Save != nil {
		h[contract.HealthStore] = "file"
	}
	if display := a.display(now); display != "" {
		h[contract.HealthDisplay] = display
	}
	if b := a.options.Browser; b != nil {
		h[contract.HealthReloads] = strconv.Itoa(max(0, b.Starts()-1))
	}
	if a.options.Power != nil {
		h[contract.HealthPower] = a.options.Power.Powered()
	}
	a.glass.tell(h)
	return h
}

// watch looks each second whether pages live, and has a browser that does not started anew.
func (a *Agent) watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.lookAfter()
		}
	}
}

// lookAfter is one look of watch.
func (a *Agent) lookAfter() {
	a.mu.Lock()
	if len(a.pages) > 0 || len(a.unproven) > 0 {
		a.lookUnconfirmed()
	}
	first := a.settle()
	now := a.options.Clock()
	display := a.display(now)
	restart := a.options.Browser != nil && a.dog.due(now, display)
	a.mu.Unlock()
	for _, r := range first {
		device.LocalOf(a.device).Presented(r.Alert, r.Revision)
	}
	if restart {
		a.options.Logger.Error("the browser is started anew", "display", display)
		a.options.Browser.Restart()
	}
}

// needPower has the screen switched on while an emergency is in force. The caller holds mu.
func (a *Agent) needPower() {
	if a.options.Power == nil {
		return
	}
	need := false
	for _, p := range a.alerts {
		need = need || p.effect.Look.Tier == contract.TierEmergency
	}
	for _, e := range a.unproven {
		need = need || e.Look.Tier == contract.TierEmergency
	}
	a.options.Power.Need(need)
}
