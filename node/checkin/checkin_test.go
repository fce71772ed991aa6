package checkin

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/records/recordstest"
	"almenara/node/residents"
	"almenara/node/residents/refusals"
	"almenara/node/wire"
	"almenara/node/wire/visits"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/noderecord"
)

var noon = time.Date(2026, 11, 28, 12, 30, 0, 0, time.UTC)

const (
	market = "tm/market"
	stall  = "tm/market/stall-5"
	mall   = "tm/mall"
	recall = alert.ID("abcdefghijklmnopqrstuvwxya")
)

func signer(node string) (contract.Signer, noderecord.PublicKey) {
	seed := sha256.Sum256([]byte(node))
	key := ed25519.NewKeyFromSeed(seed[:])
	return contract.Signer{KeyID: node + "-key", Key: key}, noderecord.PublicKey{ID: node + "-key", Node: node, Key: key.Public().(ed25519.PublicKey)}
}

// hall is a district with a market and a mall, and as much of a node as lets phones check in.
type hall struct {
	*CheckIns
	t         *testing.T
	now       time.Time
	keys      []noderecord.PublicKey
	situation *channels.Situation
	others    map[string]func(body []byte) ([]byte, error)

	visitors []residents.Visitor
	answers  []residents.Answer
}

func (h *hall) OpenVisitor(v residents.Visitor) (residents.View, error) {
	h.visitors = append(h.visitors, v)
	return residents.View{Alert: v.Alert, Block: v.Place}, nil
}

func (h *hall) AnswerVisitor(_ context.Context, v residents.Visitor, in residents.Answer) (residents.Taken, error) {
	h.visitors, h.answers = append(h.visitors, v), append(h.answers, in)
	return residents.Taken{View: residents.View{Alert: v.Alert, Block: v.Place}}, nil
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{t: t, now: noon, situation: &channels.Situation{}, others: map[string]func([]byte) ([]byte, error){}}
	clock := func() time.Time { return h.now }
	log := recordstest.New(t, clock)
	var places []audience.Place
	for _, path := range []string{"tm", market, stall, mall} {
		places = append(places, audience.Place{Path: audience.Path(path), Names: []audience.Text{{Language: "en", Text: "The " + path}}})
	}
	_, err := log.Propose(t.Context(), "chief", &command.PutPlaces{Places: places})
	require.NoError(t, err)
	own, key := signer("n1")
	_, other := signer("n2")
	h.keys = []noderecord.PublicKey{other, key}
	h.CheckIns = New(Options{
		Signer: own, Keys: func() ([]noderecord.PublicKey, error) { return h.keys, nil }, Audience: log.State.Index, InForce: func() *channels.Situation { return h.situation },
		Answers: h, Counts: OpenCounts(filepath.Join(t.TempDir(), "checkins.json"), clock, slog.New(slog.DiscardHandler)), Base: "https://node.example", Clock: clock,
		Nodes: Nodes{
			Others: func() (ids []string) {
				for id := range h.others {
					ids = append(ids, id)
				}
				return ids
			},
			Call: func(_ context.Context, node, path string, body []byte) ([]byte, error) {
				require.Equal(t, NodesPath, path)
				return h.others[node](body)
			},
		},
	})
	return h
}

func (h *hall) code(place string) string { return newCode(h.o.Signer, place, h.now) }

func (h *hall) checksIn(place string, has Visits) Visits {
	h.t.Helper()
	_, has, err := h.CheckIn(h.code(place), "10.0.0.1", has)
	require.NoError(h.t, err)
	return has
}

// recalls has an alert in force for who was somewhere.
func (h *hall) recalls(values ...string) {
	i := alert.Info{Language: "en", Event: "Recall", Urgency: "Future", Severity: "Minor", Certainty: "Likely", Headline: "Do not eat it", Expires: alert.NewDateTime(h.now.Add(time.Hour))}
	for _, v := range values {
		i.Parameters = append(i.Parameters, alert.Named{Name: visited.Parameter, Value: v})
	}
	h.situation = &channels.Situation{InForce: []channels.Item{{
		Alert: recall, Status: alert.StatusActual, Expires: h.now.Add(time.Hour),
		Message: &alert.Alert{Identifier: "m", Sender: "s", Sent: alert.NewDateTime(h.now), Status: alert.StatusActual, MsgType: alert.MsgTypeAlert, Scope: "Public", Infos: []alert.Info{i}},
	}}}
}

