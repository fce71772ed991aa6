package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/node/access"
	"almenara/node/reachable"
	"almenara/node/secret"
	"almenara/storage/audience"
	"almenara/storage/durable"
)

// ErrNotEmpty is returned for a folder that holds a node already.
var ErrNotEmpty = errors.New("the data folder already holds a node")

// Create makes the data folder of a district's first node: identity, certificate
// authority, root key and the first administrator's token, which is returned and
// kept in access.TokenFile. district is the district's place path. On return everything is
// on this disk; nothing runs.
func Create(dir string, a reachable.Addresses, district string) (token string, err error) {
	if err := fresh(dir, a); err != nil {
		return "", err
	}
	place, err := audience.ParsePath(district)
	if err != nil {
		return "", fmt.Errorf("reading the district's place: %w", err)
	}
	d, err := identity.NewDistrict(district)
	if err != nil {
		return "", err
	}
	id, err := identity.New(d, a.Hosts())
	if err != nil {
		return "", err
	}
	token, hash := secret.New()
	if err := durable.MkdirAll(IdentityDir(dir)); err != nil {
		return "", fmt.Errorf("making the data folder: %w", err)
	}
	if err := id.Save(IdentityDir(dir)); err != nil {
		return "", err
	}
	if err := (access.Access{Token: token, Authority: access.PEM(d.CA.Raw), URL: a.URL()}).Write(dir); err != nil {
		return "", err
	}
	s := Settings{Genesis: &Genesis{Place: string(place), TokenHash: hash}}
	return token, s.With(a).Save(dir) // last: a folder with settings is whole
}

// Join makes the data folder of a further node with the token that an administrator got
// from Invite; the node understands log entries up to version. The district has admitted
// the node when it returns; the node must be started to take part.
func Join(ctx context.Context, dir string, a reachable.Addresses, token string, version uint64) error {
	if err := fresh(dir, a); err != nil {
		return err
	}
	t, err := identity.ParseToken(token)
	if err != nil {
		return err
	}
	if a.Advertised() == "" {
		return fmt.Errorf("%w: the other nodes must know where to reach this one; name its internode address and port", reachable.ErrOptions)
	}
	if err := durable.MkdirAll(dir); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	// The other hosts of the certificate come with its first renewal, at the start.
	id, err := joining.Join(ctx, t, IdentityDir(dir), a.Hosts()[:1], version)
	if err != nil {
		return err
	}
	if err := (access.Access{Authority: access.PEM(id.District.CA.Raw), URL: a.URL()}).Write(dir); err != nil {
		return err
	}
	return Settings{}.With(a).Save(dir)
}

// check refuses what no folder can be made with.
func check(dir string, a reachable.Addresses) error {
	if dir == "" {
		return fmt.Errorf("%w: a data folder is needed", reachable.ErrOptions)
	}
	return a.Validate()
}

// fresh refuses a folder that is in use.
func fresh(dir string, a reachable.Addresses) error {
	if err := errors.Join(check(dir, a), a.CheckReached()); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, settingsFile)); err == nil {
		return fmt.Errorf("%w: %s", ErrNotEmpty, dir)
	}
	return nil
}
