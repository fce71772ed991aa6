// Package placecmd is the commands about single places: what they are called, where they are, in which place
// they lie.
package placecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/node/wire/places"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "place list", Purpose: "list the places, down to the blocks in which members are", Setup: list,
			Example: "almenara place list\nalmenara place list --under tuen-mun/on-ting",
		},
		{
			Name: "place show", Purpose: "show one place, who is in it, and what names it", Args: "PATH", Min: 1, Max: 1, Setup: show,
			Example: "almenara place show tuen-mun/on-ting",
		},
		{
			Name: "place set", Purpose: "add a place, or change its names, outline, codes or path", Args: "PATH", Min: 1, Max: 1, Setup: set,
			Example: "almenara place set --name zh-Hant=安麗樓 tuen-mun/on-ting/on-lai\n" +
				"almenara place set --outline on-lai.geojson tuen-mun/on-ting/on-lai\n" +
				"almenara place set --code HK-DC=L tuen-mun\n" +
				"almenara place set --to tuen-mun/siu-hong --dry-run tuen-mun/on-ting",
			More: "--to takes along all places and members in it, 2,000 at most; nothing may name the place by its path then. FILE of --outline is GeoJSON, or corners as CAP has them, a polygon a line. " +
				"A CAP area that cites a --code, such as <geocode> with the valueName HK-DC and the value L, means everybody in the place. " +
				"What was changed by somebody else after this command has read the place is not overwritten.",
		},
		{
			Name: "place remove", Purpose: "remove a place in which nothing is", Args: "PATH", Min: 1, Max: 1, Setup: remove,
			Example: "almenara place remove tuen-mun/on-ting/on-lai",
			More:    "It is refused while members or places are in it, or scenarios, users, licences, planned notices or alerts in force name it, by its path or by a code.",
		},
	}
}

func list(fs *pflag.FlagSet) command.Runner {
	under := fs.String("under", "", "only this place and those below it")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, _ []string) error {
		all, err := c.ListPlaces(ctx)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(p wire.Place) bool {
			return *under != "" && p.Path != *under && !strings.HasPrefix(p.Path, *under+"/")
		})
		return e.Print(all, func(w io.Writer) {
			t := terminal.NewTable("<PATH", "WHERE", "|NAMES")
			for _, p := range all {
				t.Add(terminal.Clean(p.Path), whereOf(p), terminal.Clean(namesOf(p)))
			}
			t.Write(w, e.Width)
		})
	})
}

func namesOf(p wire.Place) string {
	var out []string
	for _, language := range slices.Sorted(maps.Keys(p.Names)) {
		out = append(out, language+" "+p.Names[language])
	}
	return strings.Join(out, "; ")
}

func whereOf(p wire.Place) string {
	switch {
	case len(p.Shape) > 0:
		return "outline"
	case p.Lat != nil && p.Lon != nil:
		return fmt.Sprintf("%.5f,%.5f", *p.Lat, *p.Lon)
	}
	return "-"
}

func show(*pflag.FlagSet) command.Runner {
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		out, err := c.ShowPlace(ctx, args[0])
		if err != nil {
			return err
		}
		return e.Print(out, func(w io.Writer) {
			fmt.Fprintf(w, "%s  %s\nWhere: %s\n", terminal.Clean(out.Place.Path), terminal.Clean(namesOf(out.Place)), whereOf(out.Place))
			fmt.Fprintf(w, "In it: %s, %s, %s below it\n", terminal.Plural(out.Members, "member"), terminal.Plural(out.Devices, "device"), terminal.Plural(out.Below, "place"))
			for _, code := range out.Place.Geocodes {
				fmt.Fprintf(w, "Code: %s\n", terminal.Clean(code.ValueName+" = "+code.Value))
			}
			for _, n := range out.NamedBy {
				by := ""
				if n.Code != "" {
					by = ", by " + terminal.Clean(n.Code)
				}
				fmt.Fprintf(w, "Named by: %s %s%s\n", terminal.Clean(n.Kind), terminal.Clean(n.ID), by)
			}
		})
	})
}

// setting is the flags of what a place is from now on.
type setting struct {
	names         map[string]string
	to, at, file  string
	codes, away   []string // of codes, NAME=VALUE
	shared        bool
	dry           bool
	without, only bool
}

func set(fs *pflag.FlagSet) command.Runner {
	s := &setting{}
	command.Pairs(fs, &s.names, "name", "`LANGUAGE=NAME`; an empty name takes the one of the language away")
	fs.StringVar(&s.to, "to", "", "path that the place has from now on")
	fs.StringVar(&s.at, "at", "", "position, as 22.39510,113.97540")
	fs.StringVar(&s.file, "outline", "", "file with the outline; - is standard input")
	fs.BoolVar(&s.without, "without-outline", false, "take the outline away")
	fs.StringArrayVar(&s.codes, "code", nil, "NAME=VALUE by which CAP areas name the place, as in valueName and value; may be repeated")
	fs.StringArrayVar(&s.away, "without-code", nil, "NAME=VALUE of a code to take away; may be repeated")
	fs.BoolVar(&s.shared, "shared-code", false, "a --code may be one of another place, too")
	fs.BoolVar(&s.only, "new", false, "the place must be new")
	fs.BoolVar(&s.dry, "dry-run", false, "say what would change, change nothing")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		in, err := s.change(ctx, e, c, args[0])
		if err != nil {
			return err
		}
		out, err := c.ChangePlace(ctx, in)
		return printed(e, out, err)
	})
}

