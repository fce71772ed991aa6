package internode

import (
	"context"
	"errors"
	"net"
	"time"
)

// dialStagger is how long the first address of a node has before the next one is tried
// besides (as in RFC 8305, 5, where it is as long).
const dialStagger = 250 * time.Millisecond

// DialFirst dials all of a node's addresses, one after the other, and takes the first
// connection that shows the node's certificate.
func (p *Port) DialFirst(ctx context.Context, id string, addrs []string, proto string) (*Conn, error) {
	if len(addrs) == 1 {
		return p.Dial(ctx, id, addrs[0], proto)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type dialled struct {
		conn *Conn
		err  error
	}
	results := make(chan dialled)
	next := make(chan struct{}, len(addrs))
	go func() {
		for _, addr := range addrs {
			go func() {
				conn, err := p.Dial(ctx, id, addr, proto)
				select {
				case results <- dialled{conn, err}:
				case <-ctx.Done():
					if conn != nil {
						_ = conn.Close()
					}
				}
			}()
			select {
			case <-next:
			case <-time.After(dialStagger):
			case <-ctx.Done():
				return
			}
		}
	}()
	var errs []error
	for range addrs {
		select {
		case r := <-results:
			if r.err == nil {
				return r.conn, nil
			}
			errs = append(errs, r.err)
			next <- struct{}{}
		case <-ctx.Done():
			return nil, errors.Join(append(errs, context.Cause(ctx))...)
		}
	}
	return nil, errors.Join(errs...)
}

// ValidAddress says whether others could dial it: an unspecified host is each machine's own.
func ValidAddress(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && ip != nil && ip.IsUnspecified() {
		return false
	}
	return err == nil && host != "" && port != "" && len(addr) <= 255
}
