package peoplecmd

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/authority"
	"almenara/node/authority/written"
	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
	"almenara/node/wire"
)

func userCommands() []command.Command {
	return []command.Command{
		{
			Name: "user add", Purpose: "add a user or a system and print the token, once", Args: "NAME", Min: 1, Max: 1, Setup: userAdd,
			Example: "almenara user add --role composer --role viewer duty\n" +
				"almenara user add --role composer --place tuen-mun/on-ting warden\n" +
				"almenara user add --system --sender hko@example.hk observatory",
		},
		{
			Name: "user set", Purpose: "change what a user is and may do, at once", Args: "NAME", Min: 1, Max: 1, Setup: userSet,
			Example: "almenara user set --role composer --role viewer duty\n" +
				"almenara user set --place tuen-mun/on-ting warden\n" +
				"almenara user set --everywhere warden\n" +
				"almenara user set --system observatory",
		},
		{
			Name: "user set-password", Purpose: "set a person's password for the console", Args: "NAME", Min: 1, Max: 1, Setup: userSetPassword,
			Example: "almenara user set-password duty\n" +
				"almenara user set-password --without-second-factor duty",
		},
		{Name: "user roles", Purpose: "print who may do what: the table that every node goes by", Setup: userRoles, Needs: command.NeedsNothing, Example: "almenara user roles"},
		{Name: "user list", Purpose: "list users and their roles", Setup: userList, Example: "almenara user list"},
		{
			Name: "user revoke", Purpose: "revoke a user and the token, at once", Args: "NAME", Min: 1, Max: 1, Setup: userRevoke,
			Example: "almenara user revoke duty",
		},
	}
}

func userAdd(fs *pflag.FlagSet) command.Runner {
	var in wire.AddUser
	fs.StringSliceVar(&in.Roles, "role", nil, "viewer, composer, approver, corrector, audience-manager, device-manager, auditor or administrator; may be repeated")
	fs.StringSliceVar(&in.Senders, "sender", nil, "CAP sender to which the user is limited, and for which nobody else speaks then; any that is granted to nobody when absent; may be repeated")
	fs.BoolVar(&in.System, "system", false, "a central system: it warns under its senders without a second person, also through a node that is alone; composer when no role is given")
	fs.StringSliceVar(&in.Places, "place", nil, "place to which the user is limited in warning, changing, cancelling and approving, and in changing and testing devices, members and places; all when absent; may be repeated")
	return func(ctx context.Context, e *command.Env, args []string) error {
		if in.System && len(in.Senders) == 0 {
			return command.Usagef("user add --system needs the --sender that it speaks for")
		}
		if in.System && len(in.Roles) == 0 {
			in.Roles = []string{authority.RoleComposer}
		}
		if len(in.Roles) == 0 {
			return command.Usagef("user add needs at least one --role")
		}
		in.Name = args[0]
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		user, err := c.AddUser(ctx, in)
		if err != nil {
			return err
		}
		warnEmpty(ctx, e, c, in.Places, "until there is one, "+in.Name+" can warn nobody there")
		return e.Print(user, func(w io.Writer) {
			fmt.Fprintf(w, "%s is %s.\nToken, not shown again: %s\n", terminal.Clean(user.Name), strings.Join(user.Roles, ", "), user.Token)
		})
	}
}

func userList(*pflag.FlagSet) command.Runner {
	return func(ctx context.Context, e *command.Env, _ []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		users, err := c.ListUsers(ctx)
		if err != nil {
			return err
		}
		return e.Print(users, func(w io.Writer) {
			t := terminal.NewTable("NAME", "KIND", "REVOKED", "|ROLES; SENDERS; PLACES")
			assumed := false
			for _, u := range users {
				assumed = assumed || u.Assumed && !u.Revoked
				t.Add(u.Name, kindOf(u), terminal.Yes(u.Revoked), strings.Join(u.Roles, ", ")+"; "+command.Or(strings.Join(u.Senders, ", "), "any")+"; "+command.Or(strings.Join(u.Places, ", "), "all"))
			}
			t.Write(w, e.Width)
			if assumed {
				fmt.Fprintln(w, "system?: has senders from before there were central systems, and counts as one; say what it is with almenara user set.")
			}
		})
	}
}

// kindOf is what a user is, with a question mark where nobody has said so.
func kindOf(u wire.User) string {
	switch {
	case u.Assumed:
		return "system?"
	case u.System:
		return "system"
	}
	return "person"
}

func userSet(fs *pflag.FlagSet) command.Runner {
	system := fs.Bool("system", false, "a central system: it warns under its senders without a second person")
	person := fs.Bool("person", false, "a person who is limited to the senders, and whom the policy may ask for a second person")
	roles := fs.StringSlice("role", nil, "all roles that the user has from now on; may be repeated")
	places := fs.StringSlice("place", nil, "place to which the user is limited from now on; may be repeated")
	everywhere := fs.Bool("everywhere", false, "no limit to places any more")
	senders := fs.StringSlice("sender", nil, "CAP sender to which the user is limited from now on; may be repeated")
	return command.WithClient(func(ctx context.Context, e *command.Env, c *client.Client, args []string) error {
		in := wire.SetUser{Roles: *roles}
		switch {
		case *system && *person:
			return command.Usagef("user set takes --system or --person, not both")
		case *system || *person:
			in.System = system
		}
		switch {
		case len(*places) > 0 && *everywhere:
			return command.Usagef("user set takes --place or --everywhere, not both")
		case *everywhere:
			in.Places = &[]string{}
		case len(*places) > 0:
			in.Places = places
		}
		if len(*senders) > 0 {
			in.Senders = senders
		}
		if in.System == nil && in.Roles == nil && in.Places == nil && in.Senders == nil {
			return command.Usagef("user set needs what to change: --role, --place, --everywhere, --sender, --system or --person")
		}
		if err := c.SetUser(ctx, args[0], in); err != nil {
			return err
		}
		warnEmpty(ctx, e, c, *places, "until there is one, "+args[0]+" can warn nobody there")
		return command.Done(e, "set", args[0], "User %s was changed.\n", terminal.Clean(args[0]))
	})
}

func userRoles(*pflag.FlagSet) command.Runner {
	return func(_ context.Context, e *command.Env, _ []string) error {
		return e.Print(authority.Table(), func(w io.Writer) { _ = written.Text(w) }) // a write that fails is seen when the output is closed
	}
}

func userRevoke(*pflag.FlagSet) command.Runner {
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.RevokeUser(ctx, args[0]); err != nil {
			return err
		}
		return command.Done(e, "revoked", args[0], "User %s is revoked.\n", terminal.Clean(args[0]))
	}
}