func whyOf(t *testing.T, err error) refusals.Reason {
	t.Helper()
	var refused *refusals.Refused
	require.ErrorAs(t, err, &refused)
	return refused.Why
}

var amy = authority.Caller{Name: "amy", Roles: []string{authority.RoleComposer}}

func TestCheckIn_IsKeptByThePhoneAndCountedOnceAnHour(t *testing.T) {
	h := newHall(t)
	at, err := h.At(h.code(market), "10.0.0.1", nil)
	require.NoError(t, err)
	require.Equal(t, Place{Path: market, Names: map[string]string{"en": "The " + market}}, at)
	has := h.checksIn(market, nil)
	has = h.checksIn(market, has)
	require.Len(t, has, 1)
	require.True(t, has.String() == ReadVisits(h.now, has.String()).String(), "what the phone keeps is read again")
	at, err = h.At(h.code(market), "10.0.0.1", has)
	require.NoError(t, err)
	require.True(t, at.Here)
	h.now = h.now.Add(time.Hour)
	has = h.checksIn(market, has)
	require.Len(t, h.checksIn(stall, has), 3)
	require.Equal(t, []Count{{market, hourOf(noon), 1}, {market, hourOf(noon) + 1, 1}, {stall, hourOf(noon) + 1, 1}}, h.o.Counts.Of("", 0, hourOf(h.now)+1))
	require.Equal(t, []Seen{{market, map[string]string{"en": "The " + market}, noon.Add(time.Hour).Truncate(time.Hour).Local()}, {market, map[string]string{"en": "The " + market}, noon.Truncate(time.Hour).Local()}}, h.Show(has))
}

func TestAttack_CodesOfNobodyAreRefused(t *testing.T) {
	h := newHall(t)
	foreign, _ := signer("elsewhere")
	second, _ := signer("n2")
	good := h.code(market)
	raw, err := text32.DecodeString(good)
	require.NoError(t, err)
	changed := func(at int) string {
		b := append([]byte(nil), raw...)
		b[at] ^= 1
		return text32.EncodeToString(b)
	}
	moved := placeOf(mall)
	other := text32.EncodeToString(append(append(append([]byte{}, raw[0]), moved[:]...), raw[1+placeBytes:]...))
	for name, c := range map[string]struct {
		code string
		why  refusals.Reason
	}{
		"another node's": {newCode(second, market, h.now), ""}, "another district's": {newCode(foreign, market, h.now), refusals.CodeOld},
		"of another place": {other, refusals.BadLink}, "a changed signature": {changed(codeBytes - 1), refusals.BadLink}, "a later day": {changed(1 + placeBytes + 1), refusals.BadLink},
		"another version": {changed(0), refusals.BadLink}, "empty": {"", refusals.BadLink}, "short": {good[:40], refusals.BadLink}, "long": {good + "aaaaaaaa", refusals.BadLink},
		"in capitals": {strings.ToUpper(good), refusals.BadLink}, "markup": {"<script>", refusals.BadLink},
		"of a place that is gone": {newCode(h.o.Signer, "tm/gone", h.now), refusals.NoPlace},
		"printed too long ago":    {newCode(h.o.Signer, market, h.now.Add(-CodeLife-24*time.Hour)), refusals.CodeOld},
		"of next week":            {newCode(h.o.Signer, market, h.now.Add(7*24*time.Hour)), refusals.CodeOld},
		"of its last day":         {newCode(h.o.Signer, market, h.now.Add(-CodeLife+24*time.Hour)), ""},
	} {
		_, has, err := h.CheckIn(c.code, "10.0.0.1", nil)
		if c.why == "" {
			require.NoError(t, err, name)
			continue
		}
		require.Equal(t, c.why, whyOf(t, err), name)
		require.Empty(t, has, name)
	}
	link, err := text32.DecodeString(good)
	require.NoError(t, err)
	_ = link
	h.keys = h.keys[:1] // the node is removed
	_, err = h.At(good, "10.0.0.1", nil)
	require.Equal(t, refusals.CodeOld, whyOf(t, err))
}

