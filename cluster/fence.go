package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// protoFence is what nodes of two incarnations agree on in the handshake when they
// have nothing else in common. Each tells its statement, and the connection ends.
const protoFence = "almenara-fence/1"

// meet exchanges statements over a connection that speaks protoFence.
func (p *port) meet(ctx context.Context, conn net.Conn, peer string) error {
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	theirs, err := swapStatements(conn, p.identity().Incarnation)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrIncarnation, err)
	}
	if p.met != nil {
		p.met(peer, theirs)
	}
	return fmt.Errorf("%w: %s is of number %d", ErrIncarnation, peer, theirs.Count())
}

// swapStatements writes ours and reads theirs: two bytes of length, then the bytes.
func swapStatements(conn io.ReadWriter, mine *Incarnation) (*Incarnation, error) {
	b, err := mine.encode()
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
		return nil, err
	}
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint16(head[:])
	if n > maxIncarnationBytes {
		return nil, fmt.Errorf("statement of %d bytes", n)
	}
	theirs := make([]byte, n)
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return nil, err
	}
	return decodeIncarnation(theirs)
}

// greetEvery is how often nodes that are no members any more are greeted.
const greetEvery = 5 * time.Second

// greetFormer dials nodes that belonged here before the district was begun anew.
func (c *Cluster) greetFormer(greetings *sync.WaitGroup, greeting *limiter) {
	if c.options.Former == nil || time.Since(c.greeted) < greetEvery {
		return
	}
	c.greeted = time.Now()
	for _, id := range c.options.Former() {
		if addr, ok := c.resolve(id); ok && id != c.NodeID() && !slices.Contains(c.Members(), id) && greeting.take(id) {
			greetings.Go(func() {
				defer greeting.give(id)
				c.greet(id, addr)
			})
		}
	}
}

// greet shakes hands and hangs up; whoever is of another incarnation is met on the way.
func (c *Cluster) greet(id, addr string) {
	ctx, cancel := context.WithTimeout(c.ctx, pingTimeout)
	defer cancel()
	if conn, err := c.port.dial(ctx, id, addr, protoRPC); err == nil {
		_ = conn.Close()
	}
}

// Survey says what one address answers to the holder of an identity.
type Survey struct {
	Reached     bool         // a node of this district answered there
	Same        bool         // it is of the identity's own incarnation
	Incarnation *Incarnation // of the node, where it is another one; nil is the first
}

// Ask dials the internode port of the node with this id and says which incarnation it
// belongs to; an empty id takes any node of the district. It takes 5 s at most and
// leaves no trace there but a log line.
func Ask(ctx context.Context, id *Identity, peerID, addr string) (Survey, error) {
	var found Survey
	p := &port{
		identity: func() *Identity { return id }, dialTCP: (&net.Dialer{}).DialContext,
		conns: newConns(), ctx: ctx,
		met: func(_ string, theirs *Incarnation) {
			if theirs == nil || theirs.Verify(id.District) == nil {
				found = Survey{Reached: true, Incarnation: theirs}
			}
		},
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn, err := p.dial(ctx, peerID, addr, protoRPC)
	if errors.Is(err, ErrIncarnation) && found.Reached {
		return found, nil
	}
	if err != nil {
		return found, fmt.Errorf("asking %s: %w", addr, err)
	}
	_ = conn.SetDeadline(time.Now())
	return Survey{Reached: true, Same: true}, conn.Close()
}
