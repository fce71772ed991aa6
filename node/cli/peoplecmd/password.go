package peoplecmd

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

func userSetPassword(fs *pflag.FlagSet) command.Runner {
	without := fs.Bool("without-second-factor", false, "take the second factor and its recovery codes away, for who has lost both")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		password, err := readPassword(e)
		if err != nil {
			return err
		}
		if err := c.SetPassword(ctx, args[0], wire.SetPassword{Password: password, WithoutSecondFactor: *without}); err != nil {
			return err
		}
		return command.Done(e, "set", args[0], "The password of %s is set, and all sessions of before have ended.\n", terminal.Clean(args[0]))
	})
}

// readPassword reads the password twice from a terminal, without showing it, or the first line of
// what is piped in. A flag would leave it in the shell's history.
func readPassword(e *command.Env) (string, error) {
	file, isFile := e.In.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		line, err := bufio.NewReader(e.In).ReadString('\n')
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			return "", command.Usagef("user set-password reads the password from a terminal, or from the first line that is piped in; there was none (%v)", err)
		}
		return line, nil
	}
	var typed [2]string
	for i, prompt := range []string{"New password: ", "The same again: "} {
		fmt.Fprint(e.Err, prompt)
		raw, err := term.ReadPassword(int(file.Fd()))
		fmt.Fprintln(e.Err)
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		typed[i] = string(raw)
	}
	if typed[0] != typed[1] {
		return "", command.Usagef("the two passwords differ; nothing was set")
	}
	return typed[0], nil
}
