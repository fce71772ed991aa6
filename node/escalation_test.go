package node_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node"
	"almenara/node/wire"
	"almenara/node/wire/acts"
)

// answering are phones whose person confirms with these words at once.
func answering(devices []device.Options, answer string) []device.Options {
	for i := range devices {
		devices[i].ConfirmAfter, devices[i].Answer = time.Millisecond, answer
	}
	return devices
}

// calledFor is an emergency for the first block, and for the others where too few answer.
func calledFor(headline string, needed int, first estate, then ...estate) wire.SendAlert {
	in := byJSON(headline, "place under "+first.Block)
	in.Escalate = &acts.Escalate{Answers: needed, Minutes: 2}
	for _, e := range then {
		in.Escalate.Groups = append(in.Escalate.Groups, "place under "+e.Block)
	}
	return in
}

// Where too few have answered in time the next group is told, and nobody after enough have. Whoever leads
// by then goes on where the one before stopped, and nobody is told twice.
func TestEscalation_CallsGroupAfterGroupUntilEnoughHaveAnswered(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	d := newTuned(t, 3, func(_ int, o *node.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	first, second, third, fourth := d.estate("wave-a"), d.estate("wave-b"), d.estate("wave-c"), d.estate("wave-d")
	phones := answering(d.enrol("phone", first.Block, 2), "help") // who needs help does not come
	phones = append(phones, answering(d.enrol("phone", second.Block, 1), "done")...)
	phones = append(phones, answering(d.enrol("phone", third.Block, 1), "safe")...)
	phones = append(phones, answering(d.enrol("phone", fourth.Block, 1), "done")...)
	fleet := d.fleet(phones...)

	in := calledFor("come to the lobby", 2, first, second, third, fourth)
	tried, err := d.client(0).PreviewAlert(d.ctx(), in)
	require.NoError(t, err)
	require.Equal(t, []uint64{2, 1, 1, 1}, sizes(tried.Escalation))
	sent, err := d.client(d.follower()).SendAlert(d.ctx(), in, "committed")
	require.NoError(t, err)
	require.EqualValues(t, 2, sent.Addressed.Total, "the first group")
	r := revisionOf(sent)
	fleet.proven(r, 2)
	d.everywhere(sent.Alert, "both said that they need help", func(a wire.Alert) bool { return a.Rungs.Acknowledged == 2 })
	e := d.show(0, sent.Alert).Escalation
	require.Equal(t, []any{uint64(0), false, 1}, []any{e.Answered, e.Enough, calledOf(e)})
	require.Equal(t, 2*time.Minute, e.Next.Sub(e.Groups[0].Called))

	ahead.Store(int64(2 * time.Minute))
	fleet.proven(r, 3)
	d.everywhere(sent.Alert, "one of the second group has answered", func(a wire.Alert) bool {
		return a.Escalation.Answered == 1 && calledOf(a.Escalation) == 2 && a.Rungs.Queued == 3
	})
	d.audited("group called", "group 2, because 0 had answered")

	d.kill(d.leader()) // before the third group is called
	d.await(func(s wire.Status) bool { return s.Ready })
	ahead.Store(int64(4 * time.Minute))
	fleet.proven(r, 4)
	d.everywhere(sent.Alert, "enough have answered", func(a wire.Alert) bool {
		return a.Escalation.Answered == 2 && a.Escalation.Enough && a.Escalation.Next.IsZero() && calledOf(a.Escalation) == 3
	})
	ahead.Store(int64(8 * time.Minute))
	fleet.settle()
	require.Equal(t, []int{1, 1, 1, 1, 0}, fleet.starts(r), "nobody twice, and the fourth group not at all")

	over, err := d.client(d.live()[0]).CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{}, "committed")
	require.NoError(t, err)
	require.Equal(t, wire.StateCancelled, over.State)
	fleet.stopped(r, 4)
}

// What is cancelled calls nobody, and a change goes to those who were called, and calls the others.
func TestEscalation_EndsWithTheAlertAndGoesOnWithAChange(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	d := newTuned(t, 1, func(_ int, o *node.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	first, second, third := d.estate("wave-a"), d.estate("wave-b"), d.estate("wave-c")
	var devices []device.Options
	for _, e := range []estate{first, second, third} {
		devices = append(devices, d.enrol("phone", e.Block, 1)...)
	}
	fleet := d.fleet(devices...)
	over, err := d.client(0).SendAlert(d.ctx(), calledFor("over soon", 1, first, second), "committed")
	require.NoError(t, err)
	_, err = d.client(0).CancelAlert(d.ctx(), over.Alert, wire.CancelAlert{}, "committed")
	require.NoError(t, err)
	sent, err := d.client(0).SendAlert(d.ctx(), calledFor("come to the lobby", 1, first, second, third), "committed")
	require.NoError(t, err)
	pass(d, &ahead, 2*time.Minute)
	fleet.proven(revisionOf(sent), 2)
	require.Equal(t, []int{0}, fleet.starts(revisionOf(over))[1:2], "nobody is called for what is over")

	d.stop(0) // what was called is known after a start
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready })
	require.Equal(t, 2, calledOf(d.show(0, sent.Alert).Escalation))
	headline := "come to the lobby of block 2"
	changed, err := d.client(0).UpdateAlert(d.ctx(), sent.Alert, wire.UpdateAlert{Texts: []wire.CorrectText{{Headline: &headline}}}, "committed")
	require.NoError(t, err)
	require.EqualValues(t, 2, changed.Addressed.Total, "who was called hears the change")
	require.Equal(t, 2, calledOf(d.show(0, sent.Alert).Escalation))
	fleet.proven(revisionOf(changed), 2)
	pass(d, &ahead, 3*time.Minute)
	fleet.proven(revisionOf(changed), 3)
	d.audited("group called", "group 3, because 0 had answered")
}

// pass lets time go by at a node that has nobody to ask: it believes no clock that is set by more than a minute.
func pass(d *district, ahead *atomic.Int64, by time.Duration) {
	d.t.Helper()
	for step := 50 * time.Second; by > 0; by -= step {
		ahead.Add(int64(min(by, step)))
		_, err := d.nodes[0].Services().Status.Status(d.t.Context(), false)
		require.NoError(d.t, err)
	}
}

func sizes(e *acts.Escalation) (out []uint64) {
	for _, g := range e.Groups {
		out = append(out, g.Members)
	}
	return out
}

// calledOf is how many groups were called.
func calledOf(e *acts.Escalation) (n int) {
	for _, g := range e.Groups {
		if !g.Called.IsZero() {
			n++
		}
	}
	return n
}

// All groups are decided on when the alert is sent: what cannot be called is refused then, and who approves
// it approves all of them.
func TestEscalation_IsDecidedOnAsAWholeWhenItIsSent(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	first, second := d.estate("wave-a"), d.estate("wave-b")
	d.enrol("phone", first.Block, 2)
	d.enrol("phone", second.Block, 2)
	warden := d.user(wire.AddUser{Name: "warden", Roles: []string{"composer"}, Places: []string{first.Path}})
	send := func(token string, in wire.SendAlert) *wire.Problem {
		out, err := d.clientWith(0, token).SendAlert(d.ctx(), in, "committed")
		return problemOf(d, out, err)
	}
	p := send(warden, calledFor("come", 1, first, second))
	require.Equal(t, []string{wire.KindForbidden}, []string{p.Kind}, p.Sentence)
	require.Contains(t, p.Sentence, "2 members outside")

	for says, change := range map[string]func(in *wire.SendAlert){
		"1 to 1000":                   func(in *wire.SendAlert) { in.Escalate.Answers = 0 },
		"1 to 1440 minutes":           func(in *wire.SendAlert) { in.Escalate.Minutes = 1441 },
		"1 to 7 further ones":         func(in *wire.SendAlert) { in.Escalate.Groups = make([]string, 8) },
		"1 to 7 further":              func(in *wire.SendAlert) { in.Escalate.Groups = nil },
		"selection of group 2 cannot": func(in *wire.SendAlert) { in.Escalate.Groups = []string{"place under"} },
		"group 3":                     func(in *wire.SendAlert) { in.Escalate.Groups = append(in.Escalate.Groups, "wave = nobody") },
		"minutes between reminders":   func(in *wire.SendAlert) { in.RemindMinutes = -1 },
	} {
		in := calledFor("come", 1, first, second)
		change(&in)
		require.Contains(t, send(d.token, in).Sentence, says)
	}
	in := calledFor("come", 1, first, second)
	in.Select, in.Alert = "", bytes.Replace(in.Alert, []byte(`"areaDesc":"Estate"`), []byte(`"areaDesc":"Estate","polygon":["`+first.Area+`"]`), 1)
	require.Contains(t, send(d.token, in).Sentence, "need a first one")

	require.NoError(t, d.client(0).PutPolicy(d.ctx(), wire.Policy{Rules: []wire.PolicyRule{{Members: 3, Approvals: 1}}}))
	duty := d.user(wire.AddUser{Name: "duty", Roles: []string{"composer"}})
	out, err := d.clientWith(0, duty).SendAlert(d.ctx(), calledFor("come", 1, first, second), "committed")
	require.NoError(t, err)
	require.Equal(t, wire.StatePending, out.State, "both groups together are four")
	require.EqualValues(t, 4, out.Approvals.Why.Members)
}
