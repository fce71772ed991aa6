// Package channels is the way from what is in force to the devices: the channel
// contract and the dispatcher. It knows neither raft nor Badger; the node joins
// them.
//
// The contract is a state, not a stream of events: an Outlet is given the whole
// of what holds now, and works out what each of its endpoints lacks. A lost call
// is therefore harmless, and a restarted node starts from the same place as one
// that never stopped.
package channels

import (
	"iter"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/receipt"
)

// Now is all that holds at one moment. It is immutable once handed over.
type Now struct {
	Places *Places
	// Listings are the manifests for /now, by group of Places. Groups that are told the
	// same share one. Nil: there is none yet.
	Listings []*Listing
	// Whole is the manifest of everything, for outlets whose endpoints share one topic;
	// nil where Options.Shared did not ask for it. See Shared.
	Whole  *Listing
	Keys   []byte     // signed, for /keys
	Active []Delivery // loudest first
}

// Listing is one signed manifest, in the pages in which it is sent; the first one has
// what matters most. It is immutable.
type Listing struct {
	Pages [][]byte
}

// Of is the manifest for a member of the group; nil where there is none.
func (n *Now) Of(group int) *Listing {
	if group >= len(n.Listings) {
		return nil
	}
	return n.Listings[group]
}

// Shared is the manifest for endpoints that all read one topic; nil where there is none.
func (n *Now) Shared() *Listing {
	if n.Whole == nil && n.Places.Len() == 1 {
		return n.Of(0)
	}
	return n.Whole
}

// Delivery is one signed body and the members it is for. Two deliveries of one
// alert have disjoint members.
type Delivery struct {
	Alert    alert.ID
	Revision alert.Revision
	Digest   string // of the CAP message's content: another one under the same revision is sent again
	Expires  time.Time
	Body     []byte          // signed, the same bytes for every device
	Says     *contract.Body  // what Body says, for channels that send texts; not modified, nil in tests only
	To       *roaring.Bitmap // member ordinals; never modified after hand-over
	Groups   []int32         // of Now.Places that have members of To, ascending; nil: any may
}

// Outlet is one channel. Set replaces what holds; it never blocks on an endpoint.
// It may be called from any goroutine; calls are taken in order.
type Outlet interface {
	Set(*Now)

	// Proves are the rungs that the channel can prove of an endpoint: what it never tells
	// must not be read as "did not happen". It answers the same for its whole life.
	Proves() []receipt.Rung
}

// Endpoint is an authenticated device.
type Endpoint struct {
	Device string // device id = MQTT client id
	Member uint32 // ordinal of its member
	Kind   string
	Loud   bool // screens, speakers and sirens are served first
}

// Directory knows how members are reached on channels whose endpoints are addresses and no
// devices of the contract: telephones, mailboxes. *agreed.Reader is one.
type Directory interface {
	// Addresses yields those of members on a channel; the first error comes last.
	Addresses(channel string, members *roaring.Bitmap) iter.Seq2[audience.Address, error]
}

// Receipts takes what endpoints tell. done is called exactly once, from any
// goroutine: nil when the receipts are durable (committed, or fsynced in the spool
// without quorum), which is when the device may be told so. rs is the receiver's during
// the call only.
type Receipts interface {
	Take(from Endpoint, rs []receipt.Receipt, done func(error))
}
