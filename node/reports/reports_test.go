package reports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/records/recordstest"
	"almenara/node/replication"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audience"
	"almenara/storage/factbody"
)

var noon = time.Date(2026, 7, 20, 12, 0, 0, 0, time.UTC)

const flood = "abcdefghijklmnopqrstuvwxyz"

// station is a district with two members in each of two blocks, and as much of a node as takes reports.
type station struct {
	*Reports
	t     *testing.T
	now   time.Time
	alone bool
	old   error
	disk  error // of facts
	room  error // of photos

	mu     sync.Mutex
	made   []fact.Fact
	photos map[string][]byte // by sum
	named  int               // photos that facts named
}

func (s *station) Create(_ context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error) {
	if s.disk != nil {
		return nil, s.disk
	}
	f := fact.Fact{Kind: kind, Stream: stream, Body: body, Origin: "a"}
	s.mu.Lock()
	s.made = append(s.made, f)
	n := len(s.made)
	s.mu.Unlock()
	_, ok := s.o.Book.Learn(f)
	require.True(s.t, ok)
	return &exchange.Progress{ID: fact.ID{byte(n)}}, nil
}

func (s *station) LearnPhoto(string, factbody.Report) { s.named++ }

func (s *station) TakePhoto(raw []byte) (func(), error) {
	if s.room != nil {
		return nil, s.room
	}
	s.photos[string(raw)] = raw
	return func() {}, nil
}

func (s *station) ReadPhoto(_ context.Context, p factbody.Photo) ([]byte, error) {
	for _, raw := range s.photos {
		if int64(len(raw)) == p.Size {
			return raw, nil
		}
	}
	return nil, wire.Problemf(wire.KindNotFound, "gone")
}

func newStation(t *testing.T) *station {
	t.Helper()
	s := &station{t: t, now: noon, alone: true, photos: map[string][]byte{}}
	clock := func() time.Time { return s.now }
	log := recordstest.New(t, clock)
	var raw [][]byte
	for _, m := range []string{"one/1", "one/2", "two/1", "two/2"} {
		raw = append(raw, audience.EncodeMember(&audience.Member{ID: m[:3] + m[4:], Name: "Chan " + m, Kind: audience.KindScreen, Place: audience.Path("d/" + m[:3])}))
	}
	_, err := log.Propose(t.Context(), "chief", &command.PutMembers{Members: raw})
	require.NoError(t, err)
	rules := authority.New(authority.Sources{
		Agreed: log.State.Authority, Audience: log.State.Index, Clock: clock, Sender: func() string { return "almenara.d" },
		Users: func() ([]storage.User, error) { return nil, nil }, Alone: func() authority.Loneliness { return authority.Loneliness{} },
	})
	s.Reports = New(Options{
		Book: NewBook(nil, s, clock), Photos: s, Rules: rules, Exchange: s, Progress: replication.New(func(string) (bool, error) { return false, nil }), Store: log.Store, Audience: log.State.Index,
		AlertIDs: func(id string) ([]string, error) {
			if id != flood[:4] && id != flood {
				return nil, wire.Problemf(wire.KindNotFound, "no alert")
			}
			return []string{flood, "zzzzzzzzzzzzzzzzzzzzzzzzzz"}, nil
		},
		Understood: func(context.Context, uint64) error { return s.old }, Alone: func() bool { return s.alone }, Clock: clock,
	})
	t.Cleanup(s.Close)
	return s
}

// tell has a device report, and gives what it is answered.
func (s *station) tell(member uint32, r contract.Report) error {
	s.t.Helper()
	raw, err := json.Marshal(r)
	require.NoError(s.t, err)
	read, err := contract.ParseReport(raw)
	require.NoError(s.t, err)
	answer := make(chan error, 1)
	s.Report(channels.Endpoint{Device: fmt.Sprint("phone-", member), Member: member}, read, func(err error) { answer <- err })
	select {
	case err := <-answer:
		return err
	case <-time.After(20 * time.Second):
		s.t.Fatal("a device waits for its answer for ever")
		return nil
	}
}

func (s *station) id(n int) string { return fmt.Sprintf("report-%09d", n) }

var (
	amy    = authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}}
	viewer = authority.Caller{Name: "vic", Roles: []string{authority.RoleViewer}}
	keeper = authority.Caller{Name: "kay", Roles: []string{authority.RoleAudienceManager}}
)

