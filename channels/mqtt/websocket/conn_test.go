package websocket

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// clientFrame makes a frame as clients do.
func clientFrame(first byte, payload []byte) []byte {
	b := appendFrame(nil, 0, payload)
	head := len(b) - len(payload)
	b[0], b[1] = first, b[1]|0x80
	masked := append(bytes.Clone(b[:head]), 1, 2, 3, 4)
	for i, c := range payload {
		masked = append(masked, c^byte(i%4+1))
	}
	return masked
}

// written is a connection that only remembers.
type written struct {
	net.Conn
	bytes.Buffer
}

func (w *written) Write(b []byte) (int, error) { return w.Buffer.Write(b) }
func (w *written) Read(b []byte) (int, error)  { return w.Buffer.Read(b) }
func (w *written) Close() error                { return nil }

func TestWSConn_ReadsAStreamOutOfFrames(t *testing.T) {
	var in bytes.Buffer
	long := bytes.Repeat([]byte("0123456789"), 7000) // a 64-bit length
	in.Write(clientFrame(0x02, []byte("ab")))        // begins a message
	in.Write(clientFrame(0x89, []byte("are you there")))
	in.Write(clientFrame(0x80, []byte("cd"))) // ends it
	in.Write(clientFrame(0x8A, nil))
	in.Write(clientFrame(0x82, nil))
	in.Write(clientFrame(0x82, long[:200]))
	in.Write(clientFrame(0x82, long))
	in.Write(clientFrame(0x88, []byte{3, 0xE8}))
	out := &written{}
	got, err := io.ReadAll(NewConn(out, &in))
	require.NoError(t, err)
	require.Equal(t, append([]byte("abcd"), append(long[:200:200], long...)...), got)
	require.Equal(t, append([]byte("\x8A\x0Dare you there"), 0x88, 2, 3, 0xE8), out.Bytes())
}

func TestWSConn_BreaksOff(t *testing.T) {
	for name, test := range map[string]struct {
		b    []byte
		code uint16
	}{
		"text":                   {clientFrame(0x81, []byte("x")), closeUnsupported},
		"unknown opcode":         {clientFrame(0x83, nil), closeUnsupported},
		"unknown control":        {clientFrame(0x8B, nil), closeProtocol},
		"not masked":             {appendFrame(nil, opBinary, []byte("x")), closeProtocol},
		"reserved bit":           {clientFrame(0xC2, nil), closeProtocol},
		"continuation of none":   {clientFrame(0x80, nil), closeProtocol},
		"new within a message":   {append(clientFrame(0x02, nil), clientFrame(0x82, nil)...), closeProtocol},
		"long ping":              {clientFrame(0x89, make([]byte, 126)), closeProtocol},
		"fragmented ping":        {clientFrame(0x09, nil), closeProtocol},
		"length over 63 bits":    {[]byte{0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0}, closeProtocol},
		"length is only a claim": {[]byte{0x82, 0xFF, 0x7F, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			out := &written{}
			_, err := io.ReadAll(NewConn(out, bytes.NewReader(test.b)))
			if test.code == 0 {
				require.Empty(t, out.Bytes())
				return
			}
			require.ErrorIs(t, err, ErrProtocol)
			require.Equal(t, []byte{0x88, 2, byte(test.code >> 8), byte(test.code)}, out.Bytes())
		})
	}
}

func FuzzWSConn(f *testing.F) {
	f.Add(clientFrame(0x82, []byte("abc")))
	f.Add(append(clientFrame(0x02, []byte("a")), clientFrame(0x89, []byte("b"))...))
	f.Add([]byte{0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _ := io.ReadAll(NewConn(&written{}, bytes.NewReader(b)))
		require.LessOrEqual(t, len(got), len(b))
	})
}

func FuzzWSConn_Encode(f *testing.F) {
	f.Add([]byte("abc"), 7)
	f.Fuzz(func(t *testing.T, payload []byte, split int) {
		split = min(max(split, 0), len(payload))
		in := append(clientFrame(0x02, payload[:split]), clientFrame(0x80, payload[split:])...)
		got, err := io.ReadAll(NewConn(&written{}, bytes.NewReader(in)))
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
		}
		require.True(t, bytes.Equal(payload, got))
	})
}
