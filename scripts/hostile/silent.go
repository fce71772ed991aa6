package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// silentAttacks hold connections that say little or nothing. --id is the node's process,
// whose memory is looked at.
var silentAttacks = map[string]attack{
	"http-silent":          silentStrangers,
	"http-endless-headers": endlessHeaders,
}

// posting is how long an alert may take while strangers take what they can.
const posting = 200 * time.Millisecond

// fillWith opens count connections and says the piece on each.
func fillWith(addr string, count int, piece string) (closing func(), err error) {
	var open []net.Conn
	closing = func() {
		for _, c := range open {
			_ = c.Close()
		}
	}
	for range count {
		c, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			closing()
			return nil, fmt.Errorf("after %d connections: %w", len(open), err)
		}
		open = append(open, c)
		_, _ = io.WriteString(c, piece) // it may have been closed for the next one
	}
	return closing, nil
}

// quickAlert posts exercises one after the other until one of them took no longer than posting, and says how
// long it took. What holds a node up holds all of them up; a machine with other work may hold up one.
func quickAlert(t target, name string) (took time.Duration, err error) {
	for range 3 {
		if took, err = postAlert(t, name); err != nil || took <= posting {
			return took, err
		}
	}
	return took, fmt.Errorf("three alerts took longer than %v meanwhile, the last one %v", posting, took.Round(time.Millisecond))
}

// postAlert posts an exercise on a connection of its own and says how long that took.
func postAlert(t target, name string) (time.Duration, error) {
	now := time.Now().UTC()
	body := fmt.Sprintf(`<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>%s-%d</identifier><sender>silent@example.hk</sender><sent>%s</sent>`+
		`<status>Exercise</status><msgType>Alert</msgType><scope>Public</scope><info><language>en</language><category>Met</category><event>Exercise</event>`+
		`<urgency>Immediate</urgency><severity>Extreme</severity><certainty>Observed</certainty><headline>Exercise</headline>`+
		`<area><areaDesc>Estate</areaDesc></area></info></alert>`, name, now.UnixNano(), now.Format("2006-01-02T15:04:05-07:00"))
	request, err := http.NewRequest(http.MethodPost, "http://"+t.addr+"/api/v1/cap?select=place%20under%20tuen-mun%2Fon-ting", bytes.NewBufferString(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+t.token)
	request.Header.Set("Content-Type", "application/cap+xml")
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	begun := time.Now()
	resp, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("posting an alert meanwhile: %w", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	if resp.StatusCode >= 300 {
		return 0, fmt.Errorf("posting an alert meanwhile: %s: %s", resp.Status, strings.TrimSpace(string(said)))
	}
	return time.Since(begun), nil
}

// silentStrangers are 5,000.
func silentStrangers(t target) (string, error) {
	closing, err := fillWith(t.addr, 5000, "")
	if err != nil {
		return "", err
	}
	defer closing()
	took, err := quickAlert(t, "silent")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("5,000 silent connections; an alert posted meanwhile took %v", took.Round(time.Millisecond)), ready(t)
}

// endlessHeaders are 8,000 connections whose headers never end.
func endlessHeaders(t target) (string, error) {
	before, err := memoryOf(t.id)
	if err != nil {
		return "", err
	}
	piece := "POST /api/v1/cap HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: "+strings.Repeat("b", 1000)+"\r\n", 15)
	closing, err := fillWith(t.addr, 8000, piece)
	if err != nil {
		return "", err
	}
	defer closing()
	after, err := memoryOf(t.id)
	if err != nil {
		return "", err
	}
	if after-before > 100<<20 {
		return "", fmt.Errorf("8,000 connections with endless headers hold %d MiB", (after-before)>>20)
	}
	took, err := quickAlert(t, "endless")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("8,000 endless headers: %d MiB more; an alert posted meanwhile took %v", max(0, after-before)>>20, took.Round(time.Millisecond)), ready(t)
}

// memoryOf is what a process has in memory, in bytes.
func memoryOf(pid string) (int, error) {
	raw, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %s says nothing of its memory", pid)
}
