package routing

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The results of a request, as the metrics call them.
const (
	resultDone    = "done"    // 2xx
	resultRefused = "refused" // 4xx: the caller's
	resultFailed  = "failed"  // 5xx: the node's
)

// metrics are the API's own; each label set exists from the start, at zero.
type metrics struct {
	requests *prometheus.HistogramVec
	panics   prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, routes []Route) *metrics {
	m := &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "almenara_api_request_seconds", Help: "Time from a request's header to the end of its answer.",
			Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 60},
		}, []string{"method", "path", "result"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "almenara_api_panics_total", Help: "Requests that met a panic and were answered 500.",
		}),
	}
	registry.MustRegister(m.requests, m.panics)
	for _, route := range routes {
		for _, result := range []string{resultDone, resultRefused, resultFailed} {
			m.requests.WithLabelValues(route.Method, route.Path, result)
		}
	}
	return m
}

func (m *metrics) observe(route Route, status int, took time.Duration) {
	result := resultDone
	switch {
	case status >= 500:
		result = resultFailed
	case status >= 400:
		result = resultRefused
	}
	m.requests.WithLabelValues(route.Method, route.Path, result).Observe(took.Seconds())
}
