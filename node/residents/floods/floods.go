// Package floods bounds what residents answer at one node, so that nobody's answers take the room of others. It never
// imports another part of node but ratelimit.
package floods

import (
	"time"

	"almenara/node/ratelimit"
	"almenara/storage/factbody"
)

// Floods bounds what is taken here: per address, per block and alert, in all, and per phone. Who
// needs help has a share of each that nothing else can use up. Of each share a part is kept for addresses that have
// answered little: who makes up phones has few addresses, so whoever else answers still can. Its methods may be called
// from any goroutine.
type Floods struct {
	opened     *ratelimit.Limiter // pages, by address
	asked      *ratelimit.Limiter // answers, known or not, by address: each costs signatures
	seen, help limits
}

// limits are one share. An address may be that of a building with hundreds of phones behind it.
type limits struct{ address, block, all, phone, little, keptBlock, keptAll *ratelimit.Limiter }

// Little is how many answers of one address from one block to one alert count as little: so many phones of one household, or of a few
// neighbours behind one address of a mobile network.
const Little = 6

// Phones is of how many phones a bucket is kept: more than all lets through before the first ones are full again.
// Without a bucket of their own they would share one, and keep each other from answering.
const Phones = 8192

// New lets everything through at first.
func New() *Floods {
	return &Floods{
		opened: ratelimit.New(ratelimit.Options{PerSecond: 20, Burst: 600}),
		asked:  ratelimit.New(ratelimit.Options{PerSecond: 20, Burst: 600}),
		seen: limits{
			address:   ratelimit.New(ratelimit.Options{PerSecond: 2, Burst: 300}),
			block:     ratelimit.New(ratelimit.Options{PerSecond: 2, Burst: 500}),
			all:       ratelimit.New(ratelimit.Options{PerSecond: 100, Burst: 3000, Names: 1}),
			phone:     ratelimit.New(ratelimit.Options{PerSecond: 0.05, Burst: 6, Names: Phones}),
			little:    ratelimit.New(ratelimit.Options{PerSecond: 1. / 300, Burst: Little, Names: Phones}),
			keptBlock: ratelimit.New(ratelimit.Options{PerSecond: 1, Burst: 250}),
			keptAll:   ratelimit.New(ratelimit.Options{PerSecond: 20, Burst: 1000, Names: 1}),
		},
		help: limits{
			address:   ratelimit.New(ratelimit.Options{PerSecond: 0.5, Burst: 150}),
			block:     ratelimit.New(ratelimit.Options{PerSecond: 1, Burst: 250}),
			all:       ratelimit.New(ratelimit.Options{PerSecond: 50, Burst: 2000, Names: 1}),
			phone:     ratelimit.New(ratelimit.Options{PerSecond: 0.05, Burst: 6, Names: Phones}),
			little:    ratelimit.New(ratelimit.Options{PerSecond: 1. / 300, Burst: Little, Names: Phones}),
			keptBlock: ratelimit.New(ratelimit.Options{PerSecond: 1, Burst: 125}),
			keptAll:   ratelimit.New(ratelimit.Options{PerSecond: 20, Burst: 1000, Names: 1}),
		},
	}
}

// Opens counts a page that is opened.
func (f *Floods) Opens(address string, now time.Time) bool { return f.opened.Take(address, now) <= 0 }

// Asks counts an answer before anything is done for it.
func (f *Floods) Asks(address string, now time.Time) bool { return f.asked.Take(address, now) <= 0 }

// Takes counts an answer from an address; the block is whatever says from which block to which alert, and not by which
// link: a screen has another one soon. wait is 0 where it may be taken, and little says whether the address had answered
// little from the block. The phone is what somebody can make up as often as they like, so it comes last: what is
// refused before leaves no trace of it.
func (f *Floods) Takes(a factbody.ResidentAnswer, address, block string, now time.Time) (little bool, wait time.Duration) {
	share := f.seen
	if a.What == factbody.ResidentHelp {
		share = f.help
	}
	if wait = share.address.Take(address, now); wait > 0 {
		return false, wait
	}
	little = share.little.Take(address+" "+block, now) <= 0
	if wait = first(now, turn{share.block, block}, turn{share.all, ""}); wait > 0 && little {
		wait = first(now, turn{share.keptBlock, block}, turn{share.keptAll, ""})
	}
	if wait > 0 {
		return little, wait
	}
	return little, share.phone.Take(a.Alert+string(a.Phone), now)
}

// turn is a bucket from which one is to be taken.
type turn struct {
	limiter *ratelimit.Limiter
	name    string
}

// first takes one from each, and stops at the first that has none.
func first(now time.Time, turns ...turn) (wait time.Duration) {
	for _, t := range turns {
		if wait = t.limiter.Take(t.name, now); wait > 0 {
			return wait
		}
	}
	return 0
}
