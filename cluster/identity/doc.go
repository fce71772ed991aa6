// Package identity says who is who in a district, and proves it.
//
//	District: authority, root key ──signs──▶ certificates, incarnations, the key ring
//	   │                                        │
//	   ├─▶ Token, Fingerprint: one invitation   ├─▶ Identity: server id, certificate, keys
//	   └─▶ DistrictKeys, to who is admitted ───▶│      Load, Save: identity.json
//	                                            └─▶ ServerTLS, ClientTLS, JoinTLS: who may
//	                                                speak which service with whom
//
// It owns identity.json and identity.pending.json, the forms of certificates, invitations
// and statements of incarnations, and the names of the services on the internode port. It
// opens no connection, starts no goroutine, and never imports raft or anything else of the
// cluster: whatever judges a peer must be able to trust it without a cluster at hand.
package identity
