package channels

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

var testKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

func testSigner() contract.Signer {
	return contract.Signer{KeyID: contract.KeyID(testKey.Public().(ed25519.PublicKey)), Key: testKey}
}

func testRing(t *testing.T) contract.Ring {
	t.Helper()
	r, err := contract.NewRing(contract.KeyRing{
		Time: noon, Keys: []contract.Key{contract.NewKey("n1", testKey.Public().(ed25519.PublicKey), time.Time{}, time.Time{})},
	})
	require.NoError(t, err)
	return r
}

// recorder is an outlet that keeps everything it was given.
type recorder struct {
	mu  sync.Mutex
	got []*Now
}

// Proves implements channels.Outlet.
func (*recorder) Proves() []receipt.Rung { return nil }

func (r *recorder) Set(n *Now) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, n)
}

func (r *recorder) all() []*Now {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*Now(nil), r.got...)
}

func (r *recorder) last(t *testing.T) *Now {
	t.Helper()
	all := r.all()
	require.NotEmpty(t, all)
	return all[len(all)-1]
}

// bench is a dispatcher with a clock that the test turns.
type bench struct {
	*Dispatcher
	out  *recorder
	time time.Time
	ring contract.Ring
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{out: &recorder{}, time: noon, ring: testRing(t)}
	d, err := NewDispatcher(Options{
		Signer: testSigner(), Node: "n1", Outlets: []Outlet{b.out}, Clock: func() time.Time { return b.time },
	})
	require.NoError(t, err)
	b.Dispatcher = d
	return b
}

func (b *bench) manifest(t *testing.T, n *Now) contract.Manifest {
	t.Helper()
	require.Equal(t, 1, n.Places.Len())
	pages := b.pages(t, n.Of(0))
	require.Len(t, pages, 1)
	require.Zero(t, pages[0].Pages, "a manifest of one page says nothing of pages")
	return pages[0]
}

// pages opens every page of a listing.
func (b *bench) pages(t *testing.T, l *Listing) (pages []contract.Manifest) {
	t.Helper()
	for i, page := range l.Pages {
		require.LessOrEqual(t, len(page), b.options.MaxPage)
		m, err := contract.Open[contract.Manifest](b.ring, page)
		require.NoError(t, err)
		if len(l.Pages) > 1 {
			require.Equal(t, [2]int{i + 1, len(l.Pages)}, [2]int{m.Page, m.Pages})
		}
		require.Equal(t, m.Version, append(pages, m)[0].Version, "one version")
		pages = append(pages, m)
	}
	return pages
}

func (b *bench) body(t *testing.T, d Delivery) contract.Body {
	t.Helper()
	require.LessOrEqual(t, len(d.Body), MaxBody)
	body, err := contract.Open[contract.Body](b.ring, d.Body)
	require.NoError(t, err)
	said, err := json.Marshal(d.Says)
	require.NoError(t, err)
	shown, err := json.Marshal(body)
	require.NoError(t, err)
	require.JSONEq(t, string(shown), string(said), "what channels of texts send is what devices show")
	return body
}

func info(language, severity string, life time.Duration) alert.Info {
	return alert.Info{
		Language: language, Event: "Fire", Urgency: "Immediate", Severity: severity, Certainty: "Observed",
		Headline: "Fire in block 3", Instruction: "Leave by the stairs", Description: "Smoke on floors 4 to 9",
		Expires: alert.NewDateTime(noon.Add(life)), Areas: []alert.Area{{Description: "On Ting Estate"}},
	}
}

func item(id string, status alert.Status, parts []Part, infos ...alert.Info) Item {
	m := &alert.Alert{
		Identifier: id, Sender: "duty@tm", Sent: alert.NewDateTime(noon), Status: status,
		MsgType: alert.MsgTypeAlert, Scope: alert.ScopePublic, Infos: infos,
	}
	return Item{
		Alert: m.Key().ID(), Revision: m.Revision(), Digest: "d-" + id, Expires: noon.Add(time.Hour),
		Status: status, Message: m, Parts: parts,
	}
}

func to(members ...uint32) *roaring.Bitmap { return roaring.BitmapOf(members...) }

