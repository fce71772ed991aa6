package residents

import (
	"time"

	"almenara/node/ratelimit"
	"almenara/storage/factbody"
)

// floods bounds what is taken here, so that nobody's answers take the room of others: per phone, per address,
// per link, which is per block and period, and in all. Who needs help has a share of each that nothing else can
// use up. What is known of the whole district is bounded by the Book.
type floods struct {
	opened     *ratelimit.Limiter // by address
	seen, help limits
}

// limits are one share. An address may be that of a building with hundreds of phones behind it.
type limits struct{ phone, address, link, all *ratelimit.Limiter }

func newFloods() *floods {
	return &floods{
		opened: ratelimit.New(ratelimit.Options{PerSecond: 20, Burst: 600}),
		seen: limits{
			phone:   ratelimit.New(ratelimit.Options{PerSecond: 0.05, Burst: 6}),
			address: ratelimit.New(ratelimit.Options{PerSecond: 2, Burst: 300}),
			link:    ratelimit.New(ratelimit.Options{PerSecond: 2, Burst: 500}),
			all:     ratelimit.New(ratelimit.Options{PerSecond: 100, Burst: 3000, Names: 1}),
		},
		help: limits{
			phone:   ratelimit.New(ratelimit.Options{PerSecond: 0.05, Burst: 6}),
			address: ratelimit.New(ratelimit.Options{PerSecond: 1, Burst: 150}),
			link:    ratelimit.New(ratelimit.Options{PerSecond: 1, Burst: 250}),
			all:     ratelimit.New(ratelimit.Options{PerSecond: 50, Burst: 2000, Names: 1}),
		},
	}
}

// opens counts a page that is opened.
func (f *floods) opens(address string, now time.Time) bool { return f.opened.Take(address, now) <= 0 }

// takes counts an answer. wait is 0 where it may be taken.
func (f *floods) takes(a factbody.ResidentAnswer, v Visit, now time.Time) (wait time.Duration) {
	share := f.seen
	if a.What == factbody.ResidentHelp {
		share = f.help
	}
	for _, one := range []struct {
		limiter *ratelimit.Limiter
		name    string
	}{{share.phone, a.Alert + string(a.Phone)}, {share.address, v.Address}, {share.link, v.Link}, {share.all, ""}} {
		if wait = one.limiter.Take(one.name, now); wait > 0 {
			return wait
		}
	}
	return 0
}
