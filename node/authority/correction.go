package authority

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage/alert"
)

// corrects reports whether an Update is a correction: by the author of the message that is
// in force, by a caller to whom its CAP sender is granted, or by a corrector; of one alert,
// that is all it references; under the same sender and status; and for nobody wider, more
// severe, more urgent or louder. A corrector who neither began the alert nor speaks for its
// sender keeps the times, too: another end would end, or prolong, what somebody else decided
// on. Whoever approved the alert stands by its author's later words, and by those of whom
// the district has named for that, but not by another person's.
// Authority over the whole audience was checked before, as for every change of an alert.
func (r *Rules) corrects(by Caller, about About, addressed reach) bool {
	if len(about.Changes) != 1 || len(about.Unknown) > 0 || about.Changes[0].Standing == nil {
		return false
	}
	m, a := about.Message, about.Changes[0]
	speaks, corrector := by.Speaks(a.Standing.Key.Sender), slices.Contains(by.Roles, RoleCorrector)
	wrote := a.Standing.Author == by.Name
	began := slices.ContainsFunc(a.Messages, func(m Message) bool { return m.MsgType == alert.MsgTypeAlert && m.Author == by.Name })
	switch {
	case m.Status != a.Standing.Status || m.Key.Sender != a.Standing.Key.Sender:
		return false
	case !wrote && !speaks && !corrector:
		return false
	case corrector && !speaks && (!wrote || !began) && !sameTimes(m, *a.Standing): // also after other words by that corrector
		return false
	}
	now, err := r.reach(*a.Standing, a.Also...)
	if err != nil {
		return false
	}
	for i, info := range m.Infos {
		if i >= len(addressed.perInfo) || !roaring.AndNot(addressed.perInfo[i], now.asLoud(a.Standing.Infos, info)).IsEmpty() {
			return false
		}
	}
	return true
}

// sameTimes reports whether every block of the new message ends when the standing one's does,
// and holds from when it is sent or from when a standing one was to hold. Where there are other
// blocks than before each ends with one of those.
func sameTimes(m, standing Message) bool {
	for i, info := range m.Infos {
		ends := standing.Infos
		if len(m.Infos) == len(standing.Infos) {
			ends = standing.Infos[i : i+1]
		}
		same := slices.ContainsFunc(ends, func(s alert.Info) bool { return s.Expires.Time().Equal(info.Expires.Time()) })
		begins := !info.Effective.Time().After(m.Key.Sent.Time()) ||
			slices.ContainsFunc(standing.Infos, func(s alert.Info) bool { return s.Effective.Time().Equal(info.Effective.Time()) })
		if !same || !begins {
			return false
		}
	}
	return true
}

// asLoud is who is addressed by blocks that are together at least as loud as the given
// one.
func (r reach) asLoud(infos []alert.Info, as alert.Info) *roaring.Bitmap {
	severe, urgent, grave := roaring.New(), roaring.New(), roaring.New()
	for i, info := range infos[:min(len(infos), len(r.perInfo))] {
		if level(severities, info.Severity) >= level(severities, as.Severity) {
			severe.Or(r.perInfo[i])
		}
		if level(urgencies, info.Urgency) >= level(urgencies, as.Urgency) {
			urgent.Or(r.perInfo[i])
		}
		if info.Grave() || !as.Grave() {
			grave.Or(r.perInfo[i])
		}
	}
	severe.And(urgent)
	severe.And(grave)
	return severe
}
