package alert

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAck_IsACAPMessageAboutTheOther(t *testing.T) {
	of := parsed(t, small)
	ack := Ack(of, "node@example.org", "A-1", "reached 3 of 3", at(t, "17:41:00"))
	require.Empty(t, ack.Check())
	require.Equal(t, []Key{of.Key()}, ack.References)
	require.Equal(t, MsgTypeAck, ack.MsgType)
	require.Equal(t, StatusActual, ack.Status)
	require.Equal(t, []string{"duty@example.org"}, ack.Addresses)
	requireRoundTrip(t, ack, "ack")
	require.True(t, ack.Expires().Equal(ack.Sent.Time()), "an Ack is never in force")
	drill := Ack(parsed(t, whole), "node@example.org", "A-2", "seen", at(t, "18:01:00"))
	require.Equal(t, StatusExercise, drill.Status)
}

func TestErrorReply_AnswersARefusedMessage(t *testing.T) {
	_, found, err := Parse([]byte(with(t, small, "Immediate", "Now")))
	rejected, ok := errors.AsType[*RejectError](err)
	require.True(t, ok)
	reply, err := ErrorReply(rejected.Key, "node@example.org", "E-1", found.Reason(), at(t, "17:41:00"))
	require.NoError(t, err)
	require.Empty(t, reply.Check())
	require.Equal(t, MsgTypeError, reply.MsgType)
	require.Equal(t, rejected.Key, reply.References[0])
	requireRoundTrip(t, reply, "error")
}

func TestErrorReply_NeedsToKnowWhom(t *testing.T) {
	_, _, err := Parse([]byte("junk"))
	rejected, ok := errors.AsType[*RejectError](err)
	require.True(t, ok)
	_, err = ErrorReply(rejected.Key, "n", "E-1", "x", at(t, "17:41:00"))
	require.ErrorIs(t, err, ErrNoKey)
}

// A sender may hold a double quote, which a list of addresses cannot.
func TestAck_OfASenderWithAQuoteIsStillValid(t *testing.T) {
	of := parsed(t, with(t, small, "duty@", `du"ty@`))
	require.Empty(t, Ack(of, "n", "A-1", "x", at(t, "17:41:00")).Check())
}
