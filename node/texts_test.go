package node_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/device"
	"almenara/node"
	"almenara/node/authority"
	"almenara/node/client"
	"almenara/node/wire"
)

// long is the bulletin with a text of 170 KiB, nearly all that a fact can hold.
func (b bulletin) long() []byte {
	text := "<description>" + strings.Repeat("Water rises in the river. ", 170<<10/26) + "</description>"
	return bytes.ReplaceAll(b.xml(), []byte("<instruction>Stay"), []byte(text+"<instruction>Stay"))
}

// long posts the bulletin.
func (d *district) long(c *client.Client, b bulletin, wait string) wire.Outcome {
	d.t.Helper()
	out, err := c.TakeCAP(d.ctx(), b.long(), "", wait)
	require.NoError(d.t, err)
	return out
}

// settled waits until so many messages are in memory with what they say.
func (d *district) settled(most int) {
	d.t.Helper()
	for _, i := range d.live() {
		d.eventually("texts are given up", func() bool { return d.nodes[i].TextsHeld() <= most })
	}
}

// Of an alert with many long Updates the last is in memory; whatever is asked of the others is
// answered all the same.
func TestTexts_OfManyUpdatesAreReadWhereTheyAreAsked(t *testing.T) {
	t.Parallel()
	const updates = 30
	d := newDistrict(t, 1)
	people := d.staff()
	here, there := d.estate("flooded"), d.estate("dry")
	fleet := d.fleet(append(d.enrol("screen", here.Block, 2), d.enrol("screen", there.Block, 1)...)...)
	local := d.clientWith(0, d.user(wire.AddUser{Name: "local", Roles: []string{authority.RoleComposer}, Places: []string{here.Path}}))
	viewer := d.clientWith(0, d.user(wire.AddUser{Name: "viewer", Roles: []string{authority.RoleViewer}}))
	feed := d.clientWith(0, people.feed)

	first := warning("flood", "<areaDesc>Both</areaDesc><polygon>"+here.Area+"</polygon><polygon>"+there.Area+"</polygon>")
	first.Sent = first.Sent.Add(-time.Hour)
	sent := d.long(feed, first, "committed")
	require.EqualValues(t, 3, sent.Addressed.Total)
	last := first
	for i := range updates {
		next := last.update(fmt.Sprint("update ", i))
		next.Identifier, next.Area = fmt.Sprint("update-", i), polygon(here.Area)
		d.long(feed, next, "committed")
		last = next
	}
	d.settled(1)

	shown := d.show(0, sent.Alert)
	require.Len(t, shown.Messages, updates+1)
	require.Equal(t, "flood（中文）", shown.Messages[0].Headline)
	require.EqualValues(t, 3, shown.Messages[0].Addressed)
	for i, m := range shown.Messages[1:] {
		require.Equal(t, fmt.Sprintf("update %d（中文）", i), m.Headline)
		require.EqualValues(t, 2, m.Addressed)
		require.Equal(t, "feed", m.Author)
	}
	require.NotEmpty(t, shown.Messages[updates].Texts)
	fleet.proven(device.Revision{Alert: shown.ID, Revision: shown.Revision}, 2)

	// Authority over the alert is authority over all that it ever addressed.
	try := byJSON("by the block", "place under "+here.Path)
	try.Alert = fmt.Appendf(nil, `{"msgType":"Update","references":%q,%s`, last.key(), try.Alert[1:])
	p := d.said(local.SendAlert(d.ctx(), try, ""))
	require.Equal(t, wire.KindForbidden, p.Kind)
	require.Contains(t, p.Sentence, "also addresses 1 members outside")

	// A message that is known is known, and one that takes its name is not.
	again, err := feed.TakeCAP(d.ctx(), first.long(), "", "")
	require.NoError(t, err)
	require.True(t, again.Duplicate)
	other := first
	other.Headline = "Nothing happens"
	require.Equal(t, wire.KindConflict, d.said(feed.TakeCAP(d.ctx(), other.long(), "", "")).Kind)

	// Whoever may, approves what waits beside it, and corrects what stands.
	d.strict(1)
	waits := d.corrected(d.clientWith(0, people.duty), sent.Alert, "Leave now")
	require.Equal(t, wire.StatePending, waits.State)
	approved, err := d.clientWith(0, people.second).ApproveAlert(d.ctx(), waits.Alert, wire.Approve{}, "committed")
	require.NoError(t, err)
	require.Equal(t, wire.StateInForce, approved.State)
	require.Equal(t, wire.StateInForce, d.corrected(d.clientWith(0, people.duty), sent.Alert, "Leave at once").State)
	_, err = viewer.AlertReceipts(d.ctx(), sent.Alert, wire.ReceiptQuery{Rung: "presented"})
	require.NoError(t, err)
	d.settled(1)

	// After a start it is all the same.
	before := d.show(0, sent.Alert)
	d.stop(0)
	d.start(0)
	d.awaitOn(0, func(s wire.Status) bool { return s.Ready })
	d.settled(1)
	after := d.show(0, sent.Alert)
	for i := range before.Messages { // receipts come in meanwhile
		before.Messages[i].Rungs, after.Messages[i].Rungs = nil, nil
	}
	require.Equal(t, before.Messages, after.Messages)
	require.Equal(t, wire.StateInForce, after.State)
	require.Equal(t, wire.StateInForce, d.corrected(d.clientWith(0, people.duty), sent.Alert, "Leave at last").State)
	whole, err := d.client(0).AlertMessage(d.ctx(), sent.Alert)
	require.NoError(t, err)
	require.Contains(t, string(whole), "Leave at last")
	over, err := d.client(0).CancelAlert(d.ctx(), sent.Alert, wire.CancelAlert{Reason: "over"}, "committed")
	require.NoError(t, err)
	require.Equal(t, wire.StateCancelled, over.State)
	d.settled(0)
	require.Equal(t, "Leave at last", d.show(0, sent.Alert).Headline)
}

