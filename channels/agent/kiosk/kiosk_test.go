package kiosk

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const most = 20 * time.Second

// program writes a shell script that is a browser of a name.
func program(t *testing.T, name, script string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o755))
	return file
}

// running keeps a browser running until the test ends.
func running(t *testing.T, o Options) (b *Browser, end func()) {
	t.Helper()
	o.first, o.longest = 10*time.Millisecond, 40*time.Millisecond
	b, err := New(o)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); b.Run(ctx) }()
	end = func() {
		cancel()
		select {
		case <-done:
		case <-time.After(most):
			t.Error("Run does not end")
		}
	}
	t.Cleanup(end)
	return b, end
}

func (b *Browser) process() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.pid
}

func starts(t *testing.T, b *Browser, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return b.Starts() >= n && b.process() != 0 }, most, 5*time.Millisecond, "start %d", n)
}

// gone reports whether there is no such process, or only what its parent has still to ask for.
func gone(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(raw), ") Z ")
}

func TestBrowser_IsStartedAgain(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	b, end := running(t, Options{Command: []string{program(t, "browser", "echo \"$@\" >>"+out+"\nsleep 600 & wait\n"), "--kiosk"}, URL: "http://localhost:8490/screen/"})
	begun := func(n int) { // and does what it does
		starts(t, b, n)
		require.Eventually(t, func() bool {
			raw, _ := os.ReadFile(out)
			return string(raw) == strings.Repeat("--kiosk http://localhost:8490/screen/\n", n)
		}, most, 5*time.Millisecond)
	}
	begun(1)
	require.NoError(t, syscall.Kill(b.process(), syscall.SIGKILL))
	begun(2)
	require.NoError(t, syscall.Kill(b.process(), syscall.SIGSTOP), "it hangs")
	b.Restart()
	begun(3)
	last := b.process()
	end()
	require.True(t, gone(last))
	require.Zero(t, b.process())
	b.Restart() // of what does not run: nothing
}

// What a browser has started ends with it, and leaves nothing above its successor.
func TestBrowser_EndsWithItsChildren(t *testing.T) {
	child := filepath.Join(t.TempDir(), "child")
	b, _ := running(t, Options{Command: []string{program(t, "browser", "sleep 600 &\necho $! >"+child+".new && mv "+child+".new "+child+"\nwait\n")}, URL: "u"})
	var pid int
	require.Eventually(t, func() bool {
		raw, err := os.ReadFile(child)
		if err != nil {
			return false
		}
		_, err = fmt.Sscan(string(raw), &pid)
		return err == nil
	}, most, 5*time.Millisecond)
	require.NoError(t, syscall.Kill(b.process(), syscall.SIGKILL))
	require.Eventually(t, func() bool { return gone(pid) }, most, 5*time.Millisecond)
}

func TestNew_RefusesWhatIsNotThere(t *testing.T) {
	for _, command := range [][]string{nil, {"no-such-browser-here"}} {
		_, err := New(Options{Command: command})
		require.Error(t, err)
	}
}

func TestNew_AChromiumAloneBecomesAKiosk(t *testing.T) {
	file := program(t, "chromium", "")
	b, err := New(Options{Command: []string{file}, URL: "u", Profile: "p"})
	require.NoError(t, err)
	require.Subset(t, b.command, []string{"--kiosk", "--autoplay-policy=no-user-gesture-required", "--user-data-dir=p", "--remote-debugging-pipe"})
	require.Equal(t, "u", b.command[len(b.command)-1])
	b, err = New(Options{Command: []string{file, "--headless"}, URL: "u", Profile: "p"})
	require.NoError(t, err)
	require.Equal(t, []string{file, "--headless", "--remote-debugging-pipe", "u"}, b.command)
}

// A Chromium is asked on its pipe, the descriptors 3 and 4.
func TestPicture_IsAskedForOnThePipe(t *testing.T) {
	answers := []string{
		`{"id":1,"result":{"targetInfos":[{"targetId":"o","type":"page","url":"about:blank"},{"targetId":"p","type":"page","url":"u"}]}}`,
		`{"method":"Target.attachedToTarget","params":{}}`, `{"id":2,"result":{"sessionId":"s"}}`,
		`{"id":3,"result":{"data":"` + base64.StdEncoding.EncodeToString([]byte("a picture")) + `"}}`, `{"id":4,"result":{}}`,
	}
	questions := filepath.Join(t.TempDir(), "questions")
	// Each answer is given once there is its question.
	script := "exec 5>" + questions + "\nn=0\nask() { n=$((n+1)); while [ $(tr -cd '\\000' <" + questions + " | wc -c) -lt $n ]; do sleep 0.01; done; }\n(cat <&3 >&5) &\n"
	for _, a := range answers {
		if strings.HasPrefix(a, `{"id"`) {
			script += "ask\n"
		}
		script += "printf '%s\\000' '" + a + "' >&4\n"
	}
	b, _ := running(t, Options{Command: []string{program(t, "chromium", script+"wait\n"), "--headless"}, URL: "u"})
	starts(t, b, 1)
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	raw, err := b.Picture(ctx)
	require.NoError(t, err)
	require.Equal(t, "a picture", string(raw))
	all, err := os.ReadFile(questions)
	require.NoError(t, err)
	asked := strings.Split(string(all), "\x00")
	require.GreaterOrEqual(t, len(asked), 3)
	require.JSONEq(t, `{"id":1,"method":"Target.getTargets","params":{}}`, asked[0])
	require.JSONEq(t, `{"id":2,"method":"Target.attachToTarget","params":{"flatten":true,"targetId":"p"}}`, asked[1], "the page, and no other tab")
}

// A browser that hangs answers nothing, and is not waited for longer than the caller wants.
func TestPicture_OfABrowserThatHangs(t *testing.T) {
	b, _ := running(t, Options{Command: []string{program(t, "chromium", "sleep 600\n"), "--headless"}, URL: "u"})
	starts(t, b, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := b.Picture(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	other, err := New(Options{Command: []string{program(t, "firefox", "")}, URL: "u"})
	require.NoError(t, err)
	_, err = other.Picture(t.Context())
	require.ErrorIs(t, err, ErrNoPicture)
}
