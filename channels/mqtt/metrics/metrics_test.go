package metrics

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"almenara/channels/mqtt/packet"
)

func TestNew_ExportsEveryLabelFromTheStart(t *testing.T) {
	registry := prometheus.NewRegistry()
	_, err := New(registry)
	require.NoError(t, err)
	families, err := registry.Gather()
	require.NoError(t, err)
	labels := map[string]int{}
	for _, f := range families {
		labels[f.GetName()] = len(f.GetMetric())
	}
	require.Equal(t, map[string]int{
		"almenara_mqtt_connections": 1, "almenara_mqtt_refused_filters_total": 1, "almenara_mqtt_panics_total": 1,
		"almenara_mqtt_connects_total": int(results), "almenara_mqtt_sessions_ended_total": int(endings),
		"almenara_mqtt_deliveries_total": int(deliveries), "almenara_mqtt_publishes_total": int(publishes),
	}, labels)
	_, err = New(registry)
	require.Error(t, err, "twice in one registry")
}

func TestResultOf_TellsRefusalsApart(t *testing.T) {
	require.Equal(t, Credential, ResultOf(packet.CodeCredential))
	require.Equal(t, Forbidden, ResultOf(packet.CodeClientID))
	require.Equal(t, Unavailable, ResultOf(packet.CodeUnavailable))
	require.Equal(t, Protocol, ResultOf(packet.CodeMalformed))
}
