package originals

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/factbody"
)

// TakePhoto makes the photo of a report durable on this disk, before its fact is made. done ends that, once
// the fact is made or will not be: from now on the photo stays if a fact names it. It refuses, with the
// disk's own sentence, where there is room for alerts alone.
func (k *Keeper) TakePhoto(raw []byte) (done func(), err error) {
	if err := k.o.Room(); err != nil {
		return nil, err
	}
	return k.put(sha256.Sum256(raw), raw)
}

// LearnPhoto notes the photo that a report names, and lets it be fetched. It does not block.
func (k *Keeper) LearnPhoto(origin string, r factbody.Report) {
	if r.Photo == nil {
		return
	}
	sum, ok := sumOf(r.Photo.SHA256)
	o := Original{Sum: sum, Size: r.Photo.Size, Author: r.Device, Origin: origin, Accepted: time.UnixMilli(r.Taken), Photo: true}
	if ok && o.Size > 0 && o.Size <= factbody.MaxReportPhoto && k.list.add(o) && !k.store.has(sum) {
		k.wake.Set()
	}
}

// ReadPhoto gives the photo of a report: from the disk of this node, or from another node. Where none of
// them has it the error is a *wire.Problem that says so.
func (k *Keeper) ReadPhoto(ctx context.Context, p factbody.Photo) ([]byte, error) {
	sum, _ := sumOf(p.SHA256)
	if b, err := k.store.get(sum); err == nil {
		return b, nil
	}
	o, ok := k.list.find(sum)
	if !ok {
		return nil, wire.Problemf(wire.KindNotFound, "the photo is not kept any more: newer ones have taken its room").Because(why.PhotoGone)
	}
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	if err := k.fetch(ctx, o); err != nil {
		return nil, wire.Problemf(wire.KindNotReady, "the photo is not on this node yet, and no node that can be reached has it: ask again later").Because(why.NotHereYet)
	}
	b, err := k.store.get(sum)
	if err != nil {
		return nil, fmt.Errorf("reading a photo that was just fetched: %w", err)
	}
	return b, nil
}

// youngPhoto is how old a photo is whose report may still be on its way to who says which photos are named.
const youngPhoto = time.Minute

// ForgetPhotos removes the photos that are not named from this disk. It leaves those that came within the last
// minute, and returns false where there is one.
func (k *Keeper) ForgetPhotos(named func(sum []byte) bool) (all bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	gone, all := k.list.forget(k.o.Clock().Add(-youngPhoto), named)
	for _, sum := range gone {
		if k.pinned[sum] == 0 {
			k.store.remove(sum)
			k.store.dropPart(sum)
		}
	}
	return all
}