func TestSet_SignsBodiesThatDevicesCanOpen(t *testing.T) {
	b := newBench(t)
	it := item("fire", alert.StatusActual, []Part{{Infos: []int{0, 1}, To: to(1, 2)}},
		info("zh-HK", "Extreme", time.Hour), info("en-HK", "Extreme", time.Hour))
	require.NoError(t, b.Set(Situation{InForce: []Item{it}, Keys: []byte("keys")}))

	now := b.out.last(t)
	require.Equal(t, []byte("keys"), now.Keys)
	require.Len(t, now.Active, 1)
	body := b.body(t, now.Active[0])
	require.Equal(t, string(it.Alert), body.Alert)
	require.Equal(t, contract.TierEmergency, body.Tier)
	require.Equal(t, "siren", body.Sound)
	require.Equal(t, "person", body.Confirm)
	require.Len(t, body.Texts, 2)
	require.Equal(t, []string{"On Ting Estate"}, body.Texts[0].Areas)

	m := b.manifest(t, now)
	require.Equal(t, []contract.InForce{{
		ID: string(it.Alert), Revision: uint64(it.Revision), Digest: "d-fire", Expires: noon.Add(time.Hour),
	}}, m.InForce)
	require.Equal(t, body.Digest, m.InForce[0].Digest)
	require.True(t, m.Time.Equal(noon))
}

func TestSet_SignsAPartOnce(t *testing.T) {
	b := newBench(t)
	it := item("fire", alert.StatusActual, []Part{{Infos: []int{0}, To: to(1)}}, info("en", "Severe", time.Hour))
	require.NoError(t, b.Set(Situation{InForce: []Item{it}}))
	first := b.out.last(t)

	b.time = noon.Add(time.Minute)
	it.Parts = []Part{{Infos: []int{0}, To: to(1, 2, 3)}}
	require.NoError(t, b.Set(Situation{InForce: []Item{it}}))
	second := b.out.last(t)
	require.Same(t, &first.Active[0].Body[0], &second.Active[0].Body[0], "the very same bytes")
	require.EqualValues(t, 3, second.Active[0].To.GetCardinality())
	require.EqualValues(t, 1, first.Active[0].To.GetCardinality(), "what was handed over stays as it was")

	require.NoError(t, b.Set(Situation{}))
	require.NoError(t, b.Set(Situation{}))
	require.Empty(t, b.bodies.old, "what is over is forgotten")
	require.Empty(t, b.out.last(t).Active)
}

func TestSet_ANewDigestIsANewBody(t *testing.T) {
	b := newBench(t)
	it := item("fire", alert.StatusActual, []Part{{Infos: []int{0}, To: to(1)}}, info("en", "Severe", time.Hour))
	require.NoError(t, b.Set(Situation{InForce: []Item{it}}))
	it.Digest = "other"
	require.NoError(t, b.Set(Situation{InForce: []Item{it}}))
	require.Equal(t, "other", b.body(t, b.out.last(t).Active[0]).Digest)
}

func TestSet_LoudestFirst(t *testing.T) {
	b := newBench(t)
	part := []Part{{Infos: []int{0}, To: to(1)}}
	require.NoError(t, b.Set(Situation{InForce: []Item{
		item("t", alert.StatusTest, part, info("en", "Extreme", time.Hour)),
		item("d", alert.StatusExercise, part, info("en", "Extreme", time.Hour)),
		item("a", alert.StatusActual, part, info("en", "Minor", time.Hour)),
		item("two", alert.StatusActual, []Part{{Infos: []int{0}, To: to(1)}, {Infos: []int{1}, To: to(2)}},
			info("en", "Minor", time.Hour), info("en", "Extreme", time.Hour)),
	}}))
	var tiers []contract.Tier
	for _, d := range b.out.last(t).Active {
		tiers = append(tiers, b.body(t, d).Tier)
	}
	require.Equal(t, []contract.Tier{"emergency", "advisory", "advisory", "drill", "test"}, tiers)
}

