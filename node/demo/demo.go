// Package demo shows the main job on one machine: nodes, devices over real MQTT
// connections, one alert, the leader stopped on the way, and who proved it.
package demo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"almenara/channels/device"
	"almenara/node"
	"almenara/node/cli/inprocess"
	"almenara/node/client"
	"almenara/node/wire"
	"almenara/storage/alert"
)

const (
	startTime  = 60 * time.Second // for nodes and devices to come up
	proveTime  = 60 * time.Second // for every device to prove the alert
	perSecond  = 400              // devices that connect in a second
	quickRetry = 100 * time.Millisecond
	// deviceTimeout is longer than a device's own: thousands of them share this process, and what it
	// is late with is not the nodes' fault.
	deviceTimeout = 20 * time.Second
)

// show is one demonstration under way.
type show struct {
	options inprocess.DemoOptions
	out     io.Writer
	dir     string
	token   string
	nodes   []*node.Node
	message *message
	town    *town
	fleet   *device.Fleet
	starts  starts
	logs    []*os.File
	result  inprocess.DemoResult
	sent    wire.Outcome
}

// Run runs the demonstration; out gets a line for each step. The result's Close is
// set when the nodes were left running.
func Run(ctx context.Context, options inprocess.DemoOptions, out io.Writer) (inprocess.DemoResult, error) {
	s := &show{options: options, out: out}
	err := s.run(ctx)
	if err == nil && options.Keep {
		s.result.Close = s.close
		return s.result, nil
	}
	return s.result, errors.Join(err, s.close(context.WithoutCancel(ctx)))
}

