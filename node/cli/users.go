package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/wire"
)

func userCommands() []command {
	return []command{
		{
			name: "user add", purpose: "add a user or a system and print the token, once", args: "NAME", min: 1, max: 1, setup: userAdd,
			example: "almenara user add --role composer --role viewer duty\n" +
				"almenara user add --role composer --sender hko@example.hk observatory",
		},
		{name: "user list", purpose: "list users and their roles", setup: userList, example: "almenara user list"},
		{
			name: "user revoke", purpose: "revoke a user and the token, at once", args: "NAME", min: 1, max: 1, setup: userRevoke,
			example: "almenara user revoke duty",
		},
	}
}

func userAdd(fs *pflag.FlagSet) runner {
	var in wire.AddUser
	fs.StringSliceVar(&in.Roles, "role", nil, "viewer, composer, approver, audience-manager, device-manager, auditor or administrator; may be repeated")
	fs.StringSliceVar(&in.Senders, "sender", nil, "CAP sender that the token may speak for; any when absent; may be repeated")
	fs.StringSliceVar(&in.Places, "place", nil, "place in which the user may warn and approve; all when absent; may be repeated")
	return func(ctx context.Context, e *env, args []string) error {
		if len(in.Roles) == 0 {
			return usagef("user add needs at least one --role")
		}
		in.Name = args[0]
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		user, err := c.AddUser(ctx, in)
		if err != nil {
			return err
		}
		return e.print(user, func(w io.Writer) {
			fmt.Fprintf(w, "%s is %s.\nToken, not shown again: %s\n", clean(user.Name), strings.Join(user.Roles, ", "), user.Token)
		})
	}
}

func userList(*pflag.FlagSet) runner {
	return func(ctx context.Context, e *env, _ []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		users, err := c.ListUsers(ctx)
		if err != nil {
			return err
		}
		return e.print(users, func(w io.Writer) {
			t := newTable("NAME", "REVOKED", "~ROLES", "SENDERS")
			for _, u := range users {
				t.add(u.Name, yes(u.Revoked), strings.Join(u.Roles, ","), or(strings.Join(u.Senders, ","), "any"))
			}
			t.write(w, e.Width)
		})
	}
}

func userRevoke(*pflag.FlagSet) runner {
	return func(ctx context.Context, e *env, args []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.RevokeUser(ctx, args[0]); err != nil {
			return err
		}
		return e.done("revoked", args[0], "User %s is revoked.\n", clean(args[0]))
	}
}