func TestReport_IsTakenOnceAndShown(t *testing.T) {
	s := newStation(t)
	in := contract.Report{
		ID: s.id(1), Kind: contract.ReportNeedHelp, Alert: flood, At: noon.Add(-time.Hour), Text: "煙 smoke", Place: "12/F",
		Position: &contract.Position{Lat: 22.391, Lon: -113.977, Accuracy: 14.2}, Photo: picture(t, 64, 48),
	}
	require.NoError(t, s.tell(0, in))
	require.NoError(t, s.tell(0, in), "a device that heard no answer sends it again")
	require.Len(t, s.made, 1)
	require.Equal(t, fact.Receipts, s.made[0].Stream, "reports take no room of alerts")
	require.NoError(t, s.tell(1, in), "another device's report of the same id is another one")
	require.Len(t, s.made, 2)

	page, err := s.ListReports(t.Context(), amy, reported.Query{Alert: flood[:4]})
	require.NoError(t, err)
	require.Equal(t, []int{2, 2, 2}, []int{len(page.Reports), page.New, page.NeedHelp})
	id := factbody.ReportID("phone-0", in.ID)
	got, err := s.ShowReport(t.Context(), amy, id)
	require.NoError(t, err)
	require.Equal(t, reported.PersonReport{
		ID: id, Kind: reported.NeedHelp, Handling: reported.New, Alert: flood, Member: "one1", Place: "d/one", Device: "phone-0", At: noon.Add(-time.Hour), Taken: noon, Text: "煙 smoke", Where: "12/F",
		Position: &reported.Spot{Lat: 22.391, Lon: -113.977, AccuracyMeters: 15}, Photo: &reported.Picture{Bytes: got.Photo.Bytes, Width: 64, Height: 48},
	}, got)
	raw, err := s.ReportPhoto(t.Context(), amy, id)
	require.NoError(t, err)
	require.Len(t, raw, int(got.Photo.Bytes))
	_, err = s.ReportPhoto(t.Context(), amy, "nobody")
	require.Equal(t, wire.KindNotFound, kindOf(t, err))
}

func kindOf(t *testing.T, err error) wire.Kind {
	t.Helper()
	var p *wire.Problem
	require.ErrorAs(t, err, &p)
	return p.Kind
}

func TestReport_IsAcknowledgedOnlyOnceItIsDurable(t *testing.T) {
	s := newStation(t)
	in := contract.Report{ID: s.id(1), Kind: contract.ReportHazard}
	s.alone, s.patience = false, 100*time.Millisecond // nothing answers for the majority
	require.Error(t, s.tell(0, in))
	require.Len(t, s.made, 1)
	require.Error(t, s.tell(0, in), "the same, and it is still not agreed")
	require.Len(t, s.made, 1, "no second fact")
	s.alone = true
	require.NoError(t, s.tell(0, in))

	s.disk = errors.New("the disk is broken")
	err := s.tell(0, contract.Report{ID: s.id(2), Kind: contract.ReportHazard})
	require.ErrorIs(t, err, s.disk)
	s.disk, s.old = nil, wire.Problemf(wire.KindRefused, "some nodes are not upgraded")
	require.ErrorIs(t, s.tell(0, contract.Report{ID: s.id(3), Kind: contract.ReportHazard}), s.old)
	s.old, s.room = nil, wire.Problemf(wire.KindBusy, "the disk is full")
	require.ErrorIs(t, s.tell(0, contract.Report{ID: s.id(4), Kind: contract.ReportHazard, Photo: picture(t, 8, 8)}), s.room)
	require.Len(t, s.made, 1)
}

func TestReport_ThatIsNoneIsRefusedForGood(t *testing.T) {
	s := newStation(t)
	require.ErrorIs(t, s.tell(0, contract.Report{ID: s.id(1), Kind: contract.ReportHazard, Photo: []byte("<!doctype html>")}), mqtt.ErrPayload)
	require.Empty(t, s.made)
	require.Empty(t, s.photos)
}

func TestReport_BelievesPlausibleTimesOnly(t *testing.T) {
	for at, want := range map[time.Time]time.Time{
		{}:                             noon,
		noon.Add(-6 * 24 * time.Hour):  noon.Add(-6 * 24 * time.Hour),
		noon.Add(-8 * 24 * time.Hour):  noon,
		noon.Add(10 * time.Second):     noon,
		noon.Add(365 * 24 * time.Hour): noon,
	} {
		require.Equal(t, want, believed(at, noon), at)
	}
}

