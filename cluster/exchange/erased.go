package exchange

import (
	"fmt"

	"almenara/cluster/fact"
)

// fromStore reads facts of a lane from the state machine, for another node. What was erased there has no
// signature, and nobody believes it: in its place stands what is left of it, signed anew, where this node made it;
// that of other nodes is left out. Who is given the facts behind it has them at once, and the gap is closed when
// the log comes, which has the fact.
func (e *Exchange) fromStore(l fact.Lane, seq uint64, count int) (out []fact.Signed, err error) {
	for len(out) == 0 {
		page, err := e.o.FromStore(l.Origin, l.Stream, l.Epoch, seq, count)
		if err != nil || len(page) == 0 {
			return nil, err
		}
		for _, s := range page {
			f, err := s.Fact()
			if err != nil {
				return nil, err
			}
			if seq = f.Seq; !s.Erased() {
				out = append(out, s)
				continue
			}
			if f.Origin != e.o.Signer.Origin {
				continue
			}
			if s, err = fact.Sign(f, e.o.Signer.KeyID, e.o.Signer.Key); err != nil {
				return nil, fmt.Errorf("signing what is left of a fact: %w", err)
			}
			out = append(out, s)
		}
	}
	return out, nil
}
