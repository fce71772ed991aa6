package read

import (
	"context"
	"fmt"

	"almenara/node/members"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/member"
)

// ListDevices implements service.Connected: what was agreed, and where each is connected.
func (r *Reader) ListDevices(ctx context.Context, after string, limit int) (out []wire.Device, next string, err error) {
	limit = members.PageSize(limit)
	var devices []storage.Device
	err = r.store.View(func(t *storage.Txn) (err error) {
		devices, err = storage.Devices.After(t, after, limit+1)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("reading devices: %w", err)
	}
	if len(devices) > limit {
		devices = devices[:limit]
		next = devices[limit-1].ID
	}
	ids := make([]string, len(devices))
	for i, d := range devices {
		ids[i] = d.ID
	}
	found := r.connected.Ask(ctx, ids)
	out = make([]wire.Device, 0, len(devices))
	for _, d := range devices {
		w := wire.Device{ID: d.ID, Member: d.Member, Kind: d.Kind, Revoked: d.Revoked, Place: r.placeOf(d.Member)}
		at, connected := found.Of(d.ID)
		if connected || len(found.Silent) == 0 {
			w.Connected, w.Node, w.Since, w.Condition, w.Health = &connected, at.Node, at.Since, at.State, at.Health
		} else {
			w.Unanswered = found.Silent
		}
		out = append(out, w)
	}
	return out, next, nil
}

func (r *Reader) placeOf(id string) string {
	var place string
	_ = r.store.View(func(t *storage.Txn) error { // a device without a member has no place
		rec, _, err := member.Get(t, id)
		place = string(rec.Member.Place)
		return err
	})
	return place
}

// PlaceOf is the place of one device; false where none is enrolled, or it was revoked.
func (r *Reader) PlaceOf(device string) (place string, enrolled bool, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		d, known, err := storage.Devices.Get(t, device)
		if err != nil || !known || d.Revoked {
			return err
		}
		rec, _, err := member.Get(t, d.Member)
		place, enrolled = string(rec.Member.Place), true
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("reading a device: %w", err)
	}
	return place, enrolled, nil
}

// Enrolled is the place of each device that is not revoked, by id.
func (r *Reader) Enrolled() (map[string]string, error) {
	out := map[string]string{}
	err := r.store.View(func(t *storage.Txn) error {
		for after := ""; ; {
			page, err := storage.Devices.After(t, after, enrolledAtOnce)
			if err != nil {
				return err
			}
			for _, d := range page {
				if d.Revoked {
					continue
				}
				rec, _, err := member.Get(t, d.Member)
				if err != nil {
					return err
				}
				out[d.ID] = string(rec.Member.Place)
			}
			if len(page) < enrolledAtOnce {
				return nil
			}
			after = page[len(page)-1].ID
		}
	})
	if err != nil {
		return nil, fmt.Errorf("reading devices: %w", err)
	}
	return out, nil
}

// enrolledAtOnce is how many devices Enrolled reads at a time.
const enrolledAtOnce = 1000
