//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"almenara/channels/contract"
	"almenara/node/client"
	"almenara/node/wire"
)

// almenara is the complete node: a district of one, with raft, Badger, enrolled
// devices, alerts by HTTP, and every PUBACK a receipt that is committed.
type almenara struct {
	setup setup
	*child
	client   *client.Client
	centre   *client.Client                 // a central system: it warns through a node that is alone, too
	connect  func() (*client.Client, error) // makes centre anew
	url      string
	token    string   // of the administrator
	args     []string // of serve
	mqtt     string
	mqtts    string
	enrolled []wire.Enrolled
	sent     []wire.Outcome // since retire
	others   []*child       // nodes of the district
	alone    bool           // the others are dead
	ahead    time.Duration  // how far the time of day of the node is ahead of this machine's
}

// district is the place of all devices; stalled devices are of another kind, so that they can be addressed alone.
const (
	district    = "bench"
	block       = district + "/estate/block-1"
	kindLive    = "screen"
	kindStalled = "display"
)

func (a *almenara) start(ctx context.Context, s setup) error {
	a.setup = s
	if err := a.found(ctx); err != nil {
		return err
	}
	if err := a.serve(ctx); err != nil {
		return err
	}
	if err := a.enrol(ctx); err != nil {
		return err
	}
	if err := a.appoint(ctx); err != nil {
		return err
	}
	// Serving anew, the process holds what a node holds, and not what an import left.
	a.child.stop()
	if err := a.serve(ctx); err != nil || !s.grown {
		return err
	}
	return a.grow(ctx)
}

// found makes the district.
func (a *almenara) found(ctx context.Context) error {
	at, err := freeAddresses(5)
	if err != nil {
		return err
	}
	data := filepath.Join(a.setup.dir, "data")
	a.mqtt, a.mqtts, a.args = at[2], at[3], []string{"serve", "--data", data}
	c, err := spawn(ctx, filepath.Join(a.setup.dir, "init.log"), a.setup.program, "init", "--data", data,
		"--district", district, "--name", "n1", "--internode", at[0], "--listen", at[1],
		"--mqtt", at[2], "--mqtt-tls", at[3], "--mqtt-ws", at[4])
	if err != nil {
		return err
	}
	<-c.exited
	if c.why != nil {
		return fmt.Errorf("almenara init: %w (see %s)", c.why, c.log.Name())
	}
	token, err := os.ReadFile(filepath.Join(data, "operator.token"))
	if err != nil {
		return err
	}
	a.url = (&url.URL{Scheme: "http", Host: at[1]}).String()
	a.token = strings.TrimSpace(string(token))
	a.client, err = client.New(client.Config{URL: a.url, Token: a.token, Timeout: time.Minute})
	return err
}

// appoint makes the central system that sends the alerts.
func (a *almenara) appoint(ctx context.Context) error {
	made, err := a.client.AddUser(ctx, wire.AddUser{Name: "centre", Roles: []string{"composer"}, Senders: []string{"centre@bench"}, System: true})
	if err != nil {
		return fmt.Errorf("adding the central system: %w", err)
	}
	a.connect = func() (*client.Client, error) {
		return client.New(client.Config{URL: a.url, Token: made.Token, Timeout: time.Minute})
	}
	a.centre, err = a.connect()
	return err
}

// serve starts the node and waits until it is ready.
func (a *almenara) serve(ctx context.Context) (err error) {
	log := filepath.Join(a.setup.dir, "node.log")
	switch {
	case a.setup.profile != "":
		a.child, err = a.serveWithin(ctx, log, "ALMENARA_PROFILE="+a.setup.profile)
	case a.ahead > 0:
		a.child, err = a.serveWithin(ctx, log, aheadVariable+"="+a.ahead.String())
	default:
		a.child, err = a.run(ctx, log, a.args...)
	}
	end := time.Now().Add(awaitTime)
	for err == nil {
		st, asked := a.client.Status(ctx, false)
		if asked == nil && st.Ready {
			return nil
		}
		if err = errors.Join(a.alive(), pause(ctx, 20*time.Millisecond)); err == nil && time.Now().After(end) {
			err = fmt.Errorf("waiting for the node: %w", errors.Join(asked, errRestless))
		}
	}
	return err
}

