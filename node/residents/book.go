package residents

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/cluster/fact"
	"almenara/node/residents/recalled"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// How much is known here; what was forgotten is still in the log.
const (
	mostAlerts   = 256
	mostSeen     = 50_000 // phones of one alert
	mostSeenAll  = 100_000
	mostSaid     = 2048 // requests for help and photos of one alert
	mostSaidAll  = 12_288
	mostSeenHere = 5_000 // phones of one block, to one alert: whoever stands before a screen has its link alone
	mostSaidHere = 512   // requests for help and photos of one block, to one alert
	fewSaidHere  = 64    // of a block that has no more there is room beside mostSaid, until there are mostSaidEver of the alert
	mostSaidEver = 6144
	mostByMany   = 384 // of mostSaidHere, for whoever asks; the rest is for addresses from which little came
	mostOfPhone  = 6   // of those, of one phone
	mostWords    = 8192
	mostRecalled = 20_000
	recalledFor  = 13 * 30 * 24 * time.Hour
)

// Log has what was agreed; *agreed.Reader is one.
type Log = recalled.Log

// Photos hear of photos that facts name; *originals.Keeper is one.
type Photos interface {
	LearnPhoto(origin string, r factbody.Report)
}

// Book is what residents answered, as far as this node knows: what is agreed and what is durable here. Its
// methods may be called from any goroutine.
type Book struct {
	log    Log
	photos Photos
	clock  func() time.Time

	mu     sync.Mutex
	alerts map[string]*sheet
	seen   int // of all alerts
	said   int
	words  map[string]factbody.Moderation // the last word of a person about an answer, by its id
	about  map[string]string              // the alert of a request for help or a photo, by its id
}

// sheet is what was answered to one alert.
type sheet struct {
	newest int64
	seen   map[phone]seen
	said   map[string]factbody.ResidentAnswer
	of     map[string]filled // by block; zero is left out
}

// filled is how much of a sheet a block has.
type filled struct{ seen, said int }

// add counts for a block.
func (s *sheet) add(block string, seen, said int) {
	n := s.of[block]
	if n = (filled{n.seen + seen, n.said + said}); n == (filled{}) {
		delete(s.of, block)
		return
	}
	s.of[strings.Clone(block)] = n
}

type phone [factbody.ResidentPhoneBytes]byte

type seen struct {
	block string
	taken int64
}

// NewBook makes an empty one; Recall fills it. The clock is this node's.
func NewBook(log Log, photos Photos, clock func() time.Time) *Book {
	return &Book{log: log, photos: photos, clock: clock, alerts: map[string]*sheet{}, words: map[string]factbody.Moderation{}, about: map[string]string{}}
}

// Learn takes a fact that is durable here, once or more often, in any order. It lists the alerts that it is
// about; false where it is neither answers nor a moderation, or cannot be read.
func (b *Book) Learn(f fact.Fact) (about []alert.ID, ok bool) { return b.learn(f, b.clock()) }

