// Package auditcmd is the commands about the audit chain.
package auditcmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/storage/audit"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return []command.Command{
		{
			Name: "audit show", Purpose: "read the audit: who did what and when, the newest last", Setup: auditShow,
			Example: "almenara audit show --since 12h\nalmenara audit show --who duty --what policy",
		},
		{
			Name: "audit export", Purpose: "write the audit chain as JSON lines", Setup: auditExport,
			Example: "almenara audit export --out audit-2026.jsonl",
		},
		{
			Name: "audit verify", Purpose: "check an exported chain, without any node", Args: "FILE", Min: 1, Max: 1, Setup: auditVerify,
			Needs:   command.NeedsNothing,
			Example: "almenara audit verify audit-2026.jsonl",
		},
	}
}

func auditExport(fs *pflag.FlagSet) command.Runner {
	out := fs.String("out", "", "file to write, whole or not at all; standard output when absent")
	from := fs.Uint64("from", 0, "first line; 0 is the first there is")
	to := fs.Uint64("to", 0, "last line; 0 is the newest")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		if err := e.WriteFile(*out, func(w io.Writer) error { return c.ExportAudit(ctx, w, *from, *to) }); err != nil {
			return err
		}
		if *out == "" || *out == "-" {
			return nil
		}
		return command.Done(e, "written", *out, "The audit chain is in %s; check it with: almenara audit verify %s\n", *out, *out)
	}
}

// verified is the report of audit verify, for programs.
type verified struct {
	File    string `json:"file"`
	OK      bool   `json:"ok"`
	From    uint64 `json:"from"`
	To      uint64 `json:"to"`
	Head    string `json:"head"`
	Line    int    `json:"line,omitempty"` // of the file, where the chain breaks
	Problem string `json:"problem,omitempty"`
}

func auditVerify(*pflag.FlagSet) command.Runner {
	return func(_ context.Context, e *command.Env, args []string) error {
		file, _, err := e.OpenFile(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		report, err := audit.Verify(file)
		if err != nil {
			return err
		}
		v := verified{
			File: args[0], OK: report.OK(), From: report.From, To: report.To, Head: report.Head, Line: report.Broken, Problem: report.Problem,
		}
		err = e.Print(v, func(w io.Writer) {
			if v.OK {
				fmt.Fprintf(w, "The chain is whole: lines %s to %s.\nIts head is %s.\n", terminal.Thousands(v.From), terminal.Thousands(v.To), v.Head)
			}
		})
		if err == nil && !v.OK {
			err = fmt.Errorf("the chain breaks at line %d of %s: %s", v.Line, v.File, v.Problem)
		}
		return err
	}
}
