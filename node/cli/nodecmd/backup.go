package nodecmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/backup"
	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
)

// BackupFile describes a backup that was read from start to end and found good.
type BackupFile struct {
	File        string    `json:"file"`
	Bytes       int64     `json:"bytes"`
	Created     time.Time `json:"created"`
	District    string    `json:"district"`
	Node        string    `json:"node"`
	NodeName    string    `json:"node_name"`
	Incarnation uint64    `json:"incarnation"`
	Index       uint64    `json:"index"`
	AuditLines  uint64    `json:"audit_lines"`
	Program     string    `json:"program,omitempty"`
}

func backupCommands() []command.Command {
	return []command.Command{
		{
			Name: "backup", Purpose: "write a backup of the district, which holds its keys", Setup: makeBackup,
			Example: "almenara backup --out tuen-mun.backup\nalmenara backup --offline --data /var/lib/almenara --out tuen-mun.backup",
		},
		{
			Name: "backup verify", Purpose: "read a backup whole and say whether it is good", Args: "FILE", Min: 1, Max: 1,
			Setup: verifyBackup, Needs: command.NeedsNothing, Example: "almenara backup verify tuen-mun.backup",
		},
		{
			Name: "restore", Purpose: "begin a district anew from a backup", Args: "FILE", Min: 1, Max: 1, Setup: restore,
			Needs: command.NeedsFolder, Example: "almenara restore --data /var/lib/almenara --name n1 tuen-mun.backup\nalmenara restore --isolated --data /tmp/drill --name drill tuen-mun.backup",
		},
	}
}

func makeBackup(fs *pflag.FlagSet) command.Runner {
	out := fs.String("out", "", "file to write, mode 0600; it must not exist")
	offline := fs.Bool("offline", false, "from the data folder of a node that is not running")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if *out == "" {
			return command.Usagef("backup needs --out FILE")
		}
		bar := command.NewBar(e)
		defer bar.End()
		fill := fromNode(ctx, e, bar)
		if *offline {
			fill = fromFolder(ctx, e, bar)
		}
		f, size, err := backup.Save(*out, fill, func(n int64) { bar.Tell(inprocess.Progress{Done: n, Text: "bytes read back"}) })
		if err != nil {
			return err
		}
		bar.End()
		made := describe(*out, size, f)
		var pending int
		if !*offline {
			pending = notAgreed(ctx, e)
		}
		return e.Print(made, func(w io.Writer) {
			tellMade(w, made, pending)
		})
	}
}

// tellMade says what was written, and how many facts are not in it.
func tellMade(w io.Writer, made BackupFile, pending int) {
	tellBackup(w, made)
	fmt.Fprint(w, "It holds the district's private keys: whoever has it can become the district. Keep it as you keep those.\n")
	if pending > 0 {
		fmt.Fprintf(w, "Not in it: what this node has taken and the district has not agreed on, %s (alerts, ends, receipts).\nMake another backup when status says 0 at \"Facts not committed\".\n", terminal.Plural(pending, "fact"))
	}
}

// notAgreed is how many facts the node has that no backup holds yet; 0 where it does not say.
func notAgreed(ctx context.Context, e *command.Env) int {
	c, err := e.Client()
	if err != nil {
		return 0
	}
	defer c.Close()
	s, err := c.Status(ctx, false)
	if err != nil {
		return 0
	}
	return s.PendingFacts
}

// fromNode fetches a backup over the API.
func fromNode(ctx context.Context, e *command.Env, bar *command.Bar) func(func(int64) (io.Writer, error)) error {
	return func(to func(int64) (io.Writer, error)) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Backup(ctx, func(size int64) (io.Writer, error) { return counted(to, size, bar) })
	}
}

// fromFolder makes a backup from the data folder.
func fromFolder(ctx context.Context, e *command.Env, bar *command.Bar) func(func(int64) (io.Writer, error)) error {
	return func(to func(int64) (io.Writer, error)) error {
		if e.Engine.BackupFolder == nil {
			return command.ErrNoEngine
		}
		r, size, err := e.Engine.BackupFolder(e.Data())
		if err != nil {
			return err
		}
		defer r.Close()
		w, err := counted(to, size, bar)
		if err != nil {
			return err
		}
		_, err = io.Copy(w, readerOf(ctx, r))
		return err
	}
}

// counted is the writer with a bar beside it.
func counted(to func(int64) (io.Writer, error), size int64, bar *command.Bar) (io.Writer, error) {
	w, err := to(size)
	if err != nil {
		return nil, err
	}
	return &countingWriter{w: w, total: max(size, 0), bar: bar}, nil
}

type countingWriter struct {
	w        io.Writer
	n, total int64
	bar      *command.Bar
}

// Write writes on and counts.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.bar.Tell(inprocess.Progress{Done: c.n, Total: c.total, Text: "bytes"})
	return n, err
}

// readerOf ends with ctx.
func readerOf(ctx context.Context, r io.Reader) io.Reader { return &ctxReader{ctx, r} }

type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

