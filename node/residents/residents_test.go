package residents

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/agreed"
	"almenara/cluster/command"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/records/recordstest"
	"almenara/node/replication"
	"almenara/node/residents/refusals"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/noderecord"
)

const blockOne, blockTwo = "tm/estate/one", "tm/estate/two"

// station is a district with a screen in each of two blocks, and as much of a node as asks residents.
type station struct {
	*Residents
	t     *testing.T
	now   time.Time
	alone bool
	old   error // of nodes that are not upgraded
	disk  error // of facts
	room  error // of photos
	keys  []noderecord.PublicKey

	situation channels.Situation
	members   map[string]uint32 // by block
	links     map[string]string // by block and time: whoever reads a screen at one time reads one link

	creating atomic.Int32 // how often a fact was begun

	mu     sync.Mutex
	made   []fact.Fact
	photos map[int][]byte // by size
	sent   []sent
	deaf   error
}

type sent struct {
	device  string
	command contract.Command
}

func (s *station) Create(_ context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error) {
	s.creating.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.disk != nil {
		return nil, s.disk
	}
	f := fact.Fact{Kind: kind, Stream: stream, Body: body, Origin: "a"}
	s.made = append(s.made, f)
	_, ok := s.o.Book.Learn(f)
	require.True(s.t, ok)
	return &exchange.Progress{ID: fact.ID{byte(len(s.made))}}, nil
}

func (s *station) LearnPhoto(string, factbody.Report) {}

func (s *station) TakePhoto(raw []byte) (func(), error) {
	if s.room != nil {
		return nil, s.room
	}
	s.photos[len(raw)] = raw
	return func() {}, nil
}

func (s *station) ReadPhoto(_ context.Context, p factbody.Photo) ([]byte, error) {
	return s.photos[int(p.Size)], nil
}

// message asks residents; each block has an info block of its own, and what asks is of block one alone where asks
// says so.
func message(asks ...string) *alert.Alert {
	a := &alert.Alert{Identifier: "fire", Sender: "hq", Sent: alert.NewDateTime(night), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: "Public"}
	for i, block := range []string{"One", "Two"} {
		info := alert.Info{Language: "en", Event: "Fire", Urgency: "Immediate", Severity: "Severe", Certainty: "Observed", Headline: "Fire in block " + block, Expires: alert.NewDateTime(night.Add(2 * time.Hour))}
		if i < len(asks) && asks[i] != "" {
			info.Parameters = []alert.Named{{Name: alert.ParameterResidents, Value: asks[i]}}
		}
		a.Infos = append(a.Infos, info)
	}
	return a
}

func (s *station) inForce(asks ...string) {
	s.situation.InForce = []channels.Item{{
		Alert: fire, Revision: 1, Status: alert.StatusActual, Message: message(asks...), Expires: night.Add(2 * time.Hour),
		Parts: []channels.Part{{Infos: []int{0}, To: roaring.BitmapOf(s.members[blockOne])}, {Infos: []int{1}, To: roaring.BitmapOf(s.members[blockTwo])}},
	}}
}

