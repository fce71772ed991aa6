package intake

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/intake/narrowed"
	"almenara/node/present"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audience/lookup"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
	"almenara/storage/rights"
)

// waySeeds is how many districts the property below roams, and waySteps how many messages
// each is sent.
const (
	waySeeds = 12
	waySteps = 150
)

// way is all of the way of an alert that decides: the real door, rules, budget, book,
// situation, dispatcher, and the rules of a screen for every member. Only the network, the
// journal and the log are left out.
type way struct {
	court
	r          *rand.Rand
	now        time.Time
	situations *present.Builder[*lookup.Index]
	dispatcher *channels.Dispatcher
	given      *channels.Now
	screens    []*wayScreen // by ordinal
	taken      []*alerts.Message
	promises   map[alert.ID]*promised
	count      int
	tally      struct{ taken, refused, started, ended int }
}

// promised is what an answer "in force" promises: these show it until then, or until
// somebody changes it who has the right.
type promised struct {
	to      *roaring.Bitmap
	expires time.Time
}

// wayScreen is one device: its rules, and what its connection has brought.
type wayScreen struct {
	rules   *rules.Rules
	sent    map[string]bool
	listing *channels.Listing
	shown   map[string]uint64
}

// wayCallers are somebody of one place, somebody of another who also has a sender, a central
// system, somebody without limits, and the chief.
var wayCallers = []authority.Caller{
	{Name: "mallory", Roles: composer, Places: []string{here}},
	{Name: "moe", Roles: composer, Places: []string{there}, Senders: []string{"moe@d"}},
	{Name: "feed", Roles: composer, Senders: []string{"feed"}, System: true},
	{Name: "duty", Roles: composer},
	{Name: "chief", Roles: []string{authority.RoleAdministrator}},
}

func newWay(t *testing.T, seed uint64) *way {
	w := &way{r: rand.New(rand.NewPCG(seed, 21)), now: noon, promises: map[alert.ID]*promised{}}
	clock := func() time.Time { return w.now }
	w.court = courtAt(t, clock, rights.Policy{})
	n := w.court
	require.NoError(t, n.store.Update(func(txn *storage.Txn) error {
		for _, by := range wayCallers {
			u := storage.User{Name: by.Name, Roles: by.Roles, Senders: by.Senders, Places: by.Places, Kind: storage.UserPerson}
			if by.System {
				u.Kind = storage.UserSystem
			}
			if err := storage.Users.Put(txn, u); err != nil {
				return err
			}
		}
		return nil
	}))
	w.situations = present.NewBuilder(present.BuilderOptions[*lookup.Index]{
		Audience: n.state.Index, Messages: n.book, Logger: quiet,
		Told: func(alert.ID, alerts.Addressing) (*roaring.Bitmap, error) { return roaring.New(), nil },
	})
	var err error
	w.dispatcher, err = channels.NewDispatcher(channels.Options{
		Signer: contract.Signer{KeyID: "k", Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}, Node: "N", Clock: clock, Outlets: []channels.Outlet{w}, Logger: quiet,
	})
	require.NoError(t, err)
	for range 6 {
		w.screens = append(w.screens, newWayScreen())
	}
	return w
}

func newWayScreen() *wayScreen {
	s := &wayScreen{rules: rules.New(), sent: map[string]bool{}, shown: map[string]uint64{}}
	s.rules.Connected()
	return s
}

// Proves implements channels.Outlet.
func (*way) Proves() []receipt.Rung { return nil }

// payload reads what was signed. The signature is for other tests.
func payload[T any](jws []byte) (v T) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(string(jws), ".")[1])
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		panic(err)
	}
	return v
}

// Set implements channels.Outlet.
func (w *way) Set(now *channels.Now) { w.given = now }

// wildly is a time that may be anything, near now more often than not.
func (w *way) wildly() time.Time {
	switch w.r.IntN(8) {
	case 0:
		return time.Date(1+w.r.IntN(9998), 6, 1, 0, 0, 0, 0, time.FixedZone("", (w.r.IntN(28)-14)*3600))
	case 1:
		return w.now.Add(time.Duration(w.r.IntN(57)-28) * 30 * time.Minute)
	}
	return w.now.Add(-time.Duration(w.r.IntN(5)) * time.Second)
}

// sender is one that the caller has, or has not.
func (w *way) sender(by authority.Caller) string {
	switch w.r.IntN(8) {
	case 0:
		return []string{"feed", "moe@d", "almenara.d", alert.IncidentSender}[w.r.IntN(4)]
	case 1:
		return "nobody@d"
	}
	return w.district.SenderOf(by)
}

