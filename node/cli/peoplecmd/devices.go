package peoplecmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/node/wire/devicehealth"
)

func deviceCommands() []command.Command {
	return []command.Command{
		{
			Name: "device enrol", Purpose: "enrol devices and print their secrets, once", Args: "[ID…]", Max: -1, Setup: deviceEnrol,
			Example: "almenara device enrol --kind screen --place tuen-mun/on-ting/on-lai lift-0042\n" +
				"almenara device enrol --file wanted.json --json > devices.json",
		},
		{
			Name: "device list", Purpose: "list devices and where they are connected", Setup: deviceList,
			More:    "Faults are what devices say of themselves: " + strings.Join(devicehealth.Faults, ", ") + ". Those with no-reload would show an error page if they were reloaded while no node answers.",
			Example: "almenara device list --dark\nalmenara device list --fault no-reload",
		},
		{
			Name: "device show", Purpose: "show one device and what it says of itself", Args: "ID", Min: 1, Max: 1, Setup: deviceShow,
			Example: "almenara device show lift-0042",
		},
		{
			Name: "device revoke", Purpose: "revoke devices and end their connections", Args: "ID…", Min: 1, Max: -1, Setup: deviceRevoke,
			Example: "almenara device revoke lift-0042",
		},
		{
			Name: "device test", Purpose: "have devices prove silently that they work", Args: "ID…", Min: 1, Max: -1, Setup: deviceTest,
			More:    "A screen draws one frame that nobody notices, a speaker plays half a second of no volume. Where an alert is shown nothing is tried.",
			Example: "almenara device test lift-0042",
		},
		{
			Name: "device identify", Purpose: "have a device show or sound where it is", Args: "ID…", Min: 1, Max: -1, Setup: deviceIdentify,
			More:    "A screen shows its id and place for 10 seconds, never over an emergency; a speaker chirps once.",
			Example: "almenara device identify lift-0042",
		},
	}
}

func deviceEnrol(fs *pflag.FlagSet) command.Runner {
	kind := fs.String("kind", "", "kind of the member: screen, speaker, siren, kiosk, phone, person")
	place := fs.String("place", "", "place of the member")
	member := fs.String("member", "", "member that the device belongs to; the same id when absent")
	rotate := fs.Bool("rotate", false, "give devices that are enrolled already a new secret; until they have it they are cut off")
	newKind := fs.Bool("new-kind", false, "a kind that no member has yet is meant, and no slip")
	file := fs.String("file", "", "JSON array of {id, member, kind, place, rotate, new_kind}; - is standard input")
	return func(ctx context.Context, e *command.Env, args []string) error {
		var wanted []wire.Enrol
		if *file != "" {
			raw, err := e.ReadFile(*file)
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
			return command.Usagef("device enrol needs ids or --file")
		}
		for i := range wanted {
			wanted[i].Rotate = wanted[i].Rotate || *rotate
			wanted[i].NewKind = wanted[i].NewKind || *newKind
		}
		return enrolAndPrint(ctx, e, wanted)
	}
}

// enrolAndPrint prints also what was enrolled before a later part was refused:
// these secrets are told only once.
func enrolAndPrint(ctx context.Context, e *command.Env, wanted []wire.Enrol) error {
	c, err := e.Client()
	if err != nil {
		return err
	}
	defer c.Close()
	var places []string
	for _, d := range wanted {
		if d.Place != "" {
			places = append(places, d.Place)
		}
	}
	warnEmpty(ctx, e, c, places, "this makes it a new place")
	bar := command.NewBar(e)
	enrolled, err := Enrol(ctx, c, wanted, bar.Tell)
	bar.End()
	if len(enrolled) == 0 && err != nil {
		return err
	}
	if printed := e.Print(enrolled, func(w io.Writer) { secrets(e, w, enrolled) }); printed != nil {
		return printed
	}
	if err != nil {
		return fmt.Errorf("only the first %s of %s were enrolled: %w", terminal.Thousands(len(enrolled)), terminal.Plural(len(wanted), "device"), err)
	}
	return nil
}

