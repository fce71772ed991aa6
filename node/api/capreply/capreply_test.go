package capreply_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/api/capreply"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
)

var writer = capreply.Writer{Sender: "district", Clock: func() time.Time { return time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC) }}

// without is a message that no device could be given, with an identity that can be read.
const without = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>1</identifier><sender>centre</sender>` +
	`<sent>2026-07-01T00:00:00+00:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope></alert>`

func TestError_NamesTheMessageAndSaysWhy(t *testing.T) {
	xml, err := writer.Error([]byte(without), wire.Problemf(wire.KindRefused, "nobody is addressed"))
	require.NoError(t, err)
	reply, _, err := capxml.Parse(xml)
	require.NoError(t, err)
	require.Equal(t, alert.MsgTypeError, reply.MsgType)
	require.Contains(t, reply.Note, "nobody is addressed")
	require.Equal(t, "1", reply.References[0].Identifier)
}

func TestReply_OfWhatHasNoIdentityIsNone(t *testing.T) {
	xml, err := writer.Error([]byte("<no/>"), wire.Problemf(wire.KindRefused, "no"))
	require.NoError(t, err)
	require.Nil(t, xml)
	xml, err = writer.Ack([]byte("<no/>"), wire.Outcome{}, false)
	require.NoError(t, err)
	require.Nil(t, xml)
}
