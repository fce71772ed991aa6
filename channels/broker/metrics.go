package broker

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what goes through the broker.
type metrics struct {
	links, bodies, receipts, failed, malformed, strangers prometheus.Counter
}

// newMetrics registers with r, which may be nil.
func newMetrics(r prometheus.Registerer, status func() Status) (*metrics, error) {
	m := &metrics{
		links:     counter("links_total", "Links to the broker that came about."),
		bodies:    counter("bodies_total", "Bodies handed to the broker, repeats included."),
		receipts:  counter("receipts_total", "Receipts taken from the broker and made durable."),
		failed:    counter("receipts_failed_total", "Attempts to make receipts durable that failed."),
		malformed: counter("malformed_total", "Payloads of devices that could not be read."),
		strangers: counter("strangers_total", "Payloads of devices that are not enrolled here."),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.links, m.bodies, m.receipts, m.failed, m.malformed, m.strangers,
		gauge("connected", "1 while there is a link to the broker.", func() float64 { return flag(status().Connected) }),
		gauge("publisher", "1 while this node publishes for the district.", func() float64 { return flag(status().Publisher) }),
		gauge("devices", "Devices that say they are at the broker.", func() float64 { return float64(status().Devices) }),
		gauge("unanswered", "Bodies that devices at the broker have not answered.", func() float64 { return float64(status().Unanswered) }),
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering broker metrics: %w", err)
		}
	}
	return m, nil
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: "almenara_broker_" + name, Help: help})
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "almenara_broker_" + name, Help: help}, value)
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
