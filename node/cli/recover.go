package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// RecoverOptions are those of the recovery of a district from one node's folder.
type RecoverOptions struct {
	Data  string
	Force bool // also while enough other nodes answer to agree
}

// RecoverSurvey is what a person is shown before anything is changed.
type RecoverSurvey struct {
	Node        string    `json:"node"`
	Name        string    `json:"name"`
	District    string    `json:"district"`
	Incarnation uint64    `json:"incarnation"`
	Applied     uint64    `json:"applied_index"`
	LogEnd      uint64    `json:"log_end"` // what lies after Applied may never have been committed
	LastAt      time.Time `json:"last_at,omitzero"`
	LastAction  string    `json:"last_action,omitempty"`
	NewID       string    `json:"new_id,omitempty"` // why it needs a new id
	Quarantined uint64    `json:"quarantined_by,omitempty"`
	Others      []string  `json:"others"` // one line for each other voter: who, and whether it answers
	Done        bool      `json:"done"`
}

// RecoverResult says what was made; all of it is durable.
type RecoverResult struct {
	Node        string `json:"node"`
	District    string `json:"district"`
	Incarnation uint64 `json:"incarnation"`
	Applied     uint64 `json:"applied_index"`
	Taken       uint64 `json:"entries_taken"`
	Already     bool   `json:"already"`
	Data        string `json:"data"`
}

// RejoinOptions are those of a node that comes back under a new id.
type RejoinOptions struct {
	Data  string
	Token string // what `node invite` printed
	Lossy bool   // go on though facts that only this node has would be lost
}

// RejoinResult says what was done; all of it is durable.
type RejoinResult struct {
	Node    string `json:"node"`
	Old     string `json:"old"`
	Sent    int    `json:"facts_handed_over"`
	Gaps    int    `json:"streams_with_losses"`
	Changes int    `json:"changes_left_behind"`
	Report  string `json:"report,omitempty"` // file that lists them
	Unread  string `json:"unreadable,omitempty"`
	Data    string `json:"data"`
}

// errNotConfirmed ends a command whose question was not answered with the right word.
var errNotConfirmed = errors.New("not confirmed; nothing was changed")

func recoverCommands() []command {
	return []command{
		{
			name: "recover", purpose: "go on with one node when the majority is lost for good", setup: recoverNode, needs: needsFolder,
			example: "almenara recover --data /var/lib/almenara",
		},
		{
			name: "rejoin", purpose: "bring a node back that may not return under its id", args: "INVITATION", min: 1, max: 1,
			setup: rejoin, needs: needsFolder, example: "almenara rejoin --data /var/lib/almenara INVITATION",
		},
	}
}

func recoverNode(fs *pflag.FlagSet) runner {
	var opts RecoverOptions
	yes := fs.Bool("yes", false, "do not ask for the district's name")
	fs.BoolVar(&opts.Force, "force", false, "also while enough other nodes answer to agree")
	return func(ctx context.Context, e *env, _ []string) error {
		if e.engine.Recover == nil {
			return errNoEngine
		}
		if e.global.json && !*yes {
			return usagef("recover --json cannot ask; add --yes")
		}
		opts.Data = e.global.data
		confirm := func(s RecoverSurvey) error {
			if e.global.json || s.Done {
				return nil
			}
			e.tellSurvey(s)
			if *yes {
				return nil
			}
			return e.askFor(s.District, "Type the district's name to go on with this node alone")
		}
		made, err := e.engine.Recover(ctx, opts, confirm, e.telling())
		if err != nil {
			return err
		}
		return e.print(made, func(w io.Writer) { tellRecovered(w, made) })
	}
}

func tellRecovered(w io.Writer, made RecoverResult) {
	if made.Already {
		fmt.Fprintf(w, "Node %s goes on alone already, as incarnation %d of %s; nothing was changed.\n", made.Node, made.Incarnation, made.District)
	} else {
		fmt.Fprintf(w, "Node %s is the only voter of %s now, incarnation %d, after log entry %d (%d of them not known to be committed before).\n",
			made.Node, made.District, made.Incarnation, made.Applied, made.Taken)
	}
	fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
	fmt.Fprint(w, "Old nodes that come back stop agreeing to anything; bring each back with almenara node invite and almenara rejoin.\n")
}

// tellSurvey shows what is about to be changed.
func (e *env) tellSurvey(s RecoverSurvey) {
	var b strings.Builder
	t := table{}
	t.add("Node", fmt.Sprintf("%s (%s)", s.Name, s.Node))
	t.add("District", fmt.Sprintf("%s, incarnation %d", s.District, s.Incarnation))
	last := fmt.Sprintf("log entry %d", s.Applied)
	if !s.LastAt.IsZero() {
		last += fmt.Sprintf(", %s at %s", s.LastAction, clock(s.LastAt))
	}
	t.add("Last applied", last)
	if s.LogEnd > s.Applied {
		t.add("Not committed", fmt.Sprintf("%d log entries, which will be taken as if they were", s.LogEnd-s.Applied))
	}
	if s.NewID != "" {
		t.add("New id", "needed, because "+s.NewID)
	}
	if s.Quarantined > 0 {
		t.add("Quarantined", fmt.Sprintf("by incarnation %d, which will be given up", s.Quarantined))
	}
	label := "Other voters"
	for _, other := range s.Others {
		t.add(label, other)
		label = ""
	}
	t.write(&b, e.Width)
	b.WriteString("\nWhat the others agreed on after that log entry is left behind: changes of audiences, users and devices must be made\n" +
		"again. Their alerts and receipts are not: they are handed over when those nodes come back.\n")
	fmt.Fprint(e.Err, b.String())
}

// askFor reads a line, which must be the word.
func (e *env) askFor(word, question string) error {
	fmt.Fprintf(e.Err, "\n%s (%s): ", question, word)
	line, err := bufio.NewReader(io.LimitReader(e.In, 1<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if strings.TrimSpace(line) != word {
		return errNotConfirmed
	}
	return nil
}

// telling writes each step of long work on a line of its own, for people only.
func (e *env) telling() func(string) {
	return func(step string) {
		if !e.global.json {
			fmt.Fprintf(e.Err, "%s …\n", step)
		}
	}
}

func rejoin(fs *pflag.FlagSet) runner {
	var opts RejoinOptions
	fs.BoolVar(&opts.Lossy, "lossy", false, "go on though what only this node has would be lost")
	return func(ctx context.Context, e *env, args []string) error {
		if e.engine.Rejoin == nil {
			return errNoEngine
		}
		opts.Data, opts.Token = e.global.data, args[0]
		made, err := e.engine.Rejoin(ctx, opts, e.telling())
		if err != nil {
			return err
		}
		return e.print(made, func(w io.Writer) { tellRejoined(w, made) })
	}
}

func tellRejoined(w io.Writer, made RejoinResult) {
	fmt.Fprintf(w, "Node %s is node %s now; %s of its alerts and receipts were new to the district.\n", made.Old, made.Node, thousands(made.Sent))
	if made.Unread != "" {
		fmt.Fprintf(w, "Its old state could not be read: %s.\n", made.Unread)
	}
	if made.Gaps > 0 {
		fmt.Fprintf(w, "In %d streams something is lost that only this node had.\n", made.Gaps)
	}
	if made.Changes > 0 {
		fmt.Fprintf(w, "%d changes that it had agreed on without the district are left behind; %s lists them.\n", made.Changes, made.Report)
	}
	fmt.Fprintf(w, "Start it with: almenara serve --data %s\nThe old id is removed once the new one has a vote.\n", made.Data)
}