// A phone that floods is told so, and takes nobody's room.
func TestReport_FloodOfOneMemberTakesNobodysRoom(t *testing.T) {
	s := newStation(t)
	var refused int
	for n := range 3 * hourly {
		if err := s.tell(0, contract.Report{ID: s.id(n), Kind: contract.ReportNeedHelp}); err != nil {
			require.ErrorIs(t, err, mqtt.ErrTooMany)
			refused++
		}
	}
	require.Equal(t, 2*hourly, refused)
	require.NoError(t, s.tell(0, contract.Report{ID: s.id(0), Kind: contract.ReportNeedHelp}), "what was taken is acknowledged again, whatever came after it")
	require.NoError(t, s.tell(1, contract.Report{ID: s.id(1), Kind: contract.ReportHazard}))
	s.now = noon.Add(time.Hour + time.Second)
	require.NoError(t, s.tell(0, contract.Report{ID: s.id(1000), Kind: contract.ReportHazard}), "an hour later it may again")
}

// Many who report keep half of the room for who needs help.
func TestReport_HelpIsHeardWhereOthersAreRefused(t *testing.T) {
	s := newStation(t)
	for n := range hourlyAll {
		learn(t, s.o.Book, report(uint32(100+n), n, noon))
	}
	require.ErrorIs(t, s.tell(0, contract.Report{ID: s.id(1), Kind: contract.ReportDamage}), mqtt.ErrTooMany)
	require.NoError(t, s.tell(0, contract.Report{ID: s.id(2), Kind: contract.ReportNeedHelp}))
	for n := range hourlyAll {
		learn(t, s.o.Book, report(uint32(1000+n), 1000+n, noon))
	}
	require.ErrorIs(t, s.tell(0, contract.Report{ID: s.id(3), Kind: contract.ReportNeedHelp}), mqtt.ErrTooMany)
}

// Two packets at one moment never pass the bound together.
func TestReport_IsBoundedAlsoAtOneMoment(t *testing.T) {
	s := newStation(t)
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() { _ = s.tell(0, contract.Report{ID: s.id(n), Kind: contract.ReportHazard}) })
	}
	wg.Wait()
	require.Len(t, s.made, hourly)
}

func TestPosition_NewestCountsAndBelongsToItsAlert(t *testing.T) {
	s := newStation(t)
	at := func(n int, lat float64) contract.Report {
		return contract.Report{ID: s.id(n), Kind: contract.ReportPosition, Alert: flood, Position: &contract.Position{Lat: lat, Lon: 1}}
	}
	require.NoError(t, s.tell(0, at(1, 1)))
	require.ErrorIs(t, s.tell(0, at(2, 2)), mqtt.ErrTooMany, "that is too soon")
	require.NoError(t, s.tell(1, at(3, 3)))
	s.now = noon.Add(between)
	require.NoError(t, s.tell(0, at(4, 4)))
	page, err := s.ListReports(t.Context(), keeper, reported.Query{Alert: flood})
	require.NoError(t, err)
	require.Empty(t, page.Reports, "a position is no report")
	require.Equal(t, []reported.Responder{
		{Member: "one1", Name: "Chan one/1", Alert: flood, At: s.now, Position: reported.Spot{Lat: 4, Lon: 1}},
		{Member: "one2", Name: "Chan one/2", Alert: flood, At: noon, Position: reported.Spot{Lat: 3, Lon: 1}},
	}, page.Responders)
	page, err = s.ListReports(t.Context(), amy, reported.Query{})
	require.NoError(t, err)
	require.Empty(t, page.Responders, "of one alert only")
}