// message is one that the caller might send; direct says that the node writes it.
func (w *way) message(by authority.Caller) (a *alert.Alert, direct bool) {
	w.count++
	types := []alert.MsgType{alert.MsgTypeAlert, alert.MsgTypeAlert, alert.MsgTypeUpdate, alert.MsgTypeCancel}
	a = &alert.Alert{Sender: w.sender(by), Identifier: fmt.Sprint("m", w.count), Sent: alert.NewDateTime(w.wildly()), Scope: alert.ScopePublic,
		Status: alert.StatusActual, MsgType: types[w.r.IntN(len(types))]}
	if len(w.taken) > 0 && w.r.IntN(6) == 0 { // under the key of another
		k := w.taken[w.r.IntN(len(w.taken))].Entry.Key
		a.Sender, a.Identifier, a.Sent = k.Sender, k.Identifier, k.Sent
	}
	if w.r.IntN(10) == 0 {
		a.Status = alert.StatusExercise
	}
	if a.MsgType != alert.MsgTypeAlert {
		a.References = w.references(by)
	}
	if a.MsgType != alert.MsgTypeCancel {
		info := alert.Info{
			Language: "en", Categories: []string{"Fire"}, Event: "Fire", Urgency: "Immediate", Certainty: "Observed",
			Severity: []string{"Extreme", "Minor"}[w.r.IntN(2)], Headline: fmt.Sprint("Fire ", w.count), Instruction: "Leave.",
			Expires: alert.NewDateTime(w.now.Add(time.Duration(1+w.r.IntN(600)) * time.Minute)),
		}
		if w.r.IntN(5) == 0 {
			info.Expires = alert.NewDateTime(w.wildly())
		}
		if w.r.IntN(5) == 0 {
			info.Effective = alert.NewDateTime(w.wildly())
		}
		a.Infos = []alert.Info{info}
	}
	return a, w.r.IntN(2) == 0
}

func (w *way) references(by authority.Caller) (keys []alert.Key) {
	for range 1 + w.r.IntN(3) {
		if len(w.taken) > 0 && w.r.IntN(6) > 0 {
			keys = append(keys, w.taken[w.r.IntN(len(w.taken))].Entry.Key)
			continue
		}
		some := 1
		if w.r.IntN(4) == 0 {
			some = w.r.IntN(150)
		}
		for range some {
			w.count++
			keys = append(keys, alert.Key{Sender: w.district.SenderOf(by), Identifier: fmt.Sprint("unseen", w.count), Sent: alert.NewDateTime(w.wildly())})
		}
	}
	return keys
}

// selection is for the caller's own place, or for anybody.
func (w *way) selection(by authority.Caller) string {
	if len(by.Places) > 0 && w.r.IntN(4) > 0 {
		return `place under "` + by.Places[0] + `"`
	}
	return []string{"all", `place under "` + here + `"`, `place under "` + there + `"`, "kind = screen", "none such"}[w.r.IntN(5)]
}

// send is take without the journal: a message is refused, or recorded.
func (w *way) send(by authority.Caller) error {
	a, direct := w.message(by)
	in := incoming{by: by, alert: a, direct: direct}
	if a.MsgType != alert.MsgTypeCancel {
		in.selected = w.selection(by)
	}
	if err := w.admit(&in); err != nil {
		return err
	}
	var err error
	if in.limit, err = narrowed.Read(in.selected, w.state.Index()); err != nil {
		return err
	}
	if a.MsgType != alert.MsgTypeCancel {
		if err := authority.MayAsk(by, in.limit, a); err != nil {
			return err
		}
	}
	if known, err := w.known(in); known != nil || err != nil {
		return err
	}
	if err := in.checkTimes(w.now, true, w.book); err != nil {
		return err
	}
	if err := checkJoins(board.EntryOf(a, "", w.now, ""), w.now, w.book); err != nil {
		return err
	}
	targets, err := w.targets(&in)
	if err != nil {
		return err
	}
	right, err := w.rule(in, targets)
	if err != nil {
		return err
	}
	if err := in.keep(targets, right.Within); err != nil {
		return err
	}
	if err := w.afford(in, targets, right, 1000, false); err != nil {
		return err
	}
	w.record(in, w.issue(in, targets, right))
	return nil
}

// record puts the message on the book, and holds what it changes against its author's right.
func (w *way) record(in incoming, issue factbody.Issue) {
	fact := fmt.Sprintf("%064x", w.count)
	m := &alerts.Message{Fact: fact, Issue: issue, Alert: in.alert, Entry: issue.Entry(in.alert, in.alert.Digest().String(), fact)}
	w.changes(in.by, m)
	w.taken = append(w.taken, m)
	w.book.Add(m)
	w.budget.Add(m.Entry, 1000)
	if standing, id := w.book.Standing(m, w.now); standing == board.InForce {
		w.promises[id] = &promised{w.addressed(m), m.Entry.Expires}
	}
}

