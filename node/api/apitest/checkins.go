package apitest

import (
	"context"
	"time"

	"almenara/node/authority"
	"almenara/node/wire/visits"
)

// PlaceCodes answers one code, whatever places are given.
func (f *alerts) PlaceCodes(_ context.Context, by authority.Caller, places []string) (visits.PlaceCodes, error) {
	return visits.PlaceCodes{Codes: []visits.PlaceCode{{
		Place: "tm/market", Names: map[string]string{"en": "On Ting Market", "zh-Hant": "安定街市"}, Link: "HTTPS://NODE:8480/R/AT/AAAA", Until: time.Date(2027, 8, 20, 0, 0, 0, 0, time.UTC), Modules: 21, Picture: "/9Pz",
	}}}, f.note(&by, "PlaceCodes %s", places)
}

// CheckIns answers one count.
func (f *alerts) CheckIns(_ context.Context, by authority.Caller, q visits.Query) (visits.CheckIns, error) {
	out := visits.CheckIns{From: q.From.UTC(), To: q.To.UTC(), Total: 132, Places: []visits.PlaceCheckIns{{Place: "tm/market", Count: 132}}}
	if q.Place != "" {
		out.Visited = "2026-07-20T13:40:00+08:00/2026-07-20T17:40:00+08:00 " + q.Place
	}
	return out, f.note(&by, "CheckIns %s %s %s", q.Place, q.From.UTC().Format(time.RFC3339), q.To.UTC().Format(time.RFC3339))
}