// Read reads on until the context ends.
func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func describe(name string, size int64, f *backup.File) BackupFile {
	return BackupFile{
		File: name, Bytes: size, Created: time.UnixMilli(f.Created).UTC(), District: f.Name, Node: f.Node, NodeName: f.NodeName,
		Incarnation: f.Incarnation, Index: f.Index, AuditLines: f.Audit, Program: f.Program,
	}
}

func tellBackup(w io.Writer, b BackupFile) {
	fmt.Fprintf(w, "%s is a good backup of %s, written by %s on %s: incarnation %d, log entry %d, %s audit lines, %s bytes.\n",
		b.File, b.District, b.NodeName, terminal.Clock(b.Created), b.Incarnation, b.Index, terminal.Thousands(b.AuditLines), terminal.Thousands(b.Bytes))
}

// openBackup reads a file from start to end.
func openBackup(e *command.Env, name string) (*backup.File, *os.File, int64, error) {
	raw, err := os.Open(name)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("opening backup: %w", err)
	}
	info, err := raw.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	if err != nil {
		_ = raw.Close()
		return nil, nil, 0, err
	}
	bar := command.NewBar(e)
	defer bar.End()
	f, err := backup.Open(raw, info.Size(), func(n int64) { bar.Tell(inprocess.Progress{Done: n, Total: info.Size(), Text: "bytes read"}) })
	if err != nil {
		_ = raw.Close()
		return nil, nil, 0, fmt.Errorf("reading %s: %w", name, err)
	}
	return f, raw, info.Size(), nil
}

func verifyBackup(*pflag.FlagSet) command.Runner {
	return func(_ context.Context, e *command.Env, args []string) error {
		f, raw, size, err := openBackup(e, args[0])
		if err != nil {
			return err
		}
		defer raw.Close()
		found := describe(args[0], size, f)
		return e.Print(found, func(w io.Writer) { tellBackup(w, found) })
	}
}

func restore(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.RestoreOptions
	fs.StringVar(&opts.Name, "name", "", "name of the node, for people; the machine's when absent")
	yes := fs.Bool("yes", false, "do not ask for the district's name")
	fs.BoolVar(&opts.Isolated, "isolated", false, "make a copy for a drill, with keys of its own, which speaks to nobody of the district")
	fs.BoolVar(&opts.Force, "force", false, "also while nodes of the district answer that agree")
	registerListen(fs, &opts.Listen)
	return func(ctx context.Context, e *command.Env, args []string) error {
		if e.Engine.Restore == nil {
			return command.ErrNoEngine
		}
		if e.JSON() && !*yes && !opts.Isolated {
			return command.Usagef("restore --json cannot ask; add --yes, or --isolated for a drill")
		}
		f, raw, _, err := openBackup(e, args[0])
		if err != nil {
			return err
		}
		defer raw.Close()
		opts.Data, opts.File = e.Data(), f
		confirm := func(s inprocess.RestoreSurvey) error {
			if e.JSON() {
				return nil
			}
			tellRestore(e, s, describe(args[0], 0, f))
			if *yes || s.Isolated {
				return nil
			}
			return command.AskFor(e, s.District, "Type the district's name to begin it anew from this backup")
		}
		made, err := e.Engine.Restore(ctx, opts, confirm)
		if err != nil {
			return err
		}
		return e.Print(made, func(w io.Writer) {
			fmt.Fprintf(w, "Node %s is the only node of %s now, incarnation %d, after log entry %d; its audit has %s lines.\n",
				made.Node, made.District, made.Incarnation, made.Applied, terminal.Thousands(made.AuditLines))
			if made.Isolated {
				fmt.Fprint(w, "It is a DRILL COPY, with keys of its own: nodes and devices of the district do not hear it.\n")
			} else {
				fmt.Fprint(w, "What was revoked after the backup holds again: look at user list, device list and alert list.\n")
			}
			fmt.Fprint(w, "Persons who were erased after it are in it again: erase them once more, with person erase.\n")
			if made.TokenFile != "" {
				fmt.Fprintf(w, "The administrator's token is in %s.\n", made.TokenFile)
			}
			fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
		})
	}
}

// tellRestore shows what is about to be done.
func tellRestore(e *command.Env, s inprocess.RestoreSurvey, from BackupFile) {
	var b strings.Builder
	t := terminal.Table{}
	t.Add("District", fmt.Sprintf("%s, to be incarnation %d", s.District, s.Incarnation))
	t.Add("Backup", fmt.Sprintf("written by %s on %s, log entry %d", from.NodeName, terminal.Clock(from.Created), from.Index))
	label := "Its voters"
	for _, other := range s.Others {
		t.Add(label, other)
		label = ""
	}
	t.Write(&b, e.Width)
	if s.Isolated {
		b.WriteString("\nA copy for a drill: nobody of the district is asked, and nothing there changes.\n")
	} else {
		b.WriteString("\nWhat the district agreed on after the backup is lost, and its nodes stop agreeing to anything when they come back.\n" +
			"To try a backup out, use --isolated.\n")
	}
	fmt.Fprint(e.Err, b.String())
}