// corrected gives the alert another headline.
func (d *district) corrected(c *client.Client, id, headline string) wire.Outcome {
	d.t.Helper()
	out, err := c.CorrectAlert(d.ctx(), id, wire.CorrectAlert{Texts: []wire.CorrectText{
		{Language: "en", Headline: &headline}, {Language: "zh-HK", Headline: &headline},
	}}, "committed")
	require.NoError(d.t, err)
	return out
}

// Two halves update one alert; when they meet every node has the same last message in memory, and
// says the same of all others.
func TestTexts_OfTwoHalvesThatMeet(t *testing.T) {
	t.Parallel()
	links := newWires()
	d := newTuned(t, 3, func(_ int, o *node.Options) { o.Dial = links.lay(o.Internode) })
	people := d.staff()
	here := d.estate("parted-texts")
	first := warning("tide", polygon(here.Area))
	first.Sent = first.Sent.Add(-time.Hour)
	sent := d.long(d.clientWith(0, people.feed), first, "committed")
	d.everywhere(sent.Alert, "in force", func(a wire.Alert) bool {
		return a.State == wire.StateInForce && a.Replication == wire.ReplicationCommitted
	})
	links.isolate(d.opts[2].Internode)
	d.awaitOn(2, func(s wire.Status) bool { return !s.Quorum && s.Alone })
	d.awaitOn(0, func(s wire.Status) bool { return s.Quorum })
	last := map[int]bulletin{0: first, 2: first}
	for i := range 12 {
		side := []int{0, 2}[i%2]
		next := last[side].update(fmt.Sprint("tide ", i))
		next.Identifier, next.Sent = fmt.Sprint("tide-", i), first.Sent.Add(time.Duration(i+1)*time.Minute)
		d.long(d.clientWith(side, people.feed), next, "")
		last[side] = next
	}
	require.Equal(t, "tide 10（中文）", d.show(0, sent.Alert).Headline)
	require.Equal(t, "tide 11（中文）", d.show(2, sent.Alert).Headline)
	d.eventually("the first one is given up, and what is only in its journal stays in memory", func() bool { return d.nodes[2].TextsHeld() == 6 })
	links.isolate()
	d.await(func(s wire.Status) bool { return s.Ready && s.Quorum && s.PendingFacts == 0 })
	d.everywhere(sent.Alert, "one alert", func(a wire.Alert) bool { return len(a.Messages) == 13 && a.Headline == "tide 11（中文）" })
	d.settled(1)
	want := d.show(0, sent.Alert)
	for _, i := range d.live() {
		d.eventually("the same", func() bool {
			a := d.show(i, sent.Alert)
			for n := range a.Messages {
				if a.Messages[n].Headline != want.Messages[n].Headline || a.Messages[n].Digest != want.Messages[n].Digest {
					return false
				}
			}
			return a.State == want.State
		})
	}
}

// What somebody has in force has bounds in bytes, too; what is short is always heard.
func TestTexts_OfOneSenderHaveBounds(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("long-texts")
	d.enrol("screen", here.Block, 1)
	composer := d.clientWith(0, d.user(wire.AddUser{Name: "writer", Roles: []string{authority.RoleComposer}}))
	taken := 0
	var refused *wire.Problem
	for i := range 50 {
		b := warning(fmt.Sprint("long-", i), polygon(here.Area))
		b.Sender = "writer@example.hk"
		out, err := composer.TakeCAP(d.ctx(), b.long(), "", "")
		if err != nil {
			refused = problemOf(d, out, err)
			out, err = composer.PreviewCAP(d.ctx(), b.long(), "")
			require.Equal(t, wire.KindOverBudget, problemOf(d, out, err).Kind, "a dry run says so")
			break
		}
		taken++
	}
	require.NotNil(t, refused)
	require.Equal(t, wire.KindOverBudget, refused.Kind)
	require.Positive(t, refused.RetryAfter)
	require.Contains(t, refused.Sentence, "6.0 MiB are the most that one sender may")
	require.Equal(t, 35, taken)
	_, err := composer.SendAlert(d.ctx(), byJSON("short", "place under "+here.Path), "")
	require.NoError(t, err)
	_, err = d.client(0).TakeCAP(d.ctx(), warning("another", polygon(here.Area)).long(), "", "")
	require.NoError(t, err)
}

// An alert that has been updated many times is corrected like any other.
func TestCorrectAlert_AfterManyUpdates(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	here := d.estate("often")
	b := warning("often", polygon(here.Area))
	b.Sent = b.Sent.Add(-time.Hour)
	sent := d.post(0, b, "", "committed")
	for i := range 110 {
		next := b.update(fmt.Sprint("often ", i))
		next.Identifier = fmt.Sprint("often-", i)
		d.post(0, next, "", "")
		b = next
	}
	out := d.corrected(d.client(0), sent.Alert, "At last")
	require.Equal(t, wire.StateInForce, out.State)
	require.Equal(t, sent.Alert, out.Alert)
	require.Equal(t, "At last", d.show(0, sent.Alert).Headline)
}