func TestSet_NeverDeliversWhatIsNotForDevices(t *testing.T) {
	part := []Part{{Infos: []int{0}, To: to(1)}}
	good := item("good", alert.StatusActual, part, info("en", "Severe", time.Hour))
	bad := map[string]func(*Item){
		"draft":        func(it *Item) { it.Status, it.Message.Status = alert.StatusDraft, alert.StatusDraft },
		"system":       func(it *Item) { it.Status, it.Message.Status = alert.StatusSystem, alert.StatusSystem },
		"status lies":  func(it *Item) { it.Message.Status = alert.StatusExercise },
		"cancel":       func(it *Item) { it.Message.MsgType = alert.MsgTypeCancel },
		"ack":          func(it *Item) { it.Message.MsgType = alert.MsgTypeAck },
		"no message":   func(it *Item) { it.Message = nil },
		"no info":      func(it *Item) { it.Parts = []Part{{To: to(1)}} },
		"unknown info": func(it *Item) { it.Parts = []Part{{Infos: []int{1}, To: to(1)}} },
	}
	for name, spoil := range bad {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			it := item("bad", alert.StatusActual, part, info("en", "Severe", time.Hour))
			spoil(&it)
			require.ErrorIs(t, b.Set(Situation{InForce: []Item{it, good}}), ErrNotDeliverable)
			now := b.out.last(t)
			require.Len(t, now.Active, 1, "the others go")
			require.Equal(t, good.Alert, now.Active[0].Alert)
		})
	}
}

func TestSet_ExpiredIsHandedOutNoMore(t *testing.T) {
	b := newBench(t)
	it := item("fire", alert.StatusActual, []Part{{Infos: []int{0}, To: to(1)}, {Infos: []int{1}, To: to(2)}},
		info("en", "Severe", time.Minute), info("zh", "Severe", time.Hour))
	require.NoError(t, b.Set(Situation{InForce: []Item{it}}))
	require.Len(t, b.out.last(t).Active, 2)
	require.True(t, b.out.last(t).Active[0].Expires.Equal(noon.Add(time.Minute)), "a block expires by itself")

	b.time = noon.Add(time.Minute)
	b.refresh()
	require.Len(t, b.out.last(t).Active, 1)
	require.Len(t, b.manifest(t, b.out.last(t)).InForce, 1)
	b.time = noon.Add(time.Hour)
	b.refresh()
	require.Empty(t, b.out.last(t).Active)
	require.Empty(t, b.manifest(t, b.out.last(t)).InForce)
}

func TestManifest_VersionsGrowEvenWhenTheClockDoesNot(t *testing.T) {
	b := newBench(t)
	var last uint64
	for i := range 5 {
		b.time = noon.Add(-time.Duration(i) * time.Minute)
		b.refresh()
		m := b.manifest(t, b.out.last(t))
		require.Greater(t, m.Version, last)
		last = m.Version
	}
	require.GreaterOrEqual(t, last, uint64(noon.UnixMilli()), "also across restarts")
}

// TestRun_SendsAManifestEveryTenSeconds runs on a synthetic clock.
func TestRun_SendsAManifestEveryTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &recorder{}
		d, err := NewDispatcher(Options{Signer: testSigner(), Node: "n1", Outlets: []Outlet{out}})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); d.Run(ctx) }()
		synctest.Wait()
		require.Len(t, out.all(), 1, "at once")
		time.Sleep(ManifestEvery - time.Nanosecond)
		synctest.Wait()
		require.Len(t, out.all(), 1)
		time.Sleep(2*ManifestEvery + time.Nanosecond)
		synctest.Wait()
		require.Len(t, out.all(), 4)
		require.NoError(t, d.Set(Situation{Ended: []End{{Ended: contract.Ended{ID: "fire", Revision: 1, At: time.Now()}}}}))
		require.Len(t, out.all(), 5, "and on every change")
		require.NotSame(t, out.all()[3].Of(0), out.last(t).Of(0))
		cancel()
		<-done
		require.Same(t, d.Now(), out.last(t))
	})
}

func TestNewDispatcher_NeedsKeyAndNode(t *testing.T) {
	_, err := NewDispatcher(Options{Node: "n1"})
	require.Error(t, err)
	_, err = NewDispatcher(Options{Signer: testSigner()})
	require.Error(t, err)
}

func BenchmarkSet(b *testing.B) {
	d, err := NewDispatcher(Options{Signer: testSigner(), Node: "n1"})
	require.NoError(b, err)
	var s Situation
	for i := range 20 {
		s.InForce = append(s.InForce, item(strings.Repeat("x", i+1), alert.StatusActual,
			[]Part{{Infos: []int{0}, To: to(1, 2, 3)}}, info("en", "Severe", time.Hour)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Set(s); err != nil {
			b.Fatal(err)
		}
	}
}
