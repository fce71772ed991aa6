package expiry

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/wire/why"
)

func named(text string) why.Sentence { return why.Sentence{Text: text} }

func TestSoon_NamesWhatEndsThirtyDaysAhead(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	late := Thing{Kind: Key, Name: named("late"), Ends: now.Add(30*day + time.Second)}
	due := Thing{Kind: Key, Name: named("due"), Ends: now.Add(30 * day), Then: named("renew it")}
	over := Thing{Kind: Certificate, Name: named("over"), Ends: now.Add(-day), Then: named("renew it")}
	month := Thing{Kind: Licence, Name: named("of a month"), From: now.Add(-day), Ends: now.Add(29 * day)}
	half := Thing{Kind: Licence, Name: named("half over"), From: now.Add(-15 * day), Ends: now.Add(15 * day)}
	require.Equal(t, []Thing{over, half, due}, Soon([]Thing{late, due, over, month, half, {Kind: Key}}, now))
	require.Equal(t, "due ends on 2026-03-31 12:00 UTC: renew it", due.Sentence(now).Text)
	require.Equal(t, "over has ended on 2026-02-28 12:00 UTC: renew it", over.Sentence(now).Text)
	require.Equal(t, due.Ends, First([]Thing{late, due, over}, Key))
	require.True(t, First(nil, Key).IsZero())
}
