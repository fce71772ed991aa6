package devicecmd

import (
	"context"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"almenara/channels/agent"
	"almenara/channels/agent/cec"
	"almenara/channels/agent/kiosk"
	"almenara/channels/agent/picture"
	"almenara/node/cli/command"
)

// kioskFlags say what a box knows of the screen that it is for.
type kioskFlags struct{ kiosk, picture, cec string }

func (f *kioskFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.kiosk, "kiosk", "", "browser to keep running on the page: chromium alone gets the flags of a kiosk, any other command the page's address at its end")
	fs.StringVar(&f.picture, "picture", "auto", "program that prints a picture of the screen as PNG, which is looked at and forgotten; auto: grim, scrot or the kiosk's Chromium; none")
	fs.StringVar(&f.cec, "cec", "auto", "the screen's power by HDMI-CEC: off: leave it alone; on: switch it on for emergencies, and back; auto: on where cec-ctl and /dev/cec0 are there")
}

// open sets what the agent is given of the box, and gives what has to run beside it.
func (f kioskFlags) open(o *agent.Options, page, enrolment string) (run []func(context.Context), err error) {
	if !slices.Contains([]string{"auto", "on", "off"}, f.cec) {
		return nil, command.Usagef("--cec is off, on or auto, not %.20q", f.cec)
	}
	var browser *kiosk.Browser
	if f.kiosk != "" {
		browser, err = kiosk.New(kiosk.Options{Command: strings.Fields(f.kiosk), URL: page, Profile: enrolment + ".browser", Output: os.Stderr, Logger: o.Logger})
		if err != nil {
			return nil, err
		}
		o.Browser = browser
		run = append(run, browser.Run)
	}
	o.Picture = f.camera(browser)
	if f.cec == "on" || f.cec == "auto" && cec.Found() {
		power := cec.New(cec.Options{Logger: o.Logger})
		o.Power = power
		run = append(run, power.Run)
	}
	return run, nil
}

// camera is what takes pictures here: nil where nothing does.
func (f kioskFlags) camera(browser *kiosk.Browser) agent.Camera {
	program := picture.Program(strings.Fields(f.picture))
	if f.picture == "auto" {
		program = picture.Found()
	}
	switch {
	case f.picture == "none" || f.picture == "":
		return nil
	case program != nil:
		return func(ctx context.Context) ([]byte, bool, error) {
			raw, err := program.Take(ctx)
			return raw, true, err
		}
	case browser != nil && browser.Pictures():
		return func(ctx context.Context) ([]byte, bool, error) {
			raw, err := browser.Picture(ctx)
			return raw, false, err
		}
	}
	return nil
}
