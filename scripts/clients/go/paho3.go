package main

import (
	"fmt"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// paho3 speaks MQTT 3.1.1.
type paho3 struct{ client mqtt.Client }

// dialV3 connects; a CONNACK that says no is a refusal.
func dialV3(s settings, messages chan<- message) (connection, error) {
	o := mqtt.NewClientOptions().AddBroker(s.url.String()).SetProtocolVersion(4).SetTLSConfig(s.trust).
		SetClientID(s.id).SetUsername(s.id).SetPassword(s.secret).SetAutoReconnect(false).
		SetWill(s.topic("state"), `{"state":"lost","session":1}`, 1, true).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) {
			messages <- message{m.Topic(), m.Payload(), m.Retained()}
		})
	p := paho3{mqtt.NewClient(o)}
	token := p.client.Connect().(*mqtt.ConnectToken)
	if err := await(token); err != nil {
		if c := token.ReturnCode(); 1 <= c && c <= 5 { // MQTT 3.1.1 §3.2.2.3
			return nil, refusal(c)
		}
		return nil, fmt.Errorf("connecting: %w", err)
	}
	return p, nil
}

func (p paho3) subscribe(filters ...string) ([]byte, error) {
	wanted := map[string]byte{}
	for _, f := range filters {
		wanted[f] = 1
	}
	token := p.client.SubscribeMultiple(wanted, nil).(*mqtt.SubscribeToken)
	err := await(token)
	codes := make([]byte, len(filters))
	for i, f := range filters {
		code, answered := token.Result()[f]
		if !answered {
			return nil, fmt.Errorf("no SUBACK code for %s: %w", f, err)
		}
		codes[i] = code
	}
	return codes, nil // the error says only that one of the codes is a failure
}

func (p paho3) publish(topic string, payload []byte, retain bool) error {
	return await(p.client.Publish(topic, 1, retain, payload))
}

func (p paho3) close() { p.client.Disconnect(250) }

func await(t mqtt.Token) error {
	if !t.WaitTimeout(patience) {
		return errSilence
	}
	return t.Error()
}