func TestReadVisits_BelievesNothingBeyondWhatPhonesKeep(t *testing.T) {
	now := noon
	of := func(hours ...int) Visits {
		var all Visits
		for _, h := range hours {
			all = append(all, Visit{placeOf(market), hourOf(now.Add(time.Duration(h) * time.Hour))})
		}
		return all
	}
	days := int(visited.Kept / time.Hour)
	require.Equal(t, of(-days, -1, 0), ReadVisits(now, of(0, -1, 1, 1000, -days, -days-1, -100000).String()), "nothing of the future, nothing older than kept")
	require.Len(t, ReadVisits(now, of(0, 0, 0).String(), of(0, -1).String()), 2, "each once, of two cookies")
	var many Visits
	for n := range 5000 {
		many = append(many, Visit{[placeBytes]byte{byte(n), byte(n >> 8)}, hourOf(now)})
	}
	require.Empty(t, ReadVisits(now, many.String()), "more than any phone is given is not looked at")
	require.Len(t, many.kept(now), MostVisits)
	require.LessOrEqual(t, len(many.kept(now).String()), mostText)
	require.Len(t, ReadVisits(now, many.kept(now).String()), MostVisits)
	older := append(of(-5), many[:MostVisits]...)
	require.NotContains(t, older.kept(now), of(-5)[0], "the oldest go first")
	for _, bad := range []string{"", "AQ", "!", "Ag", of(0).String()[:9], strings.Repeat("A", 100_000), "<script>", of(0).String() + "="} {
		require.Empty(t, ReadVisits(now, bad), "%.40q", bad)
	}
}

func FuzzReadVisits(f *testing.F) {
	f.Add(Visits{{placeOf(market), hourOf(noon)}}.String())
	f.Fuzz(func(t *testing.T, text string) {
		has := ReadVisits(noon, text)
		require.LessOrEqual(t, len(has), MostVisits)
		require.Equal(t, has.String(), ReadVisits(noon, has.String()).String())
	})
}

func TestRecalls_AreForWhoWasThereThen(t *testing.T) {
	h := newHall(t)
	at := func(place string) Visits { return h.checksIn(place, nil) } // 12:00 to 15:00
	here, below, elsewhere := at(market), at(stall), at(mall)
	for value, want := range map[string][3]bool{
		"2026-11-28T08:00:00Z/2026-11-28T12:30:00Z " + market: {true, true, false}, "2026-11-28T08:00:00Z/2026-11-28T12:30:00Z " + stall: {false, true, false},
		"2026-11-28T08:00:00Z/2026-11-28T12:00:00Z " + market: {false, false, false}, "2026-11-28T14:59:00Z/2026-11-28T18:00:00Z " + market: {true, true, false},
		"2026-11-28T15:00:00Z/2026-11-28T18:00:00Z " + market: {false, false, false}, "2026-11-28T08:00:00Z/2026-11-28T18:00:00Z tm": {true, true, true},
		"2026-11-28T08:00:00Z/2026-11-28T18:00:00Z tm/mark": {false, false, false}, "nonsense": {false, false, false},
	} {
		h.recalls(value)
		for i, has := range []Visits{here, below, elsewhere} {
			require.Equal(t, want[i], len(h.Recalls(has)) == 1, "%s, phone %d", value, i)
		}
		require.Empty(t, h.Recalls(nil))
	}
	h.recalls("2026-11-28T08:00:00Z/2026-11-28T18:00:00Z "+mall, "2026-11-28T08:00:00Z/2026-11-28T18:00:00Z "+market)
	got := h.Recalls(here)
	require.Len(t, got, 1)
	require.Equal(t, []any{recall, market, "Do not eat it"}, []any{got[0].Alert, got[0].Place, got[0].Headline[0].Headline})
	h.now = h.now.Add(time.Hour)
	require.Empty(t, h.Recalls(here), "it is over")
	h.situation = nil
	require.Empty(t, h.Recalls(here))
}

