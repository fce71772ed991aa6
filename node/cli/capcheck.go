package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"almenara/storage/alert"
)

// checked is one line of cap check, for programs.
type checked struct {
	File    string `json:"file"`
	Verdict string `json:"verdict"` // accept, warn or reject
	Reason  string `json:"reason"`
}

func capCheck(*pflag.FlagSet) runner {
	return func(ctx context.Context, e *env, args []string) error {
		files, err := capFiles(args)
		if err != nil {
			return err
		}
		all, rejected := []checked{}, 0
		for _, file := range files {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			line, err := e.checkFile(file)
			if err != nil {
				return err
			}
			if line.Verdict == "reject" {
				rejected++
			}
			if all = append(all, line); e.global.json {
				continue
			}
			if _, err := fmt.Fprintf(e.Out, "%s\t%s\t%s\n", line.File, line.Verdict, line.Reason); err != nil {
				return writing(err)
			}
		}
		if e.global.json {
			if err := e.print(all, func(io.Writer) {}); err != nil {
				return err
			}
		}
		if rejected > 0 {
			return fmt.Errorf("%s of %s would be rejected", thousands(rejected), plural(len(files), "file"))
		}
		return nil
	}
}

// checkFile asks the domain for its line, and takes it apart again.
func (e *env) checkFile(name string) (checked, error) {
	raw, err := e.readFile(name)
	if err != nil {
		return checked{}, err
	}
	fields := strings.SplitN(alert.CheckLine(name, raw), "\t", 3)
	if len(fields) != 3 {
		return checked{}, fmt.Errorf("checking %s: the check gave no verdict", name)
	}
	return checked{File: clean(fields[0]), Verdict: fields[1], Reason: clean(fields[2])}, nil
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
