package journal

import "almenara/cluster/fact"

// Reading is how far somebody has read the facts that wait in a journal. The zero value has
// read nothing. One goroutine uses it at a time.
type Reading struct{ upTo map[fact.LaneKey]uint64 }

// ReadWaiting calls fn for the facts of a stream that are durable here and not known to be
// adopted, and that r has not read before, in each lane's order.
func (j *Journal) ReadWaiting(r *Reading, stream fact.Stream, fn func(fact.Fact)) error {
	if r.upTo == nil {
		r.upTo = map[fact.LaneKey]uint64{}
	}
	for _, l := range j.Vector() {
		if l.Stream != stream {
			continue
		}
		if err := j.readLane(r, l, fn); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) readLane(r *Reading, l fact.Lane, fn func(fact.Fact)) error {
	for {
		at := max(r.upTo[l.Key()], j.Adopted(l.Key()))
		r.upTo[l.Key()] = at
		if at >= l.High {
			return nil
		}
		page, err := j.After(l.Origin, l.Stream, l.Epoch, at, PageFacts)
		if err != nil {
			return err
		}
		if len(page) == 0 && j.Adopted(l.Key()) <= at {
			return nil
		}
		for _, s := range page {
			f, err := s.Fact()
			if err != nil {
				return err
			}
			fn(f)
			r.upTo[l.Key()] = f.Seq
		}
	}
}

// AllAdopted reports whether all that was read has been adopted since.
func (j *Journal) AllAdopted(r *Reading) bool {
	for key, upTo := range r.upTo {
		if j.Adopted(key) < upTo {
			return false
		}
	}
	return true
}