func newStation(t *testing.T) *station {
	t.Helper()
	s := &station{t: t, now: night, alone: true, photos: map[int][]byte{}, members: map[string]uint32{}, links: map[string]string{}}
	clock := func() time.Time { return s.now }
	log := recordstest.New(t, clock)
	var raw [][]byte
	for _, place := range []string{blockOne, blockTwo} {
		raw = append(raw, audience.EncodeMember(&audience.Member{ID: "screen-" + place[len(place)-3:], Kind: audience.KindScreen, Place: audience.Path(place + "/lift-1")}))
	}
	_, err := log.Propose(t.Context(), "chief", &command.PutMembers{Members: raw})
	require.NoError(t, err)
	for _, block := range []string{blockOne, blockTwo} {
		ordinal, ok := log.State.Index().Ordinal("screen-" + block[len(block)-3:])
		require.True(t, ok)
		s.members[block] = ordinal
	}
	rules := authority.New(authority.Sources{
		Agreed: log.State.Authority, Audience: log.State.Index, Clock: clock, Sender: func() string { return "almenara.d" },
		Users: func() ([]storage.User, error) { return nil, nil }, Alone: func() authority.Loneliness { return authority.Loneliness{} },
	})
	own, key := signer("n1")
	_, other := signer("n2")
	s.keys = []noderecord.PublicKey{other, key}
	s.Residents = New(Options{
		Book: NewBook(nil, s, clock), Photos: s, Rules: rules, Exchange: s, Progress: replication.New(func(string) (bool, error) { return false, nil }), Store: log.Store, Audience: log.State.Index,
		InForce: func() *channels.Situation { return &s.situation }, Keys: func() ([]noderecord.PublicKey, error) { return s.keys, nil }, Signer: own,
		AlertIDs: func(id string) ([]string, error) {
			if id != string(fire) {
				return nil, wire.Problemf(wire.KindNotFound, "no alert")
			}
			return []string{id}, nil
		},
		Recalls: func(string) []visited.Visit {
			return visited.In(s.situation.InForce[0].Message.Infos)
		},
		Understood: func(context.Context, uint64) error { return s.old }, Alone: func() bool { return s.alone }, Base: "https://node.example",
		Send: func(_ context.Context, device string, payload []byte) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.deaf != nil {
				return s.deaf
			}
			ring, err := contract.NewRing(contract.KeyRing{Time: night, Keys: []contract.Key{{ID: own.KeyID, Node: "n1", Public: base64.RawURLEncoding.EncodeToString(key.Key), NotBefore: night.Add(-time.Hour), NotAfter: night.Add(24 * time.Hour)}}})
			require.NoError(t, err)
			c, err := contract.Open[contract.Command](ring, payload)
			require.NoError(t, err)
			s.sent = append(s.sent, sent{device, c})
			return nil
		},
		Clock: clock, Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(s.Close)
	s.inForce("seen help photo", "help seen")
	return s
}

func (s *station) link(block string) string {
	s.t.Helper()
	key := block + s.now.Truncate(Renewed).String()
	if s.links[key] == "" {
		s.links[key] = mustLinkAt(s.t, s, block, s.now)
	}
	return s.links[key]
}

// phone is one that read the code of a block.
type browser struct {
	s *station
	Visit
}

func (s *station) reads(block string) *browser {
	return &browser{s, Visit{Link: s.link(block), Address: "10.0.0.9"}}
}

func (b *browser) opens() View {
	b.s.t.Helper()
	view, err := b.s.Open(b.Visit)
	require.NoError(b.s.t, err)
	b.Pass = view.Pass
	return view
}

func (b *browser) answers(in Answer) (Taken, error) {
	out, err := b.s.Answer(b.s.t.Context(), b.Visit, in)
	if out.Pass != "" {
		b.Pass = out.Pass
	}
	return out, err
}

func (b *browser) says(in Answer) Taken {
	b.s.t.Helper()
	out, err := b.answers(in)
	require.NoError(b.s.t, err)
	return out
}

func photo(t *testing.T, side int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, side, side)), nil))
	return b.Bytes()
}

var (
	amy    = authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}}
	viewer = authority.Caller{Name: "vic", Roles: []string{authority.RoleViewer}}
	reader = authority.Caller{Name: "app", Roles: []string{authority.RoleApprover}}
)

func TestOpen_ShowsWhatConcernsTheBlock(t *testing.T) {
	s := newStation(t)
	one, two := s.reads(blockOne).opens(), s.reads(blockTwo).opens()
	require.Equal(t, "Fire in block One", one.Texts[0].Headline)
	require.Len(t, one.Texts, 1)
	require.Equal(t, "Fire in block Two", two.Texts[0].Headline)
	require.Equal(t, []string{"seen", "help", "photo"}, one.Asked)
	require.Equal(t, []string{"seen", "help"}, two.Asked)
	require.Equal(t, contract.TierEmergency, one.Tier)
	require.Equal(t, blockOne, one.Block)
}

func TestAnswer_OfOnePhoneCountsOnceAndByItsBlock(t *testing.T) {
	s := newStation(t)
	b := s.reads(blockOne)
	require.False(t, b.opens().Seen)
	b.says(Answer{What: factbody.ResidentSeen})
	b.says(Answer{What: factbody.ResidentSeen})
	require.True(t, b.opens().Seen)
	b.Link = s.link(blockTwo) // it walks over, and reads the other code
	b.says(Answer{What: factbody.ResidentSeen})
	require.Equal(t, []Count{{Block: blockOne, Seen: 1}}, s.o.Book.Counts([]string{string(fire)}))
	s.reads(blockTwo).says(Answer{What: factbody.ResidentSeen})
	require.Equal(t, []Count{{Block: blockOne, Seen: 1}, {Block: blockTwo, Seen: 1}}, s.o.Book.Counts([]string{string(fire)}))
	require.Len(t, s.made, 2, "what is known is no fact again")
}

