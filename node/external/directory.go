package external

import (
	"iter"
	"log/slog"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/storage"
	"almenara/storage/audience"
)

// directory is the directory of enrolled devices for the broker, read anew when they change.
// Safe for concurrent use.
type directory struct {
	store   *storage.Store
	present func(device string) bool
	log     *slog.Logger

	mu       sync.Mutex
	read     bool
	byDevice map[string]channels.Endpoint
	byMember map[uint32][]channels.Endpoint
}

// changed has the tables read anew.
func (d *directory) changed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read = false
}

// Here implements broker.Directory.
func (d *directory) Here(device string) bool {
	return d.present(device)
}

// Endpoint implements broker.Directory.
func (d *directory) Endpoint(device string) (channels.Endpoint, bool) {
	byDevice, _ := d.tables()
	e, ok := byDevice[device]
	return e, ok
}

// Devices implements broker.Directory.
func (d *directory) Devices(members *roaring.Bitmap) iter.Seq[channels.Endpoint] {
	_, byMember := d.tables()
	return func(yield func(channels.Endpoint) bool) {
		for i := members.Iterator(); i.HasNext(); {
			for _, e := range byMember[i.Next()] {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// tables gives both tables; they are not modified once made.
func (d *directory) tables() (map[string]channels.Endpoint, map[uint32][]channels.Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.read {
		return d.byDevice, d.byMember
	}
	byDevice, byMember := map[string]channels.Endpoint{}, map[uint32][]channels.Endpoint{}
	err := d.store.View(func(t *storage.Txn) error {
		return storage.Devices.Each(t, func(one storage.Device) error {
			if one.Revoked {
				return nil
			}
			e := channels.Endpoint{Device: one.ID, Member: one.Ordinal, Kind: one.Kind, Loud: audience.Kind(one.Kind).Public()}
			byDevice[one.ID], byMember[one.Ordinal] = e, append(byMember[one.Ordinal], e)
			return nil
		})
	})
	if err != nil { // the tables before are better than none
		d.log.Error("reading the devices", "error", err)
		return d.byDevice, d.byMember
	}
	d.byDevice, d.byMember, d.read = byDevice, byMember, true
	return byDevice, byMember
}
