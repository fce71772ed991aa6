package replication

import (
	"errors"
	"fmt"

	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Unrecorded tells the sender why the journal did not take a fact of an alert. Nothing of it
// is kept or sent.
func Unrecorded(err error) error {
	switch {
	case errors.Is(err, journal.ErrTooLarge):
		return wire.Problemf(wire.KindTooLarge, "the message, its areas and its reason are together larger than %d bytes, the most that the nodes pass on; nothing was sent", fact.MaxBody).Because(why.MessageLarge)
	case errors.Is(err, journal.ErrFull), errors.Is(err, exchange.ErrBacklog):
		return wire.Problemf(wire.KindBusy, "too many alerts wait for a majority of the district's nodes; nothing was sent, try again").Because(why.AlertsWait)
	}
	return fmt.Errorf("recording the alert: %w", err)
}
