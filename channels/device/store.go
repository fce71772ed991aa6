package device

import "github.com/eclipse/paho.mqtt.golang/packets"

// noStore is paho's message store without a store: what must be sent again is in
// the outbox, and a clean session has nothing to take up.
type noStore struct{}

func (noStore) Open()                             {}
func (noStore) Put(string, packets.ControlPacket) {}
func (noStore) Get(string) packets.ControlPacket  { return nil }
func (noStore) All() []string                     { return nil }
func (noStore) Del(string)                        {}
func (noStore) Close()                            {}
func (noStore) Reset()                            {}