func secrets(e *command.Env, w io.Writer, enrolled []wire.Enrolled) {
	t := terminal.NewTable("DEVICE", "SECRET")
	for _, d := range enrolled {
		t.Add(d.ID, d.Secret)
	}
	t.Write(w, max(e.Width, 120)) // a cut secret is of no use
	fmt.Fprintf(w, "\nServers:  %s\nRoot key: %s\nThe secrets are not shown again. --json also holds the certificate authority.\n",
		strings.Join(enrolled[0].Servers, "\n          "), enrolled[0].RootKey)
}

// Enrol enrols in parts that one request takes. What was enrolled is returned even
// when a later part fails.
func Enrol(ctx context.Context, c *client.Client, wanted []wire.Enrol, tell func(inprocess.Progress)) ([]wire.Enrolled, error) {
	var all []wire.Enrolled
	for from := 0; from < len(wanted); from += client.MaxEnrol {
		part := wanted[from:min(from+client.MaxEnrol, len(wanted))]
		enrolled, err := c.EnrolDevices(ctx, part)
		if err != nil {
			return all, err
		}
		for i := range enrolled {
			if i < len(part) {
				enrolled[i].Kind, enrolled[i].Place = command.Or(enrolled[i].Kind, part[i].Kind), command.Or(enrolled[i].Place, part[i].Place)
			}
		}
		all = append(all, enrolled...)
		tell(inprocess.Progress{Done: int64(len(all)), Total: int64(len(wanted)), Text: "enrolled"})
	}
	return all, nil
}

func deviceList(fs *pflag.FlagSet) command.Runner {
	limit := fs.Int("limit", 1000, "the most devices to list")
	after := fs.String("after", "", "list the devices behind this id")
	dark := fs.Bool("dark", false, "only those that are not revoked and not known to be connected")
	fault := fs.String("fault", "", "only those that tell of this fault; any is all that tell of one")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if *fault != "" && *fault != "any" && !slices.Contains(devicehealth.Faults, *fault) {
			return command.Usagef("%.40q is no fault of devices: %s, or any", *fault, strings.Join(devicehealth.Faults, ", "))
		}
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		devices, err := listDevices(ctx, c, *after, *limit, func(d wire.Device) bool {
			return (!*dark || !d.Revoked && (d.Connected == nil || !*d.Connected)) && (*fault == "" || hasFault(d, *fault))
		})
		if err != nil {
			return err
		}
		return e.Print(devices, func(w io.Writer) {
			status, _ := c.Status(ctx, false) // for the nodes' names; the ids will do
			tables.Devices(w, devices, status.Nodes, e.Width)
		})
	}
}

// listDevices reads page after page until limit devices are found that fit.
func listDevices(ctx context.Context, c *client.Client, after string, limit int, fits func(wire.Device) bool) ([]wire.Device, error) {
	const page = 1000
	found := []wire.Device{}
	for {
		devices, err := c.ListDevices(ctx, after, page)
		if err != nil {
			return nil, err
		}
		for _, d := range devices {
			if !fits(d) {
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

func hasFault(d wire.Device, fault string) bool {
	if d.Health == nil || d.Revoked {
		return false
	}
	return fault == "any" && len(d.Health.Faults) > 0 || slices.Contains(d.Health.Faults, fault)
}

func deviceShow(*pflag.FlagSet) command.Runner {
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		// They are listed by id, so it begins at the last id that is before this one.
		_, size := utf8.DecodeLastRuneInString(args[0])
		for after := args[0][:len(args[0])-size]; ; {
			page, err := c.ListDevices(ctx, after, 1000)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(page, func(d wire.Device) bool { return d.ID == args[0] }); i >= 0 {
				return e.Print(page[i], func(w io.Writer) {
					status, _ := c.Status(ctx, false) // for the nodes' names; the ids will do
					tables.Device(w, page[i], status.Nodes, e.Width)
				})
			}
			if len(page) == 0 || page[len(page)-1].ID > args[0] {
				return fmt.Errorf("there is no device %.100q", args[0])
			}
			after = page[len(page)-1].ID
		}
	}
}

func deviceRevoke(*pflag.FlagSet) command.Runner {
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		for _, id := range args {
			if err := c.RevokeDevice(ctx, id); err != nil {
				return err
			}
			if err := command.Done(e, "revoked", id, "Device %s is revoked.\n", terminal.Clean(id)); err != nil {
				return err
			}
		}
		return nil
	}
}
