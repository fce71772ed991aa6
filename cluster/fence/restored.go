package fence

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"

	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/cluster/peers"
)

// outlived reports whether the district had a majority when a backup of it was restored,
// and has had one since: what was restored is a copy then, whatever its number. A node
// that does not know it, because it was away, asks the others, for a second at most. When
// the district had really ended nobody knows such a thing, and all give way.
func (f *Fence) outlived(theirs *identity.Incarnation) bool {
	if !f.saw(theirs) && !f.othersSaw(theirs) {
		return false
	}
	if f.notHeard.Has(theirs.Hash()) {
		return true
	}
	f.Logger.Error("a backup of this district was restored while a majority of it lives: its nodes are not heard. Stop the copy, or make a drill with almenara restore --isolated",
		"incarnation", theirs.Number, "restored_on", theirs.By, "at", theirs.Time())
	if err := f.notHeard.Add(theirs.Hash()); err != nil {
		f.Logger.Error("noting a restored copy that is not heard", "error", err)
	}
	return true
}

// saw reports whether this node itself knows it.
func (f *Fence) saw(theirs *identity.Incarnation) bool {
	if f.notHeard.Has(theirs.Hash()) {
		return true
	}
	since := f.Group.Quorum.Unbroken()
	return !f.Quarantined() && !since.IsZero() && since.Round(0).Before(theirs.Time())
}

// othersSaw asks the members.
func (f *Fence) othersSaw(theirs *identity.Incarnation) bool {
	statement, err := theirs.Encode()
	if err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(f.Context, peers.AskTimeout)
	defer cancel()
	var found atomic.Bool
	var asked sync.WaitGroup
	for _, id := range f.Group.Members() {
		asked.Go(func() {
			if _, err := f.rpc.Call(ctx, id, "/cluster/outlived", statement); err == nil {
				found.Store(true)
			}
		})
	}
	asked.Wait()
	return found.Load()
}

// HandleOutlived answers 200 where this node knows that it outlived what the statement
// began, 404 otherwise, as older software does.
func (f *Fence) HandleOutlived(w http.ResponseWriter, req *http.Request) {
	b, ok := internode.ReadBody(w, req)
	if !ok {
		return
	}
	theirs, err := identity.DecodeIncarnation(b)
	if err != nil || theirs == nil || theirs.Why != identity.WhyRestore || theirs.Verify(f.Identity().District) != nil || !f.saw(theirs) {
		http.NotFound(w, req)
	}
}
