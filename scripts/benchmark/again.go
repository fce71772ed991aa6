//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// reportAgain prints the report of raw output, also of a run that did not come to its end.
func reportAgain(o options) error {
	raw, err := os.ReadFile(filepath.Join(o.again, "samples.jsonl"))
	if err != nil {
		return fmt.Errorf("reading raw output: %w", err)
	}
	d := &driver{options: o, results: newResults(), begun: time.Now(), head: []string{"again     " + o.again}}
	for n, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		one, err := readSample(line)
		if err != nil {
			return fmt.Errorf("reading line %d of raw output: %w", n+1, err)
		}
		d.results.add(one)
	}
	return d.report(d.results.targets(o))
}

// readSample tells the kinds of lines by the fields that only they have.
func readSample(line []byte) (any, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(line, &fields); err != nil {
		return nil, err
	}
	var m memory
	var t tempest
	var s sample
	var err error
	switch {
	case fields["PerConnection"] != nil:
		err = json.Unmarshal(line, &m)
		return m, err
	case fields["Resumed"] != nil:
		err = json.Unmarshal(line, &t)
		return t, err
	case fields["History"] != nil:
		var g growth
		err = json.Unmarshal(line, &g)
		return g, err
	case fields["Consoles"] != nil:
		var w watching
		err = json.Unmarshal(line, &w)
		return w, err
	case fields["Took"] != nil:
		var f failover
		err = json.Unmarshal(line, &f)
		return f, err
	}
	err = json.Unmarshal(line, &s)
	return s, err
}
