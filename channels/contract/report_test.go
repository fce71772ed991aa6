package contract

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The vectors are what the modules for pages are held to as well.
func TestParseReport_AsTheVectorsSay(t *testing.T) {
	raw, err := os.ReadFile("vectors/reports.json")
	require.NoError(t, err)
	var vectors struct {
		Cases []struct {
			Name, Payload, Result string
			Repeat                struct {
				Text  string
				Times int
			}
		}
	}
	require.NoError(t, json.Unmarshal(raw, &vectors))
	require.Greater(t, len(vectors.Cases), 30)
	for _, c := range vectors.Cases {
		payload := strings.ReplaceAll(c.Payload, "REPEAT", strings.Repeat(c.Repeat.Text, c.Repeat.Times))
		_, err := ParseReport([]byte(payload))
		if c.Result == "good" {
			require.NoError(t, err, c.Name)
			continue
		}
		require.ErrorIs(t, err, ErrMalformed, c.Name)
	}
}

func TestParseReport_ReadsWhatItSays(t *testing.T) {
	id := ReportID([16]byte{1, 2, 3})
	r, err := ParseReport([]byte(`{"id":"` + id + `","kind":"hazard","at":"2026-07-20T17:40:00+08:00","text":" smoke ","position":{"lat":1,"lon":2,"accuracy":3},"photo":"/9j/"}`))
	require.NoError(t, err)
	require.Equal(t, Report{
		ID: id, Kind: ReportHazard, At: r.At, Text: "smoke", Position: &Position{Lat: 1, Lon: 2, Accuracy: 3}, Photo: []byte{0xff, 0xd8, 0xff},
	}, r)
	require.True(t, r.At.Equal(time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)))
	_, err = ParseReport([]byte("{\"id\":\"" + id + "\",\"kind\":\"hazard\",\"text\":\"a\xffb\"}"))
	require.NoError(t, err, "what is no UTF-8 is replaced by the reader of JSON")
}

// Nothing panics, and what is taken is within the bounds.
func FuzzParseReport(f *testing.F) {
	f.Add([]byte(`{"id":"0123456789abcdef","kind":"need_help"}`))
	f.Add([]byte(`{"id":"0123456789abcdef","kind":"position","alert":"abcdefghijklmnopqrstuvwxyz","position":{"lat":1e308,"lon":-0}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := ParseReport(raw)
		if err != nil {
			return
		}
		require.NoError(t, r.check())
	})
}
