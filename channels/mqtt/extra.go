package mqtt

import (
	"almenara/channels"
	"almenara/channels/mqtt/packet"
)

// extra is what a build for conformance tests adds to the contract: clients without
// a credential, and topics that are routed from one client to the others. Only
// extra_conformance.go makes one, which no product contains: it has the build tag
// conformance. Everywhere else Gateway.extra is nil.
type extra interface {
	// admit says who a client is, or reports false for one that the contract judges.
	admit(c packet.Connect) (channels.Endpoint, bool)

	// grant returns the QoS that the filter is granted. It reports false for one that
	// the contract judges. The caller holds the session's mu, as it does for revoke.
	grant(s *session, f packet.Filter) (qos byte, ok bool)
	revoke(s *session, filter string) bool

	// publish takes and answers a publish outside the client's own topics.
	publish(s *session, p packet.Publish) error

	// leave ends what is kept for the session, and publishes its will if one is due.
	leave(s *session, will bool)
}