func TestAnswer_NeedHelpIsListedFirstAndHandled(t *testing.T) {
	s := newStation(t)
	s.reads(blockTwo).says(Answer{What: factbody.ResidentSeen})
	shows := s.reads(blockOne)
	shows.says(Answer{What: factbody.ResidentPhoto, Photo: photo(t, 40)})
	b := s.reads(blockOne)
	out := b.says(Answer{What: factbody.ResidentHelp, Where: " 12/F\x00 ", Text: strings.Repeat("煙", 400), Photo: photo(t, 30)})
	require.False(t, out.NoPhoto)
	require.False(t, out.Agreed, "the node is alone")
	require.True(t, b.opens().Help)
	b.says(Answer{What: factbody.ResidentHelp, Where: "13/F"})

	got, err := s.AlertResidents(t.Context(), reader, string(fire))
	require.NoError(t, err)
	require.Equal(t, []reported.ResidentsBlock{{Place: blockOne, Help: 1, Photos: 2}, {Place: blockTwo, Seen: 1}}, got.Blocks, "a phone counts once")
	require.Equal(t, []int{1, 1, 2}, []int{got.Seen, got.Help, got.Photos})
	require.Len(t, got.Answers, 3)
	require.Equal(t, reported.ResidentPhoto, got.Answers[2].Kind)
	first := got.Answers[0]
	if first.Where == "13/F" {
		first = got.Answers[1]
	}
	require.LessOrEqual(t, len(first.Text), factbody.MaxResidentText)
	raw, err := s.ResidentPhoto(t.Context(), reader, first.ID)
	require.NoError(t, err)
	require.NotEqual(t, photo(t, 30), raw, "drawn anew")

	warden := authority.Caller{Name: "war", Roles: []string{authority.RoleApprover}, Places: []string{blockTwo}}
	theirs, err := s.AlertResidents(t.Context(), warden, string(fire))
	require.NoError(t, err)
	require.Equal(t, reported.Residents{Seen: 1, Blocks: []reported.ResidentsBlock{{Place: blockTwo, Seen: 1}}, Answers: []reported.ResidentsAnswer{}}, theirs, "nothing of other places")
	_, err = s.ResidentPhoto(t.Context(), warden, first.ID)
	require.Error(t, err)
	_, err = s.HandleResident(t.Context(), viewer, first.ID, reported.Moderate{Handling: reported.Seen}, wire.WaitLocal)
	require.Error(t, err, "a viewer decides nothing")
	done, err := s.HandleResident(t.Context(), amy, first.ID, reported.Moderate{Handling: reported.Forwarded, Note: "warden goes"}, wire.WaitLocal)
	require.NoError(t, err)
	require.Equal(t, "amy", done.By)
	got, err = s.AlertResidents(t.Context(), reader, string(fire))
	require.NoError(t, err)
	require.Equal(t, first.ID, got.Answers[1].ID, "whom nobody has taken up comes first")
	_, err = s.HandleResident(t.Context(), amy, shows.photoID(), reported.Moderate{Handling: reported.Hidden}, wire.WaitLocal)
	require.NoError(t, err)
	got, err = s.AlertResidents(t.Context(), reader, string(fire))
	require.NoError(t, err)
	require.Len(t, got.Answers, 2)
	_, err = s.AlertResidents(t.Context(), viewer, string(fire))
	require.Error(t, err)
}

// photoID is the id of the photo that was sent.
func (b *browser) photoID() string {
	for _, l := range b.s.o.Book.list([]string{string(fire)}) {
		if l.What == factbody.ResidentPhoto {
			return l.ID
		}
	}
	return ""
}

// A photo that cannot be taken never loses a request for help.
func TestAnswer_HelpIsTakenWithoutAPhotoThatCannotBe(t *testing.T) {
	s := newStation(t)
	b := s.reads(blockOne)
	require.True(t, b.says(Answer{What: factbody.ResidentHelp, Where: "1/F", Photo: []byte{0}}).NoPhoto)
	s.room = errors.New("full")
	require.True(t, b.says(Answer{What: factbody.ResidentHelp, Where: "2/F", Photo: photo(t, 30)}).NoPhoto)
	_, err := b.answers(Answer{What: factbody.ResidentPhoto, Photo: []byte("no photo")})
	require.Equal(t, refusals.BadPhoto, whyOf(err))
	_, err = b.answers(Answer{What: factbody.ResidentPhoto})
	require.Equal(t, refusals.Empty, whyOf(err))
	require.Equal(t, []Count{{Block: blockOne, Help: 1}}, s.o.Book.Counts([]string{string(fire)}))
}

