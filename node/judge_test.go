package node_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/node/cli"
	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/judge"
	"almenara/node/judge/judgetest"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
)

// ask is the node's judgement of a message: accept, warn or reject.
func (d *district) ask(raw []byte, selection string) (alert.Verdict, string) {
	d.t.Helper()
	out, err := d.client(0).PreviewCAP(d.ctx(), raw, selection)
	var problem *wire.Problem
	for errors.As(err, &problem) && problem.Kind == wire.KindOverBudget { // on a slow machine they are more than one user may have worked out
		time.Sleep(time.Duration(problem.RetryAfter) * time.Second)
		problem = nil
		out, err = d.client(0).PreviewCAP(d.ctx(), raw, selection)
	}
	switch {
	case errors.As(err, &problem):
		require.Contains(d.t, []wire.Kind{wire.KindRefused, wire.KindTooLarge, wire.KindConflict}, problem.Kind, problem.Sentence)
		return alert.VerdictReject, problem.Sentence
	case len(out.Warnings) > 0:
		return alert.VerdictWarn, strings.Join(out.Warnings.Texts(), "; ")
	}
	require.NoError(d.t, err)
	return alert.VerdictAccept, ""
}

// There is one judgement: what `cap check` says of a file is what a node does with it.
func TestJudge_FilesAndDistrictsAgree(t *testing.T) {
	t.Parallel()
	d := newDistrict(t, 1)
	lat, lon := 22.39, 113.97
	place := wire.Place{Path: "tuen-mun/judge", Lat: &lat, Lon: &lon}
	for _, scheme := range append(schemes(t), "judge") {
		if scheme == alert.ExcludePolygon { // a hole, and no code
			continue
		}
		place.Geocodes = append(place.Geocodes, wire.Geocode{ValueName: scheme, Value: "none"})
	}
	agreed(d, func() (struct{}, error) { return struct{}{}, d.client(0).PutPlaces(d.ctx(), []wire.Place{place}) })
	d.enrol("screen", "tuen-mun/judge", 1)
	for _, c := range judgetest.Cases(time.Now()) {
		raw := []byte(c.Message)
		file := judge.File(raw, audience.Selection{}, time.Now())
		verdict, why := d.ask(raw, "")
		if c.Selects {
			require.Equal(t, alert.VerdictReject, verdict, "%s without a selection: %s", c.Name, why)
			require.True(t, file.Has("selection-needed"), c.Name)
			verdict, why = d.ask(raw, "all")
			require.NotEqual(t, alert.VerdictReject, verdict, "%s with one: %s", c.Name, why)
			continue
		}
		require.Equal(t, file.Verdict(), verdict, "%s: %s; %s", c.Name, file.Reason(), why)
	}
	for name, raw := range collection(t) {
		if len(raw) > fact.MaxBody/2 { // whether it can be passed on is the node's matter
			continue
		}
		file := judge.File(raw, audience.Selection{}, time.Now())
		verdict, why := d.ask(raw, "")
		require.Equal(t, file.Rejected() || file.Has("selection-needed"), verdict == alert.VerdictReject, "%s: %s; %s", name, file.Reason(), why)
	}
	d.capCheck()
}

// capCheck compares the command with and without a district.
func (d *district) capCheck() {
	dir := d.t.TempDir()
	for i, c := range judgetest.Cases(time.Now()) {
		require.NoError(d.t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.xml", i)), []byte(c.Message), 0o600))
	}
	run := func(args ...string) (map[string]string, string) {
		var out, errs bytes.Buffer
		env := map[string]string{"ALMENARA_API": d.nodes[0].API(), "ALMENARA_TOKEN": d.token}
		streams := command.IO{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(name string) string { return env[name] }}
		require.NotEqual(d.t, command.ExitDone, cli.Run(d.ctx(), append([]string{"cap", "check"}, args...), streams, inprocess.Engine{}), "some are rejected")
		verdicts := map[string]string{}
		for line := range strings.Lines(out.String()) {
			fields := strings.Split(line, "\t")
			require.Len(d.t, fields, 3, line)
			verdicts[fields[0]] = fields[1]
		}
		return verdicts, errs.String()
	}
	here, said := run("--select", "all", dir)
	require.Len(d.t, here, len(judgetest.Cases(time.Now())), said)
	there, said := run("--district", "--select", "all", dir)
	require.Len(d.t, there, len(here), said)
	for file, verdict := range here {
		require.Equal(d.t, verdict == "reject", there[file] == "reject", file)
	}
}

// collection are the messages that ALMENARA_TESTDATA points at; none without it.
func collection(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	dir := os.Getenv("ALMENARA_TESTDATA")
	for _, pattern := range []string{"cap/*/*.xml", "cap/*/*/*.xml", "reports/*/*.xml"} {
		files, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		for _, file := range files {
			if all[file], err = os.ReadFile(file); dir == "" || err != nil {
				return nil
			}
		}
	}
	return all
}

// schemes are the kinds of geocodes that the collection cites.
func schemes(t *testing.T) []string {
	t.Helper()
	seen := map[string]bool{}
	var names []string
	for _, raw := range collection(t) {
		a, _, err := capxml.Parse(raw)
		if err != nil {
			continue
		}
		for _, info := range a.Infos {
			for _, area := range info.Areas {
				for _, g := range area.Geocodes {
					if !seen[g.Name] && g.Name != "" {
						seen[g.Name] = true
						names = append(names, g.Name)
					}
				}
			}
		}
	}
	return names
}
