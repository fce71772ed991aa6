// Package contract is the device contract, version 1: topics, payloads and
// signatures as devices of every maker see them. Nodes and the reference device
// share it; a change here is a change of the contract.
package contract

import (
	"math"
	"time"
)

// Prefix is the first part of every topic.
const Prefix = "almenara/1"

// Topics to all devices.
const (
	TopicNow  = Prefix + "/now"
	TopicKeys = Prefix + "/keys"
)

// Manifest is the payload of /now: what is in force and what has ended, signed. It is
// sent on subscribe, on change and every 10 seconds.
//
// It lists what may concern the device's place, and whoever any message of those alerts
// ever addressed; devices of different places are sent different ones. Behind an external
// broker, where all devices share one topic, it lists the whole district. Nothing that
// concerns a device is ever left out: what is too much for one payload goes out as several
// pages.
//
// The pages of one Version together are the listing. Each is a signed payload of its own,
// with the Time, Node and Version of all, and says which it is. They may come in any order.
// What a page ends, and the higher revisions that it lists, count at once; as evidence for
// starting or resuming, the pages count together, when all have come on this connection.
// A manifest without Pages is the whole listing.
type Manifest struct {
	Time    time.Time `json:"time"`            // the node's clock, by which the device corrects its own
	Node    string    `json:"node"`            // raft server id of the node that signed
	Version uint64    `json:"version"`         // grows with every listing of this node, across restarts
	Page    int       `json:"page,omitempty"`  // 1 to Pages; 0 where Pages is
	Pages   int       `json:"pages,omitempty"` // of this version, 2 to MaxPages; 0: this is all
	InForce []InForce `json:"in_force"`        // the gravest first, over all pages
	Ended   []Ended   `json:"ended"`           // on the pages after those of InForce; the newest first
}

// MaxPages bounds the pages of one version: some 250,000 entries.
const MaxPages = 1024

// InForce lists one alert that is in force in the district.
type InForce struct {
	ID       string    `json:"id"`
	Revision uint64    `json:"revision"`
	Digest   string    `json:"digest"` // of the CAP message's content; equal in the body
	Expires  time.Time `json:"expires"`
	// Reminded is when devices on which nobody has confirmed the revision were to present it again, the
	// last time; zero: never.
	Reminded time.Time `json:"reminded,omitzero"`
}

// Ended lists one alert that must not be shown any more, until it would have
// expired and 24 hours longer, also when this node never saw the alert.
type Ended struct {
	ID       string    `json:"id"`
	Revision uint64    `json:"revision"`
	At       time.Time `json:"at"`
	// Why is "cancelled", "superseded" (the alert goes on under another id), "expired" (the
	// newest revision ran out before an older one would have) or "drill-over" (it was a drill:
	// the real thing may follow under its id). The first two end the alert for ever; any other
	// word ends it up to Revision.
	Why string `json:"why,omitempty"`
	// Expires is when the alert would have expired, as far as the node knows; a
	// device remembers the end 24 hours longer. Zero: the node does not know.
	Expires time.Time `json:"expires,omitzero"`
}

// The values of Ended.Why.
const (
	WhyCancelled  = "cancelled"
	WhySuperseded = "superseded"
	WhyExpired    = "expired"
	WhyDrillOver  = "drill-over" // a drill or a test was cancelled; the real thing may follow under its id
)

// Covers is the highest revision that the end forbids: all of them for a cancelled
// alert, because cancel is terminal whatever arrives later. The end of a drill forbids
// what was known of the drill, or a later Actual message that references it would not start.
func (e Ended) Covers() uint64 {
	if e.Why == WhyCancelled || e.Why == WhySuperseded || e.Revision == 0 {
		return math.MaxUint64
	}
	return e.Revision
}

// Body is the payload of /device/{id}/alert/{alert}, signed: all that a device
// needs to show or speak one revision of one alert.
type Body struct {
	Alert    string     `json:"alert"`
	Revision uint64     `json:"revision"`
	Digest   string     `json:"digest"`
	Time     time.Time  `json:"time"`   // when the node signed it
	Status   string     `json:"status"` // CAP: Actual, Exercise or Test
	Tier     Tier       `json:"tier"`
	Sound    string     `json:"sound"`   // "siren", "chime", "drill" or "none"
	Confirm  string     `json:"confirm"` // "none" or "person"
	Sender   string     `json:"sender"`
	Sent     time.Time  `json:"sent"`
	Expires  time.Time  `json:"expires"`
	Texts    []Text     `json:"texts"`
	Files    []Resource `json:"resources,omitempty"`
}

// Tier says how loud: emergency and advisory are real, drill and test never look
// or sound like them.
type Tier string

// The tiers.
const (
	TierEmergency Tier = "emergency" // takes the whole screen, with siren
	TierAdvisory  Tier = "advisory"
	TierDrill     Tier = "drill"
	TierTest      Tier = "test" // verified and recorded, never presented
)

