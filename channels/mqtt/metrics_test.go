package mqtt

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	model "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/mqtt/metrics"
	"almenara/storage/receipt"
)

func counterValue(c prometheus.Counter) float64 {
	var m model.Metric
	_ = c.Write(&m)
	return m.GetCounter().GetValue()
}

func TestMetrics_AllExistFromTheStart(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	newRig(t, func(o *Options) { o.Registry = registry })
	families, err := registry.Gather()
	require.NoError(t, err)
	found := map[string]int{}
	for _, family := range families {
		found[family.GetName()] = len(family.GetMetric())
	}
	for name, series := range map[string]int{
		"almenara_mqtt_connections":           1,
		"almenara_mqtt_connects_total":        len(metrics.Counters{}.Connects),
		"almenara_mqtt_sessions_ended_total":  len(metrics.Counters{}.Endings),
		"almenara_mqtt_deliveries_total":      len(metrics.Counters{}.Deliveries),
		"almenara_mqtt_publishes_total":       len(metrics.Counters{}.Publishes),
		"almenara_mqtt_refused_filters_total": 1,
		"almenara_mqtt_panics_total":          1,
	} {
		require.Equal(t, series, found[name], name)
	}
	_, err = New(Options{Auth: &fakeAuth{}, Receipts: &fakeReceipts{}, Registry: registry})
	require.ErrorContains(t, err, "registering gateway metrics")
}

// panicking is a Receipts that breaks.
type panicking struct{}

func (panicking) Take(channels.Endpoint, []receipt.Receipt, func(error)) {
	panic("receipts are broken")
}

func TestPanic_EndsOneSessionOnly(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Receipts = panicking{} })
	address := r.listen(TCP)
	other := r.device(address, "lift-2", false)
	w := r.device(address, "lift-1", false)
	w.send(publishPacket(false, 1, 1, receiptTopic, receiptsJSON("presented", "flood")))
	w.closed()
	r.hooks.awaitTold(t, "lift-1 up false")
	other.ping()
	require.Equal(t, 1.0, counterValue(r.metrics.Panics))
	require.Equal(t, 1, r.Sessions())
}

func TestOptions_Validate(t *testing.T) {
	good := Options{Auth: &fakeAuth{}, Receipts: &fakeReceipts{}}
	require.NoError(t, good.Validate())
	for name, change := range map[string]func(*Options){
		"no auth":             func(o *Options) { o.Auth = nil },
		"no receipts":         func(o *Options) { o.Receipts = nil },
		"negative limit":      func(o *Options) { o.Limits.MaxInflight = -1 },
		"large packets":       func(o *Options) { o.Limits.MaxPacket = 1 << 30 },
		"keep alive too long": func(o *Options) { o.Limits.MaxKeepAlive = 1 << 60 },
		"too many in flight":  func(o *Options) { o.Limits.MaxTaking = 1 << 20 },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			change(&o)
			require.Error(t, o.Validate())
			_, err := New(o)
			require.Error(t, err)
		})
	}
}
