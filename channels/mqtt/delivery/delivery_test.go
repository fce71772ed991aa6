package delivery

import (
	"fmt"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/channeltest"
	"almenara/channels/contract"
	"almenara/channels/mqtt/packet"
	"almenara/storage/alert"
)

// lift is a device that wants everything of its own, and the manifest.
const lift = "almenara/1/device/lift-1/"

// body is an alert for some members.
func body(word string, to ...uint32) channels.Delivery {
	return channels.Delivery{
		Alert: alert.Key{Sender: "test", Identifier: word}.ID(), Revision: 1, Expires: time.Now().Add(time.Hour),
		Body: []byte("body of " + word), To: roaring.BitmapOf(to...),
	}
}

func holds(manifest string, active ...channels.Delivery) *channels.Now {
	return &channels.Now{Listings: channeltest.ToAll([]byte(manifest)), Keys: []byte("key ring"), Active: active}
}

func newPlanner() (*Planner, *Clock) {
	c := NewClock(time.Now(), time.Now)
	return NewPlanner(c), c
}

// newReceiver is a device of 3.1.1 with a window of two that has subscribed.
func newReceiver(t *testing.T, c *Clock, p *Plan, maxPacket int) *Receiver {
	t.Helper()
	r := NewReceiver(c)
	r.Connect(Device{Member: 1, Prefix: lift, Window: 2, MaxPacket: maxPacket})
	for _, filter := range []string{lift + "#", contract.TopicNow, contract.TopicKeys} {
		qos, refusal := r.Grant(packet.Filter{Text: filter, QoS: 2}, p)
		require.Equal(t, packet.CodeSuccess, refusal)
		require.Equal(t, byte(1), qos)
	}
	return &r
}

// payloads are the payloads of all PUBLISHes in b, and the ids of those with QoS 1.
func payloads(t *testing.T, b []byte) (payloads []string, ids []uint16) {
	t.Helper()
	for len(b) > 0 {
		h, size, err := packet.Cut(b, packet.MaxSize)
		require.NoError(t, err)
		require.Positive(t, size)
		p, err := packet.ParsePublish(h.Flags, b[h.Length:size], false)
		require.NoError(t, err)
		payloads = append(payloads, string(p.Payload))
		if p.QoS > 0 {
			ids = append(ids, p.ID)
		}
		b = b[size:]
	}
	return payloads, ids
}

func TestReceiver_IsSentOnceWhatConcernsItWithinItsWindow(t *testing.T) {
	planner, clock := newPlanner()
	plan := planner.Next(&Plan{}, holds("manifest", body("flood", 1), body("fire", 1, 2), body("wind", 1), body("other", 2)))
	r := newReceiver(t, clock, plan, 0)
	require.True(t, r.Lacks(plan))
	var b Batch
	require.False(t, r.AppendLacking(&b, plan))
	got, ids := payloads(t, b.Buf)
	require.Equal(t, []string{"key ring", "body of flood", "body of fire", "manifest"}, got)
	require.Len(t, ids, 2)
	require.True(t, r.WindowFull())
	require.True(t, r.Lacks(plan), "what did not fit the window")
	require.Positive(t, r.OldestInFlight())

	flight, ok := r.Acknowledge(ids[0])
	require.True(t, ok)
	require.Equal(t, plan.active[0].Alert, flight.Alert)
	_, ok = r.Acknowledge(ids[0])
	require.False(t, ok, "an id acknowledges once")
	b.Buf = b.Buf[:0]
	r.AppendLacking(&b, plan)
	got, _ = payloads(t, b.Buf)
	require.Equal(t, []string{"body of wind"}, got)
	require.False(t, r.Lacks(plan))
	require.Len(t, b.Sent(), 3)

	next := planner.Next(plan, holds("manifest", body("flood", 1)))
	b.Buf = b.Buf[:0]
	r.AppendLacking(&b, next)
	require.Empty(t, b.Buf, "the same manifest and a known body are not sent again")
}

func TestReceiver_ReportsBodiesThatItsDeviceCannotTake(t *testing.T) {
	planner, clock := newPlanner()
	large := body("flood", 1)
	large.Body = make([]byte, 200)
	plan := planner.Next(&Plan{}, holds("manifest", large))
	r := newReceiver(t, clock, plan, 128)
	var b Batch
	r.AppendLacking(&b, plan)
	got, _ := payloads(t, b.Buf)
	require.Equal(t, []string{"key ring", "manifest"}, got)
	require.Len(t, b.TooLarge, 1)
	require.Equal(t, 1, b.Rejected)
	require.Empty(t, b.Sent())
}

func TestReceiver_EndAllTellsWhoWaits(t *testing.T) {
	_, clock := newPlanner()
	r := newReceiver(t, clock, &Plan{}, 0)
	done := make(chan error, 1)
	r.Add(InFlight{Done: done})
	r.EndAll(fmt.Errorf("gone"))
	require.EqualError(t, <-done, "gone")
}

func TestPlanner_RemembersExpiredRevisionsNoLonger(t *testing.T) {
	planner, _ := newPlanner()
	old := body("old", 1)
	old.Expires = old.Expires.AddDate(-1, 0, 0)
	plan := planner.Next(&Plan{}, holds("1", old, body("flood", 1)))
	plan = planner.Next(plan, holds("2"))
	require.Len(t, planner.known, 1)
	require.Len(t, plan.known, 1)
}

func TestWindow_DoesNotReuseAnIDInFlight(t *testing.T) {
	w := window{lastID: 65_533}
	var ids []uint16
	for range 4 {
		ids = append(ids, w.add(InFlight{}, 1))
	}
	require.Equal(t, []uint16{65_534, 65_535, 1, 2}, ids)
	w.lastID = 65_533
	require.Equal(t, uint16(3), w.add(InFlight{}, 1))
	f, ok := w.remove(65_535)
	require.True(t, ok)
	require.Equal(t, uint16(65_535), f.id)
}

func TestReceiver_AllocatesNothingPerDelivery(t *testing.T) {
	planner, clock := newPlanner()
	plan := planner.Next(&Plan{}, holds("manifest"))
	r := newReceiver(t, clock, plan, 0)
	plans := make([]*Plan, 101)
	to := roaring.BitmapOf(1)
	for i := range plans {
		d := body(fmt.Sprint(i))
		d.To = to
		plan = planner.Next(plan, holds(fmt.Sprint(i), d))
		plans[i] = plan
	}
	var b Batch
	round := 0
	allocated := testing.AllocsPerRun(100, func() {
		b.Buf = b.Buf[:0]
		r.AppendLacking(&b, plans[round])
		round++
		r.Acknowledge(r.lastID)
		b.ClearSent()
	})
	require.LessOrEqual(t, allocated, 1.0, "the list of what was sent grows now and then")
}

func TestMatches_IsTheStandardsMatching(t *testing.T) {
	for _, test := range []struct {
		filter, topic string
		want          bool
	}{
		{"#", "alert/a", true}, {"+/+", "alert/a", true}, {"alert/#", "alert/a", true},
		{"alert/+", "alert/a", true}, {"+", "alert/a", false}, {"alert", "alert/a", false},
		{"alert/a/#", "alert/a", true}, {"alert/a/+", "alert/a", false}, {"alert/b", "alert/a", false},
		{"command", "command", true}, {"+", "command", true}, {"alert/+/+", "alert/a", false},
	} {
		require.Equal(t, test.want, Matches(test.filter, test.topic), "%s %s", test.filter, test.topic)
	}
}
