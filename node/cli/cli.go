// Package cli is the command line: every command in the order of the overview. What commands
// share is in cli/command, each group of them in a room of its own.
package cli

import (
	"context"
	"slices"

	"almenara/node/cli/alertcmd"
	"almenara/node/cli/auditcmd"
	"almenara/node/cli/capcmd"
	"almenara/node/cli/checkincmd"
	"almenara/node/cli/command"
	"almenara/node/cli/completion"
	"almenara/node/cli/democmd"
	"almenara/node/cli/devicecmd"
	"almenara/node/cli/followcmd"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/nodecmd"
	"almenara/node/cli/noticecmd"
	"almenara/node/cli/peoplecmd"
	"almenara/node/cli/personalcmd"
	"almenara/node/cli/placecmd"
	"almenara/node/cli/reportcmd"
	"almenara/node/cli/scenariocmd"
)

// Run runs one command and returns the exit code. It ends soon after ctx does.
func Run(ctx context.Context, args []string, streams command.IO, engine inprocess.Engine) int {
	if completion.Asked(args) {
		return completion.Answer(args, streams.Out, commands())
	}
	return command.Run(ctx, args, streams, engine, commands())
}

// commands is every command, in the order of the overview.
func commands() []command.Command {
	return slices.Concat(
		democmd.DemoCommands(), nodecmd.Commands(), capcmd.Commands(), alertcmd.Commands(), followcmd.Commands(), reportcmd.Commands(), checkincmd.Commands(), noticecmd.Commands(), scenariocmd.Commands(), peoplecmd.Commands(), placecmd.Commands(), personalcmd.Commands(), devicecmd.Commands(), auditcmd.Commands(), democmd.SimulateCommands(),
		completion.Commands(commands), command.Others(),
	)
}