func TestListReports_ShowsNamesToWhoMayReadThemAndNothingToViewers(t *testing.T) {
	s := newStation(t)
	require.NoError(t, s.tell(0, contract.Report{ID: s.id(1), Kind: contract.ReportHazard}))
	for by, want := range map[*authority.Caller]string{&amy: "", &keeper: "Chan one/1"} {
		page, err := s.ListReports(t.Context(), *by, reported.Query{})
		require.NoError(t, err)
		require.Equal(t, want, page.Reports[0].Name, by.Name)
	}
	id := factbody.ReportID("phone-0", s.id(1))
	_, err := s.ListReports(t.Context(), viewer, reported.Query{})
	require.Equal(t, wire.KindForbidden, kindOf(t, err))
	_, err = s.ShowReport(t.Context(), viewer, id)
	require.Equal(t, wire.KindForbidden, kindOf(t, err))
	_, err = s.ReportPhoto(t.Context(), viewer, id)
	require.Equal(t, wire.KindForbidden, kindOf(t, err))
	_, err = s.ModerateReport(t.Context(), viewer, id, reported.Moderate{Handling: reported.Seen}, wire.WaitLocal)
	require.Equal(t, wire.KindForbidden, kindOf(t, err))
}

func TestListReports_ByPlaceStateAndKindInPages(t *testing.T) {
	s := newStation(t)
	for n := range uint32(4) {
		s.now = noon.Add(time.Duration(n) * time.Second)
		kind := contract.ReportHazard
		if n == 3 {
			kind = contract.ReportNeedHelp
		}
		require.NoError(t, s.tell(n, contract.Report{ID: s.id(int(n)), Kind: kind}))
	}
	members := func(q reported.Query) (out []string, next string) {
		t.Helper()
		page, err := s.ListReports(t.Context(), amy, q)
		require.NoError(t, err)
		for _, r := range page.Reports {
			out = append(out, r.Member)
		}
		return out, page.Next
	}
	first, next := members(reported.Query{Limit: 3})
	require.Equal(t, []string{"two2", "two1", "one2"}, first, "the newest first")
	rest, next := members(reported.Query{Limit: 3, After: next})
	require.Equal(t, []string{"one1"}, rest)
	require.Empty(t, next)
	of, _ := members(reported.Query{Place: "d/two"})
	require.Equal(t, []string{"two2", "two1"}, of)
	of, _ = members(reported.Query{Kind: reported.NeedHelp})
	require.Equal(t, []string{"two2"}, of)
	hidden := factbody.ReportID("phone-3", s.id(3))
	_, err := s.ModerateReport(t.Context(), amy, hidden, reported.Moderate{Handling: reported.Hidden}, wire.WaitLocal)
	require.NoError(t, err)
	of, _ = members(reported.Query{})
	require.Equal(t, []string{"two1", "one2", "one1"}, of, "what is hidden is listed to who asks for it")
	of, _ = members(reported.Query{Handling: reported.Hidden})
	require.Equal(t, []string{"two2"}, of)
	for _, q := range []reported.Query{{Handling: "gone"}, {Kind: "position"}} {
		_, err = s.ListReports(t.Context(), amy, q)
		require.Equal(t, wire.KindMalformed, kindOf(t, err))
	}
	_, err = s.ListReports(t.Context(), amy, reported.Query{Alert: "none"})
	require.Equal(t, wire.KindNotFound, kindOf(t, err))
}

// Who is limited to places is told nothing of what was reported elsewhere: not that it is there, not how
// many there are, and not where who attached a position is.
func TestReports_OfOtherPlacesAreNotForWhoIsLimited(t *testing.T) {
	s := newStation(t)
	for n := range uint32(4) {
		require.NoError(t, s.tell(n, contract.Report{ID: s.id(int(n)), Kind: contract.ReportNeedHelp, Alert: flood}))
		s.now = s.now.Add(time.Second)
		require.NoError(t, s.tell(n, contract.Report{ID: s.id(int(n) + 10), Kind: contract.ReportPosition, Alert: flood, Position: &contract.Position{Lat: 22.4, Lon: 114}}))
	}
	ben := amy
	ben.Places = []string{"d/two"}
	page, err := s.ListReports(t.Context(), ben, reported.Query{Alert: flood})
	require.NoError(t, err)
	require.Len(t, page.Reports, 2)
	require.Equal(t, [2]int{2, 2}, [2]int{page.New, page.NeedHelp})
	require.Len(t, page.Responders, 2)
	for i := range page.Reports {
		require.Equal(t, "d/two", page.Reports[i].Place)
		require.Contains(t, page.Responders[i].Member, "two")
	}
	page, err = s.ListReports(t.Context(), ben, reported.Query{Place: "d/one"})
	require.NoError(t, err)
	require.Empty(t, page.Reports)
	for n, kind := range map[int]string{0: wire.KindNotFound, 3: ""} {
		id := factbody.ReportID(fmt.Sprint("phone-", n), s.id(n))
		_, err := s.ShowReport(t.Context(), ben, id)
		_, photo := s.ReportPhoto(t.Context(), ben, id)
		require.Equal(t, wire.KindNotFound, kindOf(t, photo), "none has a photo")
		if kind == "" {
			require.NoError(t, err)
			require.Equal(t, why.NoPhoto, photo.(*wire.Problem).Why.Reason)
			continue
		}
		require.Equal(t, kind, kindOf(t, err))
		require.Equal(t, why.NoReport, photo.(*wire.Problem).Why.Reason, "not even whether it has one is told")
	}
}