func TestAttack_WhatALinkIsNotGoodFor(t *testing.T) {
	s := newStation(t)
	old := s.reads(blockOne)
	s.now = night.Add(Renewed + GoodFor + time.Minute)
	_, err := s.Open(old.Visit)
	require.Equal(t, refusals.TooOld, whyOf(err))
	_, err = old.answers(Answer{What: factbody.ResidentHelp, Where: "1/F"})
	require.Equal(t, refusals.TooOld, whyOf(err))

	s.now = night
	_, err = s.Open(s.reads("tm/estate/nowhere").Visit)
	require.Equal(t, refusals.NoPlace, whyOf(err))
	_, err = s.Open(Visit{Link: "../../etc/passwd"})
	require.Equal(t, refusals.BadLink, whyOf(err))
	asked := s.reads(blockTwo)
	_, err = asked.answers(Answer{What: factbody.ResidentPhoto, Photo: photo(t, 20)})
	require.Equal(t, refusals.NotAsked, whyOf(err), "block two is not asked for photos")
	_, err = asked.answers(Answer{})
	require.Equal(t, refusals.NotAsked, whyOf(err))

	s.inForce("", "help")
	_, err = s.Open(s.reads(blockOne).Visit)
	require.Equal(t, refusals.NotAsked, whyOf(err))
	s.situation.InForce[0].Parts = s.situation.InForce[0].Parts[1:] // an update that is for block two alone
	_, err = s.Open(s.reads(blockOne).Visit)
	require.Equal(t, refusals.Elsewhere, whyOf(err))
	s.situation.InForce[0].Expires = s.now
	_, err = s.Open(s.reads(blockTwo).Visit)
	require.Equal(t, refusals.Over, whyOf(err), "expired, though not yet taken off")
	s.situation = channels.Situation{}
	_, err = s.Open(s.reads(blockTwo).Visit)
	require.Equal(t, refusals.Over, whyOf(err))

	s.keys = s.keys[:1]
	_, err = s.Open(s.reads(blockOne).Visit)
	require.Equal(t, refusals.Removed, whyOf(err))
	require.Empty(t, s.made)
}

// Who opened the page in time can ask for help as long as the alert lasts; whoever copied the link cannot.
func TestPass_LetsWhoOpenedInTimeAnswerLater(t *testing.T) {
	s := newStation(t)
	b := s.reads(blockOne)
	b.opens()
	s.now = night.Add(90 * time.Minute)
	b.says(Answer{What: factbody.ResidentHelp, Where: "5/F"})
	_, err := s.Answer(t.Context(), Visit{Link: b.Link, Address: "10.0.0.8"}, Answer{What: factbody.ResidentHelp, Where: "6/F"})
	require.Equal(t, refusals.TooOld, whyOf(err))
	elsewhere := Visit{Link: mustLinkAt(t, s, blockTwo, night), Pass: b.Pass, Address: "10.0.0.8"}
	_, err = s.Answer(t.Context(), elsewhere, Answer{What: factbody.ResidentHelp, Where: "6/F"})
	require.Equal(t, refusals.TooOld, whyOf(err), "a pass is of one block")
}

func mustLinkAt(t *testing.T, s *station, block string, at time.Time) string {
	t.Helper()
	link, err := newLink(s.o.Signer, fire, block, at)
	require.NoError(t, err)
	return link
}

// A link that goes round the world fills its own share, and whoever needs help has room all the same.
func TestAttack_AFloodOfSeenLeavesRoomForHelp(t *testing.T) {
	s := newStation(t)
	refused := 0
	for i := range flood {
		b := s.reads(blockOne)
		b.Address = fmt.Sprintf("10.1.%d.%d", i/250, i%250)
		if _, err := b.answers(Answer{What: factbody.ResidentSeen}); err != nil {
			require.Equal(t, refusals.TooMany, whyOf(err))
			refused++
		}
	}
	require.Equal(t, flood-750, refused, "a block has 500 at once, and 250 more are for addresses from which little came")
	s.reads(blockOne).says(Answer{What: factbody.ResidentHelp, Where: "1/F"})
	s.reads(blockTwo).says(Answer{What: factbody.ResidentSeen})
}

