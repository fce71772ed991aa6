package fleet

import (
	"slices"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/devicehealth"
)

// care is one kind of fault, and the board with the devices that have it.
type care struct {
	Says, Path string
	Count      int
}

// faultsOf are the faults that a device tells of; a revoked one has none to look after.
func faultsOf(d *wire.Device) []string {
	if d.Health == nil || d.Revoked {
		return nil
	}
	return d.Health.Faults
}

// cares are the faults of the place that is shown, the worst first, by how many devices have each.
func cares(q *frame.Request, counts map[string]int, f filter) (out []care) {
	for _, fault := range devicehealth.Faults {
		if count := counts[fault]; count > 0 {
			out = append(out, care{q.Lang.T("fault." + fault), filter{place: f.place, fault: fault}.path(0), count})
		}
	}
	return out
}

// health says what a device says of itself: its faults first.
func (n naming) health(d wire.Device) (faults []string, out []fact) {
	h := d.Health
	if h == nil {
		return nil, nil
	}
	for _, fault := range faultsOf(&d) {
		faults = append(faults, n.q.Lang.T("fault."+fault))
	}
	say := func(label, value string) {
		if value != "" {
			out = append(out, fact{n.q.Lang.T(label), value})
		}
	}
	say("devices.display", n.q.Lang.Or("display.", strings.ReplaceAll(h.Display, " ", "-")))
	say("devices.lacks", h.Lacks)
	say("devices.picture", n.q.Lang.Or("picture.", h.Picture))
	say("devices.power", n.q.Lang.Or("power.", h.Power))
	say("devices.sound", n.q.Lang.Or("sound.", h.Sound))
	say("devices.voice", h.Voice)
	if h.Level != "" {
		say("devices.level", h.Level+" – "+n.q.Lang.T("level."+strings.ToLower(h.Level)))
	}
	if !h.DrawnAt.IsZero() {
		say("devices.drawn", n.q.DayTime(h.DrawnAt))
	}
	say("devices.refused", h.Refused)
	say("devices.software", strings.Join(slices.DeleteFunc([]string{h.Version, h.Engine}, func(s string) bool { return s == "" }), " · "))
	say("devices.said", n.q.DayTime(h.At))
	return faults, out
}
