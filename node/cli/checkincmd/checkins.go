// Package checkincmd is the commands about places at which phones check in.
package checkincmd

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire/visits"
)

//go:embed sheet.html
var sheet string

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "checkin codes", Purpose: "write the codes of places to hang up, as a page to print", Args: "PLACE…", Min: 1, Max: -1, Setup: codes,
			Example: "almenara checkin codes --out codes.html tuen-mun/on-ting/market",
			More:    "Whoever scans a code presses \"I am here\", and the visit stays in the phone, for 28 days. A code is good for 396 days, and as long as the node that made it belongs to the district. The node is served with --residents.",
		},
		{
			Name: "checkin count", Purpose: "count how often phones checked in, by place", Args: "[PLACE]", Max: 1, Setup: count,
			Example: "almenara checkin count\nalmenara checkin count --since 2026-11-28T10:00:00+08:00 \\\n  --until 2026-11-28T14:00:00+08:00 tuen-mun/on-ting/market",
			More:    "Of the last 24 hours, or of a span of time. With a place it prints the parameter almenara:visited: an alert that has it is shown to the phones that checked in there then, once somebody opens a page of any node on them.",
		},
	}
}

func codes(fs *pflag.FlagSet) command.Runner {
	out := fs.String("out", "", "file of the page; standard output when absent")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		got, err := c.PlaceCodes(ctx, args)
		if err != nil {
			return err
		}
		if *out == "" {
			return e.Print(got, func(w io.Writer) { _ = write(w, got) })
		}
		if err := e.WriteFile(*out, func(w io.Writer) error { return write(w, got) }); err != nil {
			return err
		}
		return e.Print(got, func(w io.Writer) {
			fmt.Fprintf(w, "%d codes are in %s. Print it.\n", len(got.Codes), terminal.Clean(*out))
		})
	})
}

// line is a code on the page.
type line struct {
	visits.PlaceCode
	Zh, En, Until, Path string
	Size                int
}

// quiet is the white margin around a QR code, in modules.
const quiet = 4

func write(w io.Writer, codes visits.PlaceCodes) error {
	var lines []line
	for _, c := range codes.Codes {
		l := line{PlaceCode: c, Until: c.Until.Format("2006-01-02"), Size: c.Modules + 2*quiet, Path: pathOf(c)}
		for language, name := range c.Names {
			if strings.HasPrefix(strings.ToLower(language), "zh") {
				l.Zh = name
			} else {
				l.En = name
			}
		}
		lines = append(lines, l)
	}
	if err := template.Must(template.New("sheet").Parse(sheet)).Execute(w, lines); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// pathOf are the black modules as an SVG path.
func pathOf(c visits.PlaceCode) string {
	bits, err := base64.StdEncoding.DecodeString(c.Picture)
	if err != nil || c.Modules < 0 || len(bits)*8 < c.Modules*c.Modules {
		return ""
	}
	var path strings.Builder
	for n := range c.Modules * c.Modules {
		if bits[n/8]&(0x80>>(n%8)) != 0 {
			fmt.Fprintf(&path, "M%d %dh1v1h-1z", n%c.Modules+quiet, n/c.Modules+quiet)
		}
	}
	return path.String()
}

func count(fs *pflag.FlagSet) command.Runner {
	since := fs.String("since", "", "begin, such as 2026-11-28T10:00:00+08:00; 24 hours before the end when absent")
	until := fs.String("until", "", "end; now when absent")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) (err error) {
		q := visits.Query{Place: strings.Join(slices.Clone(args), "")}
		for _, t := range []struct {
			name, text string
			to         *time.Time
		}{{"since", *since, &q.From}, {"until", *until, &q.To}} {
			if t.text == "" {
				continue
			}
			if *t.to, err = time.Parse(time.RFC3339, t.text); err != nil {
				return command.Usagef("--%s is %q, and a time such as 2026-11-28T10:00:00+08:00 is expected", t.name, t.text)
			}
		}
		got, err := c.CheckIns(ctx, q)
		if err != nil {
			return err
		}
		return e.Print(got, func(w io.Writer) {
			fmt.Fprintf(w, "Phones checked in %d times from %s to %s.\n", got.Total, got.From.Local().Format("2006-01-02 15:04"), got.To.Local().Format("2006-01-02 15:04"))
			for _, p := range got.Places {
				fmt.Fprintf(w, "%s  %d\n", terminal.Clean(p.Place), p.Count)
			}
			if len(got.Unanswered) > 0 {
				fmt.Fprintf(w, "What was counted at nodes that did not answer is missing: %s.\n", strings.Join(got.Unanswered, ", "))
			}
			if got.Visited != "" {
				fmt.Fprintf(w, "almenara:visited = %s\n", got.Visited)
			}
		})
	})
}
