// Package kiosk keeps the browser of a box running: it starts the program, starts it again when it
// ends, with a pause that grows, and ends it together with all that it started. Where the program is
// a Chromium it also takes a picture of the page, by a pipe that nobody else can reach.
//
// It knows nothing of pages, alerts or devices. It imports no other package of ours.
package kiosk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The pauses before a program is started again. A browser that ends at once, as for want of a
// display, is tried for ever: the display may come.
const (
	firstPause   = time.Second
	longestPause = time.Minute
	steady       = time.Minute     // a program that ran so long begins with the first pause again
	politely     = 3 * time.Second // how long it has to end by itself
)

// Options describe a browser.
type Options struct {
	// Command is the program with its arguments; the address of the page is added at its end.
	// A Chromium without arguments gets those of a kiosk.
	Command []string
	URL     string
	Profile string       // folder of the browser's own; used for a Chromium without arguments
	Output  io.Writer    // what the program prints; nil: nowhere
	Logger  *slog.Logger // nil: no logs

	first, longest time.Duration // pauses; zero: firstPause and longestPause
}

// Browser is a program that is kept running. Its methods may be called from any goroutine.
type Browser struct {
	o       Options
	command []string
	pipe    bool // it is a Chromium that answers on a pipe

	mu     sync.Mutex // guards what follows
	starts int
	pid    int       // 0: it does not run
	page   *devtools // nil: no pipe, or it does not run
}

// New makes one; Run starts it. A program that is not there is refused.
func New(o Options) (*Browser, error) {
	if len(o.Command) == 0 {
		return nil, errors.New("a kiosk needs the command of a browser")
	}
	if _, err := exec.LookPath(o.Command[0]); err != nil {
		return nil, fmt.Errorf("finding the browser: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.first <= 0 {
		o.first, o.longest = firstPause, longestPause
	}
	b := &Browser{o: o, command: slices.Clone(o.Command)}
	if isChromium(o.Command[0]) {
		if b.pipe = true; len(o.Command) == 1 {
			b.command = append(b.command, kioskFlags...)
			b.command = append(b.command, "--user-data-dir="+o.Profile)
		}
		b.command = append(b.command, "--remote-debugging-pipe")
	}
	b.command = append(b.command, o.URL)
	return b, nil
}

// kioskFlags are what a Chromium gets that comes without flags: one page over all of the screen, no
// bubbles, sound without a press. A page that the browser knows to be covered by another window says so: it is hidden.
var kioskFlags = []string{
	"--kiosk", "--noerrdialogs", "--disable-infobars", "--disable-session-crashed-bubble", "--hide-crash-restore-bubble", "--no-first-run",
	"--disable-component-update", "--disable-features=Translate", "--log-level=3", "--autoplay-policy=no-user-gesture-required", "--password-store=basic",
	"--disable-background-timer-throttling", "--disable-renderer-backgrounding",
}

func isChromium(program string) bool {
	return slices.Contains([]string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}, filepath.Base(program))
}

// Starts is how often the program was started.
func (b *Browser) Starts() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.starts
}

// Restart ends the program, which Run starts again after the first pause. It does nothing while
// the program does not run.
func (b *Browser) Restart() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pid != 0 {
		b.signal(syscall.SIGKILL) // what hangs hears nothing else
	}
}

// signal reaches the program and all that it started. The caller holds mu.
func (b *Browser) signal(s syscall.Signal) { _ = syscall.Kill(-b.pid, s) }

// Run keeps the program running until ctx ends, and has ended it when it returns.
func (b *Browser) Run(ctx context.Context) {
	runtime.LockOSThread() // the program is ended with the thread that has started it
	defer runtime.UnlockOSThread()
	for pause := b.o.first; ; pause = min(2*pause, b.o.longest) {
		began := time.Now()
		err := b.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) >= steady {
			pause = b.o.first
		}
		b.o.Logger.Error("the browser has ended, and is started again", "error", err, "in", pause)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// once runs the program until it ends, or ctx does; nil where that was with success.
func (b *Browser) once(ctx context.Context) error {
	cmd := exec.Command(b.command[0], b.command[1:]...)
	cmd.Stdout, cmd.Stderr = b.o.Output, b.o.Output
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = politely // what it started may still hold its output
	var page *devtools
	if b.pipe {
		var err error
		if page, cmd.ExtraFiles, err = newDevtools(); err != nil {
			return err
		}
		defer page.close()
	}
	err := cmd.Start()
	for _, f := range cmd.ExtraFiles {
		_ = f.Close() // the program has its own
	}
	if err != nil {
		return fmt.Errorf("starting %s: %w", b.command[0], err)
	}
	b.mu.Lock()
	b.pid, b.page = cmd.Process.Pid, page
	b.starts++
	b.mu.Unlock()
	b.o.Logger.Info("the browser runs", "command", strings.Join(b.command, " "))
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { b.endWith(ctx, ended) })
	err = cmd.Wait()
	close(ended)
	watching.Wait()
	b.mu.Lock()
	b.signal(syscall.SIGKILL) // what it left behind
	b.pid, b.page = 0, nil
	b.mu.Unlock()
	return err
}

// endWith ends the program once ctx ends: it may leave by itself first.
func (b *Browser) endWith(ctx context.Context, ended <-chan struct{}) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		b.mu.Lock()
		b.signal(s)
		b.mu.Unlock()
		select {
		case <-ended:
			return
		case <-time.After(politely):
		}
	}
}
