// Package metrics counts what a gateway does. It owns the words for what can become of
// connections, sessions, deliveries and publishes, as they are in metrics and logs.
//
// Of our packages it imports channels/mqtt/packet.
package metrics

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels/mqtt/packet"
)

// Result says what became of a connection's CONNECT.
type Result uint8

// What became of a connection.
const (
	Accepted   Result = iota
	Credential        // wrong secret
	Forbidden         // foreign client id or will
	Protocol          // malformed, late or not MQTT
	Handshake         // TLS
	Unavailable
	Rate // the address opens too many
	Full
	results
)

var resultNames = [results]string{
	"accepted", "credential", "forbidden", "protocol", "handshake", "unavailable", "rate", "full",
}

// String is the name as in metrics and logs.
func (r Result) String() string { return resultNames[r] }

// ResultOf is the result of a connection that was refused with a code.
func ResultOf(c packet.Code) Result {
	switch c {
	case packet.CodeCredential:
		return Credential
	case packet.CodeClientID, packet.CodeNotAuthorized, packet.CodeAuthMethod:
		return Forbidden
	case packet.CodeUnavailable, packet.CodeStopping:
		return Unavailable
	}
	return Protocol
}

// Ending says why a session ended.
type Ending uint8

// Why a session ended.
const (
	Gone       Ending = iota // the connection broke or was closed without a word
	Disconnect               // DISCONNECT
	TakenOver
	KeepAlive
	AckTimeout
	Overflow
	ProtocolBroken
	RefusedPublish // a 3.1.1 client published what it may not, or its receipt failed
	Dropped        // by Drop
	Stopping
	Panic
	endings
)

var endingNames = [endings]string{
	"gone", "disconnect", "taken_over", "keep_alive", "ack_timeout", "overflow",
	"protocol", "refused", "dropped", "stopping", "panic",
}

// String is the name as in metrics and logs.
func (e Ending) String() string { return endingNames[e] }

// Delivery is what happened to an alert on its way to one device.
type Delivery uint8

// What happened to an alert.
const (
	Sent Delivery = iota
	Acknowledged
	Refused  // PUBACK with an error
	TooLarge // for the device's Maximum Packet Size
	Stray    // PUBACK for nothing that was sent
	deliveries
)

var deliveryNames = [deliveries]string{"sent", "acknowledged", "refused", "too_large", "stray_ack"}

// Publish is what a device's publish was, or why it was not taken.
type Publish uint8

// What a publish was.
const (
	Receipt Publish = iota
	Report
	State
	Foreign  // outside its own topics
	Unwanted // never readable or never wanted
	Failed   // could not be kept
	publishes
)

var publishNames = [publishes]string{"receipt", "report", "state", "foreign", "refused", "failed"}

// String is the name as in metrics and logs.
func (k Publish) String() string { return publishNames[k] }

// Counters counts what a gateway does. All label values exist from the start.
type Counters struct {
	Connections    prometheus.Gauge
	Connects       [results]prometheus.Counter
	Endings        [endings]prometheus.Counter
	Deliveries     [deliveries]prometheus.Counter
	Publishes      [publishes]prometheus.Counter
	RefusedFilters prometheus.Counter
	Panics         prometheus.Counter
}

// New registers with r, which may be nil.
func New(r prometheus.Registerer) (*Counters, error) {
	m := &Counters{
		Connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "almenara_mqtt_connections", Help: "Connections open, from accept to close.",
		}),
		RefusedFilters: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "almenara_mqtt_refused_filters_total", Help: "Topic filters refused.",
		}),
		Panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "almenara_mqtt_panics_total", Help: "Sessions that ended in a panic.",
		}),
	}
	collectors := []prometheus.Collector{
		m.Connections, m.RefusedFilters, m.Panics,
		vector("connects", "Connections by what became of them.", "result", resultNames[:], m.Connects[:]),
		vector("sessions_ended", "Sessions by how they ended.", "why", endingNames[:], m.Endings[:]),
		vector("deliveries", "Alerts on their way to devices.", "event", deliveryNames[:], m.Deliveries[:]),
		vector("publishes", "Publishes of devices.", "kind", publishNames[:], m.Publishes[:]),
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
