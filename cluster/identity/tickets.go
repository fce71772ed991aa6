package identity

import (
	"crypto/sha256"
	"slices"
)

// TicketSecret is what TLS sessions of devices are resumed with. It follows from the node's key, so that
// they are after a restart, too, and nothing more has to be kept.
func (id *Identity) TicketSecret() []byte {
	sum := sha256.Sum256(slices.Concat([]byte("almenara session tickets"), id.SigningKey.Seed()))
	return sum[:]
}
