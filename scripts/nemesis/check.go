//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"almenara/channels/device"
)

// Times that the checks allow.
const (
	inTime     = time.Second            // from accepted to begun at the node's own devices
	inFlight   = time.Second            // from a cancel's answer to the last start
	justNow    = 300 * time.Millisecond // by which a start may be late against an expiry
	settled    = 2 * time.Second        // how long a device must have been connected to be judged
	starvation = 300 * time.Millisecond // delay of this process's own timer that spoils a judgement
)

// Evidence is all that the checks judge.
type Evidence struct {
	History
	Views []View
}

// Verdict is what one check found.
type Verdict struct {
	Judged   int // how many things
	Excused  int // that could not be judged
	Breaches []string
}

func (v *Verdict) breach(format string, args ...any) {
	v.Breaches = append(v.Breaches, fmt.Sprintf(format, args...))
}

// Check is one rule of the district.
type Check struct {
	Name string
	Run  func(Evidence) Verdict
	// Settles says that the district may need a moment after healing. What a device or
	// a process did wrong once stays wrong.
	Settles bool
}

// checks are all rules.
var checks = []Check{
	{"all nodes list the same alerts with equal states, revisions and counts", sameAlerts, true},
	{"all nodes have one state hash at one index", sameHash, true},
	{"all audit chains verify and are equal", sameAudit, true},
	{"every acknowledged alert is committed everywhere", ackedAlerts, true},
	{"every acknowledged cancel ended its alert everywhere", ackedCancels, true},
	{"every acknowledged message is in every audit chain", ackedRecorded, true},
	{"every acknowledged approval counts everywhere", approvalsHeld, true},
	{"no device began before somebody approved what needs that", nobodyBeforeApproval, false},
	{"every receipt that a node acknowledged is counted", toldCounted, true},
	{"nobody is counted who did not tell", countedTold, true},
	{"no device began a revision twice", beganOnce, false},
	{"no device went back to an older revision", neverBack, false},
	{"no device began after its node had acknowledged the cancel", cancelHeld, false},
	{"no device began what had run out", expiredHeld, false},
	{"no device began what was not for its estate", neverWidened, false},
	{"a node that is itself takes a warning, and it is in force there", warnedAtOnce, false},
	{"a node's own devices began within a second of its answer", localInTime, false},
	{"the same where the node was cut off from all others", aloneInTime, false},
	{"what clients saw of the agreed part is one history", agreedLinearizable, false},
	{"acknowledged audience edits are there, refused ones are not", editsHeld, true},
	{"acknowledged devices are enrolled everywhere", enrolmentsHeld, true},
	{"every invited node joined", joinsHeld, false},
	{"every node that was given another address was found", movesHeld, false},
	{"every removal was answered, and the removed are gone", removalsHeld, false},
	{"all nodes of the district vote, and nobody else does", allVote, true},
	{"a stalled disk ended its node, and another led within 15 s", stallsEnd, false},
	{"no node ended but when told to, or to be started again", exitsOrdered, false},
	{"every planned stop was in time", stopsInTime, false},
}

// judge runs every check.
func judge(e Evidence) map[string]Verdict {
	out := map[string]Verdict{}
	for _, c := range checks {
		out[c.Name] = c.Run(e)
	}
	return out
}

// settling reports whether something was found that may yet come right.
func settling(verdicts map[string]Verdict) bool {
	return slices.ContainsFunc(checks, func(c Check) bool { return c.Settles && len(verdicts[c.Name].Breaches) > 0 })
}

// revision names one revision of one alert at one device.
type revision struct {
	device, alert string
	revision      uint64
}

func (h Happening) key() revision { return revision{h.Device, h.Alert, h.Revision} }

// short is enough of an id for people.
func short(id string) string { return id[:min(6, len(id))] }

func clock(t time.Time) string { return t.Format("15:04:05.000") }

// starts are the beginnings, oldest first.
func (e Evidence) starts() (out []Happening) {
	for _, h := range e.Happenings {
		if h.What == device.Started {
			out = append(out, h)
		}
	}
	return out
}

// acked are the messages that a node took.
func (e Evidence) acked(types ...string) (out []Message) {
	for _, m := range e.Messages {
		if m.Outcome == Acked && slices.Contains(types, m.Type) {
			out = append(out, m)
		}
	}
	return out
}

// estates are the estates of the devices.
func (e Evidence) estates() map[string]string {
	out := map[string]string{}
	for _, d := range e.Enrolments {
		out[d.Device] = d.Estate
	}
	return out
}

