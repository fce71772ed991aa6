// Command fulldisk runs a node on the small file system of the folder it is given, fills
// that with a file of somebody else's while alerts go out, and frees it again. The process
// must live, devices must be warned throughout, and what was taken must be committed.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"almenara/channels/device"
	"almenara/node"
	"almenara/node/client"
	"almenara/node/machine"
	"almenara/node/wire"
	"almenara/storage/durable"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "fulldisk:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) error {
	o := node.DefaultOptions(filepath.Join(dir, "data"))
	o.JournalBytes, o.SpoolBytes = 16<<20, 16<<20
	o.Space = machine.DiskOptions{Full: 128 << 20, Tight: 160 << 20, Low: 192 << 20, Ballast: 64 << 20}
	o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	token, err := node.Init(o, "tuen-mun")
	if err != nil {
		return err
	}
	n, err := node.New(o)
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	c, err := client.New(client.Config{URL: n.API(), Token: token})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := story(ctx, n, c, dir); err != nil {
		return err
	}
	return n.Stop(ctx)
}

func story(ctx context.Context, n *node.Node, c *client.Client, dir string) error {
	if err := until(ctx, c, func(s wire.Status) bool { return s.Ready }); err != nil {
		return err
	}
	enrolled, err := c.EnrolDevices(ctx, []wire.Enrol{{ID: "screen-1", Kind: "screen", Place: "tuen-mun/block-1"}})
	if err != nil {
		return err
	}
	root, err := base64.RawURLEncoding.DecodeString(enrolled[0].RootKey)
	if err != nil {
		return err
	}
	fleet, err := device.NewFleet(device.FleetOptions{Devices: []device.Options{{
		ID: enrolled[0].ID, Secret: enrolled[0].Secret, Kind: "screen", Servers: n.MQTT()[:1], RootKey: root,
	}}})
	if err != nil {
		return err
	}
	fleet.Start()
	defer fleet.Stop()
	neighbour := filepath.Join(dir, "neighbour")
	var sent []string
	for i, fill := range []bool{false, true, false} {
		if err := occupy(neighbour, fill); err != nil {
			return err
		}
		if err := until(ctx, c, func(s wire.Status) bool { return (s.Disk.Level == "broadcast-only") == fill }); err != nil {
			return err
		}
		out, err := c.SendAlert(ctx, wire.SendAlert{Select: "kind = screen", Alert: []byte(fmt.Sprintf(`{"info":[{"language":"en",
			"category":["Met"],"event":"Rain %d","urgency":"Immediate","severity":"Severe","certainty":"Observed",
			"headline":"Rain","area":[{"areaDesc":"here"}]}]}`, i))}, "local")
		if err != nil {
			return err
		}
		sent = append(sent, out.Alert)
		reached := device.Revision{Alert: out.Alert, Revision: out.Revision}
		if err := wait(ctx, func() bool { return fleet.Progress().Alerts[reached].Proven == 1 }); err != nil {
			return fmt.Errorf("alert %d did not reach the screen: %w", i, err)
		}
		fmt.Printf("alert %d proven at the screen, disk full: %v\n", i, fill)
	}
	for i, id := range sent {
		if err := wait(ctx, func() bool {
			a, err := c.ShowAlert(ctx, id)
			return err == nil && a.Replication == wire.ReplicationCommitted && a.Rungs.Presented == 1
		}); err != nil {
			return fmt.Errorf("alert %d or its receipt was lost: %w", i, err)
		}
	}
	fmt.Println("everything that was acknowledged is committed and counted")
	return nil
}

// occupy takes all the space there is, or gives it back.
func occupy(path string, all bool) error {
	if err := os.RemoveAll(path); err != nil || !all {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	chunk := make([]byte, 1<<20)
	for {
		free, _, err := durable.Space(filepath.Dir(path))
		if err != nil {
			return err
		}
		if free < 1<<20 {
			return nil
		}
		if _, err := f.Write(chunk); err != nil {
			return nil // full: the node may have taken the last of it
		}
	}
}

func until(ctx context.Context, c *client.Client, is func(wire.Status) bool) error {
	return wait(ctx, func() bool {
		s, err := c.Status(ctx, false)
		return err == nil && is(s)
	})
}

func wait(ctx context.Context, is func() bool) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
