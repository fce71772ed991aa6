//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The mount must not be touched by the process that serves it, so the tests run this
// binary again: once to serve, once for everything that touches files.
const roleEnv = "LOSSYFS_TEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch role, dir, _ := strings.Cut(os.Getenv(roleEnv), ":"); role {
	case "":
		os.Exit(m.Run())
	case "serve":
		err = run(options{mount: filepath.Join(dir, "mnt"), store: filepath.Join(dir, "store"), control: filepath.Join(dir, "ctl"), seed: 7})
	case "map":
		err = mapped(filepath.Join(dir, "mnt"))
	case "sync":
		err = synced(filepath.Join(dir, "mnt"))
	case "count":
		err = count(filepath.Join(dir, "mnt", "mapped"))
	default:
		err = errors.New("no such role")
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

const pages = 64

// mapped makes a file of zeros, writes 1 to each page through a mapping and syncs that,
// then 2 and does not.
func mapped(dir string) error {
	f, err := os.OpenFile(filepath.Join(dir, "mapped"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Truncate(pages * 4096); err != nil {
		return err
	}
	m, err := unix.Mmap(int(f.Fd()), 0, pages*4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	write := func(b byte) {
		for i := range pages {
			m[i*4096+100] = b
		}
	}
	write(1)
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Msync(m, unix.MS_SYNC), d.Sync()); err != nil {
		return err
	}
	write(2)
	return nil // closing writes back, which is no flush
}

// count tells how many pages hold each value.
func count(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var seen [3]int
	for i := range pages {
		seen[b[i*4096+100]]++
	}
	fmt.Println(seen)
	return nil
}

// synced syncs a file until it is told that the power is gone.
func synced(dir string) error {
	f, err := os.Create(filepath.Join(dir, "synced"))
	for i := int64(0); err == nil; i++ {
		if _, err = f.WriteAt([]byte{1}, i); err == nil {
			err = f.Sync()
		}
	}
	if !errors.Is(err, syscall.EIO) {
		return err
	}
	return nil
}

func role(t *testing.T, dir, name string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), roleEnv+"="+name+":"+dir)
	return c
}

func touch(t *testing.T, dir, name string) string {
	t.Helper()
	out, err := role(t, dir, name).CombinedOutput()
	require.NoError(t, err, string(out))
	return strings.TrimSpace(string(out))
}

// start serves a disk and returns a way to send commands.
func start(t *testing.T, dir string) func(string) string {
	t.Helper()
	server := role(t, dir, "serve")
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	ready, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", ready)
	conn, err := net.Dial("unix", filepath.Join(dir, "ctl"))
	require.NoError(t, err)
	lines := bufio.NewReader(conn)
	send := func(command string) string {
		_, err := fmt.Fprintln(conn, command)
		require.NoError(t, err)
		answer, err := lines.ReadString('\n')
		require.NoError(t, err)
		return strings.TrimSpace(answer)
	}
	t.Cleanup(func() {
		require.Equal(t, "ok", send("quit"))
		require.NoError(t, server.Wait())
	})
	return send
}

func needFUSE(t *testing.T) string {
	t.Helper()
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil || os.Geteuid() != 0 {
		t.Skip("needs /dev/fuse and root")
	}
	require.NoError(t, f.Close())
	return t.TempDir()
}

func TestMappedFiles_KeepWhatMsyncWasAskedFor(t *testing.T) {
	dir := needFUSE(t)
	send := start(t, dir)
	touch(t, dir, "map")
	require.Contains(t, send("stat"), "flushes=2 ", "msync and the directory")
	require.Equal(t, "[0 0 64]", touch(t, dir, "count"))
	require.Equal(t, "ok", send("remount"))
	require.Regexp(t, `^\[0 [1-9]\d* [1-9]\d*\]$`, touch(t, dir, "count"), "seed 7 chooses page by page")
}

func TestCutAt_EndsTheFlushAndEverythingAfter(t *testing.T) {
	dir := needFUSE(t)
	send := start(t, dir)
	require.Equal(t, "ok", send("cut at 5"))
	touch(t, dir, "sync")
	require.Equal(t, "ok", send("wait"))
	require.Contains(t, send("stat"), "power=off flushes=5 ")
	require.Equal(t, "ok", send("remount"))
	require.Contains(t, send("stat"), "power=on flushes=0 ")
}

func TestStore_KeepsTheDiskBetweenRuns(t *testing.T) {
	dir := needFUSE(t)
	t.Run("first", func(t *testing.T) {
		start(t, dir)
		touch(t, dir, "map")
	})
	t.Run("second", func(t *testing.T) {
		start(t, dir)
		require.Equal(t, "[0 0 64]", touch(t, dir, "count"))
	})
}

func TestControl_SaysWhatItDoesNotUnderstand(t *testing.T) {
	dir := needFUSE(t)
	send := start(t, dir)
	for _, bad := range []string{"", "explode", "cut at", "cut at x", "slow", "slow x", "full", "full -1", "image", "stat now"} {
		require.Regexp(t, "^error .", send(bad), "%q", bad)
	}
	for _, good := range []string{"slow 1ms", "slow 0", "full 4096", "full off", "stall", "release", "fail on", "fail off", "writeback", "save"} {
		require.Equal(t, "ok", send(good), good)
	}
	require.Equal(t, "ok", send("image "+filepath.Join(dir, "image")+" 7"))
	require.DirExists(t, filepath.Join(dir, "image"))
}
