package refusal_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/cluster/command"
	"almenara/cluster/refusal"
	"almenara/storage/coded"
)

// What the state machine says arrives at the node that proposed with its code and every value in its sort.
func TestRefuse_TravelsWithItsCode(t *testing.T) {
	why := coded.Errorf("inner", "the place %s", "tm")
	sent := command.Refuse(command.KindConflict, "outer", "%d %q %s %s %v %v", uint32(7), "a", coded.Kind("screen"), coded.Word("reports"), why, errors.New("torn"))
	raw, err := sent.Encode()
	require.NoError(t, err)
	got, err := command.DecodeResult(raw)
	require.NoError(t, err)
	require.ErrorIs(t, got.Error(), command.ErrConflict)
	require.EqualError(t, got.Error(), `conflict: 7 "a" screen reports the place tm torn`)
	code, with := coded.Find(got.Error()).Saying()
	require.Equal(t, "outer", code)
	require.Equal(t, []any{int64(7), "a", coded.Kind("screen"), coded.Word("reports")}, with[:4])
	inner, values := coded.Find(with[4].(error)).Saying()
	require.Equal(t, "inner", inner)
	require.Equal(t, []any{"tm"}, values)
	require.Nil(t, coded.Find(with[5].(error)))
	require.EqualError(t, with[5].(error), "torn")
}

// An answer of software that knows no codes, or of newer software, is read by its sentence.
func TestResult_IsReadWithoutACode(t *testing.T) {
	raw, err := command.Result{Kind: command.KindNotFound, Err: "no such member"}.Encode()
	require.NoError(t, err)
	got, err := command.DecodeResult(raw)
	require.NoError(t, err)
	require.EqualError(t, got.Error(), "not found: no such member")
	require.Nil(t, coded.Find(got.Error()))
	require.Nil(t, refusal.Of(coded.Errorf("", "no code")))
}

// Answers are decoded only to a depth: an error in many others must not make them unreadable.
func TestOf_GoesNoDeeperThanAnswersAreRead(t *testing.T) {
	err := errors.New("torn")
	for range 20 {
		err = coded.Errorf("deep", "in %v", err)
	}
	raw, encoding := command.Refuse(command.KindInvalid, "deep", "in %v", err).Encode()
	require.NoError(t, encoding)
	got, decoding := command.DecodeResult(raw)
	require.NoError(t, decoding)
	require.Contains(t, got.Error().Error(), strings.Repeat("in ", 21)+"torn")
}
