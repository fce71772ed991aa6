//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"almenara/node/client"
	"almenara/scripts/lossyfs/disk"
	"almenara/scripts/lossyfs/mount"
)

// patience is how long a district may take until it is as it should be.
const patience = 90 * time.Second

// district is nodes as real processes, whose data folders are on one disk: a cut hits all
// of them at the same moment. This process must not touch the mount.
type district struct {
	bin, dir, mnt string
	disk          *disk.Disk
	mount         *mount.Mount
	token         string
	members       []*member
}

// member is one node.
type member struct {
	name, data, api, mqtt string
	flags                 []string
	client                *client.Client
	process               *exec.Cmd
}

// freePort is a port on which nobody listens now, below those that Linux gives to whoever connects (32768 on):
// a benchmark that runs beside this takes thousands of these.
func freePort() (string, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
	if err != nil {
		return freePort()
	}
	return l.Addr().String(), l.Close()
}

func (d *district) add(name string) (*member, error) {
	m := &member{name: name, data: filepath.Join(d.mnt, name)}
	for _, flag := range []string{"--internode", "--listen", "--mqtt", "--mqtt-tls", "--mqtt-ws"} {
		addr, err := freePort()
		if err != nil {
			return nil, err
		}
		m.flags = append(m.flags, flag, addr)
		switch flag {
		case "--listen":
			m.api = "http://" + addr
		case "--mqtt":
			m.mqtt = "tcp://" + addr
		}
	}
	d.members = append(d.members, m)
	return m, nil
}

// found makes a district of count nodes, all of which vote.
func (d *district) found(ctx context.Context, count int) error {
	for i := range count {
		m, err := d.add(fmt.Sprintf("n%d", i+1))
		if err != nil {
			return err
		}
		args := []string{"init", "--data", m.data, "--name", m.name, "--district", "power-cut"}
		if i > 0 {
			invited, err := d.command("--api", d.members[0].api, "--token", d.token, "node", "invite", "--json")
			if err != nil {
				return err
			}
			var invitation struct{ Token string }
			if err := json.Unmarshal(invited, &invitation); err != nil {
				return err
			}
			args = []string{"join", "--data", m.data, "--name", m.name, invitation.Token}
		}
		if _, err := d.command(append(args, m.flags...)...); err != nil {
			return err
		}
		if i == 0 {
			raw, err := exec.Command("cat", filepath.Join(m.data, "operator.token")).Output()
			if err != nil {
				return fmt.Errorf("reading the operator's token: %w", err)
			}
			d.token = strings.TrimSpace(string(raw))
		}
		if m.client, err = client.New(client.Config{URL: m.api, Token: d.token, Timeout: 5 * time.Second}); err != nil {
			return err
		}
		if err := errors.Join(d.serve(m), d.ready(ctx, m)); err != nil {
			return err
		}
	}
	return d.until(ctx, "all vote", d.allVote)
}

// allVote says whether every node is a voter, as the first one sees it.
func (d *district) allVote(ctx context.Context) error {
	s, err := d.members[0].client.Status(ctx, false)
	if err != nil {
		return err
	}
	voters := 0
	for _, n := range s.Nodes {
		if n.Voter {
			voters++
		}
	}
	if voters != len(d.members) {
		return fmt.Errorf("%d of %d nodes vote", voters, len(d.members))
	}
	return nil
}

// command runs the program and returns what it printed.
func (d *district) command(args ...string) ([]byte, error) {
	c := exec.Command(d.bin, args...)
	var failure strings.Builder
	c.Stderr = &failure
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("almenara %s: %w: %s", strings.Join(args, " "), err, failure.String())
	}
	return out, nil
}

func (d *district) serve(m *member) error {
	log, err := os.OpenFile(filepath.Join(d.dir, m.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	m.process = exec.Command(d.bin, "serve", "--data", m.data)
	m.process.Stdout, m.process.Stderr = log, log
	return m.process.Start()
}

// kill ends every process at once, as the cut that came before would have.
func (d *district) kill() {
	for _, m := range d.members {
		if m.process != nil {
			_ = m.process.Process.Kill()
		}
	}
	for _, m := range d.members {
		if m.process != nil {
			_ = m.process.Wait()
			m.process = nil
		}
	}
}

// again mounts what the cut left and starts every node.
func (d *district) again(ctx context.Context, salt uint64) error {
	d.kill()
	if err := d.mount.Stop(); err != nil {
		return err
	}
	d.disk = d.disk.Crash(salt)
	var err error
	if d.mount, err = mount.Start(d.mnt, d.disk); err != nil {
		return err
	}
	for _, m := range d.members {
		if err := d.serve(m); err != nil {
			return err
		}
	}
	for _, m := range d.members {
		if err := d.ready(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (d *district) ready(ctx context.Context, m *member) error {
	return d.until(ctx, m.name+" is ready", func(ctx context.Context) error {
		s, err := m.client.Status(ctx, false)
		if err == nil && !s.Ready {
			err = errors.New("not ready")
		}
		return err
	})
}

// until asks again and again until check has nothing to say.
func (d *district) until(ctx context.Context, what string, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("never true: %s: %w", what, err)
		case <-tick.C:
		}
	}
}
