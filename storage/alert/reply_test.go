package alert_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
)

func TestAck_IsACAPMessageAboutTheOther(t *testing.T) {
	of := alerttest.Parsed(t, alerttest.Small)
	ack := alert.Ack(of, "node@example.org", "A-1", "reached 3 of 3", alerttest.At(t, "17:41:00"))
	require.Empty(t, alerttest.Faults(ack))
	require.Equal(t, []alert.Key{of.Key()}, ack.References)
	require.Equal(t, alert.MsgTypeAck, ack.MsgType)
	require.Equal(t, alert.StatusActual, ack.Status)
	require.Equal(t, []string{"duty@example.org"}, ack.Addresses)
	alerttest.RequireRoundTrip(t, ack, "ack")
	require.True(t, ack.Expires().Equal(ack.Sent.Time()), "an Ack is never in force")
	drill := alert.Ack(alerttest.Parsed(t, alerttest.Whole), "node@example.org", "A-2", "seen", alerttest.At(t, "18:01:00"))
	require.Equal(t, alert.StatusExercise, drill.Status)
}

func TestErrorReply_AnswersARefusedMessage(t *testing.T) {
	_, found, err := capxml.Parse([]byte(alerttest.With(t, alerttest.Small, "Immediate", "Now")))
	rejected, ok := errors.AsType[*alert.RejectError](err)
	require.True(t, ok)
	reply, err := alert.ErrorReply(rejected.Key, "node@example.org", "E-1", found.Reason(), alerttest.At(t, "17:41:00"))
	require.NoError(t, err)
	require.Empty(t, alerttest.Faults(reply))
	require.Equal(t, alert.MsgTypeError, reply.MsgType)
	require.Equal(t, rejected.Key, reply.References[0])
	alerttest.RequireRoundTrip(t, reply, "error")
}

func TestErrorReply_NeedsToKnowWhom(t *testing.T) {
	_, _, err := capxml.Parse([]byte("junk"))
	rejected, ok := errors.AsType[*alert.RejectError](err)
	require.True(t, ok)
	_, err = alert.ErrorReply(rejected.Key, "n", "E-1", "x", alerttest.At(t, "17:41:00"))
	require.ErrorIs(t, err, alert.ErrNoKey)
}

// A sender may hold a double quote, which a list of addresses cannot.
func TestAck_OfASenderWithAQuoteIsStillValid(t *testing.T) {
	of := alerttest.Parsed(t, alerttest.With(t, alerttest.Small, "duty@", `du"ty@`))
	require.Empty(t, alerttest.Faults(alert.Ack(of, "n", "A-1", "x", alerttest.At(t, "17:41:00"))))
}
