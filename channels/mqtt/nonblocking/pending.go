package nonblocking

import "time"

// writeChunk is how much must get through within one stall time.
const writeChunk = 16 << 10

// addPending adds to what is pending and sees to it that somebody writes it. One write
// is always taken when nothing is pending, whatever its length. The caller holds mu.
func (c *Conn) addPending(b []byte) error {
	if before := len(c.pending) + c.writing; before > 0 && before+len(b) > c.options.MaxPending {
		return ErrOverflow
	}
	c.pending = append(c.pending, b...)
	c.count()
	if c.draining {
		return nil
	}
	c.draining = true
	if c.socket.Polled() {
		c.extendPolled()
		c.socket.AwaitWritable()
		// The device may have made room since writeNow, and the poller may have looked before
		// there was anything to send: the kernel would not say so again.
		_, err := c.sendPending()
		return err
	}
	c.options.Goroutines.Add(1)
	go c.drain()
	return nil
}

// count makes what is pending known without a lock. The caller holds mu.
func (c *Conn) count() { c.backlog.Store(int64(len(c.pending) + c.writing)) }

// drain writes pending bytes until none are left or the connection fails.
func (c *Conn) drain() {
	defer c.options.Goroutines.Done()
	for {
		chunk, drained := c.takePending()
		if chunk == nil {
			if drained != nil {
				drained.Drained()
			}
			return
		}
		for len(chunk) > 0 {
			n, err := c.Conn.Write(chunk[:min(len(chunk), writeChunk)])
			chunk = chunk[n:]
			if !c.written(n, err) {
				return
			}
		}
	}
}

// takePending hands all pending bytes to drain. Without any, it ends drain and returns who
// is to be told then.
func (c *Conn) takePending() (chunk []byte, drained User) {
	c.mu.Lock()
	defer c.mu.Unlock()
	chunk, c.pending = c.pending, nil
	if len(chunk) > 0 && c.err == nil {
		c.writing = len(chunk) // what is pending is the same
		c.extendDeadline()
		return chunk, nil
	}
	c.draining = false
	if c.closing || c.err != nil {
		c.close()
		return nil, nil
	}
	_ = c.Conn.SetWriteDeadline(time.Time{})
	return nil, c.user
}

// written counts what one write of drain did.
func (c *Conn) written(n int, err error) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing -= n
	c.count()
	if err != nil {
		c.draining = false
		c.fail(err)
		return false
	}
	c.extendDeadline()
	return true
}

// extendDeadline gives the next chunk its time; a closing connection gets no more.
func (c *Conn) extendDeadline() {
	if !c.closing {
		_ = c.Conn.SetWriteDeadline(time.Now().Add(c.options.Stall))
	}
}
