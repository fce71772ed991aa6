// Package capcmd is the check of CAP files, with a node or without one. It sends nothing.
package capcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/judge"
	"almenara/node/wire"
	"almenara/node/wire/caution"
	"almenara/node/wording"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/audience"
)

// Commands are those of this package.
func Commands() []command.Command {
	return []command.Command{{
		Name: "cap check", Purpose: "say whether a district takes CAP files, and why not", Args: "FILE…", Min: 1, Max: -1,
		Setup: capCheck, Example: "almenara cap check flood.xml\nalmenara cap check --json received/\n" +
			"almenara cap check --district --select 'place under tuen-mun' flood.xml",
	}}
}

// Checked is one line of cap check, for programs.
type Checked struct {
	File    string `json:"file"`
	Verdict string `json:"verdict"` // accept, warn or reject
	Reason  string `json:"reason"`
	// Words is what its texts lack; nothing is refused for it.
	Words []caution.WordFinding `json:"words,omitempty"`
}

// judgement says what becomes of the message in a file.
type judgement func(ctx context.Context, raw []byte) (alert.Verdict, string, error)

func capCheck(fs *pflag.FlagSet) command.Runner {
	selection := fs.String("select", "", "who: the selection that will be sent with the messages")
	words := fs.Bool("words", false, "also say which text lacks source, hazard, place, action or time")
	district := fs.Bool("district", false, "ask a node of the district, which sends nothing; the token's person must be allowed to send")
	return func(ctx context.Context, e *command.Env, args []string) error {
		files, err := capFiles(args)
		if err != nil {
			return err
		}
		judge, err := judgeHere(e, *selection)
		if err != nil {
			return err
		}
		if *district {
			c, err := e.Client()
			if err != nil {
				return err
			}
			defer c.Close()
			judge = askDistrict(c, *selection)
		}
		return checkFiles(ctx, e, files, judge, *words)
	}
}

// checkFiles prints a line for each file.
func checkFiles(ctx context.Context, e *command.Env, files []string, judge judgement, words bool) error {
	all, rejected := []Checked{}, 0
	for _, file := range files {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		raw, err := e.ReadFile(file)
		if err != nil {
			return err
		}
		verdict, reason, err := judge(ctx, raw)
		if err != nil {
			return err
		}
		line := Checked{File: terminal.Clean(alert.OneLine(file)), Verdict: string(verdict), Reason: terminal.Clean(alert.OneLine(reason))}
		if verdict == alert.VerdictReject {
			rejected++
		}
		if words {
			line.Words = wordsOf(raw)
		}
		if all = append(all, line); e.JSON() {
			continue
		}
		if _, err := fmt.Fprintf(e.Out, "%s\t%s\t%s\n", line.File, line.Verdict, line.Reason); err != nil {
			return command.Writing(err)
		}
		for _, f := range line.Words {
			if _, err := fmt.Fprintf(e.Out, "%s\twords\t%s\n", line.File, terminal.Clean(alert.OneLine(f.Text))); err != nil {
				return command.Writing(err)
			}
		}
	}
	if e.JSON() {
		if err := e.Print(all, func(io.Writer) {}); err != nil {
			return err
		}
	}
	if rejected > 0 {
		return fmt.Errorf("%s of %s would be rejected", terminal.Thousands(rejected), terminal.Plural(len(files), "file"))
	}
	return nil
}

// wordsOf is what the texts of a message lack; of one that cannot be read nothing is said.
func wordsOf(raw []byte) []caution.WordFinding {
	a, _, err := capxml.Parse(raw)
	if err != nil {
		return nil
	}
	return wording.Check(a, nil)
}

// judgeHere judges without a node, as every node would as far as it needs none.
func judgeHere(e *command.Env, selection string) (judgement, error) {
	var limit audience.Selection
	if selection != "" {
		var err error
		if limit, err = audience.Parse(selection); err != nil {
			return nil, command.Usagef("--select cannot be read: %v", err)
		}
	}
	return func(_ context.Context, raw []byte) (alert.Verdict, string, error) {
		found := judge.File(raw, limit, time.Now())
		if len(found) == 0 {
			return alert.VerdictAccept, "ok", nil
		}
		return found.Verdict(), found.Reason(), nil
	}, nil
}

// refusals are the kinds of answer that judge the message. Every other failure is no
// judgement.
var refusals = []wire.Kind{wire.KindRefused, wire.KindMalformed, wire.KindConflict, wire.KindTooLarge, wire.KindForbidden}

// askDistrict judges by a dry run on a node.
func askDistrict(c *client.Client, selection string) judgement {
	return func(ctx context.Context, raw []byte) (alert.Verdict, string, error) {
		out, err := c.PreviewCAP(ctx, raw, selection)
		problem := new(wire.Problem)
		switch {
		case errors.As(err, &problem) && slices.Contains(refusals, problem.Kind):
			return alert.VerdictReject, strings.TrimPrefix(problem.Sentence, "nothing was sent: "), nil
		case err != nil:
			return "", "", err
		case len(out.Warnings) == 0:
			return alert.VerdictAccept, "ok", nil
		case len(out.Warnings) == 1:
			return alert.VerdictWarn, out.Warnings[0].Text, nil
		}
		return alert.VerdictWarn, fmt.Sprintf("%s (and %d more)", out.Warnings[0].Text, len(out.Warnings)-1), nil
	}
}

// capFiles lists the files: a folder stands for all .xml files below it.
func capFiles(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if name == "-" || (err == nil && !info.IsDir()) {
			files = append(files, name)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("finding files: %w", err)
		}
		err = filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && strings.EqualFold(filepath.Ext(path), ".xml") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("walking folder: %w", err)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("there is no .xml file in %s", strings.Join(names, ", "))
	}
	return files, nil
}
