package internode

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"almenara/cluster/identity"
)

// meet exchanges statements over a connection that speaks protoFence.
func (p *Port) meet(ctx context.Context, conn net.Conn, peer string) error {
	defer func() { _ = conn.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	theirs, err := swapStatements(conn, p.identity().Incarnation)
	if err != nil {
		return fmt.Errorf("%w: %w", identity.ErrIncarnation, err)
	}
	if p.met != nil {
		p.met(peer, theirs)
	}
	return fmt.Errorf("%w: %s is of number %d", identity.ErrIncarnation, peer, theirs.Count())
}

// swapStatements writes ours and reads theirs: two bytes of length, then the bytes.
func swapStatements(conn io.ReadWriter, mine *identity.Incarnation) (*identity.Incarnation, error) {
	b, err := mine.Encode()
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
	if n > identity.MaxIncarnationBytes {
		return nil, fmt.Errorf("statement of %d bytes", n)
	}
	theirs := make([]byte, n)
	if _, err := io.ReadFull(conn, theirs); err != nil {
		return nil, err
	}
	return identity.DecodeIncarnation(theirs)
}

// Survey says what one address answers to the holder of an identity.
type Survey struct {
	Reached     bool                  // a node of this district answered there
	Same        bool                  // it is of the identity's own incarnation
	Incarnation *identity.Incarnation // of the node, where it is another one; nil is the first
	Standing    Standing              // of the node to its own incarnation
}

// Ask dials the internode port of the node with this id and says which incarnation it
// belongs to, and how it stands to that; an empty id takes any node of the district. It takes 5 s at most and
// leaves no trace there but a log line.
func Ask(ctx context.Context, id *identity.Identity, peerID, addr string) (Survey, error) {
	var found Survey
	p := &Port{
		identity: func() *identity.Identity { return id }, dialTCP: (&net.Dialer{}).DialContext,
		conns: newConns(), ctx: ctx,
		met: func(_ string, theirs *identity.Incarnation) {
			if theirs == nil || theirs.Verify(id.District) == nil {
				found = Survey{Reached: true, Incarnation: theirs}
			}
		},
	}
	ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	conn, err := p.Dial(ctx, peerID, addr, identity.ProtoRPC)
	if errors.Is(err, identity.ErrIncarnation) && found.Reached {
		found.Standing = askStanding(ctx, id, addr)
		return found, nil
	}
	if err != nil {
		return found, fmt.Errorf("asking %s: %w", addr, err)
	}
	_ = conn.SetDeadline(time.Now())
	return Survey{Reached: true, Same: true, Standing: askStanding(ctx, id, addr)}, conn.Close()
}