// run starts the program, with few descriptors where the setup says so.
func (a *almenara) run(ctx context.Context, log string, args ...string) (*child, error) {
	if a.setup.files == 0 {
		return spawn(ctx, log, a.setup.program, args...)
	}
	limited := fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, a.setup.files)
	return spawn(ctx, log, "sh", append([]string{"-c", limited, a.setup.program}, args...)...)
}

// serveWithin starts the node within this program, which sees the variable.
func (a *almenara) serveWithin(ctx context.Context, log, variable string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c, err := prepare(ctx, log, self, append([]string{nodeName}, a.args...)...)
	if err != nil {
		return nil, err
	}
	c.cmd.Stdout = c.log
	c.cmd.Env = append(os.Environ(), variable)
	return c, c.launch()
}

func (a *almenara) enrol(ctx context.Context) error {
	const atOnce = client.MaxEnrol
	var in []wire.Enrol
	for i := range a.setup.devices {
		kind := kindLive
		if i < a.setup.stalled {
			kind = kindStalled
		}
		in = append(in, wire.Enrol{ID: deviceName(i), Kind: kind, Place: block, NewKind: true})
	}
	for len(in) > 0 {
		n := min(len(in), atOnce)
		out, err := a.client.EnrolDevices(ctx, in[:n])
		if err != nil {
			return fmt.Errorf("enrolling devices: %w", err)
		}
		a.enrolled, in = append(a.enrolled, out...), in[n:]
	}
	return nil
}

func (a *almenara) reach(secure bool) (addr, ca string) {
	if secure {
		return a.mqtts, a.enrolled[0].CA
	}
	return a.mqtt, ""
}

func (a *almenara) credentials() []credential {
	all := make([]credential, len(a.enrolled))
	for i, e := range a.enrolled {
		all[i] = credential{ID: e.ID, Secret: e.Secret, Filter: contract.AlertFilter(e.ID), Receipts: contract.TopicReceipt(e.ID)}
	}
	return all
}

// publish posts alerts. The stamp is taken before the request is written: time to the
// last device includes HTTP, the fsync and the answer's beginning.
func (a *almenara) publish(ctx context.Context, count int, _ byte) (int64, error) {
	at := stamp()
	for range count {
		out, err := a.send(ctx, "place under "+district, "")
		if err != nil {
			return at, err
		}
		a.sent = append(a.sent, out)
	}
	return at, nil
}

// send posts an alert of an hour as the central system.
func (a *almenara) send(ctx context.Context, selection, description string) (wire.Outcome, error) {
	if a.setup.files > 0 {
		a.centre.Close()
		var err error
		if a.centre, err = a.connect(); err != nil {
			return wire.Outcome{}, err
		}
	}
	return a.sendAs(ctx, a.centre, selection, description, time.Hour, "local")
}

// sendAs posts an alert whose signed body is near payloadSize without a description.
func (a *almenara) sendAs(ctx context.Context, as *client.Client, selection, description string, life time.Duration, wait string) (wire.Outcome, error) {
	raw, err := json.Marshal(wire.CAPAlert{Info: []wire.CAPInfo{{
		Language: "en", Category: []string{"Fire"}, Event: "Fire", Urgency: "Immediate", Severity: "Extreme", Certainty: "Observed",
		Headline: "Fire", Description: description, Expires: time.Now().UTC().Add(a.ahead + life).Format("2006-01-02T15:04:05-07:00"),
		Area: []wire.CAPArea{{AreaDesc: "Block 1"}},
	}}})
	if err != nil {
		return wire.Outcome{}, err
	}
	out, err := as.SendAlert(ctx, wire.SendAlert{Alert: raw, Select: selection}, wait)
	if err != nil {
		return out, fmt.Errorf("sending an alert: %w", err)
	}
	return out, nil
}

