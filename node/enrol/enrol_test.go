package enrol

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
)

var manager = authority.Caller{Name: "amy", Roles: []string{authority.RoleDeviceManager}}

// district enrols devices as the records do.
type district struct {
	asked []wire.Enrol
	err   error
}

func (d *district) EnrolDevices(_ context.Context, _ authority.Caller, in []wire.Enrol) (out []wire.Enrolled, err error) {
	d.asked = append(d.asked, in...)
	for _, e := range in {
		out = append(out, wire.Enrolled{ID: e.ID, Servers: []string{"ws://a/mqtt"}, RootKey: "root"})
	}
	return out, d.err
}

type rig struct {
	*Enrolment
	t        *testing.T
	district *district
	now      time.Time
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, district: &district{}, now: time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)}
	r.Enrolment = New(Options{Devices: r.district, RootKey: func() string { return "root" }, Node: "n1", Clock: func() time.Time { return r.now }})
	return r
}

func kindOf(err error) string {
	var p *wire.Problem
	if errors.As(err, &p) {
		return p.Kind
	}
	return ""
}

// device is one that made its own secret.
type device struct{ secret, verifier, token, code string }

func newDevice() *device {
	d := &device{secret: random(32)}
	d.verifier = digest(d.secret)
	return d
}

// asks takes both steps and computes the code by itself, as a device does.
func (r *rig) asks(d *device, ticket, address string) error {
	asked, err := r.ask("screen", ticket, digest(d.verifier), address)
	if err != nil {
		return err
	}
	d.token, d.code = asked.Request, codeOf(d.verifier, asked.Nonce, asked.RootKey)
	return r.show(d.token, d.verifier)
}

func (r *rig) waitingWith(code string) Waiting {
	r.t.Helper()
	for _, w := range r.Waiting() {
		if w.Code == code {
			return w
		}
	}
	r.t.Fatalf("no device waits that shows %s: %v", code, r.Waiting())
	return Waiting{}
}

func TestEnrol_ADeviceIsLetInWithTheSecretThatItMade(t *testing.T) {
	r, d := newRig(t), newDevice()
	require.NoError(t, r.asks(d, "", "10.0.0.9"))
	w := r.waitingWith(d.code)
	state, err := r.state(d.token)
	require.NoError(t, err)
	require.Equal(t, State{State: Waits}, state, "nothing is told before the approval")
	_, err = r.Approve(t.Context(), authority.Caller{Name: "amy"}, Approval{Number: w.Number, Code: w.Code, For: For{ID: "lift-1", Kind: "screen", Place: "a/b"}})
	require.NoError(t, err)
	require.Equal(t, []wire.Enrol{{ID: "lift-1", Kind: "screen", Place: "a/b", Verifier: d.verifier, NewKind: true}}, r.district.asked)
	state, err = r.state(d.token)
	require.NoError(t, err)
	require.Equal(t, State{State: Approved, ID: "lift-1", Servers: []string{"ws://a/mqtt"}, RootKey: "root"}, state)
	require.Empty(t, r.Waiting())
	_, err = r.Approve(t.Context(), authority.Caller{}, Approval{Number: w.Number, Code: w.Code, For: For{ID: "lift-2"}})
	require.Equal(t, wire.KindConflict, kindOf(err), "once")
	r.now = r.now.Add(askLife)
	_, err = r.state(d.token)
	require.Equal(t, wire.KindNotFound, kindOf(err), "it is forgotten")
}

// The street: whoever has no ticket fills their own share, and a device with a ticket waits all the same.
func TestAttack_AFloodFromTheStreetLeavesRoomForWhoWasInvited(t *testing.T) {
	r := newRig(t)
	refused := 0
	for i := range 1000 {
		err := r.asks(newDevice(), "", fmt.Sprintf("10.0.%d.%d", i/250, i%250))
		if err != nil {
			require.Equal(t, wire.KindOverBudget, kindOf(err))
			refused++
		}
	}
	require.Equal(t, 1000-maxUninvited, refused)
	require.Len(t, r.requests, maxUninvited)
	tickets, err := r.NewTickets(manager, []For{{ID: "lift-1"}}, TicketLife)
	require.NoError(t, err)
	invited := newDevice()
	require.NoError(t, r.asks(invited, tickets[0].Text, "10.0.0.1"))
	require.Equal(t, "lift-1", r.waitingWith(invited.code).Wants.ID)
	r.now = r.now.Add(askLife)
	require.NoError(t, r.asks(newDevice(), "", "10.0.0.1"), "and the flood passes")
}

