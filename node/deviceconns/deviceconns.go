// Package deviceconns gives each kind of listener of the device gateway its share of the descriptors. It decides
// nothing, and never imports another part of node.
package deviceconns

import (
	"net"

	"almenara/channels/mqtt"
	"almenara/cluster/connlimit"
)

// Shares are those of a process; they implement mqtt.Conns.
type Shares struct{ *connlimit.Process }

// Enter implements mqtt.Conns.
func (s Shares) Enter(t mqtt.Transport, conn net.Conn) bool { return s.Devices[t].Enter(conn) }

// Known implements mqtt.Conns.
func (s Shares) Known(conn net.Conn) { s.Pool.Known(conn) }

// Leave implements mqtt.Conns.
func (s Shares) Leave(conn net.Conn) { s.Pool.Leave(conn) }
