// Package account is the pages with which a person comes in and keeps the own sign-in: sign in, the first
// password, password and second factor, sign out. Who may come in is decided in node/signin; here is
// how it is asked.
package account

import (
	"context"
	"embed"

	"almenara/node/signin"
	"almenara/node/signin/passkeys"
	"almenara/node/web/console/frame"
)

//go:embed *.html *.js
var files embed.FS

// SignIn lets people in; *signin.SignIn is one.
type SignIn interface {
	frame.Sessions
	Begin(ctx context.Context, a signin.Attempt) (signin.Begun, error)
	First(ctx context.Context, token, password, address string) (name string, err error)
	End(ctx context.Context, w signin.Who) error
	EndAll(ctx context.Context, w signin.Who) error
	ChangePassword(ctx context.Context, w signin.Who, old, password, address string) error
	NewSecondFactor(w signin.Who) signin.SecondFactor
	Passkeys(w signin.Who) ([]signin.Passkey, error)
	AskPasskey(browser string) []byte
	NewPasskey(w signin.Who) (challenge, person []byte, have []signin.Passkey, err error)
	AddPasskey(ctx context.Context, w signin.Who, name, answer, password string, at passkeys.Page, address string) (codes []string, err error)
	RemovePasskey(ctx context.Context, w signin.Who, id []byte, password, address string) error
	SetSecondFactor(ctx context.Context, w signin.Who, text, code, password, address string) ([]string, error)
}

type pages struct{ service SignIn }

// Room is these pages.
func Room(service SignIn) frame.Room {
	p := pages{service}
	return frame.Room{Pages: files, Routes: []frame.Route{
		{Method: "GET", Path: frame.Below + "{$}", Handle: p.start},
		{Method: "GET", Path: frame.Below + "sign-in", Open: true, Handle: p.signInPage},
		{Method: "POST", Path: frame.Below + "sign-in", Open: true, Handle: p.signIn},
		{Method: "GET", Path: frame.Below + "first", Open: true, Handle: p.firstPage},
		{Method: "POST", Path: frame.Below + "first", Open: true, Handle: p.first},
		{Method: "POST", Path: frame.Below + "sign-out", Handle: p.signOut},
		{Method: "POST", Path: frame.Below + "sign-out-everywhere", Handle: p.signOutEverywhere},
		{Method: "GET", Path: frame.Below + "passkey.json", Open: true, Handle: p.ask},
		{Method: "POST", Path: frame.Below + "passkey", Open: true, Handle: p.byPasskey},
		{Method: "GET", Path: frame.Below + "account/passkey.json", Handle: p.askNew},
		{Method: "POST", Path: frame.Below + "account/passkeys", Handle: p.addPasskey},
		{Method: "POST", Path: frame.Below + "account/passkeys/remove", Handle: p.removePasskey},
		{Method: "GET", Path: frame.Below + "account", Handle: p.accountPage},
		{Method: "POST", Path: frame.Below + "account/password", Handle: p.changePassword},
		{Method: "POST", Path: frame.Below + "account/second-factor", Handle: p.setSecondFactor},
	}}
}
