package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"
)

// httpAttacks are against the API's connections.
var httpAttacks = map[string]attack{
	"http-slow-header": slowHeader,
	"http-slow-body":   slowBody,
	"http-wrong-bytes": wrongBytes,
	"http-streams":     streams,
	"trap":             trap,
}

// ready is an error unless the API still answers.
func ready(t target) error {
	client := &http.Client{Timeout: patience}
	resp, err := client.Get("http://" + t.addr + "/readyz")
	if err != nil {
		return fmt.Errorf("the API answers nobody any more: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the node is not ready: %s", resp.Status)
	}
	return nil
}

// drip sends a request piece by piece, one a second, until the node closes.
func drip(t target, head, piece string, within time.Duration) error {
	c, err := dial(t.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, head); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.closed(within)
		ended <- err
	}()
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case <-every.C:
			_, _ = io.WriteString(c, piece) // the reader sees the end
		}
	}
}

// manyDrips runs 100 at once while the API must go on answering others.
func manyDrips(t target, head, piece string, within time.Duration) (string, error) {
	begun := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for range cap(errs) {
		wg.Go(func() { errs <- drip(t, head, piece, within) })
	}
	err := ready(t)
	wg.Wait()
	if err != nil {
		return "", err
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("100 slow requests, others answered, all closed after %v", time.Since(begun).Round(time.Second)), ready(t)
}

func slowHeader(t target) (string, error) {
	return manyDrips(t, "POST /api/v1/cap HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n", 30*time.Second)
}

func slowBody(t target) (string, error) {
	head := "POST /api/v1/cap HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + t.token +
		"\r\nContent-Type: application/cap+xml\r\nTransfer-Encoding: chunked\r\n\r\n"
	return manyDrips(t, head, "1\r\n<\r\n", 90*time.Second)
}

// wrongBytes sends what is not HTTP, and HTTP that two readers would read two ways.
func wrongBytes(t target) (string, error) {
	auth := "Authorization: Bearer " + t.token + "\r\n"
	var said []string
	for _, raw := range []string{
		"\x16\x03\x01\x02\x00\x01\x00", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
		"POST /api/v1/cap HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"POST /api/v1/cap HTTP/1.1\r\nHost: x\r\n" + auth + "Content-Length: -1\r\n\r\n",
		"POST /api/v1/cap HTTP/1.1\r\nHost: x\r\n" + auth + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n",
		"GET /api/v1/alerts HTTP/1.1\r\nHost: x\r\nX-Big: " + strings.Repeat("x", 1<<20) + "\r\n\r\n",
		"GET /api/v1/audience/select?expr=" + strings.Repeat("(", 1<<20) + " HTTP/1.1\r\nHost: x\r\n" + auth + "\r\n",
	} {
		status, err := exchange(t, raw)
		if err != nil {
			return "", fmt.Errorf("%.40q: %w", raw, err)
		}
		said = append(said, status)
	}
	return strings.Join(said, ", "), ready(t)
}

// exchange sends raw bytes and returns the status that came back.
func exchange(t target, raw string) (string, error) {
	c, err := dial(t.addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, raw) // it may be answered before it is all sent
	if half, ok := c.Conn.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
	line, err := c.in.ReadString('\n')
	if timedOut(err) {
		return "", err
	}
	fields := strings.Fields(line)
	switch {
	case len(fields) < 2:
		return "closed", nil
	case fields[1] < "400" || fields[1] >= "500" && fields[1] != "505":
		return "", fmt.Errorf("answered %q", strings.TrimSpace(line))
	}
	return fields[1], nil
}

// streams opens 300 event streams that nobody reads.
func streams(t target) (string, error) {
	for range 300 {
		c, err := dial(t.addr)
		if err != nil {
			return "", err
		}
		defer c.Close()
		if _, err := fmt.Fprintf(c, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", t.token); err != nil {
			return "", err
		}
	}
	return "300 event streams that nobody reads", ready(t)
}

// trap writes its address to t.out, listens until it is interrupted, and is an error
// when anybody connected: nothing that a message names may be fetched.
func trap(t target) (string, error) {
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	came := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		line, _ := bufio.NewReader(c).ReadString('\n')
		came <- line
	}()
	if err := os.WriteFile(t.out, []byte(l.Addr().String()), 0o600); err != nil {
		return "", err
	}
	<-interrupted
	_ = l.Close()
	select {
	case line := <-came:
		return "", fmt.Errorf("something was fetched: %q", line)
	default:
		return "nothing was fetched", nil
	}
}
