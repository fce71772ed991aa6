package alone

import (
	"context"
	"log/slog"
	"time"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/storage/factbody"
)

// Creator makes facts of this node; *exchange.Exchange is one.
type Creator interface {
	Create(ctx context.Context, kind fact.Kind, stream fact.Stream, body []byte) (*exchange.Progress, error)
}

// AsFact puts an outage that has ended on record, as a fact of this node. It is what Options.Record
// does in a node.
func AsFact(ctx context.Context, facts Creator, a factbody.Alone, log *slog.Logger) error {
	body, err := a.Encode()
	if err != nil {
		return err
	}
	if _, err = facts.Create(ctx, fact.KindAlone, fact.Alerts, body); err != nil {
		return err
	}
	log.Warn("this node was without a majority", "from", time.UnixMilli(a.From).UTC(), "to", time.UnixMilli(a.To).UTC())
	return nil
}
