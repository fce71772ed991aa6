package originals

import (
	"slices"
	"sync"
	"time"

	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

// Bounds of what a district keeps. A weather service's largest live alert has 1.7 MB.
const (
	// MostProtected bounds the originals of alerts that are not long over, of all authors
	// together: what comes beyond it is taken without its original being kept.
	MostProtected = 256 << 20
	// MostOfAuthor is the share of it that one author has. What comes beyond that is refused,
	// or taken without its original being kept where it is an emergency or an Update of what stands.
	MostOfAuthor = 64 << 20
	// MostKept bounds all; the oldest of alerts that are over give way.
	MostKept = 512 << 20
	// KeptFor is how long the original of an alert that is over stays, while there is room:
	// as long as receipts.
	KeptFor = 13 * 30 * 24 * time.Hour
	// MostPhotos bounds the photos of reports, which have no part in the bounds above; the oldest
	// give way. MostOfReporter is the share of it that one device has.
	MostPhotos     = 128 << 20
	MostOfReporter = 3 << 20
)

// Original is a message that is kept, as its fact says.
type Original struct {
	Sum      Sum
	Size     int64
	Author   string
	Origin   string    // server id of the node that took it
	Accepted time.Time // by the origin's clock
	Until    time.Time // until then it is protected
	Photo    bool      // of a report, whose device is the author; never protected
}

// list is every original that a fact names. Its methods may be called from any goroutine.
type list struct {
	mu sync.Mutex
	by map[Sum]Original
}

func newList() *list { return &list{by: map[Sum]Original{}} }

// add notes an original; one that two facts name has the longer life of both. It reports
// whether that is news.
func (l *list) add(o Original) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before, known := l.by[o.Sum]
	if known {
		if before.Until.After(o.Until) {
			o.Until = before.Until
		}
		if before.Accepted.After(o.Accepted) {
			o.Accepted = before.Accepted
		}
	}
	l.by[o.Sum] = o
	return !known
}

func (l *list) find(sum Sum) (Original, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o, ok := l.by[sum]
	return o, ok
}

// keep lists what is to be on the disk at now, the protected ones first, then the newest:
// the same on every node that knows the same facts. What cannot be needed again is
// forgotten.
func (l *list) keep(now time.Time) []Original {
	l.mu.Lock()
	defer l.mu.Unlock()
	all, photos := make([]Original, 0, len(l.by)), []Original(nil)
	for sum, o := range l.by {
		if o.over(now) && now.Sub(o.Accepted) > KeptFor {
			delete(l.by, sum)
			continue
		}
		if o.Photo {
			photos = append(photos, o)
			continue
		}
		all = append(all, o)
	}
	photos = keptPhotos(photos)
	slices.SortFunc(all, func(a, b Original) int {
		if pa, pb := a.over(now), b.over(now); pa != pb {
			if pa {
				return 1
			}
			return -1
		}
		if c := b.Accepted.Compare(a.Accepted); c != 0 {
			return c
		}
		return slices.Compare(a.Sum[:], b.Sum[:])
	})
	var total int64
	for i, o := range all {
		if total += o.Size; total > MostKept && o.over(now) {
			return append(all[:i], photos...)
		}
	}
	return append(all, photos...)
}

// keptPhotos are the newest, as many of each device and in all as there is room for.
func keptPhotos(all []Original) (out []Original) {
	slices.SortFunc(all, func(a, b Original) int {
		if c := b.Accepted.Compare(a.Accepted); c != 0 {
			return c
		}
		return slices.Compare(a.Sum[:], b.Sum[:])
	})
	var total int64
	own := map[string]int64{}
	for _, o := range all {
		if own[o.Author]+o.Size > MostOfReporter || total+o.Size > MostPhotos {
			continue
		}
		own[o.Author], total = own[o.Author]+o.Size, total+o.Size
		out = append(out, o)
	}
	return out
}

// forget takes the photos that are not named out of the list; all is false where one was taken after before.
func (l *list) forget(before time.Time, named func(sum []byte) bool) (gone []Sum, all bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	all = true
	for sum, o := range l.by {
		switch {
		case !o.Photo || named(sum[:]):
		case o.Accepted.After(before):
			all = false
		default:
			delete(l.by, sum)
			gone = append(gone, sum)
		}
	}
	return gone, all
}

func (o Original) over(now time.Time) bool { return now.After(o.Until) }

// protected is how much room the originals of alerts that are not long over take, of all
// and of one author.
func (l *list) protected(author string, now time.Time) (all, own int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.by {
		if o.over(now) {
			continue
		}
		if all += o.Size; o.Author == author {
			own += o.Size
		}
	}
	return all, own
}

// room is when as much of one author's is protected no more that size more of it fits.
func (l *list) room(author string, size int64, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	var own []Original
	for _, o := range l.by {
		if !o.over(now) && o.Author == author {
			own = append(own, o)
			size += o.Size
		}
	}
	slices.SortFunc(own, func(a, b Original) int { return a.Until.Compare(b.Until) })
	for _, o := range own {
		if size <= MostOfAuthor {
			break
		}
		size -= o.Size
		now = o.Until.Add(time.Millisecond) // protected until then, that moment included
	}
	return now
}

// decode reads the issue of an alert fact.
func decode(f fact.Fact) (factbody.Issue, error) { return factbody.DecodeIssue(f.Body) }