func (s *show) run(ctx context.Context) (err error) {
	if s.message, err = prepare(s.options.CAP, time.Now()); err != nil {
		return err
	}
	if s.town, err = layTown(s.options.Devices, s.message.aims); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp("", "almenara-demo-"); err != nil {
		return fmt.Errorf("making a folder for the nodes: %w", err)
	}
	for _, step := range []func(context.Context) error{
		s.raise, s.furnish, s.connect, s.send, s.stopLeader, s.awaitProof, s.sum,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// say tells people of one step.
func (s *show) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// raise brings up the nodes: the first one begins the district, the others join.
func (s *show) raise(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	for i := range s.options.Nodes {
		if err := s.raiseOne(ctx, i); err != nil {
			return fmt.Errorf("starting node %d: %w", i+1, err)
		}
	}
	if err := s.await(ctx, func(st wire.Status) bool { return st.Ready && voters(st) == s.options.Nodes }); err != nil {
		return fmt.Errorf("waiting for the nodes: %w", err)
	}
	s.result.Nodes = len(s.nodes)
	s.say("%d nodes of the made-up district Harbour View are up.", len(s.nodes))
	return nil
}

func (s *show) raiseOne(ctx context.Context, i int) error {
	o := node.DefaultOptions(filepath.Join(s.dir, fmt.Sprintf("node-%d", i+1)))
	o.Name, o.Stabilization = fmt.Sprintf("node-%d", i+1), 200*time.Millisecond
	o.JournalBytes, o.SpoolBytes = 16<<20, 16<<20
	log, err := os.Create(filepath.Join(s.dir, o.Name+".log"))
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	s.logs = append(s.logs, log)
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	if o.Internode, err = freeAddress(); err != nil {
		return err
	}
	if i == 0 {
		s.token, err = node.Init(o, district)
	} else {
		err = s.joinOne(ctx, o)
	}
	if err != nil {
		return err
	}
	n, err := node.New(o)
	if err != nil {
		return err
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	s.nodes = append(s.nodes, n)
	return s.await(ctx, func(st wire.Status) bool { return st.Ready || i > 0 })
}

func (s *show) joinOne(ctx context.Context, o node.Options) error {
	c, err := s.client(0)
	if err != nil {
		return err
	}
	defer c.Close()
	invited, err := c.Invite(ctx, wire.Invite{})
	if err != nil {
		return err
	}
	return node.Join(ctx, o, invited.Token)
}

// furnish puts the town and its devices on record.
func (s *show) furnish(ctx context.Context) error {
	c, err := s.client(0)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.PutPlacesSharing(ctx, s.town.places); err != nil {
		return fmt.Errorf("putting the places on record: %w", err)
	}
	var in []wire.Enrol
	for _, f := range s.town.fixtures {
		in = append(in, f.enrol)
	}
	var enrolled []wire.Enrolled
	for some := range slices.Chunk(in, client.MaxEnrol) {
		out, err := c.EnrolDevices(ctx, some)
		if err != nil {
			return fmt.Errorf("enrolling the devices: %w", err)
		}
		enrolled = append(enrolled, out...)
	}
	var devices []device.Options
	for i, e := range enrolled {
		o, err := Equip(e, in[i].Kind, i)
		if err != nil {
			return err
		}
		o.OnEvent = s.starts.note
		devices = append(devices, o)
	}
	s.fleet, err = device.NewFleet(device.FleetOptions{Devices: devices, PerSecond: perSecond})
	for _, line := range append(s.message.said, s.describe()) {
		s.say("%s", line)
	}
	return err
}

func (s *show) describe() string {
	outside := 0
	for _, f := range s.town.fixtures {
		if f.outside {
			outside++
		}
	}
	return fmt.Sprintf("The district is laid inside the message's area; %d devices of Lakeside Estate are outside of it.", outside)
}

// Equip makes the i-th simulated device from what enrolment gave: screens talk MQTT
// over TCP, speakers over TLS, phones over WebSocket, where the nodes offer it; a
// phone's owner confirms after a moment.
func Equip(e wire.Enrolled, kind string, i int) (device.Options, error) {
	root, err := base64.RawURLEncoding.DecodeString(e.RootKey)
	if err != nil {
		return device.Options{}, fmt.Errorf("reading the root key: %w", err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(e.CA))
	o := device.Options{
		ID: e.ID, Secret: e.Secret, Kind: kind, Version: "simulated", RootKey: root, FirstServer: i,
		Servers: serversFor(kind, e.Servers), TLS: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13},
		RetryMin: quickRetry, RetryMax: 2 * time.Second, Timeout: deviceTimeout,
	}
	if kind == "phone" || kind == "person" {
		o.ConfirmAfter = time.Duration(200+rand.IntN(1500)) * time.Millisecond
		o.Answer = "safe"
	}
	return o, nil
}

func serversFor(kind string, servers []string) []string {
	scheme := map[string]string{"speaker": "ssl://", "phone": "ws://", "person": "ws://"}[kind]
	if scheme == "" {
		scheme = "tcp://"
	}
	var own, plain []string
	for _, s := range servers {
		if strings.HasPrefix(s, scheme) {
			own = append(own, s)
		}
		if strings.HasPrefix(s, "tcp://") {
			plain = append(plain, s)
		}
	}
	switch {
	case len(own) > 0:
		return own
	case len(plain) > 0:
		return plain
	}
	return servers
}

// connect lets the devices in.
func (s *show) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	s.fleet.Start()
	all := len(s.town.fixtures)
	if err := s.fleet.Wait(ctx, func(p device.Progress) bool { return p.Connected == all }); err != nil {
		return fmt.Errorf("connecting the devices: %w", err)
	}
	s.result.Devices = all
	s.say("%d devices are connected over TCP, TLS and WebSocket.", all)
	return nil
}

// send pushes the message to a follower, as a central system would.
func (s *show) send(ctx context.Context) error {
	c, err := s.client(len(s.nodes) - 1)
	if err != nil {
		return err
	}
	defer c.Close()
	begun := time.Now()
	if s.sent, err = c.TakeCAP(ctx, s.message.raw, s.message.selected, "local"); err != nil {
		return fmt.Errorf("sending the alert: %w", err)
	}
	s.result.Alert, s.result.Accepted = s.sent.Alert, begun
	s.result.Headline = or(s.message.alert.Headline(""), s.message.alert.Infos[0].Event)
	s.result.Status = string(s.message.alert.Status)
	s.say("Alert %s (%s) sent to %s over HTTP: %s, %d members addressed.",
		s.sent.Alert, s.message.alert.Status, s.nodes[len(s.nodes)-1].Name(), s.sent.Replication, s.sent.Addressed.Total)
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// key names the alert at the devices.
func (s *show) key() device.Revision {
	return device.Revision{Alert: s.sent.Alert, Revision: s.sent.Revision}
}

// wanted is what counts as proof for the message's status: a test is verified and
// never shown; a draft never leaves the nodes.
func (s *show) wanted() (proof func(device.Reach) int, any bool) {
	switch s.message.alert.Status {
	case alert.StatusActual, alert.StatusExercise:
		return func(r device.Reach) int { return r.Proven }, true
	case alert.StatusTest:
		return func(r device.Reach) int { return r.Verified }, true
	}
	return func(device.Reach) int { return 0 }, false
}