func TestAttack_OneAddressHasThreeAtATime(t *testing.T) {
	r := newRig(t)
	for range maxOfAddress {
		require.NoError(t, r.asks(newDevice(), "", "10.0.0.9"))
	}
	require.Equal(t, wire.KindOverBudget, kindOf(r.asks(newDevice(), "", "10.0.0.9")))
	require.NoError(t, r.asks(newDevice(), "", "10.0.0.10"))
}

// Who asks and never shows a verifier holds a place for a minute, and is seen by nobody.
func TestAttack_HalfARequestIsOverSoon(t *testing.T) {
	r := newRig(t)
	_, err := r.ask("screen", "", digest(newDevice().verifier), "10.0.0.9")
	require.NoError(t, err)
	require.Empty(t, r.Waiting())
	r.now = r.now.Add(showLife)
	r.Waiting()
	require.Empty(t, r.requests)
}

// An attacker who sees the code of the panel on the wall cannot choose a verifier for it: it is bound
// by a commitment before it knows the nonce.
func TestAttack_WhoSeesACodeCannotComeToShowIt(t *testing.T) {
	r, victim := newRig(t), newDevice()
	require.NoError(t, r.asks(victim, "", "10.0.0.9"))
	asked, err := r.ask("screen", "", digest(newDevice().verifier), "10.6.6.6")
	require.NoError(t, err)
	for range 100 { // looking for one that gives the victim's code, after the nonce is known
		err := r.show(asked.Request, newDevice().verifier)
		require.Equal(t, wire.KindRefused, kindOf(err))
		require.ErrorContains(t, err, "committed itself")
	}
	require.Len(t, r.Waiting(), 1)
}

// Whoever is between device and node and answers in the node's place, with a root key of its own, has
// the two show different codes.
func TestAttack_ARootKeyOfSomebodyElseChangesTheCode(t *testing.T) {
	verifier, nonce := newDevice().verifier, random(32)
	require.NotEqual(t, codeOf(verifier, nonce, "root"), codeOf(verifier, nonce, "other"))
	require.NotEqual(t, codeOf(verifier, nonce, "root"), codeOf(verifier, random(32), "root"))
	require.NotEqual(t, codeOf(verifier, nonce, "root"), codeOf(newDevice().verifier, nonce, "root"))
}

// An attacker who races the device with its ticket waits under a code that no device here shows, and
// what a person types or confirms is the code.
func TestAttack_WhoTakesATicketFirstIsNotTheDeviceInTheLift(t *testing.T) {
	r, thief, panel := newRig(t), newDevice(), newDevice()
	tickets, err := r.NewTickets(manager, []For{{ID: "lift-1", Kind: "screen", Place: "a/b"}}, SheetLife)
	require.NoError(t, err)
	require.NoError(t, r.asks(thief, tickets[0].Text, "10.6.6.6"))
	require.Equal(t, wire.KindNotFound, kindOf(r.asks(panel, tickets[0].Text, "10.0.0.9")), "a ticket is used once")
	require.NoError(t, r.asks(panel, "", "10.0.0.9"))
	require.NotEqual(t, panel.code, thief.code)
	w := r.waitingWith(thief.code)
	_, err = r.Approve(t.Context(), authority.Caller{}, Approval{Number: w.Number, Code: panel.code, For: w.Wants})
	require.Equal(t, wire.KindRefused, kindOf(err))
	require.Empty(t, r.district.asked)
}

func TestAttack_ATicketIsNotUsedTwiceNorLate(t *testing.T) {
	r := newRig(t)
	tickets, err := r.NewTickets(manager, []For{{}, {}}, TicketLife)
	require.NoError(t, err)
	require.NoError(t, r.asks(newDevice(), tickets[0].Text, "10.0.0.9"))
	require.Equal(t, wire.KindNotFound, kindOf(r.asks(newDevice(), tickets[0].Text, "10.0.0.9")))
	r.now = r.now.Add(TicketLife)
	require.Equal(t, wire.KindNotFound, kindOf(r.asks(newDevice(), tickets[1].Text, "10.0.0.9")))
}