// sentTime is how long the node waits before it notes what was sent and not acknowledged.
const sentTime = time.Second

// settle waits until every delivery is on record, committed: as delivered at QoS 1, and as sent at QoS 0. The tally is expensive, so the
// node is asked when it rests, and what asking cost is taken off.
func (a *almenara) settle(ctx context.Context, deliveries int, qos byte) (asking time.Duration, err error) {
	if qos == 0 {
		if err := pause(ctx, sentTime); err != nil {
			return 0, err
		}
	}
	if a.alone { // receipts are in the spool, and in no tally before there is a majority
		_, err := rest(ctx, a.pid(), a.calm())
		return 0, err
	}
	each := uint64(deliveries / len(a.sent))
	for end := time.Now().Add(awaitTime); ; {
		before, err := rest(ctx, a.pid(), a.calm())
		if err != nil {
			return asking, err
		}
		done, err := a.recorded(ctx, each, qos)
		if err != nil {
			return asking, err
		}
		after, err := cpuTime(a.pid())
		asking += after - before
		switch {
		case err != nil || done == len(a.sent):
			return asking, err
		case time.Now().After(end):
			return asking, fmt.Errorf("%d of %d alerts have all receipts on record after %v", done, len(a.sent), awaitTime)
		}
	}
}

// recorded counts the alerts that were sent and have each so many receipts.
func (a *almenara) recorded(ctx context.Context, each uint64, qos byte) (n int, err error) {
	list, _, err := a.client.ListAlerts(ctx, wire.AlertQuery{Limit: len(a.sent)})
	if err != nil {
		return 0, fmt.Errorf("reading the tally: %w", err)
	}
	for _, l := range list {
		if qos > 0 && l.Rungs.Delivered >= each || qos == 0 && l.Rungs.Sent >= each {
			n++
		}
	}
	return n, nil
}

// calm is how long the node must do nothing to be at rest. Between several there is always a heartbeat soon.
func (a *almenara) calm() time.Duration {
	if len(a.others) > 0 {
		return shortRest
	}
	return longRest
}

// exactly checks that the one alert that was sent is on record as presented to so many
// members, no more and no less: what was acknowledged is committed.
func (a *almenara) exactly(ctx context.Context, devices int) error {
	list, _, err := a.client.ListAlerts(ctx, wire.AlertQuery{Limit: 1})
	if err != nil {
		return fmt.Errorf("reading the tally: %w", err)
	}
	if len(list) != 1 || list[0].ID != a.sent[0].Alert || list[0].Rungs.Presented != uint64(devices) {
		return fmt.Errorf("the tally is not that %d members were presented %s: %+v", devices, a.sent[0].Alert, list)
	}
	return nil
}

// retire cancels what was sent.
func (a *almenara) retire(ctx context.Context) error {
	for _, s := range a.sent {
		if _, err := a.client.CancelAlert(ctx, s.Alert, wire.CancelAlert{Reason: "measured"}, "local"); err != nil {
			return fmt.Errorf("cancelling an alert: %w", err)
		}
	}
	a.sent = nil
	return nil
}

// flood sends the stalled devices alerts whose bodies their connections cannot hold.
func (a *almenara) flood(ctx context.Context, _ int) error {
	for range 8 {
		if _, err := a.send(ctx, "kind = "+kindStalled, strings.Repeat("x", floodBody)); err != nil {
			return err
		}
	}
	return nil
}

func (a *almenara) stop() {
	if a.client != nil {
		a.client.Close()
	}
	if a.child != nil && a.setup.profile != "" {
		_ = a.cmd.Process.Signal(syscall.SIGUSR2)
	}
	for _, other := range a.others {
		other.stop()
	}
	a.child.stop()
}

// beginProfile makes a node that serveProfiled started write its profile.
func (a *almenara) beginProfile() error { return a.cmd.Process.Signal(syscall.SIGUSR1) }
