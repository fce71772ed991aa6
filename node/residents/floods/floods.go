// Package floods bounds what residents answer at one node, so that nobody's answers take the room of others. It never
// imports another part of node but ratelimit.
package floods

import (
	"time"

	"almenara/node/ratelimit"
	"almenara/storage/factbody"
)

// Floods bounds what is taken here: per address, per link, which is per block and period, in all, and per phone. Who
// needs help has a share of each that nothing else can use up. Its methods may be called from any goroutine.
type Floods struct {
	opened     *ratelimit.Limiter // pages, by address
	asked      *ratelimit.Limiter // answers, known or not, by address: each costs signatures
	seen, help limits
}

// limits are one share. An address may be that of a building with hundreds of phones behind it.
type limits struct{ address, link, all, phone *ratelimit.Limiter }

// Phones is of how many phones a bucket is kept: more than all lets through before the first ones are full again.
// Without a bucket of their own they would share one, and keep each other from answering.
const Phones = 8192

// New lets everything through at first.
func New() *Floods {
	return &Floods{
		opened: ratelimit.New(ratelimit.Options{PerSecond: 20, Burst: 600}),
		asked:  ratelimit.New(ratelimit.Options{PerSecond: 20, Burst: 600}),
		seen: limits{
			address: ratelimit.New(ratelimit.Options{PerSecond: 2, Burst: 300}),
			link:    ratelimit.New(ratelimit.Options{PerSecond: 2, Burst: 500}),
			all:     ratelimit.New(ratelimit.Options{PerSecond: 100, Burst: 3000, Names: 1}),
			phone:   ratelimit.New(ratelimit.Options{PerSecond: 0.05, Burst: 6, Names: Phones}),
		},
		help: limits{
			address: ratelimit.New(ratelimit.Options{PerSecond: 1, Burst: 150}),
			link:    ratelimit.New(ratelimit.Options{PerSecond: 1, Burst: 250}),
			all:     ratelimit.New(ratelimit.Options{PerSecond: 50, Burst: 2000, Names: 1}),
			phone:   ratelimit.New(ratelimit.Options{PerSecond: 0.05, Burst: 6, Names: Phones}),
		},
	}
}

// Opens counts a page that is opened.
func (f *Floods) Opens(address string, now time.Time) bool { return f.opened.Take(address, now) <= 0 }

// Asks counts an answer before anything is done for it.
func (f *Floods) Asks(address string, now time.Time) bool { return f.asked.Take(address, now) <= 0 }

// Takes counts an answer by a link from an address. wait is 0 where it may be taken. The phone is what somebody can make up as often as they
// like, so it comes last: what is refused before leaves no trace of it.
func (f *Floods) Takes(a factbody.ResidentAnswer, address, link string, now time.Time) (wait time.Duration) {
	share := f.seen
	if a.What == factbody.ResidentHelp {
		share = f.help
	}
	for _, one := range []struct {
		limiter *ratelimit.Limiter
		name    string
	}{{share.address, address}, {share.link, link}, {share.all, ""}, {share.phone, a.Alert + string(a.Phone)}} {
		if wait = one.limiter.Take(one.name, now); wait > 0 {
			return wait
		}
	}
	return 0
}
