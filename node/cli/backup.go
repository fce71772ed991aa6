package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/backup"
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

// RestoreOptions are those of a district that is begun anew from a backup.
type RestoreOptions struct {
	Data string // folder, made when absent; refused when it holds anything
	Name string
	File *backup.File
	Listen
}

// RestoreResult says what was made; all of it is durable.
type RestoreResult struct {
	Node        string `json:"node"`
	District    string `json:"district"`
	Incarnation uint64 `json:"incarnation"`
	Applied     uint64 `json:"applied_index"`
	AuditLines  uint64 `json:"audit_lines"`
	TokenFile   string `json:"token_file,omitempty"`
	Data        string `json:"data"`
}

func backupCommands() []command {
	return []command{
		{
			name: "backup", purpose: "write a backup of the district, which holds its keys", setup: makeBackup,
			example: "almenara backup --out tuen-mun.backup\nalmenara backup --offline --data /var/lib/almenara --out tuen-mun.backup",
		},
		{
			name: "backup verify", purpose: "read a backup whole and say whether it is good", args: "FILE", min: 1, max: 1,
			setup: verifyBackup, needs: needsNothing, example: "almenara backup verify tuen-mun.backup",
		},
		{
			name: "restore", purpose: "begin a district anew from a backup", args: "FILE", min: 1, max: 1, setup: restore,
			needs: needsFolder, example: "almenara restore --data /var/lib/almenara --name n1 tuen-mun.backup",
		},
	}
}

func makeBackup(fs *pflag.FlagSet) runner {
	out := fs.String("out", "", "file to write, mode 0600; it must not exist")
	offline := fs.Bool("offline", false, "from the data folder of a node that is not running")
	return func(ctx context.Context, e *env, _ []string) error {
		if *out == "" {
			return usagef("backup needs --out FILE")
		}
		bar := e.newBar()
		defer bar.end()
		fill := e.fromNode(ctx, bar)
		if *offline {
			fill = e.fromFolder(ctx, bar)
		}
		f, size, err := backup.Save(*out, fill, func(n int64) { bar.tell(Progress{Done: n, Text: "bytes read back"}) })
		if err != nil {
			return err
		}
		bar.end()
		made := describe(*out, size, f)
		return e.print(made, func(w io.Writer) {
			tellBackup(w, made)
			fmt.Fprint(w, "It holds the district's private keys: whoever has it can become the district. Keep it as you keep those.\n")
		})
	}
}

// fromNode fetches a backup over the API.
func (e *env) fromNode(ctx context.Context, bar *bar) func(func(int64) (io.Writer, error)) error {
	return func(to func(int64) (io.Writer, error)) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		return c.Backup(ctx, func(size int64) (io.Writer, error) { return counted(to, size, bar) })
	}
}

// fromFolder makes a backup from the data folder.
func (e *env) fromFolder(ctx context.Context, bar *bar) func(func(int64) (io.Writer, error)) error {
	return func(to func(int64) (io.Writer, error)) error {
		if e.engine.BackupFolder == nil {
			return errNoEngine
		}
		r, size, err := e.engine.BackupFolder(e.global.data)
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
func counted(to func(int64) (io.Writer, error), size int64, bar *bar) (io.Writer, error) {
	w, err := to(size)
	if err != nil {
		return nil, err
	}
	return &countingWriter{w: w, total: max(size, 0), bar: bar}, nil
}

type countingWriter struct {
	w        io.Writer
	n, total int64
	bar      *bar
}

// Write writes on and counts.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.bar.tell(Progress{Done: c.n, Total: c.total, Text: "bytes"})
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
		b.File, b.District, b.NodeName, clock(b.Created), b.Incarnation, b.Index, thousands(b.AuditLines), thousands(b.Bytes))
}

// openBackup reads a file from start to end.
func (e *env) openBackup(name string) (*backup.File, *os.File, int64, error) {
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
	bar := e.newBar()
	defer bar.end()
	f, err := backup.Open(raw, info.Size(), func(n int64) { bar.tell(Progress{Done: n, Total: info.Size(), Text: "bytes read"}) })
	if err != nil {
		_ = raw.Close()
		return nil, nil, 0, fmt.Errorf("reading %s: %w", name, err)
	}
	return f, raw, info.Size(), nil
}

func verifyBackup(*pflag.FlagSet) runner {
	return func(_ context.Context, e *env, args []string) error {
		f, raw, size, err := e.openBackup(args[0])
		if err != nil {
			return err
		}
		defer raw.Close()
		found := describe(args[0], size, f)
		return e.print(found, func(w io.Writer) { tellBackup(w, found) })
	}
}

func restore(fs *pflag.FlagSet) runner {
	var opts RestoreOptions
	fs.StringVar(&opts.Name, "name", "", "name of the node, for people; the machine's when absent")
	opts.Listen.register(fs)
	return func(ctx context.Context, e *env, args []string) error {
		if e.engine.Restore == nil {
			return errNoEngine
		}
		f, raw, _, err := e.openBackup(args[0])
		if err != nil {
			return err
		}
		defer raw.Close()
		opts.Data, opts.File = e.global.data, f
		made, err := e.engine.Restore(ctx, opts)
		if err != nil {
			return err
		}
		return e.print(made, func(w io.Writer) {
			fmt.Fprintf(w, "Node %s is the only node of %s now, incarnation %d, after log entry %d; its audit has %s lines.\n",
				made.Node, made.District, made.Incarnation, made.Applied, thousands(made.AuditLines))
			if made.TokenFile != "" {
				fmt.Fprintf(w, "The administrator's token is in %s.\n", made.TokenFile)
			}
			fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
		})
	}
}