// learn is Learn of what became known then.
func (b *Book) learn(f fact.Fact, known time.Time) (about []alert.ID, ok bool) {
	switch f.Kind {
	case fact.KindResidents:
		r, err := factbody.DecodeResidents(f.Body)
		if err != nil {
			return nil, false
		}
		for _, a := range r.Answers {
			b.photos.LearnPhoto(f.Origin, factbody.Report{Device: "residents of " + a.Block, Taken: alert.Believed(a.Taken, known), Photo: a.Photo})
			if id := alert.ID(a.Alert); !slices.Contains(about, id) {
				about = append(about, id)
			}
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, a := range r.Answers {
			b.put(a, known)
		}
		return about, true
	case fact.KindModeration:
		m, err := factbody.DecodeModeration(f.Body)
		if err != nil {
			return nil, false
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.word(m, known), true
	}
	return nil, false
}

// put lays an answer on the sheet of its alert that became known then. mu is held.
func (b *Book) put(a factbody.ResidentAnswer, known time.Time) {
	a.Taken = alert.Believed(a.Taken, known)
	s := b.alerts[a.Alert]
	if s == nil {
		s = &sheet{seen: map[phone]seen{}, said: map[string]factbody.ResidentAnswer{}, of: map[string]filled{}}
		b.alerts[a.Alert] = s
	}
	s.newest = max(s.newest, a.Taken)
	if a.What == factbody.ResidentSeen {
		b.putSeen(s, a)
	} else {
		b.putSaid(s, a)
	}
	b.forget(a.Alert)
}

// putSeen counts a phone once, in the block where it answered first. mu is held.
func (b *Book) putSeen(s *sheet, a factbody.ResidentAnswer) {
	p, next := phone(a.Phone), seen{strings.Clone(a.Block), a.Taken}
	old, known := s.seen[p]
	switch {
	case !known && (len(s.seen) >= mostSeen || s.of[a.Block].seen >= mostSeenHere):
		return
	case !known:
		b.seen++
	case next.before(old): // on every node the same
		s.add(old.block, -1, 0)
	default:
		return
	}
	s.seen[p] = next
	s.add(next.block, 1, 0)
}

// putSaid keeps a request for help or a photo. mu is held.
func (b *Book) putSaid(s *sheet, a factbody.ResidentAnswer) {
	old, known := s.said[a.ID]
	switch {
	case !known && !s.takes(a.Block, mostSaid, mostSaidHere):
		return
	case !known:
		b.said++
	case old.Taken > a.Taken:
		s.add(old.Block, 0, -1)
	default:
		return
	}
	s.said[a.ID] = a
	b.about[a.ID] = a.Alert
	s.add(a.Block, 0, 1)
}

// takes reports whether the sheet has room for what a block says, where so much may be said in all and by the block.
// Some blocks that say very much leave room for each of the others.
func (s *sheet) takes(block string, all, here int) bool {
	most := all
	if s.of[block].said < fewSaidHere {
		most += mostSaidEver - mostSaid
	}
	return len(s.said) < most && s.of[block].said < here
}

func (s seen) before(o seen) bool {
	return cmp.Or(cmp.Compare(s.taken, o.taken), cmp.Compare(s.block, o.block)) < 0
}

// forget drops the alerts of which nothing was heard for longest, but for one. mu is held.
func (b *Book) forget(except string) {
	for len(b.alerts) > 1 && (len(b.alerts) > mostAlerts || b.seen > mostSeenAll || b.said > mostSaidAll) {
		oldest := ""
		for id, s := range b.alerts {
			if id != except && (oldest == "" || s.newest < b.alerts[oldest].newest) {
				oldest = id
			}
		}
		b.seen -= len(b.alerts[oldest].seen)
		b.said -= len(b.alerts[oldest].said)
		for id := range b.alerts[oldest].said {
			delete(b.about, id)
		}
		delete(b.alerts, oldest)
	}
}

// word takes what a person made of an answer, or of a report: only of those that are known as answers is
// anything said, but what comes before its answer is kept. It is known since then. mu is held.
func (b *Book) word(m factbody.Moderation, since time.Time) (about []alert.ID) {
	m.At = alert.Believed(m.At, since)
	old, known := b.words[m.Report]
	if known && cmp.Or(cmp.Compare(m.At, old.At), cmp.Compare(m.State, old.State), cmp.Compare(m.By, old.By), cmp.Compare(m.Note, old.Note)) <= 0 {
		return nil
	}
	if !known && len(b.words) >= mostWords {
		b.forgetWord()
	}
	b.words[m.Report] = m
	if id, of := b.about[m.Report]; of {
		return []alert.ID{alert.ID(id)}
	}
	return nil
}

// forgetWord makes room for a word: one about nothing that is known here goes first, as those about what devices
// reported are, else the oldest. mu is held.
func (b *Book) forgetWord() {
	oldest, oldestKnown := "", false
	for id, w := range b.words {
		_, known := b.about[id]
		if oldest == "" || oldestKnown && !known || oldestKnown == known && w.At < b.words[oldest].At {
			oldest, oldestKnown = id, known
		}
	}
	delete(b.words, oldest)
}

// Recall reads what was agreed, from the newest back as far as it may still be shown.
func (b *Book) Recall() error {
	learn := func(f fact.Fact, known time.Time) { b.learn(f, known) }
	for _, kind := range []fact.Kind{fact.KindResidents, fact.KindModeration} {
		if err := recalled.Each(b.log, kind, b.clock().Add(-recalledFor), mostRecalled, b.clock, learn); err != nil {
			return err
		}
	}
	return nil
}

// Count is how many phones of one block answered to an alert.
type Count struct {
	Block              string
	Seen, Help, Photos int
}

// Counts is how many phones answered to an alert, by block.
func (b *Book) Counts(ids []string) (out []Count) {
	of := map[string]*Count{}
	at := func(block string) *Count {
		if of[block] == nil {
			of[block] = &Count{Block: block}
		}
		return of[block]
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	phones := map[string]bool{} // that need help, so that each counts once
	for _, id := range ids {
		s := b.alerts[id]
		if s == nil {
			continue
		}
		for _, one := range s.seen {
			at(one.block).Seen++
		}
		for _, a := range s.said {
			if a.Photo != nil || a.HadPhoto {
				at(a.Block).Photos++
			}
			if key := id + string(a.Phone); a.What == factbody.ResidentHelp && !phones[key] {
				phones[key] = true
				at(a.Block).Help++
			}
		}
	}
	for _, block := range slices.Sorted(maps.Keys(of)) {
		out = append(out, *of[block])
	}
	return out
}

// said is one answer of a listing, and the last word of a person about it.
type listed struct {
	factbody.ResidentAnswer
	last *factbody.Moderation
}

// list is every request for help and every photo of an alert, the newest first.
func (b *Book) list(ids []string) (out []listed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if s := b.alerts[id]; s != nil {
			for _, a := range s.said {
				out = append(out, b.listed(a))
			}
		}
	}
	slices.SortFunc(out, func(x, y listed) int {
		return cmp.Or(cmp.Compare(y.Taken, x.Taken), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// listed is an answer with the last word about it. mu is held.
func (b *Book) listed(a factbody.ResidentAnswer) listed {
	out := listed{ResidentAnswer: a}
	if m, known := b.words[a.ID]; known {
		out.last = &m
	}
	return out
}

// one is an answer by its id; false where it is not known.
func (b *Book) one(id string) (listed, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.alerts[b.about[id]]
	if s == nil {
		return listed{}, false
	}
	return b.listed(s.said[id]), true
}

// known reports whether an answer was taken, at any node of which this one has heard.
func (b *Book) known(a factbody.ResidentAnswer) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.alerts[a.Alert]
	if s == nil {
		return false
	}
	if a.What == factbody.ResidentSeen {
		_, known := s.seen[phone(a.Phone)]
		return known
	}
	_, known := s.said[a.ID]
	return known
}

// saidOf reports whether a phone asked for help, and whether it sent a photo, at any node of which this one has heard.
func (b *Book) saidOf(alert string, phone []byte) (help, photo bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := b.alerts[alert]; s != nil {
		for _, a := range s.said {
			if bytes.Equal(a.Phone, phone) {
				help, photo = help || a.What == factbody.ResidentHelp, photo || a.What == factbody.ResidentPhoto
			}
		}
	}
	return help, photo
}

// room reports whether an answer may still be taken: how many are known of the alert, of the block, and of the phone.
// little says that little came from its address: for such requests for help the last of the block's room is kept.
func (b *Book) room(a factbody.ResidentAnswer, little bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.alerts[a.Alert]
	if s == nil {
		return true
	}
	if a.What == factbody.ResidentSeen {
		return len(s.seen) < mostSeen && s.of[a.Block].seen < mostSeenHere
	}
	own := 0
	for _, one := range s.said {
		if string(one.Phone) == string(a.Phone) {
			own++
		}
	}
	most, here := mostSaid, mostByMany
	switch {
	case a.What == factbody.ResidentPhoto:
		most, here = mostSaid/2, mostSaidHere/2 // the rest is for who needs help
	case little:
		here = mostSaidHere
	}
	return own < mostOfPhone && s.takes(a.Block, most, here)
}
