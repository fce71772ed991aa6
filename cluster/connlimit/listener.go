package connlimit

import "net"

// Listener lets in what the port has room for. Whoever serves it calls Leave when a
// connection has ended, and Known when it has proved who it is.
func (p *Port) Listener(l net.Listener) net.Listener { return &listener{l, p} }

type listener struct {
	net.Listener
	port *Port
}

// Accept implements net.Listener; what is not let in is closed.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.port.Enter(conn) {
			return conn, err
		}
		_ = conn.Close()
	}
}
