package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"almenara/node/client"
	"almenara/node/wire"
)

func deviceCommands() []command {
	return []command{
		{
			name: "device enrol", purpose: "enrol devices and print their secrets, once", args: "[ID…]", max: -1, setup: deviceEnrol,
			example: "almenara device enrol --kind screen --place tuen-mun/on-ting/on-lai lift-0042\n" +
				"almenara device enrol --file wanted.json --json > devices.json",
		},
		{
			name: "device list", purpose: "list devices and where they are connected", setup: deviceList,
			example: "almenara device list --dark",
		},
		{
			name: "device revoke", purpose: "revoke devices and end their connections", args: "ID…", min: 1, max: -1, setup: deviceRevoke,
			example: "almenara device revoke lift-0042",
		},
	}
}

func deviceEnrol(fs *pflag.FlagSet) runner {
	kind := fs.String("kind", "", "kind of the member: screen, speaker, siren, kiosk, phone, person")
	place := fs.String("place", "", "place of the member")
	member := fs.String("member", "", "member that the device belongs to; the same id when absent")
	file := fs.String("file", "", "JSON array of {id, member, kind, place}; - is standard input")
	return func(ctx context.Context, e *env, args []string) error {
		var wanted []wire.Enrol
		if *file != "" {
			raw, err := e.readFile(*file)
			if err != nil {
				return err
			}
			if err := json.Unmarshal(raw, &wanted); err != nil {
				return fmt.Errorf("%s is not a JSON array of devices: %w", *file, err)
			}
		}
		for _, id := range args {
			wanted = append(wanted, wire.Enrol{ID: id, Member: *member, Kind: *kind, Place: *place})
		}
		if len(wanted) == 0 {
			return usagef("device enrol needs ids or --file")
		}
		return e.enrolAndPrint(ctx, wanted)
	}
}

// enrolAndPrint prints also what was enrolled before a later part was refused:
// these secrets are told only once.
func (e *env) enrolAndPrint(ctx context.Context, wanted []wire.Enrol) error {
	c, err := e.client()
	if err != nil {
		return err
	}
	defer c.Close()
	bar := e.newBar()
	enrolled, err := enrol(ctx, c, wanted, bar.tell)
	bar.end()
	if len(enrolled) == 0 && err != nil {
		return err
	}
	if printed := e.print(enrolled, func(w io.Writer) { e.secrets(w, enrolled) }); printed != nil {
		return printed
	}
	if err != nil {
		return fmt.Errorf("only the first %s of %s were enrolled: %w", thousands(len(enrolled)), plural(len(wanted), "device"), err)
	}
	return nil
}

func (e *env) secrets(w io.Writer, enrolled []wire.Enrolled) {
	t := newTable("DEVICE", "SECRET")
	for _, d := range enrolled {
		t.add(d.ID, d.Secret)
	}
	t.write(w, max(e.Width, 120)) // a cut secret is of no use
	fmt.Fprintf(w, "\nServers: %v\nRoot key: %s\nThe secrets are not shown again. --json also holds the certificate authority.\n",
		enrolled[0].Servers, enrolled[0].RootKey)
}

// enrol enrols in parts that one request takes. What was enrolled is returned even
// when a later part fails.
func enrol(ctx context.Context, c *client.Client, wanted []wire.Enrol, tell func(Progress)) ([]wire.Enrolled, error) {
	var all []wire.Enrolled
	for from := 0; from < len(wanted); from += client.MaxEnrol {
		part := wanted[from:min(from+client.MaxEnrol, len(wanted))]
		enrolled, err := c.EnrolDevices(ctx, part)
		if err != nil {
			return all, err
		}
		for i := range enrolled {
			if i < len(part) {
				enrolled[i].Kind, enrolled[i].Place = or(enrolled[i].Kind, part[i].Kind), or(enrolled[i].Place, part[i].Place)
			}
		}
		all = append(all, enrolled...)
		tell(Progress{Done: int64(len(all)), Total: int64(len(wanted)), Text: "enrolled"})
	}
	return all, nil
}

func deviceList(fs *pflag.FlagSet) runner {
	limit := fs.Int("limit", 1000, "the most devices to list")
	after := fs.String("after", "", "list the devices behind this id")
	dark := fs.Bool("dark", false, "only those that are neither connected nor revoked")
	return func(ctx context.Context, e *env, _ []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		devices, err := listDevices(ctx, c, *after, *limit, *dark)
		if err != nil {
			return err
		}
		return e.print(devices, func(w io.Writer) {
			status, _ := c.Status(ctx, false) // for the nodes' names; the ids will do
			t := newTable("DEVICE", "KIND", "~STATE", "~NODE", "<PLACE")
			for _, d := range devices {
				t.add(d.ID, d.Kind, deviceState(d), or(nodeName(status.Nodes, d.Node), "-"), d.Place)
			}
			t.write(w, e.Width)
		})
	}
}

// listDevices reads page after page until limit devices are found that fit.
func listDevices(ctx context.Context, c *client.Client, after string, limit int, dark bool) ([]wire.Device, error) {
	const page = 1000
	found := []wire.Device{}
	for {
		devices, err := c.ListDevices(ctx, after, page)
		if err != nil {
			return nil, err
		}
		for _, d := range devices {
			if dark && (d.Connected || d.Revoked) {
				continue
			}
			if found = append(found, d); len(found) >= limit {
				return found, nil
			}
		}
		if len(devices) < page {
			return found, nil
		}
		after = devices[len(devices)-1].ID
	}
}

func deviceState(d wire.Device) string {
	switch {
	case d.Revoked:
		return "revoked"
	case d.Connected:
		return or(d.State, "connected")
	}
	return "dark"
}

func deviceRevoke(*pflag.FlagSet) runner {
	return func(ctx context.Context, e *env, args []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		for _, id := range args {
			if err := c.RevokeDevice(ctx, id); err != nil {
				return err
			}
			if err := e.done("revoked", id, "Device %s is revoked.\n", clean(id)); err != nil {
				return err
			}
		}
		return nil
	}
}
