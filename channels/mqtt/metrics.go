package mqtt

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// connectResult says what became of a connection's CONNECT.
type connectResult uint8

const (
	resultAccepted   connectResult = iota
	resultCredential               // wrong secret
	resultForbidden                // foreign client id or will
	resultProtocol                 // malformed, late or not MQTT
	resultHandshake                // TLS
	resultUnavailable
	resultRate // the address opens too many
	resultFull
	results
)

var resultNames = [results]string{
	"accepted", "credential", "forbidden", "protocol", "handshake", "unavailable", "rate", "full",
}

// String is the name as in metrics and logs.
func (r connectResult) String() string { return resultNames[r] }

func resultOf(c code) connectResult {
	switch c {
	case codeCredential:
		return resultCredential
	case codeClientID, codeNotAuthorized, codeAuthMethod:
		return resultForbidden
	case codeUnavailable, codeStopping:
		return resultUnavailable
	}
	return resultProtocol
}

// deliveryEvent is what happened to an alert on its way to one device.
type deliveryEvent uint8

const (
	deliverySent deliveryEvent = iota
	deliveryAcked
	deliveryRefused  // PUBACK with an error
	deliveryTooLarge // for the device's Maximum Packet Size
	deliveryStray    // PUBACK for nothing that was sent
	deliveryEvents
)

var deliveryNames = [deliveryEvents]string{"sent", "acknowledged", "refused", "too_large", "stray_ack"}

// publishKind is what a device's publish was, or why it was not taken.
type publishKind uint8

const (
	publishReceipt publishKind = iota
	publishReport
	publishState
	publishForeign // outside its own topics
	publishRefused // never readable or never wanted
	publishFailed  // could not be kept
	publishKinds
)

var publishNames = [publishKinds]string{"receipt", "report", "state", "foreign", "refused", "failed"}

// String is the name as in metrics and logs.
func (k publishKind) String() string { return publishNames[k] }

// metrics counts. All label values exist from the start.
type metrics struct {
	connections    prometheus.Gauge
	connects       [results]prometheus.Counter
	endings        [endings]prometheus.Counter
	deliveries     [deliveryEvents]prometheus.Counter
	publishes      [publishKinds]prometheus.Counter
	refusedFilters prometheus.Counter
	panics         prometheus.Counter
}

// newMetrics registers with r, which may be nil.
func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "almenara_mqtt_connections", Help: "Connections open, from accept to close.",
		}),
		refusedFilters: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "almenara_mqtt_refused_filters_total", Help: "Topic filters refused.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "almenara_mqtt_panics_total", Help: "Sessions that ended in a panic.",
		}),
	}
	collectors := []prometheus.Collector{
		m.connections, m.refusedFilters, m.panics,
		vector("connects", "Connections by what became of them.", "result", resultNames[:], m.connects[:]),
		vector("sessions_ended", "Sessions by how they ended.", "why", endingNames[:], m.endings[:]),
		vector("deliveries", "Alerts on their way to devices.", "event", deliveryNames[:], m.deliveries[:]),
		vector("publishes", "Publishes of devices.", "kind", publishNames[:], m.publishes[:]),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range collectors {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("registering gateway metrics: %w", err)
		}
	}
	return m, nil
}

// vector makes one counter for each label value.
func vector(name, help, label string, values []string, into []prometheus.Counter) prometheus.Collector {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "almenara_mqtt_" + name + "_total", Help: help}, []string{label})
	for i, value := range values {
		into[i] = v.WithLabelValues(value)
	}
	return v
}
