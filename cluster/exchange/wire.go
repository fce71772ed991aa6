package exchange

import (
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/fact"
	"almenara/cluster/journal"
)

// Bounds of a message between nodes and of one command.
const (
	maxMessage = 4 << 20
	adoptFacts = 64        // per command
	adoptBytes = 192 << 10 // per command: under the raft entry's cap of 256 KiB
	maxVector  = journal.MaxLanes
)

// errMessage is the answer to whatever is not a message of this protocol.
var errMessage = errors.New("malformed message")

// vectorMessage is how far the sender has every stream it knows of; the answer is
// one too.
type vectorMessage struct {
	_     struct{} `cbor:",toarray"`
	Lanes []fact.Lane
}

// afterRequest asks for the facts of one lane above Seq.
type afterRequest struct {
	_    struct{}  `cbor:",toarray"`
	Lane fact.Lane // High is the Seq after which to begin
	Max  int
}

// factsMessage carries facts: a push, and the answer to afterRequest.
type factsMessage struct {
	_     struct{} `cbor:",toarray"`
	Facts []fact.Signed
}

// result is what became of one pushed fact.
type result uint8

const (
	resultStored  result = iota + 1 // durable at the peer, now or before
	resultMemory                    // taken, but the peer's disk did not
	resultRefused                   // forged, or its origin's key is not known there yet
	resultFailed                    // not taken now; anti-entropy will try again
)

// pushAnswer holds one result per pushed fact, in order.
type pushAnswer struct {
	_       struct{} `cbor:",toarray"`
	Results []result
}

var strict, _ = cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxArrayElements: 1 << 13, MaxMapPairs: 16,
	MaxNestedLevels: 8, IndefLength: cbor.IndefLengthForbidden,
}.DecMode()

func decodeMessage(b []byte, v any) error {
	if err := strict.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %w", errMessage, err)
	}
	return nil
}

func decodeVector(b []byte) (vectorMessage, error) {
	var m vectorMessage
	if err := decodeMessage(b, &m); err != nil {
		return m, err
	}
	if len(m.Lanes) > maxVector {
		return m, errMessage
	}
	for _, l := range m.Lanes {
		if !l.Valid() {
			return m, errMessage
		}
	}
	return m, nil
}

func decodeAfter(b []byte) (afterRequest, error) {
	var m afterRequest
	if err := decodeMessage(b, &m); err != nil {
		return m, err
	}
	if !m.Lane.Valid() || m.Max < 1 || m.Max > journal.PageFacts {
		return m, errMessage
	}
	return m, nil
}

func decodeFacts(b []byte) (factsMessage, error) {
	var m factsMessage
	if err := decodeMessage(b, &m); err != nil {
		return m, err
	}
	if len(m.Facts) > journal.PageFacts {
		return m, errMessage
	}
	return m, nil
}

func decodePushAnswer(b []byte, facts int) (pushAnswer, error) {
	var m pushAnswer
	if err := decodeMessage(b, &m); err != nil {
		return m, err
	}
	if len(m.Results) != facts {
		return m, errMessage
	}
	return m, nil
}
