package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"almenara/channels/device/check"
	"almenara/node/cli/inprocess"
	"almenara/node/wire"
)

// checkDevice grades one device, which it runs itself where it is told how.
func checkDevice(ctx context.Context, o inprocess.CheckOptions, enrolled func(wire.Enrolled) error, told func(inprocess.CheckLine)) (inprocess.CheckResult, error) {
	out := inprocess.CheckResult{Device: o.ID, Lines: []inprocess.CheckLine{}}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := process{ended: cancel}
	options := check.Options{
		ID: o.ID, Listen: o.Listen, Within: o.Within, Only: o.Only,
		Told: func(l check.Line) {
			told(inprocess.CheckLine{Section: l.Section, Name: l.Name, Result: string(l.Result), Why: l.Why})
		},
	}
	options.Clock = time.Now
	switch {
	case o.Run != "":
		options.Power = func(context.Context) error { p.kill(); return p.start(o.Run) }
	case o.Power != nil:
		options.Power = func(context.Context) error { o.Power(); return nil }
	}
	c, err := check.New(options)
	if err != nil {
		return out, err
	}
	defer c.Close()
	e := c.Enrolment()
	enrolment := wire.Enrolled{ID: e.ID, Secret: e.Secret, Servers: e.Servers, RootKey: e.RootKey}
	if o.Run != "" {
		folder, err := os.MkdirTemp("", "almenara-check-")
		if err != nil {
			return out, fmt.Errorf("making a folder for the device: %w", err)
		}
		defer os.RemoveAll(folder)
		p.folder = folder
		if o.File == "" {
			o.File = filepath.Join(folder, "enrolment.json")
		}
		p.enrolment = o.File
	}
	if o.File != "" {
		raw, err := json.MarshalIndent([]wire.Enrolled{enrolment}, "", "  ")
		if err == nil {
			err = os.WriteFile(o.File, append(raw, '\n'), 0o600)
		}
		if err != nil {
			return out, fmt.Errorf("writing the enrolment: %w", err)
		}
	}
	if err := enrolled(enrolment); err != nil {
		return out, err
	}
	if o.Run != "" {
		if err := p.start(o.Run); err != nil {
			return out, err
		}
		defer p.kill()
	}
	lines, err := c.Run(ctx)
	for _, l := range lines {
		out.Lines = append(out.Lines, inprocess.CheckLine{Section: l.Section, Name: l.Name, Result: string(l.Result), Why: l.Why})
		switch l.Result {
		case check.Passed:
			out.Passed++
		case check.Failed:
			out.Failed++
		default:
			out.NotSeen++
		}
	}
	return out, err
}