// A guess of the digits changes nothing, however often.
func TestAttack_ACodeThatIsGuessedApprovesNothing(t *testing.T) {
	r, d := newRig(t), newDevice()
	require.NoError(t, r.asks(d, "", "10.0.0.9"))
	w := r.waitingWith(d.code)
	for _, code := range []string{"", "0000 0000", d.code[:4], d.code + "0"} {
		_, err := r.Approve(t.Context(), authority.Caller{}, Approval{Number: w.Number, Code: code, For: For{ID: "x"}})
		require.Equal(t, wire.KindRefused, kindOf(err), code)
	}
	require.Empty(t, r.district.asked)
	_, err := r.Approve(t.Context(), authority.Caller{}, Approval{Number: w.Number, Code: strings.ReplaceAll(d.code, " ", ""), For: For{ID: "x"}})
	require.NoError(t, err, "as people write it")
}

// What became of an approval may be unknown: the device waits on, and is approved again.
func TestApprove_MayBeTriedAgainWhereItFailed(t *testing.T) {
	r, d := newRig(t), newDevice()
	require.NoError(t, r.asks(d, "", "10.0.0.9"))
	a := Approval{Number: r.waitingWith(d.code).Number, Code: d.code, For: For{ID: "lift-1"}}
	r.district.err = wire.Problemf(wire.KindUnknownOutcome, "nobody knows")
	_, err := r.Approve(t.Context(), authority.Caller{}, a)
	require.Equal(t, wire.KindUnknownOutcome, kindOf(err))
	r.district.err = nil
	_, err = r.Approve(t.Context(), authority.Caller{}, a)
	require.NoError(t, err)
	require.Len(t, r.district.asked, 2)
}

func TestRefuse_SendsTheDeviceAway(t *testing.T) {
	r, d := newRig(t), newDevice()
	require.NoError(t, r.asks(d, "", "10.0.0.9"))
	require.NoError(t, r.Refuse(manager, r.waitingWith(d.code).Number))
	state, err := r.state(d.token)
	require.NoError(t, err)
	require.Equal(t, State{State: Refused}, state)
	require.Equal(t, wire.KindNotFound, kindOf(r.Refuse(manager, "none")))
}

func TestNewTickets_AreBounded(t *testing.T) {
	r := newRig(t)
	for _, n := range []int{0, MaxSheet + 1} {
		_, err := r.NewTickets(manager, make([]For, n), SheetLife)
		require.Equal(t, wire.KindRefused, kindOf(err))
	}
	for i := range maxTickets / MaxSheet {
		_, err := r.NewTickets(authority.Caller{Name: fmt.Sprint("m", i%2)}, make([]For, MaxSheet), SheetLife)
		require.NoError(t, err)
	}
	_, err := r.NewTickets(manager, make([]For, 1), SheetLife)
	require.Equal(t, wire.KindOverBudget, kindOf(err))
}

// One person's codes, however many, leave room for those of others.
func TestAttack_OnePersonHasNotAllTickets(t *testing.T) {
	r := newRig(t)
	for range maxOfPerson / MaxSheet {
		_, err := r.NewTickets(authority.Caller{Name: "eve"}, make([]For, MaxSheet), SheetLife)
		require.NoError(t, err)
	}
	_, err := r.NewTickets(authority.Caller{Name: "eve"}, make([]For, 1), SheetLife)
	require.Equal(t, wire.KindOverBudget, kindOf(err))
	_, err = r.NewTickets(manager, make([]For, 1), SheetLife)
	require.NoError(t, err)
}

// Who is limited to places makes codes for those, and sends nobody away that was invited to another one.
func TestAttack_WhoIsLimitedLeavesTheDevicesOfOthers(t *testing.T) {
	r, d := newRig(t), newDevice()
	eve := authority.Caller{Name: "eve", Roles: []string{authority.RoleDeviceManager}, Places: []string{"tm/a"}}
	for place, want := range map[string]string{"tm/b": wire.KindForbidden, "tm/ab": wire.KindForbidden, "tm": wire.KindForbidden, "tm/a": "", "tm/a/lift-1": "", "": ""} {
		_, err := r.NewTickets(eve, []For{{ID: "x", Place: place}}, TicketLife)
		require.Equal(t, want, kindOf(err), place)
	}
	tickets, err := r.NewTickets(manager, []For{{ID: "lift-1", Kind: "screen", Place: "tm/b"}}, SheetLife)
	require.NoError(t, err)
	require.NoError(t, r.asks(d, tickets[0].Text, "10.0.0.9"))
	w := r.waitingWith(d.code)
	require.Equal(t, wire.KindForbidden, kindOf(r.Refuse(eve, w.Number)))
	require.NoError(t, r.Refuse(manager, w.Number))
	other := newDevice()
	require.NoError(t, r.asks(other, "", "10.0.0.9"))
	require.NoError(t, r.Refuse(eve, r.waitingWith(other.code).Number), "it is nobody's yet")
}

