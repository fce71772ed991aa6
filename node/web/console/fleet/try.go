package fleet

import (
	"errors"
	"strings"

	"almenara/node/web/console/frame"
	"almenara/node/wire"
	"almenara/node/wire/able"
)

// test has the device test itself silently, and shows what it came to.
func (p pages) test(q *frame.Request) error {
	got, err := p.s.Tests.TestDevice(q.R.Context(), q.By(), q.R.PathValue("device"))
	return p.asked(q, got, err, func(out *devicePage) {
		out.Done = q.Lang.T("device.test.done", q.Lang.Or("stands.", got.Stands))
		var proved []string
		for _, word := range got.Exercised {
			proved = append(proved, q.Lang.Or("exercised.", word))
		}
		if len(proved) > 0 {
			out.Proved = q.Lang.T("device.test.proved", strings.Join(proved, q.Lang.T("layout.list")))
		}
	})
}

// identify has the device be found.
func (p pages) identify(q *frame.Request) error {
	got, err := p.s.Tests.IdentifyDevice(q.R.Context(), q.By(), q.R.PathValue("device"))
	return p.asked(q, got, err, func(out *devicePage) { out.Done = q.Lang.T("device.identify.done") })
}

// asked shows the device with what it came to, or why it could not be asked.
func (p pages) asked(q *frame.Request, got able.DeviceTest, failed error, done func(*devicePage)) error {
	var problem *wire.Problem
	if failed != nil && !errors.As(failed, &problem) {
		return failed
	}
	status, why := 200, ""
	if problem != nil {
		status = wire.HTTPStatus(problem.Kind)
		switch problem.Kind {
		case wire.KindConflict:
			why = q.Lang.T("device.asked.conflict")
		case wire.KindNotReady:
			why = q.Lang.T("device.asked.unready")
		case wire.KindBusy:
			why = q.Lang.T("device.asked.busy")
		default:
			return failed
		}
	}
	out, err := p.pageOf(q)
	if err != nil {
		return err
	}
	switch {
	case problem != nil:
		out.Wrong = why
	case got.Stands != able.DevicePassed:
		out.Wrong, out.Why = q.Lang.T("device.test.done", q.Lang.Or("stands.", got.Stands)), q.Say(got.Why)
	default:
		done(&out)
	}
	return q.ShowAs(status, "device", out)
}
