package signin

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/storage"
	"almenara/storage/signin"
)

// Whoever may only look signs in at a lone node again and again: the others come in all the same.
func TestAttack_NobodyTakesTheSessionsOfALoneNode(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	h := newHere(func() time.Time { return now })
	begin := func(i int, name string) error {
		now = now.Add(time.Second)
		return h.begin(storage.User{Name: name}, signin.Session{Hash: fmt.Append(nil, name, i), User: name, Until: now.Add(Lasts).UnixMilli()}, &command.BeginSession{})
	}
	for i := range 2 * mostHere {
		require.NoError(t, begin(i, "eve"))
	}
	require.NoError(t, begin(1, "amy"))
	_, there := h.find([]byte("amy1"))
	require.True(t, there)
	_, there = h.find(fmt.Append(nil, "eve", 2*mostHere-1))
	require.True(t, there, "the newest of each stays")
	require.Len(t, h.sessions, signin.MaxSessions+1)
}

// Of two who show a lone node the same answer of a passkey at once, one comes in.
func TestHere_AnAnswerOfAPasskeyCountsOnce(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	h := newHere(func() time.Time { return now })
	begin := func(cookie string, asked int64) error {
		s := signin.Session{Hash: []byte(cookie), User: "amy", Until: now.Add(Lasts).UnixMilli()}
		return h.begin(storage.User{Name: "amy"}, s, &command.BeginSession{Passkey: &command.UsedPasskey{ID: []byte("k"), Asked: asked}})
	}
	require.NoError(t, begin("a", 2))
	require.Error(t, begin("b", 2))
	require.Error(t, begin("c", 1))
	require.NoError(t, begin("d", 3))
}

// Of two who show a lone node the same code of a second factor at once, one comes in. Both may have been told that it
// fits: a session waits for a majority before it is one of this node only.
func TestAttack_ACodeOfASecondFactorOpensALoneNodeOnce(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	h := newHere(func() time.Time { return now })
	begin := func(name, cookie string, step uint64) error {
		s := signin.Session{Hash: []byte(cookie), User: name, Until: now.Add(Lasts).UnixMilli()}
		return h.begin(storage.User{Name: name, TokenHash: []byte(name)}, s, &command.BeginSession{Step: step})
	}
	require.NoError(t, begin("amy", "a", 7))
	for i := range 2 * signin.MaxSessions {
		require.Error(t, begin("amy", fmt.Sprint("copied ", i), 7))
		require.Error(t, begin("amy", fmt.Sprint("older ", i), 6))
	}
	_, there := h.find([]byte("a"))
	require.True(t, there, "what is refused ends no session")
	require.NoError(t, begin("amy", "b", 8))
	require.NoError(t, begin("bob", "c", 7), "of somebody else")
	require.NoError(t, begin("ben", "d", 0), "who has no second factor")
	require.NoError(t, begin("ben", "e", 0))
}

// Of what cannot be told to the others, or has run out, a start takes up nothing: it would hold up what can.
func TestHere_RecallsWhatCanBeTold(t *testing.T) {
	now := time.Date(2026, 11, 30, 3, 0, 0, 0, time.UTC)
	h := newHere(func() time.Time { return now })
	good := make([]byte, 32)
	h.recall([]signOut{{good[:3], "amy", now.Add(time.Hour)}, {append(good[:31:31], 1), "amy", now.Add(-time.Second)}, {good, "amy", now.Add(time.Hour)}})
	require.Equal(t, []signOut{{good, "amy", now.Add(time.Hour)}}, h.unagreed())
	require.True(t, h.ended(good))
}