func TestAttack_OneAddressAndOnePhoneAreBounded(t *testing.T) {
	s := newStation(t)
	b := s.reads(blockOne)
	b.opens()
	var err error
	n := 0
	for ; n < 20 && err == nil; n++ {
		_, err = b.answers(Answer{What: factbody.ResidentHelp, Where: fmt.Sprint(n, "/F")})
	}
	require.Equal(t, refusals.NoHelp, whyOf(err))
	require.Equal(t, mostOfPhone+1, n)
	err, n = nil, 0
	for ; n < 1000 && err == nil; n++ { // cookies thrown away
		_, err = s.reads(blockOne).answers(Answer{What: factbody.ResidentHelp, Where: "1/F"})
	}
	require.Equal(t, refusals.NoHelp, whyOf(err))
	require.Less(t, n, 160)
}

// However slowly, a phone says only so much to one alert.
func TestAttack_OnePhoneThatTakesItsTimeIsBounded(t *testing.T) {
	s := newStation(t)
	b := s.reads(blockOne)
	b.opens()
	for n := range mostOfPhone {
		b.says(Answer{What: factbody.ResidentHelp, Where: fmt.Sprint(n, "/F")})
		s.now = s.now.Add(2 * time.Minute)
	}
	_, err := b.answers(Answer{What: factbody.ResidentHelp, Where: "99/F"})
	require.Equal(t, refusals.NoHelp, whyOf(err))
	s.reads(blockOne).says(Answer{What: factbody.ResidentHelp, Where: "99/F"})
}

func TestAnswer_SaysWhatItCannotDo(t *testing.T) {
	s := newStation(t)
	s.old = wire.Problemf(wire.KindRefused, "n3 is not upgraded")
	_, err := s.reads(blockOne).answers(Answer{What: factbody.ResidentSeen})
	require.Equal(t, refusals.NotReady, whyOf(err))
	s.old, s.disk = nil, errors.New("full")
	_, err = s.reads(blockOne).answers(Answer{What: factbody.ResidentSeen})
	require.Equal(t, refusals.NotReady, whyOf(err))
	s.Close()
	_, err = s.reads(blockOne).answers(Answer{What: factbody.ResidentSeen})
	require.Equal(t, refusals.NotReady, whyOf(err))
}

// Phones that answer at once share facts.
func TestAnswer_ManyAtOnceAreFewFacts(t *testing.T) {
	s := newStation(t)
	s.mu.Lock() // the disk is slow
	var all sync.WaitGroup
	for i := range 200 {
		b := s.reads(blockOne)
		b.Address = fmt.Sprint(i)
		all.Go(func() { _, err := b.answers(Answer{What: factbody.ResidentSeen}); require.NoError(t, err) })
	}
	require.Eventually(t, func() bool { return len(s.queue) > 150 }, 20*time.Second, time.Millisecond)
	s.mu.Unlock()
	all.Wait()
	require.Less(t, len(s.made), 60)
	require.Equal(t, 200, s.o.Book.Counts([]string{string(fire)})[0].Seen)
}

func TestBook_IsTheSameInWhateverOrderItLearns(t *testing.T) {
	clock := func() time.Time { return night.Add(time.Hour) }
	var facts []fact.Fact
	for i, block := range []string{blockOne, blockTwo, blockOne} {
		a := factbody.ResidentAnswer{Alert: string(fire), Block: block, What: factbody.ResidentSeen, Phone: []byte("12345678"), Taken: night.Add(time.Duration(3-i) * time.Minute).UnixMilli()}
		a.ID = factbody.ResidentID(a.Alert, a.Phone, a.What, "")
		h := a
		h.What, h.Where = factbody.ResidentHelp, "1/F"
		h.ID = factbody.ResidentID(a.Alert, a.Phone, h.What, "1/F")
		body, err := factbody.Residents{Answers: []factbody.ResidentAnswer{a, h}}.Encode()
		require.NoError(t, err)
		facts = append(facts, fact.Fact{Kind: fact.KindResidents, Body: body})
		m, err := factbody.Moderation{Report: h.ID, State: factbody.ReportSeen, By: "amy", At: night.Add(time.Duration(i) * time.Minute).UnixMilli()}.Encode()
		require.NoError(t, err)
		facts = append(facts, fact.Fact{Kind: fact.KindModeration, Body: m})
	}
	var seen [][]listed
	for _, order := range [][]int{{0, 1, 2, 3, 4, 5}, {5, 4, 3, 2, 1, 0}, {1, 3, 5, 2, 4, 0, 2}} {
		b := NewBook(nil, &station{}, clock)
		for _, i := range order {
			b.Learn(facts[i])
		}
		seen = append(seen, b.list([]string{string(fire)}))
		require.Equal(t, []Count{{Block: blockOne, Seen: 1, Help: 1}}, b.Counts([]string{string(fire)}))
	}
	require.Equal(t, seen[0], seen[1])
	require.Equal(t, seen[0], seen[2])
	require.Equal(t, night.Add(2*time.Minute).UnixMilli(), seen[0][0].last.At)
}