func TestModerate_IsAFactThatSaysWhoAndWhen(t *testing.T) {
	s := newStation(t)
	require.NoError(t, s.tell(0, contract.Report{ID: s.id(1), Kind: contract.ReportHazard}))
	id := factbody.ReportID("phone-0", s.id(1))
	s.now = noon.Add(time.Minute)
	got, err := s.ModerateReport(t.Context(), amy, id, reported.Moderate{Handling: reported.Forwarded, Note: "to the fire brigade"}, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, []any{reported.Forwarded, "amy", s.now, "to the fire brigade"}, []any{got.Handling, got.By, got.Moderated, got.Note})
	require.Len(t, s.made, 2)
	require.Equal(t, fact.Alerts, s.made[1].Stream)
	_, err = s.ModerateReport(t.Context(), amy, id, reported.Moderate{Handling: reported.Forwarded}, wire.WaitLocal)
	require.NoError(t, err)
	require.Len(t, s.made, 2, "a button that is pressed twice says nothing new")
	got, err = s.ModerateReport(t.Context(), amy, id, reported.Moderate{Handling: reported.Seen}, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, reported.Seen, got.Handling, "the last word counts, also within a millisecond")

	elsewhere := amy
	elsewhere.Places = []string{"d/two"}
	_, err = s.ModerateReport(t.Context(), elsewhere, id, reported.Moderate{Handling: reported.Hidden}, wire.WaitLocal)
	require.Equal(t, wire.KindForbidden, kindOf(t, err))
	for _, in := range []reported.Moderate{{Handling: "gone"}, {Handling: reported.Seen, Note: string(make([]byte, 501))}} {
		_, err = s.ModerateReport(t.Context(), amy, id, in, wire.WaitLocal)
		require.Equal(t, wire.KindMalformed, kindOf(t, err))
	}
	_, err = s.ModerateReport(t.Context(), amy, "none", reported.Moderate{Handling: reported.Seen}, wire.WaitLocal)
	require.Equal(t, wire.KindNotFound, kindOf(t, err))
}

type facts []fact.Fact

func (f facts) KeptBefore(kind fact.Kind, index uint64, _ uint16, limit int) (out []agreed.KeptFact, err error) {
	from := len(f) - 1
	if index > 0 {
		from = int(index) - 2
	}
	for i := from; i >= 0 && len(out) < limit; i-- {
		if f[i].Kind == kind {
			out = append(out, agreed.KeptFact{Index: uint64(i + 1), Fact: f[i]})
		}
	}
	return out, nil
}

func (facts) AgreedAt(uint64) (at time.Time, ok bool, err error) { return at, false, nil }

func atNoon() time.Time { return noon }

type noPhotos struct{}

func (noPhotos) LearnPhoto(string, factbody.Report) {}

// body is something that becomes a fact.
type body interface{ Encode() ([]byte, error) }

func factOf(t testing.TB, b body) fact.Fact {
	t.Helper()
	raw, err := b.Encode()
	require.NoError(t, err)
	kind := fact.KindReport
	if _, ok := b.(factbody.Moderation); ok {
		kind = fact.KindModeration
	}
	return fact.Fact{Kind: kind, Body: raw}
}

func learn(t testing.TB, b *Book, all ...body) {
	t.Helper()
	for _, one := range all {
		_, ok := b.Learn(factOf(t, one))
		require.True(t, ok)
	}
}

func report(member uint32, n int, at time.Time) factbody.Report {
	device := fmt.Sprint("phone-", member)
	return factbody.Report{Report: factbody.ReportID(device, fmt.Sprint(n)), Device: device, Member: member, Kind: factbody.ReportHazard, At: at.UnixMilli(), Taken: at.UnixMilli()}
}

