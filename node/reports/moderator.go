package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/replication"
	"almenara/node/wire"
	"almenara/node/wire/reported"
	"almenara/node/wire/why"
	"almenara/storage/factbody"
)

// Moderator puts on record what a person made of something that others said. All fields are required. Its
// methods may be called from any goroutine.
type Moderator struct {
	Rules      *authority.Rules
	Exchange   Exchange
	Progress   *replication.Facts
	Understood func(ctx context.Context, version uint64) error
	Alone      func() bool
	Clock      func() time.Time
}

// StateOf is what a person wants to make of something. An error says what cannot be put on record.
func StateOf(in reported.Moderate) (factbody.ReportState, error) {
	state := factbody.ReportStateOf(string(in.Handling))
	switch {
	case state == 0:
		return 0, wire.Problemf(wire.KindMalformed, "nothing was recorded: %.100q is nothing that can be made of it; new, seen, hidden and forwarded are", in.Handling).Because(why.FormWrong)
	case len(in.Note) > factbody.MaxModerationNote:
		return 0, wire.Problemf(wire.KindMalformed, "nothing was recorded: a note has at most %d bytes", factbody.MaxModerationNote).Because(why.BytesLong, factbody.MaxModerationNote)
	}
	return state, nil
}

// Say makes a fact of m, of a time that stands above last, what was said of it before; nil is nothing. members
// are those whom it is about, and the caller must have authority over them. Saying the same again without
// a note makes none. It is durable here when Say returns, and as far as wait asks, if that was in time.
func (o *Moderator) Say(ctx context.Context, by authority.Caller, members *roaring.Bitmap, m factbody.Moderation, last *factbody.Moderation, wait wire.Wait) error {
	if _, err := o.Rules.Check(by, authority.Moderate, authority.About{Members: members}); err != nil {
		return err
	}
	m.At = o.Clock().UnixMilli()
	was := factbody.ReportNew
	if last != nil {
		m.At, was = max(m.At, last.At+1), last.State
	}
	if was == m.State && m.Note == "" {
		return nil // the second press of a button says nothing new
	}
	if err := o.Understood(ctx, fact.KindModeration.Since()); err != nil {
		return err
	}
	body, err := m.Encode()
	if err != nil {
		return fmt.Errorf("encoding a moderation: %w", err)
	}
	progress, err := o.Exchange.Create(ctx, fact.KindModeration, fact.Alerts, body)
	if err != nil {
		return replication.Unrecorded(err)
	}
	o.Progress.Put(progress)
	replication.Await(ctx, progress, wait, o.Alone)
	return nil
}
