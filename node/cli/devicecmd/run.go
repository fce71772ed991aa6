// Package devicecmd holds the commands that a device's own box runs. It makes a device of flags
// and files; what a device does is channels/agent, channels/speaker and what those import.
package devicecmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"almenara/channels/agent"
	"almenara/channels/agent/boxclock"
	"almenara/channels/pages"
	"almenara/node/cli/command"
)

// Commands are those of this package.
func Commands() []command.Command {
	return []command.Command{{
		Name: "device run", Purpose: "be a device on this box: a screen, a speaker, a sign", Needs: command.NeedsNothing, Setup: run,
		More: "The file is what device enrol --json printed for one device. A screen's browser opens " +
			"http://localhost:8490/screen/, which needs no node to load. With --kiosk chromium the box starts its browser " +
			"itself, and starts it anew when it ends or hangs. What a browser no longer paints, hides, or does not have on a " +
			"picture of the screen, is no longer told as presented; pictures do not leave the box.\n" +
			"A box that is started anew while no node answers shows what it had presented, verified again and marked as not " +
			"confirmed since, where its clock ran on without power or was set since.\n" +
			"A speaker plays by the program that --play names, and speaks by espeak-ng where it is installed. " +
			"IP speakers that listen to a multicast group (--rtp) and LED signs (--sign) answer nothing: what went to " +
			"them is never told as presented.",
		Example: "almenara device run --enrolment lift-0042.json --zone Asia/Hong_Kong \\\n  --kiosk chromium\n" +
			"almenara device run --enrolment hall.json --kind speaker \\\n  --rtp 224.0.2.60:50002",
	}}
}

// flags are what a box is told.
type flags struct {
	enrolment, memory, listen, kind, zone, under string
	sound                                        soundFlags
	kiosk                                        kioskFlags
}

func run(fs *pflag.FlagSet) command.Runner {
	var f flags
	fs.StringVar(&f.enrolment, "enrolment", "", "file with what device enrol --json printed")
	fs.StringVar(&f.memory, "memory", "", "file for what must outlive a power cut; the enrolment's name with .memory when absent")
	fs.StringVar(&f.listen, "listen", "127.0.0.1:8490", "host:port of the page, on loopback")
	fs.StringVar(&f.kind, "kind", "screen", "screen, speaker or sign")
	fs.StringVar(&f.zone, "zone", "", "time zone of the times that are shown; the browser's when absent")
	fs.StringVar(&f.under, "under", "", "address of what the screen shows while nothing is in force")
	f.kiosk.register(fs)
	f.sound.register(fs)
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if f.enrolment == "" {
			return command.Usagef("device run needs --enrolment")
		}
		d, err := readDevice(f.enrolment, f.memory)
		if err != nil {
			return err
		}
		d.Logger = slog.New(slog.NewTextHandler(e.Err, nil))
		switch f.kind {
		case "screen":
			return f.screen(ctx, e, d)
		case "speaker", "sign":
			return f.withoutPage(ctx, e, d)
		}
		return command.Usagef("%.40q is no kind of device that runs here: screen, speaker or sign", f.kind)
	}
}

// screen serves the page and is the device, until ctx ends.
func (f flags) screen(ctx context.Context, e *command.Env, d deviceOptions) error {
	if err := onLoopback(f.listen); err != nil {
		return err
	}
	if f.zone != "" {
		if _, err := time.LoadLocation(f.zone); err != nil {
			return command.Usagef("%.60q is no time zone", f.zone)
		}
	}
	p, err := pages.New(nil)
	if err != nil {
		return err
	}
	d.Kind, d.Wall = "screen", boxclock.Of(nil)
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("opening the page's address: %w", err)
	}
	defer listener.Close()
	o := agent.Options{Device: d, Pages: p, Zone: f.zone, Under: f.under, Logger: d.Logger}
	box, err := f.kiosk.open(&o, "http://"+listener.Addr().String()+pages.Path, f.enrolment)
	if err != nil {
		return err
	}
	a, err := agent.New(o)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(e.Out, "Device %s. Its page is http://%s%s\n", d.ID, listener.Addr(), pages.Path)
	var running sync.WaitGroup
	for _, part := range box {
		running.Go(func() { part(ctx) })
	}
	ended := a.Run(ctx)
	running.Wait()
	closed := server.Close()
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(ended, closed, err)
	}
	return errors.Join(ended, closed)
}

// onLoopback refuses addresses that others can reach: whoever draws the page says what was seen.
func onLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return command.Usagef("%.60q is not host:port", listen)
	}
	if addr, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !addr.IsLoopback()) {
		return command.Usagef("the page of a box is for the box alone: --listen 127.0.0.1:8490")
	}
	return nil
}

// enrolled is what device enrol --json prints of one device.
type enrolled struct {
	ID      string   `json:"id"`
	Secret  string   `json:"secret"`
	Servers []string `json:"servers"`
	CA      string   `json:"ca"`
	RootKey string   `json:"root_key"`
}

func readEnrolled(file string) (enrolled, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return enrolled{}, fmt.Errorf("reading the enrolment: %w", err)
	}
	var one enrolled
	var all []enrolled
	if json.Unmarshal(raw, &all) == nil {
		if len(all) != 1 {
			return enrolled{}, fmt.Errorf("%s is for %d devices; a box is one", file, len(all))
		}
		return all[0], nil
	}
	if err := json.Unmarshal(raw, &one); err != nil {
		return enrolled{}, fmt.Errorf("%s is not what device enrol --json prints: %w", file, err)
	}
	return one, nil
}