// post asks as a page does.
func (r *rig) post(path, body string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	q := httptest.NewRequest(http.MethodPost, Below+path, strings.NewReader(body))
	q.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(q)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w
}

func TestHandler_TakesBothStepsAndRefusesWhatIsNotOne(t *testing.T) {
	r, d := newRig(t), newDevice()
	w := r.post("ask", `{"kind":"phone","ticket":"","commitment":"`+digest(d.verifier)+`"}`)
	require.Equal(t, 200, w.Code, w.Body)
	var asked Asked
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &asked))
	require.Equal(t, 200, r.post("show", `{"request":"`+asked.Request+`","verifier":"`+d.verifier+`"}`).Code)
	require.JSONEq(t, `{"state":"waiting"}`, r.post("state", `{"request":"`+asked.Request+`"}`).Body.String())
	require.Equal(t, codeOf(d.verifier, asked.Nonce, "root"), r.Waiting()[0].Code)

	good := `{"kind":"screen","commitment":"` + digest("x") + `"}`
	for body, status := range map[string]int{
		`{}`: 400, `x`: 400, ``: 400, `{"kind":"screen","commitment":"short"}`: 400, `{"kind":"oven","commitment":"` + digest("x") + `"}`: 422,
		`{"kind":"screen","commitment":"` + digest("x") + `","more":1}`: 400, `{"kind":"` + strings.Repeat("x", maxBody) + `"}`: 413,
		`{"kind":"screen","commitment":"` + digest("x")[:42] + `B"}`: 400, // bits behind the last byte
	} {
		require.Equal(t, status, r.post("ask", body).Code, body)
	}
	require.Equal(t, 400, r.post("ask", good, func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") }).Code, "a form of another site")
	require.Equal(t, 403, r.post("ask", good, func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }).Code)
	require.Equal(t, 404, r.post("state", `{"request":"none"}`).Code)
	require.Equal(t, 404, r.post("show", `{"request":"none","verifier":"`+d.verifier+`"}`).Code)
}

// The code of known values: the same test is in channels/pages/tests/join.test.js.
func TestCodeOf_IsWhatPagesCompute(t *testing.T) {
	verifier := digest("a secret of the device")
	require.Equal(t, "3ugFVc17FD19-JqqZgcOGrGGK6Znqf4oUuZSQN_eZrc RD9HGPiVhL078HRsiJdA9PrJvj-lirhvwr5f8LnJ0Gg 6745 2003", verifier+" "+digest(verifier)+" "+codeOf(verifier, strings.Repeat("A", 43), strings.Repeat("B", 43)))
}

// A digest is written in one way only: 32 bytes, without line ends, which the decoder would pass over.
func TestIsDigest_KnowsOneWayToWriteIt(t *testing.T) {
	good := digest("x")
	for text, is := range map[string]bool{
		good: true, "": false, random(31): false, random(33): false, good + "\n": false, random(31) + "\n": false, good[:20] + "\r\n" + good[20:]: false,
		good + "=": false, good[:42]: false, strings.Repeat("A", 43): true, strings.Repeat("A", 42) + "B": false, strings.Repeat("+", 43): false,
	} {
		require.Equal(t, is, isDigest(text), "%q", text)
	}
}

// What the verifier of a request is comes from the street: one that was committed to, and is no digest, is refused.
func TestAttack_AVerifierHasTheLengthOfOne(t *testing.T) {
	r := newRig(t)
	for _, verifier := range []string{"", "short", random(31), random(33), strings.Repeat("v", 1000), digest("x") + "\n", random(31) + "\n"} {
		asked, err := r.ask("screen", "", digest(verifier), "10.0.0.9")
		require.NoError(t, err)
		require.Equal(t, wire.KindRefused, kindOf(r.show(asked.Request, verifier)), "%q", verifier)
		r.now = r.now.Add(showLife)
	}
	require.Empty(t, r.Waiting())
}

// Five hundred tickets of a quarter of a megabyte each would be much of a small box.
func TestAttack_TicketsAreSmall(t *testing.T) {
	r := newRig(t)
	huge := strings.Repeat("x", 250<<10)
	for _, f := range []For{{ID: huge}, {Kind: huge}, {Place: huge}, {Member: huge}} {
		_, err := r.NewTickets(manager, []For{{ID: "a"}, f}, SheetLife)
		require.Equal(t, wire.KindRefused, kindOf(err))
	}
	require.Empty(t, r.tickets)
}
