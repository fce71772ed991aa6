// Package brokertest runs a general-purpose MQTT broker, mochi-mqtt, in the process of a test. It owns how such a broker
// listens and stops, and may import nothing of this module.
package brokertest

import (
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Listen has the broker listen at a TCP address; port 0 takes a free one. It returns the address. The broker may be
// closed at any time.
//
// Of itself, mochi-mqtt 2.7.9 may wait for ever where it is closed while a client leaves: GetByListener of its clients
// holds their lock for reading and takes it for reading again (clients.go, Len), and who wants it for writing in
// between waits for the first and holds up the second. The listener here ends the clients without that function.
func Listen(b *mochi.Server, address string) (string, error) {
	l := &listener{TCP: listeners.NewTCP(listeners.Config{ID: "tcp", Address: address}), broker: b}
	if err := b.AddListener(l); err != nil {
		return "", err
	}
	return l.Address(), nil
}

type listener struct {
	*listeners.TCP
	broker *mochi.Server
}

// Close ends the listener and the clients.
func (l *listener) Close(listeners.CloseFn) {
	l.TCP.Close(func(string) { l.end() })
}

// end ends the clients.
func (l *listener) end() {
	for _, client := range l.broker.Clients.GetAll() {
		if !client.Net.Inline && !client.Closed() {
			_ = l.broker.DisconnectClient(client, packets.ErrServerShuttingDown)
		}
	}
}
