//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// mosquitto is Debian's broker with its defaults: one topic that all devices
// subscribe, which is its best case, and nothing kept on disk.
type mosquitto struct {
	setup setup
	*child
	addrs     []string // TCP, TLS
	publisher net.Conn
	id        uint16
}

const (
	alertTopic = "bench/alert"
	floodTopic = "bench/flood"
)

// mosquittoProgram finds the broker, which is not in everybody's PATH.
func mosquittoProgram() (string, error) {
	if path, err := exec.LookPath("mosquitto"); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/mosquitto")
}

// mosquittoVersion is what the broker calls itself.
func mosquittoVersion() string {
	program, err := mosquittoProgram()
	if err != nil {
		return "not installed"
	}
	said, _ := exec.Command(program, "-h").CombinedOutput() // exits with 3
	if v := regexp.MustCompile(`version (\S+)`).FindSubmatch(said); v != nil {
		return string(v[1])
	}
	return "unknown"
}

func (m *mosquitto) start(ctx context.Context, s setup) error {
	m.setup = s
	program, err := mosquittoProgram()
	if err != nil {
		return err
	}
	if m.addrs, err = freeAddresses(2); err != nil {
		return err
	}
	config := filepath.Join(s.dir, "mosquitto.conf")
	if err := os.WriteFile(config, []byte(m.config()), 0o644); err != nil {
		return err
	}
	if m.child, err = spawn(ctx, filepath.Join(s.dir, "mosquitto.log"), program, "-c", config); err != nil {
		return err
	}
	return m.connectPublisher(ctx)
}

// config leaves everything that concerns delivery at its default.
func (m *mosquitto) config() string {
	port := func(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }
	return fmt.Sprintf(`allow_anonymous true
persistence false
log_dest stderr
log_type error
log_type warning
user root
listener %s 127.0.0.1
listener %s 127.0.0.1
certfile %s
keyfile %s
tls_version tlsv1.3
`, port(m.addrs[0]), port(m.addrs[1]), m.setup.pem.certFile, m.setup.pem.keyFile)
}

func (m *mosquitto) connectPublisher(ctx context.Context) error {
	end := time.Now().Add(openTime)
	var err error
	for m.publisher, err = net.Dial("tcp", m.addrs[0]); err != nil; m.publisher, err = net.Dial("tcp", m.addrs[0]) {
		if dead := errors.Join(m.alive(), pause(ctx, 10*time.Millisecond)); dead != nil || time.Now().After(end) {
			return fmt.Errorf("connecting to mosquitto: %w", errors.Join(err, dead))
		}
	}
	if _, err := m.publisher.Write(connectPacket("publisher", "secret")); err != nil {
		return err
	}
	return m.expect(typeConnack)
}

// expect reads one answer of four bytes.
func (m *mosquitto) expect(first byte) error {
	var answer [4]byte
	if err := m.publisher.SetReadDeadline(time.Now().Add(awaitTime)); err != nil {
		return err
	}
	if _, err := io.ReadFull(m.publisher, answer[:]); err != nil {
		return fmt.Errorf("hearing from mosquitto: %w", err)
	}
	if answer[0] != first {
		return fmt.Errorf("mosquitto answered %x: %w", answer, errPacket)
	}
	return nil
}

func (m *mosquitto) reach(secure bool) (addr, ca string) {
	if secure {
		return m.addrs[1], m.setup.pem.cert
	}
	return m.addrs[0], ""
}

func (m *mosquitto) credentials() []credential {
	all := anyCredentials(m.setup.devices, func(string) string { return alertTopic })
	for i := range m.setup.stalled {
		all[i].Flood = floodTopic
	}
	return all
}

func (m *mosquitto) publish(_ context.Context, count int, qos byte) (int64, error) {
	return m.send(alertTopic, count, qos, payloadSize)
}

func (m *mosquitto) send(topic string, count int, qos byte, size int) (int64, error) {
	body := bytes.Repeat([]byte{'x'}, size)
	var all []byte
	for range count {
		m.id = max(m.id+1, 1)
		all = append(all, publishPacket(topic, qos, m.id, body)...)
	}
	at := stamp()
	if _, err := m.publisher.Write(all); err != nil {
		return at, fmt.Errorf("publishing to mosquitto: %w", err)
	}
	for range count {
		if qos == 0 {
			break
		}
		if err := m.expect(typePuback); err != nil {
			return at, err
		}
	}
	return at, nil
}

// settle has nothing to wait for: mosquitto tells nobody of PUBACKs. That it comes
// to rest is waited for anyway.
func (m *mosquitto) settle(context.Context, int, byte) (time.Duration, error) { return 0, nil }

func (m *mosquitto) retire(context.Context) error { return nil }

func (m *mosquitto) flood(context.Context, int) error {
	_, err := m.send(floodTopic, floodCount, 1, floodBody)
	return err
}

func (m *mosquitto) stop() {
	if m.publisher != nil {
		m.publisher.Close()
	}
	m.child.stop()
}