func TestAnswer_IsTakenOfWhoWasThereAlone(t *testing.T) {
	h := newHall(t)
	here, elsewhere := h.checksIn(market, nil), h.checksIn(mall, nil)
	h.recalls("2026-11-28T08:00:00Z/2026-11-28T18:00:00Z " + market)
	_, err := h.Open(From{Alert: string(recall), Has: elsewhere})
	require.Equal(t, refusals.NoVisits, whyOf(t, err))
	_, err = h.Answer(t.Context(), From{Alert: string(recall)}, residents.Answer{})
	require.Equal(t, refusals.NoVisits, whyOf(t, err))
	_, err = h.Answer(t.Context(), From{Alert: "other", Has: here}, residents.Answer{})
	require.Equal(t, refusals.NoVisits, whyOf(t, err))
	require.Empty(t, h.visitors)
	_, err = h.Answer(t.Context(), From{Alert: string(recall), Pass: "p", Address: "10.0.0.1", Has: here}, residents.Answer{Where: " 9123 4567 ", Text: "fever", Photo: []byte("x")})
	require.NoError(t, err)
	require.Equal(t, []residents.Visitor{{Alert: recall, Place: market, Pass: "p", Address: "10.0.0.1"}}, h.visitors)
	require.Equal(t, []residents.Answer{{Where: "9123 4567", Text: "fever"}}, h.answers)
}

func TestAttack_AFloodOfCheckInsCountsLittleAndKeepsNobodyOut(t *testing.T) {
	h := newHall(t)
	code, counted := h.code(market), 0
	for n := range 2000 {
		_, has, err := h.CheckIn(code, "10.0.0."+string(rune('a'+n%26)), nil)
		require.NoError(t, err)
		require.Len(t, has, 1, "the visit is as good")
	}
	for _, c := range h.o.Counts.Of("", 0, hourOf(h.now)+1) {
		counted += c.Count
	}
	require.LessOrEqual(t, counted, 500)
	refused := 0
	for range 1000 {
		if _, err := h.At(code, "192.0.2.1", nil); err != nil {
			require.Equal(t, refusals.TooMany, whyOf(t, err))
			refused++
		}
	}
	require.Positive(t, refused)
	_, err := h.At(code, "192.0.2.2", nil)
	require.NoError(t, err)
}

func TestPlaceCodes_AreForOnesOwnPlaces(t *testing.T) {
	h := newHall(t)
	got, err := h.PlaceCodes(t.Context(), amy, []string{market, mall, market})
	require.NoError(t, err)
	require.Len(t, got.Codes, 2)
	require.Equal(t, mall, got.Codes[0].Place)
	require.True(t, strings.HasPrefix(got.Codes[1].Link, "HTTPS://NODE.EXAMPLE/R/AT/"), got.Codes[1].Link)
	_, err = h.At(strings.ToLower(strings.TrimPrefix(got.Codes[1].Link, "HTTPS://NODE.EXAMPLE/R/AT/")), "10.0.0.1", nil)
	require.NoError(t, err)
	require.Equal(t, noon.Truncate(24*time.Hour).Add(CodeLife), got.Codes[1].Until)
	warden := authority.Caller{Name: "w", Roles: []string{authority.RoleComposer}, Places: []string{market}}
	_, err = h.PlaceCodes(t.Context(), warden, []string{stall})
	require.NoError(t, err)
	kind := func(by authority.Caller, places ...string) wire.Kind {
		_, err := h.PlaceCodes(t.Context(), by, places)
		var p *wire.Problem
		require.ErrorAs(t, err, &p)
		return p.Kind
	}
	require.Equal(t, wire.KindNotFound, kind(warden, mall))
	require.Equal(t, wire.KindNotFound, kind(amy, "tm/nowhere"))
	require.Equal(t, wire.KindNotFound, kind(amy, "<b>"))
	require.Equal(t, wire.KindMalformed, kind(amy))
	require.Equal(t, wire.KindMalformed, kind(amy, strings.Split(strings.Repeat("tm ", MostCodes+1), " ")...))
	require.Equal(t, wire.KindForbidden, kind(authority.Caller{Name: "nobody"}, market))
	h.o.Base = ""
	require.Equal(t, wire.KindRefused, kind(amy, market))
}