// Text is one CAP info block that applies to the device.
type Text struct {
	Language    string    `json:"language"`
	Event       string    `json:"event"`
	Urgency     string    `json:"urgency"`
	Severity    string    `json:"severity"`
	Certainty   string    `json:"certainty"`
	Headline    string    `json:"headline,omitempty"`
	Description string    `json:"description,omitempty"`
	Instruction string    `json:"instruction,omitempty"`
	From        string    `json:"from,omitempty"` // senderName
	Areas       []string  `json:"areas"`
	Web         string    `json:"web,omitempty"`
	Contact     string    `json:"contact,omitempty"` // whom to call or write to, in words
	Onset       time.Time `json:"onset,omitzero"`
	Expires     time.Time `json:"expires"`
}

// Resource is a file that belongs to the alert, checked by its digest.
type Resource struct {
	Description string `json:"description"`
	Type        string `json:"type"`
	Size        int64  `json:"size,omitempty"`
	SHA1        string `json:"sha1,omitempty"`
	URI         string `json:"uri,omitempty"`
	Data        string `json:"data,omitempty"` // base64, when it travels inside
}

// Receipt is one element of the array that a device publishes on
// /device/{id}/receipt. A device tells of a revision what it has come to, each once:
// verified when the signature is good; presented once it is shown or spoken, acknowledged when a
// person confirmed it; failed when it cannot be shown; refused when it must not be; expired when it
// ran out before it began; and cancelled once it is shown no more, for whatever reason (it was
// ended, ran out, or was replaced), or when its end came before it began. How many screens have
// really stopped is counted from that, so a device tells it after it has stopped, not before.
type Receipt struct {
	Alert    string    `json:"alert"`
	Revision uint64    `json:"revision"`
	Rung     string    `json:"rung"` // verified, presented, acknowledged, failed, refused, expired, cancelled
	At       time.Time `json:"at"`
	Seq      uint64    `json:"seq"` // grows by one with each receipt of the device
	Answer   string    `json:"answer,omitempty"`
	Location *Location `json:"location,omitempty"`
}

// Location is where a responder was, only where a person attached it.
type Location struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// State is what a device publishes on /device/{id}/state, retained; its will is
// {"state":"lost","session":…}.
type State struct {
	State      string            `json:"state"` // ready, presenting, disconnected, lost
	Session    uint64            `json:"session"`
	Kind       string            `json:"kind,omitempty"`
	Version    string            `json:"version,omitempty"`
	ClockSkew  float64           `json:"clock_skew_seconds,omitempty"`
	Presenting []string          `json:"presenting,omitempty"`
	Health     map[string]string `json:"health,omitempty"`
	Tested     *Tested           `json:"tested,omitempty"` // what the last command test came to; nil: none since the device started
}

// Tested is what a device came to when it carried out a command test. It is told in the state, as a
// receipt is told of an alert: once it is so.
type Tested struct {
	ID        string   `json:"id"`                  // of the command
	Result    string   `json:"result"`              // passed, failed, busy, unproven
	Exercised []string `json:"exercised,omitempty"` // what really worked: display, sound
	Why       string   `json:"why,omitempty"`       // a sentence for people; empty where it passed
}

// The values of Tested.Result. Nodes take a word that they do not know for unproven.
const (
	TestPassed   = "passed"   // what Exercised lists was really painted, or really played to its end
	TestFailed   = "failed"   // something that people would have seen or heard did not work
	TestBusy     = "busy"     // nothing was tried, because an alert is presented, or another test goes on
	TestUnproven = "unproven" // it was done, but the device cannot know whether anything came of it
)

// The words of Tested.Exercised.
const (
	ExercisedDisplay = "display"
	ExercisedSound   = "sound"
)

// Command is the payload of /device/{id}/command, signed and expiring.
type Command struct {
	ID      string    `json:"id"`
	Do      string    `json:"do"` // test, identify, reload, silence, answered, answer
	Time    time.Time `json:"time"`
	Expires time.Time `json:"expires"`

	// Which alert, and of it which revision was answered, and how; only where Do is answered, and Alert where it is
	// answer.
	Alert    string `json:"alert,omitempty"`
	Revision uint64 `json:"revision,omitempty"`
	Answer   string `json:"answer,omitempty"`

	// Place is where the device hangs, in the words of people there; only where Do is identify.
	Place string `json:"place,omitempty"`

	// Link is what residents open to answer Alert, Modules how many modules a side of its QR code has, without
	// a margin, and Code the modules: row after row, a bit each, black is 1, the first one highest, base64; only
	// where Do is answer.
	Link    string `json:"link,omitempty"`
	Modules int    `json:"modules,omitempty"`
	Code    string `json:"code,omitempty"`
}

// The values of Command.Do that nodes send.
const (
	DoTest     = "test"     // prove silently that the device works, and tell it as Tested
	DoIdentify = "identify" // be found: show the own id and place for 10 seconds, or chirp once
	DoAnswered = "answered" // the device's person answered on another one
	DoAnswer   = "answer"   // show the code of Link beside Alert until Expires: residents answer with it
)

// KeyRing is the payload of /keys, signed by the district's root key.
type KeyRing struct {
	District string    `json:"district"`
	Time     time.Time `json:"time"`
	Keys     []Key     `json:"keys"`
}

// Key is one node's signing key.
type Key struct {
	ID        string    `json:"kid"`
	Node      string    `json:"node"`
	Public    string    `json:"x"` // Ed25519 public key, base64url without padding (RFC 8037)
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}
