package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"almenara/node/access"
	"almenara/node/cli/inprocess"
	"almenara/node/folder"
)

func backupFolder(version string) func(string) (io.ReadCloser, int64, error) {
	return func(data string) (io.ReadCloser, int64, error) { return folder.BackupFolder(data, version, quiet()) }
}

func restore(ctx context.Context, o inprocess.RestoreOptions, confirm func(inprocess.RestoreSurvey) error) (inprocess.RestoreResult, error) {
	first := firstOptions(o.Data, o.Name, o.Listen)
	made, err := folder.Restore(ctx, folder.RestoreOptions{
		Dir: first.Dir, Addresses: first.Addresses(), File: o.File, Isolated: o.Isolated, Force: o.Force, Logger: quiet(),
		Confirm: func(s folder.RestoreSurvey) error {
			return confirm(inprocess.RestoreSurvey{District: s.District, Incarnation: s.Incarnation, Isolated: s.Isolated, Others: voterLines(s.Voters)})
		},
	})
	if errors.Is(err, folder.ErrQuorumLives) {
		return inprocess.RestoreResult{}, fmt.Errorf("%w; nothing was changed (--isolated makes a copy for a drill, --force begins the district anew all the same)", err)
	}
	if err != nil {
		return inprocess.RestoreResult{}, err
	}
	out := inprocess.RestoreResult{
		Node: made.Node, District: made.District, Incarnation: made.Incarnation, Applied: made.Applied, AuditLines: made.Audit, Data: o.Data,
		Isolated: o.Isolated,
	}
	if made.Token {
		out.TokenFile = filepath.Join(o.Data, access.TokenFile)
	}
	return out, nil
}
