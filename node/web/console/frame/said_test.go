package frame

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/words"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

// Every reason has a text in both languages, and what fills it in is in it.
func TestSaid_IsInThePersonsLanguage(t *testing.T) {
	f := &Frame{opts: Options{Zone: time.UTC}}
	for _, l := range words.All() {
		for name, r := range reasons(t) {
			require.True(t, l.Has("why."+string(r)), "%s in %s", name, l.Tag)
			q := &Request{Lang: l, frame: f}
			said := q.Said(wire.Problemf(wire.KindRefused, "in English").Because(r, "one", "two", "three", "four"))
			require.NotContains(t, said.Text, "⟦")
			require.Empty(t, said.Tag)
			require.NotEqual(t, "in English", said.Text)
		}
	}
	zh := &Request{Lang: words.All()[1], frame: f}
	said := zh.Said(wire.Problemf(wire.KindForbidden, "this needs the role composer").Because(why.RoleMissing, why.Words{Of: "role.", Values: []string{"composer", "approver"}}))
	require.Contains(t, said.Text, "「撰寫 / 批准」")
	said = zh.Said(wire.Problemf(wire.KindRefused, "alone").Because(why.Alone, time.Date(2026, 11, 30, 3, 4, 0, 0, time.UTC)))
	require.Contains(t, said.Text, "2026-11-30 03:04 UTC")
	said = zh.Said(wire.Problemf(wire.KindNotFound, "none").Because(why.NoAlert, strings.Repeat("長", 9000)))
	require.Less(t, len(said.Text), 1000)

	require.Equal(t, Said{Text: "something rare", Tag: "en"}, zh.Said(wire.Problemf(wire.KindRefused, "something rare")), "which page readers for the blind read in English")
	require.Equal(t, Said{Text: "something rare"}, (&Request{Lang: words.All()[0], frame: f}).Said(wire.Problemf(wire.KindRefused, "something rare")))
	require.Equal(t, Said{Text: "new", Tag: "en"}, zh.Said(wire.Problemf(wire.KindRefused, "new").Because("of a newer node")))
	require.Empty(t, zh.Said(nil))

	said = zh.Said(wire.Problemf(wire.KindRefused, "place x: too deep").Because(why.PlaceUnfit, "x", errors.New("too deep")))
	require.Contains(t, said.Text, "x")
	require.NotContains(t, said.Text, "too deep")
	require.Equal(t, "too deep", said.Detail)
	require.Equal(t, "en", said.DetailTag, "which page readers read in English")
}

// A node that has been alone since yesterday, and a code that holds until tomorrow, say the day.
func TestClockTime_NamesAnotherDay(t *testing.T) {
	hongKong := time.FixedZone("HKT", 8*3600)
	q := &Request{frame: &Frame{opts: Options{Zone: hongKong}}, Now: time.Date(2026, 11, 30, 14, 0, 0, 0, time.UTC)}
	require.Equal(t, "23:59:59 HKT", q.ClockTime(time.Date(2026, 11, 30, 15, 59, 59, 0, time.UTC)))
	require.Equal(t, "2026-12-01 00:00:00 HKT", q.ClockTime(time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC)))
	require.Equal(t, "2026-11-29 22:00:00 HKT", q.ClockTime(time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)))
	require.Equal(t, "–", q.ClockTime(time.Time{}))
}
