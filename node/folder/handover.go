package folder

import (
	"context"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/identity"
	"almenara/cluster/internode"
	"almenara/storage/factlog"
)

const (
	// RingPath takes the key ring of a node that hands its facts over.
	RingPath  = "/node/ring"
	leaveTime = time.Minute // for one round
)

// LanesOf are the streams of the marks, for a hand-over.
func LanesOf(marks []factlog.Mark) []fact.Lane {
	lanes := make([]fact.Lane, len(marks))
	for i, m := range marks {
		lanes[i] = fact.Lane{Origin: m.Origin, Stream: fact.Stream(m.Stream), Epoch: m.Epoch, High: m.Seq}
	}
	return lanes
}

// HandOver gives the exchange's facts to the node at addr.
func HandOver(ctx context.Context, id *identity.Identity, addr string, ring []byte, e *exchange.Exchange, lanes []fact.Lane) (exchange.HandedOver, error) {
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	way := internode.NewHandover(id, addr)
	defer way.Close()
	if _, err := way.Call(ctx, RingPath, ring); err != nil {
		return exchange.HandedOver{}, err
	}
	return e.HandOver(ctx, lanes, way.Call)
}
