package personal

import (
	"fmt"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/factbody"
	"almenara/storage/personal"
)

// forget takes out of memory what is agreed on no longer, and the photos of it out of their folder. It returns
// false where a photo is left that may still have to go.
func (l *leftovers) forget() (photos bool, err error) {
	members, before := map[uint32]bool{}, map[personal.What]int64{}
	signature := ""
	err = l.o.Store.View(func(t *storage.Txn) error {
		err := personal.Erasures.Each(t, func(x personal.Erasure) error {
			members[x.Ordinal] = true
			signature += x.Pseudonym + fmt.Sprint(x.Facts, x.Done())
			return nil
		})
		if err != nil {
			return err
		}
		removals, err := personal.Removals.All(t)
		for _, r := range removals {
			before[r.What] = r.Before
			signature += fmt.Sprint(r.What, r.Count)
		}
		return err
	})
	if err != nil {
		return false, fmt.Errorf("reading who was erased: %w", err)
	}
	n := 0
	for _, b := range l.o.Books {
		n += b.Forget(func(m uint32) bool { return members[m] }, func(w personal.What) int64 { return before[w] })
	}
	if n == 0 && signature == l.forgotten {
		return true, nil
	}
	named, err := l.relearn()
	if err != nil {
		return false, err
	}
	if photos = l.o.Photos.ForgetPhotos(func(sum []byte) bool { return named[string(sum)] }); photos {
		l.forgotten = signature
	}
	return photos, nil
}

// relearn gives the books what has lost words, and says which photos are agreed or in memory here.
func (l *leftovers) relearn() (photos map[string]bool, err error) {
	photos = map[string]bool{}
	note := func(p *factbody.Photo) {
		if p != nil {
			photos[string(p.SHA256)] = true
		}
	}
	var changed []fact.Fact
	err = l.o.Store.View(func(t *storage.Txn) error {
		for _, kind := range []fact.Kind{fact.KindReport, fact.KindModeration, fact.KindResidents} {
			err := each(t, kind, func(f fact.Fact, erased bool) bool {
				if erased {
					changed = append(changed, f)
				}
				switch r, err := factbody.DecodeReport(f.Body); {
				case kind == fact.KindReport && err == nil:
					note(r.Photo)
				case kind == fact.KindResidents:
					of, _ := factbody.DecodeResidents(f.Body)
					for _, a := range of.Answers {
						note(a.Photo)
					}
				}
				return true
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, b := range l.o.Books {
		for _, f := range changed {
			b.Relearn(f)
		}
		for _, sum := range b.Photos() {
			photos[string(sum)] = true
		}
	}
	return photos, nil
}
