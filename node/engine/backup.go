package engine

import (
	"context"
	"io"
	"path/filepath"

	"almenara/node"
	"almenara/node/cli"
)

func backupFolder(version string) func(string) (io.ReadCloser, int64, error) {
	return func(data string) (io.ReadCloser, int64, error) { return node.BackupFolder(data, version, quiet()) }
}

func restore(_ context.Context, o cli.RestoreOptions) (cli.RestoreResult, error) {
	made, err := node.Restore(firstOptions(o.Data, o.Name, o.Listen), o.File, quiet())
	if err != nil {
		return cli.RestoreResult{}, err
	}
	out := cli.RestoreResult{
		Node: made.Node, District: made.District, Incarnation: made.Incarnation, Applied: made.Applied, AuditLines: made.Audit, Data: o.Data,
	}
	if made.Token {
		out.TokenFile = filepath.Join(o.Data, node.TokenFile)
	}
	return out, nil
}