// change reads the place as it is, and makes of it what the flags say.
func (s *setting) change(ctx context.Context, e *command.Env, c *client.Client, path string) (places.ChangePlace, error) {
	in := places.ChangePlace{Path: path, Version: places.VersionNone, DryRun: s.dry, Place: &wire.Place{Path: path}}
	is, err := c.ShowPlace(ctx, path)
	var problem *wire.Problem
	switch {
	case err == nil && !s.only:
		in.Version, in.Place = is.Version, &is.Place
	case err != nil && !(errors.As(err, &problem) && problem.Kind == wire.KindNotFound):
		return in, err
	}
	if in.Place.Path = command.Or(s.to, path); in.Place.Names == nil {
		in.Place.Names = map[string]string{}
	}
	for language, name := range s.names {
		if in.Place.Names[language] = name; name == "" {
			delete(in.Place.Names, language)
		}
	}
	in.SharedCodes = s.shared
	if in.Place.Geocodes, err = s.codesOf(in.Place.Geocodes); err != nil {
		return in, err
	}
	if s.at != "" {
		lat, lon, ok := strings.Cut(s.at, ",")
		la, errLat := strconv.ParseFloat(strings.TrimSpace(lat), 64)
		lo, errLon := strconv.ParseFloat(strings.TrimSpace(lon), 64)
		if !ok || errLat != nil || errLon != nil {
			return in, command.Usagef("--at is degrees north and east, such as 22.39510,113.97540")
		}
		in.Place.Lat, in.Place.Lon = &la, &lo
	}
	switch {
	case s.without && s.file != "":
		return in, command.Usagef("place set takes --outline or --without-outline, not both")
	case s.without:
		in.Place.Shape = nil
	case s.file != "":
		in.Place.Shape, err = outline(e, s.file)
		return in, err
	}
	return in, nil
}

// codesOf are the codes of the place from now on.
func (s *setting) codesOf(has []wire.Geocode) ([]wire.Geocode, error) {
	for _, text := range s.away {
		code, err := codeOf(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(has, code) {
			return nil, command.Usagef("the place has no code %s", text)
		}
		has = slices.DeleteFunc(has, func(one wire.Geocode) bool { return one == code })
	}
	for _, text := range s.codes {
		code, err := codeOf(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(has, code) {
			has = append(has, code)
		}
	}
	return has, nil
}

func codeOf(text string) (wire.Geocode, error) {
	name, value, both := strings.Cut(text, "=")
	if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !both || name == "" || value == "" {
		return wire.Geocode{}, command.Usagef("a code is NAME=VALUE, such as HK-DC=L")
	}
	return wire.Geocode{ValueName: name, Value: value}, nil
}

func outline(e *command.Env, file string) ([]string, error) {
	raw, err := e.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text := strings.TrimSpace(string(raw))
	if strings.HasPrefix(text, "{") {
		return places.Outlines([]byte(text))
	}
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out, nil
}

func remove(fs *pflag.FlagSet) command.Runner {
	dry := fs.Bool("dry-run", false, "say whether it would be removed, change nothing")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		is, err := c.ShowPlace(ctx, args[0])
		if err != nil {
			return err
		}
		out, err := c.ChangePlace(ctx, places.ChangePlace{Path: args[0], Version: is.Version, Remove: true, DryRun: *dry})
		return printed(e, out, err)
	})
}

// printed says what a change did.
func printed(e *command.Env, out places.ChangedPlace, err error) error {
	if err != nil {
		return err
	}
	return e.Print(out, func(w io.Writer) {
		switch {
		case len(out.Changes) == 0:
			fmt.Fprintln(w, "Nothing changes.")
		case out.DryRun:
			fmt.Fprintln(w, "This would change, and nothing was changed:")
		default:
			fmt.Fprintln(w, "Changed:")
		}
		for _, d := range out.Changes {
			what := d.What
			if d.Language != "" {
				what += " (" + d.Language + ")"
			}
			fmt.Fprintf(w, "  %s: %s -> %s\n", terminal.Clean(what), command.Or(terminal.Clean(d.Before), "none"), command.Or(terminal.Clean(d.After), "none"))
			if d.What == places.ChangesPath && d.Before != "" && d.After != "" {
				fmt.Fprintf(w, "  with it: %s, %s, %s below it\n", terminal.Plural(out.Members, "member"), terminal.Plural(out.Devices, "device"), terminal.Plural(out.Below, "place"))
			}
		}
	})
}
