//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"almenara/node/wire"
)

// The cell that measures what people who watch cost the alert path: pages of what is in force, as browsers keep them, beside many alerts.
const (
	watched       = "consoles"
	watchedAlerts = 50
	watchingTime  = 10 * time.Second // in which nothing happens
	consolePage   = "/console/now"

	mostConsoleShare = 0.05 // of a core, for one page
	mostWithConsoles = 1.1  // times the time without
)

// consoleCounts are how many pages are open; 0 is what the others are held against.
func consoleCounts() []int { return []int{0, 1, 20} }

// watching is a node beside so many open pages.
type watching struct {
	Consoles     int
	Idle, Busy   float64 // processor time of the node as a share of one core: nothing happens; alerts one by one
	Accept, Last spread
	Reads        int           // of the page, by all consoles, while alerts were sent
	Page         time.Duration // median of one reading
	Size         int           // bytes of one reading
}

// console is one open page: a stream of what happens, and the page read anew a second after something did, as its script does.
type console struct {
	client *http.Client
	url    string
}

// openConsole signs a new viewer in.
func (a *almenara) openConsole(ctx context.Context, n int) (*console, error) {
	const password = "several words of a bench"
	name := fmt.Sprintf("watcher-%d-%d", n, stamp())
	if _, err := a.client.AddUser(ctx, wire.AddUser{Name: name, Roles: []string{"viewer"}}); err != nil {
		return nil, fmt.Errorf("adding a watcher: %w", err)
	}
	if err := a.client.SetPassword(ctx, name, wire.SetPassword{Password: password}); err != nil {
		return nil, fmt.Errorf("setting the password of a watcher: %w", err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &console{client: &http.Client{Jar: jar, Transport: &http.Transport{}}, url: a.url}
	answer, err := c.client.PostForm(a.url+"/console/sign-in", url.Values{"name": {name}, "password": {password}, "next": {consolePage}})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if page, err := io.ReadAll(answer.Body); err != nil || answer.Request.URL.Path != consolePage || !strings.Contains(string(page), "data-live") {
		return nil, fmt.Errorf("signing in ended at %s: %w", answer.Request.URL, errors.Join(err, errRestless))
	}
	return c, nil
}

// read reads the page as its script does.
func (c *console) read(ctx context.Context) (size int, took time.Duration, err error) {
	begun := time.Now()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+consolePage, nil)
	if err != nil {
		return 0, 0, err
	}
	q.Header.Set("Almenara-Part", "1")
	answer, err := c.client.Do(q)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	n, err := io.Copy(io.Discard, answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the page answers %s", answer.Status)
	}
	return int(n), time.Since(begun), err
}

// watch follows the stream until ctx ends, and tells each reading.
func (c *console) watch(ctx context.Context, told func(size int, took time.Duration)) error {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/console/events", nil)
	if err != nil {
		return err
	}
	answer, err := c.client.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answers %s", answer.Status)
	}
	happened := make(chan struct{}, 1)
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() {
		for range happened {
			if pause(ctx, time.Second) != nil {
				return
			}
			if size, took, err := c.read(ctx); err == nil {
				told(size, took)
			}
		}
	})
	defer close(happened)
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok && kind != "beat" {
			select {
			case happened <- struct{}{}:
			default:
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("the stream ended: %w", errors.Join(lines.Err(), errRestless))
}

// watchedBy measures a node with watchedAlerts in force beside none, one and many pages.
func (c *cell) watchedBy(ctx context.Context, units []*unit) error {
	for _, u := range units {
		node, ok := u.sys.(*almenara)
		if !ok {
			continue
		}
		if err := u.hold(ctx, watchedAlerts); err != nil {
			return fmt.Errorf("%d alerts in force: %w", watchedAlerts, err)
		}
		for _, n := range consoleCounts() {
			w, err := c.beneath(ctx, u, node, n)
			if err != nil {
				return fmt.Errorf("beside %d consoles: %w", n, err)
			}
			if err := c.record(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// beneath measures the node while so many pages are open.
func (c *cell) beneath(ctx context.Context, u *unit, node *almenara, count int) (w watching, err error) {
	w.Consoles = count
	watchCtx, cancel := context.WithCancel(ctx)
	var open sync.WaitGroup
	var mu sync.Mutex
	var took []time.Duration
	var wrong error
	defer func() {
		cancel()
		open.Wait()
		err = errors.Join(err, wrong)
	}()
	for i := range count {
		page, err := node.openConsole(ctx, i)
		if err != nil {
			return w, err
		}
		open.Go(func() {
			err := page.watch(watchCtx, func(size int, one time.Duration) {
				mu.Lock()
				defer mu.Unlock()
				took, w.Size = append(took, one), size
			})
			mu.Lock()
			defer mu.Unlock()
			wrong = errors.Join(wrong, err)
		})
	}
	if w.Idle, err = share(node.pid(), func() error { return pause(ctx, watchingTime) }); err != nil {
		return w, err
	}
	mu.Lock()
	took = nil
	mu.Unlock()
	w.Busy, err = share(node.pid(), func() (err error) {
		w.Accept, w.Last, err = u.accepts(ctx, node, c.asked())
		return err
	})
	if err == nil {
		err = node.over(ctx, watchedAlerts)
	}
	mu.Lock()
	defer mu.Unlock()
	if w.Reads = len(took); w.Reads > 0 {
		slices.Sort(took)
		w.Page = quantile(took, 50)
	}
	return w, err
}

// share is how much of a core a process used while something was done.
func share(pid int, do func() error) (float64, error) {
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	after, err := cpuTime(pid)
	return float64(after-before) / float64(time.Since(begun)), err
}

// watchingTable writes what open pages cost.
func (r *results) watchingTable(w io.Writer, o options) error {
	if len(r.watched) == 0 {
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "pages of %d in force, %d devices\tcore, idle\tcore, alerts\taccept p50\tp99\tlast p50\tp99\treadings\tone takes\tof\t\n", watchedAlerts, o.heldDevices())
	for _, one := range r.watched {
		fmt.Fprintf(t, "%d\t%.1f %%\t%.1f %%\t%s\t%s\t%s\t%s\t%d\t%s\t%.1f kB\t\n", one.Consoles, 100*one.Idle, 100*one.Busy,
			milli(one.Accept.P50), milli(one.Accept.P99), milli(one.Last.P50), milli(one.Last.P99), one.Reads, milli(one.Page), float64(one.Size)/1e3)
	}
	return t.Flush()
}

// watchingTargets judges the most pages against none, and one page by itself.
func (r *results) watchingTargets() []target {
	all := []target{
		{system: nodeName, text: fmt.Sprintf("node, one page of %d in force, nothing happens: at most %.0f %% of a core", watchedAlerts, 100*mostConsoleShare)},
		{system: nodeName, text: fmt.Sprintf("node, last device beside 20 pages, p50: at most %.1f x without", mostWithConsoles)},
	}
	if len(r.watched) < 3 {
		return all
	}
	none, one, most := r.watched[0], r.watched[1], r.watched[len(r.watched)-1]
	all[0].measured, all[0].reached = fmt.Sprintf("%.1f %%", 100*one.Idle), one.Idle <= mostConsoleShare
	x := float64(most.Last.P50) / float64(max(none.Last.P50, 1))
	all[1].measured, all[1].reached = fmt.Sprintf("%.2f x (%s, %s)", x, milli(most.Last.P50), milli(none.Last.P50)), x <= mostWithConsoles
	return all
}
