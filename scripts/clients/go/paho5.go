package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
)

// paho5 speaks MQTT 5.
type paho5 struct{ manager *autopaho.ConnectionManager }

// dialV5 connects once; a CONNACK that says no is a refusal.
func dialV5(s settings, messages chan<- message) (connection, error) {
	faults := make(chan error, 1)
	config := autopaho.ClientConfig{
		ServerUrls: []*url.URL{s.url}, TlsCfg: s.trust, KeepAlive: 30, CleanStartOnInitialConnection: true,
		ConnectUsername: s.id, ConnectPassword: []byte(s.secret),
		WillMessage:      &paho.WillMessage{Topic: s.topic("state"), Payload: []byte(`{"state":"lost","session":1}`), QoS: 1, Retain: true},
		ReconnectBackoff: func(attempt int) time.Duration { return time.Duration(attempt) * time.Hour },
		OnConnectError: func(err error) {
			select {
			case faults <- err:
			default:
			}
		},
		ClientConfig: paho.ClientConfig{ClientID: s.id, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
			func(p paho.PublishReceived) (bool, error) {
				messages <- message{p.Packet.Topic, p.Packet.Payload, p.Packet.Retain}
				return true, nil
			},
		}},
	}
	manager, err := autopaho.NewConnection(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	p := paho5{manager}
	if err := p.awaitConnack(faults); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p paho5) awaitConnack(faults <-chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	up := make(chan error, 1)
	go func() { up <- p.manager.AwaitConnection(ctx) }()
	select {
	case err := <-up:
		return err
	case err := <-faults:
		cancel()
		<-up
		var no *autopaho.ConnackError
		if errors.As(err, &no) && no.ReasonCode != 0 {
			return refusal(no.ReasonCode)
		}
		return fmt.Errorf("connecting: %w", err)
	}
}

func (p paho5) subscribe(filters ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	wanted := &paho.Subscribe{}
	for _, f := range filters {
		wanted.Subscriptions = append(wanted.Subscriptions, paho.SubscribeOptions{Topic: f, QoS: 1})
	}
	suback, err := p.manager.Subscribe(ctx, wanted)
	if suback == nil {
		return nil, fmt.Errorf("subscribing: %w", err)
	}
	return suback.Reasons, nil // the error says only that one of the codes is a failure
}

func (p paho5) publish(topic string, payload []byte, retain bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	puback, err := p.manager.Publish(ctx, &paho.Publish{Topic: topic, QoS: 1, Retain: retain, Payload: payload})
	switch {
	case puback != nil && puback.ReasonCode >= 0x80:
		return refusal(puback.ReasonCode)
	case errors.Is(err, context.DeadlineExceeded):
		return errSilence
	}
	return err
}

func (p paho5) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = p.manager.Disconnect(ctx) // the story has ended; what it proved is printed
}