func beganOnce(e Evidence) (v Verdict) {
	times := map[revision][]Happening{}
	for _, h := range e.starts() {
		times[h.key()] = append(times[h.key()], h)
	}
	v.Judged = len(times)
	for k, list := range times {
		if len(list) > 1 {
			v.breach("%s began %s revision %d %d times: at %s %s, at %s %s", k.device, short(k.alert), k.revision, len(list),
				nodeName(list[0].Node), clock(list[0].At), nodeName(list[1].Node), clock(list[1].At))
		}
	}
	return v
}

func neverBack(e Evidence) (v Verdict) {
	type pair struct{ device, alert string }
	highest := map[pair]Happening{}
	for _, h := range e.starts() {
		v.Judged++
		k := pair{h.Device, h.Alert}
		if old, ok := highest[k]; ok && h.Revision < old.Revision {
			v.breach("%s began %s revision %d at %s, after revision %d at %s", h.Device, short(h.Alert), h.Revision, clock(h.At), old.Revision, clock(old.At))
			continue
		}
		highest[k] = h
	}
	return v
}

// cancelHeld judges by the node that a device is connected to: only that one is
// bound by what it has answered.
func cancelHeld(e Evidence) (v Verdict) {
	type end struct {
		node  int
		alert string
	}
	ended := map[end]time.Time{}
	for _, m := range e.acked("Cancel") {
		k := end{m.Node, m.Alert}
		if at, ok := ended[k]; !ok || m.Answered.Before(at) {
			ended[k] = m.Answered
		}
	}
	v.Judged = len(ended)
	for _, h := range e.starts() {
		if at, ok := ended[end{h.Node, h.Alert}]; ok && h.At.After(at.Add(inFlight)) {
			v.breach("%s began %s at %s, but its node %s had answered the cancel at %s", h.Device, short(h.Alert), clock(h.At), nodeName(h.Node), clock(at))
		}
	}
	return v
}

func expiredHeld(e Evidence) (v Verdict) {
	for _, h := range e.starts() {
		v.Judged++
		if h.At.After(h.Expires.Add(justNow)) {
			v.breach("%s began %s revision %d at %s, which had run out at %s", h.Device, short(h.Alert), h.Revision, clock(h.At), clock(h.Expires))
		}
	}
	return v
}

func neverWidened(e Evidence) (v Verdict) {
	meant := map[string]string{}
	for _, m := range e.Messages {
		meant[m.Alert] = m.Estate
	}
	lives := e.estates()
	for _, h := range e.starts() {
		v.Judged++
		if to, ok := meant[h.Alert]; !ok || to != lives[h.Device] {
			v.breach("%s in %s began %s, which was for %q", h.Device, lives[h.Device], short(h.Alert), to)
		}
	}
	return v
}

func editsHeld(e Evidence) (v Verdict) {
	may := map[string]map[string]bool{} // member, batch: which values are possible
	for _, edit := range e.Edits {
		for _, m := range edit.Members {
			if edit.Outcome == Acked { // nothing before it may show; what is unknown may still come
				maps.DeleteFunc(may[m], func(_ string, unknown bool) bool { return !unknown })
			}
			if may[m] == nil {
				may[m] = map[string]bool{}
			}
			if edit.Outcome != Refused {
				may[m][edit.Batch] = edit.Outcome == Unknown
			}
		}
	}
	for _, view := range e.Views {
		for _, m := range slices.Sorted(maps.Keys(may)) {
			v.Judged++
			if _, ok := may[m][view.Members[m]]; !ok {
				v.breach("%s says that %s is of batch %q; it may be %v", view.Node, m, view.Members[m], slices.Sorted(maps.Keys(may[m])))
			}
		}
	}
	return v
}

func enrolmentsHeld(e Evidence) (v Verdict) {
	for _, view := range e.Views {
		for _, d := range e.Enrolments {
			if d.Outcome != Acked {
				continue
			}
			v.Judged++
			if !slices.Contains(view.Devices, d.Device) {
				v.breach("%s does not know the device %s", view.Node, d.Device)
			}
		}
	}
	return v
}

func exitsOrdered(e Evidence) (v Verdict) {
	v.Judged = len(e.Spans)
	for _, x := range e.Exits {
		if !(x.Code == exitHalt && e.haltedWithReason(x)) && !(e.removed(x.Node) && x.Code == exitRemoved) {
			v.breach("%s ended by itself at %s with code %d: %s", nodeName(x.Node), clock(x.At), x.Code, x.Why)
		}
	}
	return v
}

func stopsInTime(e Evidence) (v Verdict) {
	for _, s := range e.Spans {
		if s.What == string(Stop) {
			v.Judged++
		}
	}
	for _, n := range e.SlowStops {
		v.breach("%s had to be killed %v after it was asked to stop", n, stopTime)
	}
	return v
}
