package budget

import (
	"time"

	"almenara/node/wire/why"
)

// bucketKey is one sender's share of one rate.
type bucketKey struct {
	author string
	limit  rate
}

// bucket holds tokens; a missing one is full.
type bucket struct {
	tokens float64
	at     time.Time
}

// maxBuckets bounds the memory for rates. Senders are users of the district.
const maxBuckets = 4096

// pace takes a token of the sender's rate. mu is held.
func (b *Budget) pace(limit rate, r Request, now time.Time, trial bool) *Refusal {
	if r.Class == Administrator {
		return nil
	}
	key := bucketKey{r.Author, limit}
	own := b.buckets[key]
	if own == nil {
		if len(b.buckets) >= maxBuckets {
			clear(b.buckets)
		}
		own = &bucket{tokens: float64(limit.burst), at: now}
		b.buckets[key] = own
	}
	if passed := now.Sub(own.at); passed > 0 {
		own.tokens = min(float64(limit.burst), own.tokens+float64(passed)/float64(limit.pause))
	}
	own.at = now
	if own.tokens < 1 {
		return refuse(limit.pause, "%s has sent %d messages at once, and may send one more every %s; a cancel of what is in force is always taken", r.Author, limit.burst, limit.pause).because(why.BudgetPace, r.Author, limit.burst, int(limit.pause.Seconds()))
	}
	if !trial {
		own.tokens--
	}
	return nil
}
