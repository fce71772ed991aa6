//go:build linux

package main

import (
	"cmp"
	"slices"
	"time"
)

// sample is what one alert cost, or one burst of them, or one storm of receipts.
type sample struct {
	System     string
	Devices    int
	Over       string // TCP or TLS
	Variant    string
	QoS        byte
	Run        int
	Alerts     int
	Deliveries int           // to devices that read; receipts of a storm
	Payload    int           // bytes of the largest body
	Last       time.Duration // from publishing to the last device
	CPU        time.Duration // of the server process
	FleetCPU   time.Duration // of the devices' process
}

// memory is what idle connections hold.
type memory struct {
	System        string
	Devices       int
	Over          string
	PerConnection float64 // bytes of RSS
	Total         int64   // bytes of RSS with all connections
}

// series names what samples are summed up.
type series struct {
	System  string
	Devices int
	Over    string
	Variant string
	QoS     byte
}

// summary is the median over runs of each figure.
type summary struct {
	CPU           time.Duration // per delivery
	P50, P99, Max time.Duration // time to the last device, over the alerts of a run
	Rate          float64       // deliveries or receipts per second of that time
	Payload       int
}

// results is everything that was measured.
type results struct {
	samples map[series][]sample
	memory  map[series]memory
	storms  []tempest

	growths   []growth
	failovers []failover
	watched   []watching
}

func newResults() *results {
	return &results{samples: map[series][]sample{}, memory: map[series]memory{}}
}

func (r *results) add(what any) {
	switch m := what.(type) {
	case sample:
		key := series{m.System, m.Devices, m.Over, m.Variant, m.QoS}
		r.samples[key] = append(r.samples[key], m)
	case tempest:
		r.storms = append(r.storms, m)
	case growth:
		r.growths = append(r.growths, m)
	case watching:
		r.watched = append(r.watched, m)
	case failover:
		r.failovers = append(r.failovers, m)
	case memory:
		r.memory[series{System: m.System, Devices: m.Devices, Over: m.Over}] = m
	}
}

// of sums up a series; ok is false when it was not measured.
func (r *results) of(key series) (s summary, ok bool) {
	runs := map[int][]sample{}
	for _, one := range r.samples[key] {
		runs[one.Run] = append(runs[one.Run], one)
		s.Payload = max(s.Payload, one.Payload)
	}
	if len(runs) == 0 {
		return s, false
	}
	var each []summary
	for _, samples := range runs {
		each = append(each, summarize(samples))
	}
	s.CPU = middle(each, func(s summary) time.Duration { return s.CPU })
	s.P50 = middle(each, func(s summary) time.Duration { return s.P50 })
	s.P99 = middle(each, func(s summary) time.Duration { return s.P99 })
	s.Max = middle(each, func(s summary) time.Duration { return s.Max })
	s.Rate = middle(each, func(s summary) float64 { return s.Rate })
	return s, true
}

// summarize sums up one run.
func summarize(samples []sample) summary {
	var cpu, took time.Duration
	var lasts []time.Duration
	deliveries := 0
	for _, s := range samples {
		cpu += s.CPU
		took += s.Last
		deliveries += s.Deliveries
		lasts = append(lasts, s.Last)
	}
	slices.Sort(lasts)
	return summary{
		CPU: cpu / time.Duration(max(deliveries, 1)), P50: quantile(lasts, 50), P99: quantile(lasts, 99), Max: lasts[len(lasts)-1],
		Rate: float64(deliveries) / took.Seconds(),
	}
}

// quantile is the smallest value that percent of all do not exceed (nearest rank).
func quantile[T any](sorted []T, percent int) T {
	return sorted[max((len(sorted)*percent+99)/100, 1)-1]
}

// middle is the median of one figure over runs; of two runs it is the smaller.
func middle[T cmp.Ordered](runs []summary, figure func(summary) T) T {
	var all []T
	for _, s := range runs {
		all = append(all, figure(s))
	}
	slices.Sort(all)
	return quantile(all, 50)
}