// kept is what was agreed, the newest first.
type kept []fact.Fact

func (k kept) KeptBefore(kind fact.Kind, index uint64, _ uint16, limit int) (out []agreed.KeptFact, err error) {
	for i := len(k) - 1; i >= 0 && len(out) < limit; i-- {
		if at := uint64(i + 1); k[i].Kind == kind && (index == 0 || at < index) {
			out = append(out, agreed.KeptFact{Index: at, Fact: k[i]})
		}
	}
	return out, nil
}

func (kept) AgreedAt(uint64) (at time.Time, ok bool, err error) { return at, false, nil }

func TestRecall_ReadsWhatWasAgreed(t *testing.T) {
	s := newStation(t)
	s.reads(blockOne).says(Answer{What: factbody.ResidentSeen})
	s.reads(blockOne).says(Answer{What: factbody.ResidentHelp, Where: "1/F"})
	b := NewBook(kept(s.made), s, s.o.Clock)
	require.NoError(t, b.Recall())
	require.Equal(t, s.o.Book.Counts([]string{string(fire)}), b.Counts([]string{string(fire)}))
}

func (s *station) shows(block string, alerts ...string) channels.Endpoint {
	from := channels.Endpoint{Device: "lift-" + block, Member: s.members[block]}
	s.State(from, contract.State{Kind: "screen", Presenting: alerts})
	return from
}

func TestCodes_AreGivenToScreensThatShowWhatAsks(t *testing.T) {
	s := newStation(t)
	s.inForce("seen", "")
	from := s.shows(blockOne, string(fire))
	s.shows(blockTwo, string(fire)) // whose text asks nobody
	s.State(channels.Endpoint{Device: "phone", Member: s.members[blockOne]}, contract.State{Kind: "phone", Presenting: []string{string(fire)}})
	s.look(t.Context())
	require.Len(t, s.sent, 1)
	c := s.sent[0].command
	require.Equal(t, contract.DoAnswer, c.Do)
	require.Equal(t, string(fire), c.Alert)
	link, found := strings.CutPrefix(c.Link, "HTTPS://NODE.EXAMPLE/R/")
	require.True(t, found, c.Link)
	require.Equal(t, s.link(blockOne), strings.ToLower(link))
	bits, err := base64.StdEncoding.DecodeString(c.Code)
	require.NoError(t, err)
	require.Len(t, bits, (c.Modules*c.Modules+7)/8)
	require.LessOrEqual(t, c.Modules, 49, "or it cannot be read from across a lift")
	require.EqualValues(t, 0xfe, bits[0], "the finder in the corner")

	s.look(t.Context())
	require.Len(t, s.sent, 1, "once a period")
	s.now = s.now.Add(Renewed)
	s.look(t.Context())
	require.Len(t, s.sent, 2)
	require.NotEqual(t, c.Link, s.sent[1].command.Link)
	s.Session(from, true)
	s.shows(blockOne, string(fire))
	s.look(t.Context())
	require.Len(t, s.sent, 3, "a page that was loaded again")
	s.shows(blockOne)
	s.now = s.now.Add(Renewed)
	s.look(t.Context())
	require.Len(t, s.sent, 3, "the screen does not show it")
}

func TestCodes_AScreenThatDoesNotAnswerWaits(t *testing.T) {
	s := newStation(t)
	s.shows(blockOne, string(fire))
	s.deaf = errors.New("no PUBACK")
	s.look(t.Context())
	s.deaf = nil
	s.look(t.Context())
	require.Empty(t, s.sent)
	s.now = s.now.Add(codeRests)
	s.look(t.Context())
	require.Len(t, s.sent, 1)
}
