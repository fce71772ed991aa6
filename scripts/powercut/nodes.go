//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"almenara/scripts/lossyfs/disk"
	"almenara/scripts/lossyfs/mount"
)

// nodesDrill cuts the power of a whole district of real nodes at flushes that the seed
// picks, in the middle of alerts, cancels, receipts and edits.
func nodesDrill(o options) error {
	return onDisk(o, func(ctx context.Context, d *district) error {
		begun := time.Now()
		fmt.Printf("power cuts of %d nodes, seed %d\n", o.nodes, o.seed)
		if err := d.found(ctx, o.nodes); err != nil {
			return err
		}
		t, err := newTraffic(ctx, d)
		if err != nil {
			return err
		}
		r := rand.New(rand.NewPCG(o.seed, 4))
		for cut := range o.cuts {
			after := uint64(1 + r.IntN(500*o.nodes))
			t.run(ctx, after)
			err := d.again(ctx, r.Uint64())
			if err == nil {
				err = t.check(ctx)
			}
			if err != nil {
				return fmt.Errorf("after cut %d: %w", cut+1, err)
			}
			fmt.Printf("cut %d, at flush %d: %s are there, nodes agree (%.1f s)\n", cut+1, after, t.counts(), time.Since(begun).Seconds())
		}
		return nil
	})
}

// onDisk runs a drill on a disk whose power can be cut.
func onDisk(o options, drill func(context.Context, *district) error) (err error) {
	dir, err := scratch(o)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			fmt.Println("logs are kept in", dir)
		}
	}()
	d := &district{bin: o.bin, dir: dir, mnt: filepath.Join(dir, "mnt"), disk: disk.New(o.seed)}
	d.disk.Ordered = !o.strict
	if err := os.Mkdir(d.mnt, 0o700); err != nil {
		return err
	}
	if d.mount, err = mount.Start(d.mnt, d.disk); err != nil {
		return err
	}
	defer func() {
		d.kill()
		err = errors.Join(err, d.mount.Stop())
	}()
	return drill(context.Background(), d)
}