// changes drops the promises that the message ends or changes, and fails where its author has
// no right over whom it was made to: this knows nothing of the rules but their intent.
func (w *way) changes(by authority.Caller, m *alerts.Message) {
	for id, p := range w.promises {
		card, _ := w.book.Card(id)
		if !slices.ContainsFunc(append([]alert.Key{m.Entry.Key}, m.Entry.References...), func(k alert.Key) bool { return slices.ContainsFunc(card.Keys, k.Same) }) {
			continue
		}
		if m.Entry.MsgType == alert.MsgTypeAlert {
			continue // it changes nothing that it references
		}
		for _, e := range card.Messages {
			other := w.book.Message(e.Fact)
			own := e.Author == by.Name || by.Speaks(e.Key.Sender)
			inside := len(by.Places) > 0 && !w.addressed(other).IsEmpty() && roaring.AndNot(w.addressed(other), w.under(by.Places[0])).IsEmpty()
			if begun := e.MsgType == alert.MsgTypeAlert; len(by.Places) == 0 && !begun {
				continue // who speaks for the sender that began it may end it, whoever went on with it
			}
			if by.Limited() && !own && !inside {
				require.Fail(w, "taken without a right", "%s changed %s of %s by %s", by.Name, id, e.Author, m.Entry.MsgType)
			}
		}
		delete(w.promises, id)
		_ = p
	}
}

func (w *way) addressed(m *alerts.Message) *roaring.Bitmap {
	to := roaring.New()
	for _, t := range m.Issue.Targets {
		if found, err := w.state.Index().Resolve(t); err == nil {
			to.Or(found.Members)
		}
	}
	return to
}

func (w *way) under(place string) *roaring.Bitmap {
	s, err := authority.Under(place)
	require.NoError(w, err)
	found, err := w.state.Index().Select(s)
	require.NoError(w, err)
	return found
}

// present tells all screens what holds now, as the presenter and the gateway do.
func (w *way) present() alerts.Picture {
	p := w.book.At(w.now)
	for {
		s, todo := w.situations.Build(p.InForce, p.Ended)
		require.NoError(w, w.dispatcher.Set(s))
		if todo == (present.Todo{}) {
			break
		}
	}
	for ordinal, s := range w.screens {
		for _, a := range w.given.Active {
			key := fmt.Sprint(a.Alert, "/", a.Revision, a.Digest)
			if !s.sent[key] && a.To.Contains(uint32(ordinal)) {
				s.sent[key] = true
				w.carryOut(s, s.rules.Body(payload[contract.Body](a.Body), w.now))
			}
		}
		if listing := w.given.Of(w.given.Places.Of(uint32(ordinal))); s.listing != listing {
			s.listing = listing
			for _, page := range listing.Pages {
				w.carryOut(s, s.rules.Manifest(payload[contract.Manifest](page), w.now))
			}
		}
		w.carryOut(s, s.rules.Tick(w.now))
	}
	return p
}

func (w *way) carryOut(s *wayScreen, effects []rules.Effect) {
	for _, e := range effects {
		switch e.Action {
		case rules.Start, rules.Replace, rules.Resume:
			w.tally.started++
			s.shown[e.Alert] = e.Revision
			s.rules.Presented(e.Alert, e.Revision, w.now)
		case rules.Stop:
			w.tally.ended++
			delete(s.shown, e.Alert)
			s.rules.Stopped(e.Alert, e.Revision, w.now)
		}
	}
}

// holds proves that every promise is kept on every screen that it was made to, and that no
// screen shows what has ended.
func (w *way) holds(seed uint64) {
	p := w.present()
	for id, promise := range w.promises {
		if !w.now.Before(promise.expires) {
			delete(w.promises, id)
			continue
		}
		i := slices.IndexFunc(p.InForce, func(l alerts.Live) bool { return l.ID == id })
		require.GreaterOrEqual(w, i, 0, "seed %d: %s is promised until %s and not in force at %s", seed, id, promise.expires, w.now)
		for _, ordinal := range promise.to.ToArray() {
			require.Contains(w, w.screens[ordinal].shown, string(id), "seed %d: screen %d does not show %s, which is in force", seed, ordinal, id)
		}
	}
	for ordinal, s := range w.screens {
		for id := range s.shown {
			require.True(w, slices.ContainsFunc(p.InForce, func(l alerts.Live) bool { return string(l.ID) == id }),
				"seed %d: screen %d still shows %s, which is over", seed, ordinal, id)
		}
	}
}

// Whatever was answered as in force is started at every addressed device and stays there until
// it runs out or somebody with a right over it changes it, and what is over is shown nowhere:
// whatever others sent meanwhile, under any sender, key, time and reference, to anybody.
func TestWay_FromAnySenderToEveryScreen(t *testing.T) {
	t.Parallel()
	for seed := range uint64(waySeeds) {
		w := newWay(t, seed)
		for range waySteps {
			if err := w.send(wayCallers[w.r.IntN(len(wayCallers))]); err != nil {
				w.tally.refused++
			} else {
				w.tally.taken++
			}
			if w.r.IntN(12) == 0 {
				w.now = w.now.Add(time.Duration(w.r.IntN(120)) * time.Minute)
			}
			if w.r.IntN(10) == 0 { // a screen was replaced, or has lost its power and its memory
				w.screens[w.r.IntN(len(w.screens))] = newWayScreen()
			}
			w.holds(seed)
		}
		require.Greater(t, w.tally.taken, 15, "seed %d", seed)
		require.Greater(t, w.tally.refused, 15, "seed %d", seed)
		require.Greater(t, w.tally.started, 15, "seed %d", seed)
		require.Greater(t, w.tally.ended, 5, "seed %d", seed)
	}
}
