package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"almenara/cluster"
	"almenara/storage/audience"
	"almenara/storage/durable"
)

// TokenFile is where Init leaves the first administrator's token, readable by the
// owner of the folder alone.
const TokenFile = "operator.token"

// ErrNotEmpty is returned by Init and Join for a folder that holds a node.
var ErrNotEmpty = errors.New("the data folder already holds a node")

// Init makes the data folder of a district's first node: identity, certificate
// authority, root key and the first administrator's token, which is returned and
// kept in TokenFile. district is the district's place path. On return everything is
// on this disk; nothing runs.
func Init(options Options, district string) (token string, err error) {
	if err := fresh(options); err != nil {
		return "", err
	}
	place, err := audience.ParsePath(district)
	if err != nil {
		return "", fmt.Errorf("reading the district's place: %w", err)
	}
	d, err := cluster.NewDistrict(district)
	if err != nil {
		return "", err
	}
	identity, err := cluster.NewIdentity(d, options.hosts())
	if err != nil {
		return "", err
	}
	token, hash := newSecret()
	if err := durable.MkdirAll(identityDir(options.Dir)); err != nil {
		return "", fmt.Errorf("making the data folder: %w", err)
	}
	if err := identity.SaveIdentity(identityDir(options.Dir)); err != nil {
		return "", err
	}
	if err := durable.WriteFile(filepath.Join(options.Dir, TokenFile), []byte(token+"\n")); err != nil {
		return "", err
	}
	s := settings{Genesis: &genesis{Place: string(place), TokenHash: hash}}
	return token, s.with(options).save(options.Dir) // last: a folder with settings is whole
}

// Join makes the data folder of a further node with the token that an
// administrator got from Invite. The district has admitted the node when it
// returns; the node must be started to take part.
func Join(ctx context.Context, options Options, token string) error {
	if err := fresh(options); err != nil {
		return err
	}
	t, err := cluster.ParseToken(token)
	if err != nil {
		return err
	}
	if options.advertised() == "" {
		return fmt.Errorf("%w: the other nodes must know where to reach this one; name its internode address and port", ErrOptions)
	}
	if err := durable.MkdirAll(options.Dir); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if _, _, err := cluster.Join(ctx, t, identityDir(options.Dir), options.hosts(), options.withDefaults().CommandVersion); err != nil {
		return err
	}
	return settings{}.with(options).save(options.Dir)
}

// fresh refuses a folder that is in use.
func fresh(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(o.Dir, settingsFile)); err == nil {
		return fmt.Errorf("%w: %s", ErrNotEmpty, o.Dir)
	}
	return nil
}

// advertised is how other nodes reach the internode port; "" when that is not known
// before it is open.
func (o Options) advertised() string {
	if o.Advertise != "" {
		return o.Advertise
	}
	if _, port, err := net.SplitHostPort(o.Internode); err != nil || port == "0" {
		return ""
	}
	return o.Internode
}

// hosts is where the node is reached, for its certificate.
func (o Options) hosts() []string {
	if addr := o.advertised(); addr != "" {
		return []string{addr}
	}
	return []string{"127.0.0.1:0"}
}
