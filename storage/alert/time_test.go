package alert_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
)

func TestParseDateTime_KeepsTextAndInstant(t *testing.T) {
	for text, utc := range map[string]string{
		"2026-07-20T17:40:00+08:00": "2026-07-20T09:40:00Z",
		"2026-07-20T17:40:00-00:00": "2026-07-20T17:40:00Z",
		"2026-07-20T24:00:00+00:00": "2026-07-21T00:00:00Z",
		"2024-02-29T00:00:00-14:00": "2024-02-29T14:00:00Z",
	} {
		d, err := alert.ParseDateTime(text)
		require.NoError(t, err)
		require.Equal(t, text, d.String())
		require.Equal(t, utc, d.Time().Format(time.RFC3339))
		again, err := alert.ParseDateTime(text)
		require.NoError(t, err)
		require.True(t, d == again, "equal texts are equal values")
	}
	for _, text := range []string{"", "Z", "2026-07-20T24:00:01+08:00", "2026-07-20T5:40:000+08:00", "+026-07-20T17:40:00+08:00",
		"2026-07-20T17:40:00+08:60", "2026-07-20T17:40:00+14:01", "2026-07-20t17:40:00+08:00", " 2026-07-20T17:40:00+08:0"} {
		_, err := alert.ParseDateTime(text)
		require.Error(t, err, text)
	}
}

// TestDateTime_CanAlwaysBeWritten time that can be read can be written as JSON, in every zone: "until further notice"
// west of Greenwich is the year 10000 in UTC.
func TestDateTime_CanAlwaysBeWritten(t *testing.T) {
	for _, day := range []string{"0001-01-01", "0001-12-31", "1969-12-31", "2026-07-20", "9998-12-31", "9999-12-31"} {
		for _, clock := range []string{"00:00:00", "12:00:00", "23:59:59", "24:00:00"} {
			for offset := -14 * 60; offset <= 14*60; offset += 15 {
				sign := "+"
				if offset < 0 {
					sign = "-"
				}
				text := fmt.Sprintf("%sT%s%s%02d:%02d", day, clock, sign, abs(offset)/60, abs(offset)%60)
				d, err := alert.ParseDateTime(text)
				require.NoError(t, err, text)
				for _, at := range []time.Time{d.Time(), alert.NewDateTime(d.Time()).Time(), alert.Add(d, 24*time.Hour).Time()} {
					_, err = json.Marshal(at)
					require.NoError(t, err, text)
				}
				require.Equal(t, text, d.String())
			}
		}
	}
	_, err := json.Marshal(alert.NewDateTime(time.Unix(1<<40, 0)).Time())
	require.NoError(t, err)
}

func abs(n int) int { return max(n, -n) }

func TestNewDateTime_WritesWhatCAPAllows(t *testing.T) {
	instant := time.Date(2026, 7, 20, 17, 40, 0, 999, time.UTC)
	require.Equal(t, "2026-07-20T17:40:00-00:00", alert.NewDateTime(instant).String())
	require.Equal(t, "2026-07-20T17:40:00-00:00", alert.NewDateTime(instant.In(time.FixedZone("x", 0))).String())
	require.Equal(t, "2026-07-21T01:40:00+08:00", alert.NewDateTime(instant.In(time.FixedZone("x", 8*3600))).String())
	require.True(t, alert.DateTime{}.IsZero())
}

func TestDateTime_SurvivesTextAndBytes(t *testing.T) {
	d := alert.NewDateTime(alerttest.At(t, "17:40:00"))
	raw, err := d.MarshalBinary()
	require.NoError(t, err)
	var again, absent alert.DateTime
	require.NoError(t, again.UnmarshalBinary(raw))
	require.True(t, d == again)
	raw, err = absent.MarshalBinary()
	require.NoError(t, err)
	require.NoError(t, again.UnmarshalBinary(raw))
	require.True(t, again.IsZero())
	require.Error(t, again.UnmarshalText([]byte("x")))
}

func TestKey_SurvivesText(t *testing.T) {
	k := alerttest.Parsed(t, alerttest.Small).Key()
	raw, err := k.MarshalText()
	require.NoError(t, err)
	var again alert.Key
	require.NoError(t, again.UnmarshalText(raw))
	require.True(t, k == again)
	raw, err = alert.Key{}.MarshalText()
	require.NoError(t, err)
	require.NoError(t, again.UnmarshalText(raw))
	require.True(t, again == alert.Key{})
	require.True(t, k.Complete())
	for _, bad := range []alert.Key{{}, {Sender: "a", Identifier: "b"}, {Sender: "a b", Identifier: "b", Sent: k.Sent}, {Sender: "a", Identifier: "b,c", Sent: k.Sent}} {
		require.False(t, bad.Complete())
	}
}

