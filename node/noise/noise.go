// Package noise counts how often a block was made to listen in the last hour: people who are warned
// again and again stop listening. It warns who is about to send what is no emergency, and refuses nothing.
//
//	book: messages of the last hour ─> those that sounded ─> by block ─> the loudest block of the new one
//
// It decides nothing and never imports api, cluster, channels, or another part of node but alerts and wire.
package noise

import (
	"time"

	"almenara/node/alerts"
	"almenara/node/wire/caution"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience"
)

// Within is the time that counts, and enough is how many messages may sound in a block in that time
// before who sends a further one is asked: a lockdown with its details, an update and the all-clear are
// four messages, and thirteen in twelve hours made people switch them off.
const (
	Within = time.Hour
	enough = 3
)

// Source is what was said lately; *alerts.Book is one.
type Source interface {
	Standing(m *alerts.Message, now time.Time) (board.Standing, alert.ID)
}

// Of is how loud a message would be at the block of its targets that was made to listen most often in
// the last hour; nil where no block has had enough. blocks resolves targets.
// lately are the messages that were taken in it.
func Of(source Source, lately []*alerts.Message, blocks func([]audience.Target) []string, targets []audience.Target, now time.Time) *caution.Noise {
	heard := map[string]uint64{}
	for _, m := range lately {
		if !sounded(source, m, now) {
			continue
		}
		addressed, err := m.EveryTarget()
		if err != nil {
			continue // it only warns; an error of the store stops the node elsewhere
		}
		for _, block := range blocks(addressed) {
			heard[block]++
		}
	}
	var out *caution.Noise
	for _, block := range blocks(targets) {
		if n := heard[block]; n >= enough && (out == nil || n+1 > out.Count) {
			out = &caution.Noise{Place: block, Count: n + 1}
		}
	}
	return out
}

// sounded reports whether devices were given the message to sound it: real ones and drills, also those
// that are over by now; not what waits for approval, tests, and ends.
func sounded(source Source, m *alerts.Message, now time.Time) bool {
	e := m.Entry
	if e.MsgType == alert.MsgTypeCancel || e.Status != alert.StatusActual && e.Status != alert.StatusExercise || e.Accepted.After(now) || e.Accepted.Before(now.Add(-Within)) {
		return false
	}
	switch standing, _ := source.Standing(m, now); standing {
	case board.InForce, board.Superseded, board.Cancelled, board.Expired:
		return true
	}
	return false
}
