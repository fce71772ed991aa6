package main

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Prefix of the topics of the device contract.
const topics = "almenara/1/"

// mqttAttacks are single connections that break a rule.
var mqttAttacks = map[string]attack{
	"mqtt-wrong-secret":   func(t target) (string, error) { return refusedLogin(t, t.id, t.id, "wrong") },
	"mqtt-unknown-device": func(t target) (string, error) { return refusedLogin(t, "nobody", "nobody", t.secret) },
	"mqtt-other-id":       func(t target) (string, error) { return refusedLogin(t, "somebody", t.id, t.secret) },
	"mqtt-foreign-topic":  foreignTopic,
	"mqtt-subscribe-all":  subscribeAll,
	"mqtt-oversize":       oversize,
	"mqtt-malformed":      malformed,
	"mqtt-stall":          stall,
	"mqtt-false-pubacks":  falsePubacks,
	"mqtt-duplicate-ids":  duplicateIDs,
	"mqtt-shows-anything": showsAnything,
	"mqtt-alive":          func(t target) (string, error) { return "a device logs in and is answered", alive(t) },
}

func refusedLogin(t target, id, user, secret string) (string, error) {
	c, err := dial(t.addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	if _, err := c.Write(connectPacket(4, id, user, secret)); err != nil {
		return "", err
	}
	ack, err := c.await(connackKind)
	if err != nil {
		return "", err
	}
	if ack[1] == 0 {
		return "", fmt.Errorf("the device %s was let in", id)
	}
	if _, err := c.closed(patience); err != nil {
		return "", err
	}
	return fmt.Sprintf("CONNACK %d, closed", ack[1]), alive(t)
}

// showsAnything says, as a phone does, that it shows alerts that nobody ever heard of, for some seconds.
func showsAnything(t target) (string, error) {
	c, err := login(t, 5)
	if err != nil {
		return "", err
	}
	defer c.Close()
	for second := range 4 {
		ids := make([]string, 64)
		for i := range ids {
			ids[i] = fmt.Sprintf(`"no-alert-%d-%d"`, second, i)
		}
		state := fmt.Sprintf(`{"kind":"phone","state":"presenting","presenting":[%s]}`, strings.Join(ids, ","))
		if _, err := c.Write(publishPacket(true, 1, topics+"device/"+t.id+"/state", []byte(state))); err != nil {
			return "", err
		}
		ack, err := c.await(pubackKind)
		if err != nil {
			return "", err
		}
		if len(ack) > 2 && ack[2] >= 0x80 {
			return "", fmt.Errorf("the state was refused with %#x", ack[2])
		}
		time.Sleep(time.Second) // the node looks once a second
	}
	return "256 alerts that there are not, and nobody cares", alive(t)
}

func foreignTopic(t target) (string, error) {
	five, err := login(t, 5)
	if err != nil {
		return "", err
	}
	defer five.Close()
	for _, topic := range []string{topics + "now", topics + "keys", topics + "device/other/receipt", topics + "device/" + t.id + "/alert/x", "$SYS/x"} {
		if _, err := five.Write(publishPacket(true, 1, topic, []byte("[]"))); err != nil {
			return "", err
		}
		ack, err := five.await(pubackKind)
		if err != nil {
			return "", fmt.Errorf("%s: %w", topic, err)
		}
		if len(ack) < 3 || ack[2] < 0x80 {
			return "", fmt.Errorf("a publish to %s was accepted", topic)
		}
	}
	three, err := login(t, 4)
	if err != nil {
		return "", err
	}
	defer three.Close()
	if _, err := three.Write(publishPacket(false, 1, topics+"now", []byte("{}"))); err != nil {
		return "", err
	}
	n, err := three.closed(patience)
	if err != nil || n > 0 {
		return "", fmt.Errorf("MQTT 3.1.1 was answered with %d bytes: %v", n, err)
	}
	return "MQTT 5: PUBACK 0x87 five times; MQTT 3.1.1: closed without a PUBACK", alive(t)
}

func subscribeAll(t target) (string, error) {
	var said []byte
	for _, level := range []byte{4, 5} {
		for _, filter := range []string{"#", "+/1/now", topics + "device/+/receipt", topics + "#", "$SYS/#", "$share/x/" + topics + "now", topics + "device/other/#"} {
			c, err := login(t, level)
			if err != nil {
				return "", err
			}
			if _, err := c.Write(subscribePacket(level == 5, filter)); err != nil {
				return "", err
			}
			ack, err := c.await(subackKind)
			_ = c.Close()
			if err == nil && ack[len(ack)-1] < 0x80 {
				return "", fmt.Errorf("the filter %s was granted", filter)
			}
			if err == nil {
				said = append(said, ack[len(ack)-1])
			}
		}
	}
	return fmt.Sprintf("SUBACK % x: none is granted", said), alive(t)
}

// oversize announces more than a device may send, and does not send it.
func oversize(t target) (string, error) {
	for _, n := range []int{64<<10 + 1, 1 << 20, 268_435_455} {
		c, err := login(t, 4)
		if err != nil {
			return "", err
		}
		if _, err := c.Write(length([]byte{publishKind | 2}, n)); err != nil {
			return "", err
		}
		_, err = c.closed(patience)
		_ = c.Close()
		if err != nil {
			return "", fmt.Errorf("a PUBLISH of %d bytes was announced: %w", n, err)
		}
	}
	return "closed at the header, before a byte of the body", alive(t)
}

// wrongPackets are sent after a login, or as the first packet.
func wrongPackets(id string) [][]byte {
	own := topics + "device/" + id + "/receipt"
	return [][]byte{
		{0x00, 0x00}, {0xF0, 0x00}, {0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}, {0x36, 0x05, 0, 0, 0, 0, 0},
		{0x82, 0x00}, {0x82, 0x02, 0, 0}, {0x82, 0x07, 0, 1, 0xFF, 0xFF, 'a', 'b', 'c'}, {0xA2, 0x01, 0}, {0x62, 0x02, 0, 9},
		{0x40, 0x01, 0}, {0x40, 0x02, 0, 0}, {0x20, 0x02, 0, 0}, {0x10, 0x07, 0, 4, 'M', 'Q', 'T', 'T', 4},
		publishPacket(false, 0, own, []byte("[]")), connectPacket(4, id, id, "again"),
		frame(0x32, append(text(nil, own+"\x00"), 0, 1)), frame(0x32, append(text(nil, "\xff\xfe"), 0, 1)),
		[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), {0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00},
	}
}

func malformed(t target) (string, error) {
	n := 0
	for _, loggedIn := range []bool{true, false} {
		for _, level := range []byte{4, 5} {
			for _, raw := range wrongPackets(t.id) {
				if err := sendWrong(t, level, raw, loggedIn); err != nil {
					return "", err
				}
				n++
			}
		}
	}
	return fmt.Sprintf("%d malformed packets, %d connections closed", n, n), alive(t)
}

func sendWrong(t target, level byte, raw []byte, loggedIn bool) (err error) {
	var c *conn
	if loggedIn {
		c, err = login(t, level)
	} else {
		c, err = dial(t.addr)
	}
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write(raw); err != nil {
		return err
	}
	// Some of it is whole and harmless by itself, or could go on: half-close ends that.
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	if _, err := c.closed(patience); err != nil {
		return fmt.Errorf("% x: %w", raw[:min(len(raw), 24)], err)
	}
	return nil
}

// stall leaves 300 connections in the middle of a CONNECT.
func stall(t target) (string, error) {
	begun := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, 300)
	for range cap(errs) {
		wg.Go(func() {
			c, err := dial(t.addr)
			if err != nil {
				errs <- err
				return
			}
			defer c.Close()
			half := connectPacket(4, t.id, t.id, t.secret)
			_, err = c.Write(half[:len(half)/2])
			if err == nil {
				_, err = c.closed(2 * patience)
			}
			errs <- err
		})
	}
	if err := alive(t); err != nil {
		return "", fmt.Errorf("with 300 stalled connections: %w", err)
	}
	served := time.Since(begun)
	wg.Wait()
	for range cap(errs) {
		if err := <-errs; err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("another device served after %v; all 300 closed after %v",
		served.Round(time.Millisecond), time.Since(begun).Round(time.Second)), nil
}

// falsePubacks acknowledges what was never sent.
func falsePubacks(t target) (string, error) {
	c, err := login(t, 4)
	if err != nil {
		return "", err
	}
	defer c.Close()
	var acks []byte
	for id := 1; id <= 65535; id++ {
		acks = append(acks, pubackKind, 2, byte(id>>8), byte(id))
	}
	if _, err := c.Write(append(acks, pingreqKind, 0)); err != nil {
		return "", err
	}
	if _, err := c.await(pingrespKind); err != nil {
		return "", err
	}
	return "65,535 PUBACKs for nothing: ignored, the session goes on", nil
}

// duplicateIDs sends one packet id again and again, with and without the DUP flag.
func duplicateIDs(t target) (string, error) {
	c, err := login(t, 4)
	if err != nil {
		return "", err
	}
	defer c.Close()
	const times = 50
	for i := range times {
		p := publishPacket(false, 7, topics+"device/"+t.id+"/receipt", []byte("[]"))
		if i%2 == 1 {
			p[0] |= 8
		}
		if _, err := c.Write(p); err != nil {
			return "", err
		}
	}
	for range times {
		ack, err := c.await(pubackKind)
		if err != nil {
			return "", err
		}
		if ack[0] != 0 || ack[1] != 7 {
			return "", fmt.Errorf("PUBACK % x for packet 7", ack)
		}
	}
	return fmt.Sprintf("%d publishes with one id: %d PUBACKs", times, times), alive(t)
}