func TestExpires_IsTheLatestAndNeverForEver(t *testing.T) {
	expires := "<expires>2026-07-20T19:40:00+08:00</expires>"
	sent := alerttest.At(t, "17:40:00")
	info := alerttest.Small[strings.Index(alerttest.Small, "<info>") : strings.Index(alerttest.Small, "</info>")+len("</info>")]
	for text, want := range map[string]time.Time{
		alerttest.Small: alerttest.At(t, "19:40:00"),
		alerttest.With(t, alerttest.Small, expires, ""):                                                      sent.Add(alert.DefaultLifetime),
		alerttest.With(t, alerttest.Small, "T19:40", "T16:40"):                                               alerttest.At(t, "16:40:00"),
		alerttest.With(t, alerttest.Small, "<expires>2026", "<expires>2036"):                                 sent.Add(alert.MaxLifetime),
		alerttest.With(t, alerttest.Small, "</info>", "</info>"+alerttest.With(t, info, "T19:40", "T21:40")): alerttest.At(t, "21:40:00"),
		alerttest.With(t, alerttest.Small, "</info>", "</info>"+alerttest.With(t, info, expires, "")):        sent.Add(alert.DefaultLifetime),
		alerttest.With(t, alerttest.Small, info, ""):                                                         sent.Add(alert.DefaultLifetime),
		alerttest.With(t, alerttest.With(t, alerttest.Small, info, ""), "Alert</msgType>\n  <scope>Public</scope>",
			"Cancel</msgType><scope>Public</scope><references>a,b,2026-07-20T17:00:00+08:00</references>"): sent,
	} {
		require.True(t, want.Equal(alerttest.Parsed(t, text).Expires()), text)
	}
}

func TestHeadline_SpeaksTheNearestLanguage(t *testing.T) {
	a := &alert.Alert{Note: "note"}
	require.Equal(t, "note", a.Headline("en"))
	require.Nil(t, a.InfoFor("en"))
	a.Infos = []alert.Info{{Language: "zh-HK", Headline: "火警"}, {Headline: "Fire"}, {Language: "fr", Event: "Feu"}, {Language: "zh-CN", Headline: "火"}}
	for lang, want := range map[string]string{"zh-hk": "火警", "zh-CN": "火", "zh-TW": "火警", "en": "Fire", "en-US": "Fire",
		"en-GB": "Fire", "fr-FR": "Feu", "de": "火警", "": "火警"} {
		require.Equal(t, want, a.Headline(lang), lang)
	}
}

func TestShift_MovesEveryTimeByTheSame(t *testing.T) {
	a := alerttest.Parsed(t, alerttest.Whole)
	now := time.Date(2027, 1, 2, 3, 4, 5, 678, time.UTC)
	s := alert.Shift(a, now)
	require.Equal(t, "2027-01-02T11:04:05+08:00", s.Sent.String(), "in the sender's zone")
	require.Equal(t, "2027-01-02T11:04:05+08:00", s.Infos[0].Effective.String())
	require.Equal(t, "2027-01-02T11:09:05+08:00", s.Infos[0].Onset.String())
	require.Equal(t, "2027-01-02T13:04:05+08:00", s.Infos[0].Expires.String())
	require.True(t, s.Infos[1].Expires.IsZero())
	require.Equal(t, a.References, s.References)
	require.Equal(t, alerttest.Parsed(t, alerttest.Whole), a, "the original stays")
	require.False(t, alerttest.Faults(s).Rejected())
}

func TestShift_KeepsADeadAlertAliveForAnHour(t *testing.T) {
	now := alerttest.At(t, "23:00:00")
	s := alert.Shift(alerttest.Parsed(t, alerttest.With(t, alerttest.Small, "T19:40", "T17:40")), now)
	require.True(t, now.Add(alert.ShiftedLifetime).Equal(s.Expires()))
	s = alert.Shift(alerttest.Parsed(t, alerttest.With(t, alerttest.Small, "T19:40", "T16:40")), now)
	require.True(t, now.Add(alert.ShiftedLifetime).Equal(s.Expires()))
}