// In whatever order facts come, and however often, every node says the same.
func TestBook_IsTheSameInEveryOrder(t *testing.T) {
	one, twice := report(1, 1, noon), report(1, 1, noon.Add(time.Second))
	twice.Text = "told at another node as well"
	early := factbody.Moderation{Report: one.Report, State: factbody.ReportSeen, By: "amy", At: 5}
	late := factbody.Moderation{Report: one.Report, State: factbody.ReportHidden, By: "bob", At: 6}
	same := factbody.Moderation{Report: one.Report, State: factbody.ReportForwarded, By: "amy", At: 6}
	all := []body{one, twice, early, late, same}
	for range 30 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		b := NewBook(nil, noPhotos{}, atNoon)
		learn(t, b, all...)
		learn(t, b, all[0])
		got, last, ok := b.one(one.Report)
		require.True(t, ok)
		require.Equal(t, one, got, "the first that was taken counts")
		require.Equal(t, same, *last)
	}
	b := NewBook(facts{factOf(t, late), factOf(t, one), factOf(t, early)}, noPhotos{}, atNoon)
	require.NoError(t, b.Recall())
	_, last, ok := b.one(one.Report)
	require.True(t, ok)
	require.Equal(t, late, *last)
	for _, f := range []fact.Fact{{Kind: fact.KindReport, Body: []byte("x")}, {Kind: fact.KindModeration, Body: []byte("x")}, {Kind: fact.KindAlert}} {
		_, ok := b.Learn(f)
		require.False(t, ok)
	}
}

func TestBook_KeepsBoundedMemoryAndAMembersOwnGoFirst(t *testing.T) {
	b := NewBook(nil, noPhotos{}, func() time.Time { return noon.Add(2 * time.Hour) })
	first := report(1, 0, noon)
	learn(t, b, first)
	for n := range 4 * mostOfMember {
		learn(t, b, report(2, n, noon.Add(time.Duration(n)*time.Second)))
	}
	_, _, ok := b.one(first.Report)
	require.True(t, ok, "the flood of another member did not take its room")
	require.Len(t, b.reports, mostOfMember+1)
	for n := range mostReports + 100 {
		learn(t, b, report(uint32(n+10), n, noon.Add(time.Hour)))
	}
	require.Len(t, b.reports, mostReports)
	_, _, ok = b.one(first.Report)
	require.False(t, ok, "the oldest of all went")
}

// Years of reports cost a start nothing: what is over is not read.
func TestBook_RecallsWhatMayStillBeShown(t *testing.T) {
	var log facts
	add := func(member uint32, n int, at time.Time) factbody.Report {
		r := report(member, n, at)
		f := factOf(t, r)
		f.HLC = fact.HLC(at)
		log = append(log, f)
		return r
	}
	old := noon.Add(-2 * recalledFor)
	for n := range 3 * recalledAtOnce {
		add(uint32(n), n, old.Add(time.Duration(n)*time.Second))
	}
	fresh := add(7, 9999, noon.Add(-time.Hour))
	b := NewBook(log, noPhotos{}, atNoon)
	require.NoError(t, b.Recall())
	_, _, ok := b.one(fresh.Report)
	require.True(t, ok)
	require.LessOrEqual(t, len(b.reports), recalledAtOnce, "the page in which it ends, and no more")
}

// A word of a node whose clock is ahead stands above what is said later only until it is known; and words about
// reports that are not known here are bounded as reports are.
func TestBook_BelievesNoModerationOfTomorrow(t *testing.T) {
	now := noon
	b := NewBook(nil, noPhotos{}, func() time.Time { return now })
	one := report(1, 1, noon)
	learn(t, b, one, factbody.Moderation{Report: one.Report, State: factbody.ReportHidden, By: "amy", At: noon.Add(time.Hour).UnixMilli()})
	now = noon.Add(time.Minute)
	learn(t, b, factbody.Moderation{Report: one.Report, State: factbody.ReportSeen, By: "bob", At: now.UnixMilli()})
	_, last, _ := b.one(one.Report)
	require.Equal(t, factbody.ReportSeen, last.State)
	for n := range mostReports + 100 {
		learn(t, b, factbody.Moderation{Report: report(2, n, noon).Report, State: factbody.ReportSeen, By: "bob", At: 1})
	}
	require.LessOrEqual(t, len(b.reports), mostReports)
	_, _, ok := b.one(one.Report)
	require.True(t, ok)
}