func TestCheckIns_AddUpWhatEveryNodeCounted(t *testing.T) {
	h := newHall(t)
	h.checksIn(market, nil)
	h.checksIn(stall, nil)
	h.checksIn(mall, nil)
	h.others["n2"] = func(body []byte) ([]byte, error) {
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, NodesPath, strings.NewReader(string(body))))
		return w.Body.Bytes(), nil
	}
	h.others["n3"] = func([]byte) ([]byte, error) { return nil, os.ErrDeadlineExceeded }
	h.now = h.now.Add(time.Minute)
	got, err := h.CheckIns.CheckIns(t.Context(), amy, visits.Query{Place: market, From: noon.Add(-time.Hour), To: h.now})
	require.NoError(t, err)
	require.Equal(t, []any{4, []visits.PlaceCheckIns{{Place: market, Count: 2}, {Place: stall, Count: 2}}, []string{"n3"}}, []any{got.Total, got.Places, got.Unanswered})
	v, err := visited.Parse(got.Visited)
	require.NoError(t, err)
	require.Equal(t, market, v.Place)
	all, err := h.CheckIns.CheckIns(t.Context(), amy, visits.Query{})
	require.NoError(t, err)
	require.Equal(t, []any{6, ""}, []any{all.Total, all.Visited})
	warden := authority.Caller{Name: "w", Roles: []string{authority.RoleComposer}, Places: []string{mall}}
	own, err := h.CheckIns.CheckIns(t.Context(), warden, visits.Query{})
	require.NoError(t, err)
	require.Equal(t, []visits.PlaceCheckIns{{Place: mall, Count: 2}}, own.Places, "of one's own places alone")
	for _, q := range []visits.Query{{From: noon.Add(-10000 * time.Hour)}, {From: h.now, To: h.now.Add(-time.Hour)}, {To: h.now.Add(48 * time.Hour)}, {Place: "tm/nowhere"}} {
		_, err := h.CheckIns.CheckIns(t.Context(), amy, q)
		require.Error(t, err)
	}
	_, err = h.CheckIns.CheckIns(t.Context(), authority.Caller{Name: "vic", Roles: []string{authority.RoleViewer}}, visits.Query{})
	require.Error(t, err)
}

func TestCounts_AreKeptAcrossARestartAndBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "checkins.json")
	clock, log := func() time.Time { return noon }, slog.New(slog.DiscardHandler)
	c := OpenCounts(path, clock, log)
	c.add(market, hourOf(noon))
	c.add(market, hourOf(noon))
	c.add(market, hourOf(noon.Add(-visited.Kept-2*time.Hour)))
	c.save()
	again := OpenCounts(path, clock, log)
	require.Equal(t, []Count{{market, hourOf(noon), 2}}, again.Of("", 0, 1<<31), "what is older than phones keep is dropped")
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	var all []map[string]any
	require.NoError(t, json.Unmarshal(raw, &all))
	require.Len(t, all[0], 3, "a place, an hour and a number, and nothing else")
	require.NoError(t, os.WriteFile(path, []byte("{"), 0o600))
	require.Empty(t, OpenCounts(path, clock, log).Of("", 0, 1<<31))
	for n := range mostCounts + 10 {
		c.add("tm/p"+strings.Repeat("x", n%400), hourOf(noon)-uint32(n/400))
	}
	require.LessOrEqual(t, len(c.by), mostCounts)
	require.Equal(t, 3, c.by[placeHour{"tm/p", hourOf(noon)}]+2, "the newest are kept")
}
