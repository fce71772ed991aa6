//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Every node dials from the same loopback address, so the proxy asks the kernel
// whose connection it is: sock_diag(7) gives the inode of the client's socket, and
// the open files of the nodes' processes say who holds it (proc(5)). Reading
// /proc/net/tcp instead takes as long as there are sockets on the machine, and every
// cut with resets leaves thousands.

// holder finds which of the processes holds the client's end of a connection, by
// its index; outside when none does.
func holder(conn net.Conn, pids []int) int {
	client, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return outside
	}
	server, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return outside
	}
	inode, err := inodeOf(client, server)
	if err != nil {
		return outside
	}
	for i, pid := range pids {
		if pid > 0 && holds(fmt.Sprintf("/proc/%d/fd", pid), inode) {
			return i
		}
	}
	return outside
}

// The parts of linux/inet_diag.h and linux/sock_diag.h that one question needs.
const (
	netlinkSockDiag    = 4
	sockDiagByFamily   = 20
	diagRequestBytes   = 56
	diagAnswerBytes    = 72
	diagInode          = 68 // offset in the answer
	diagSourcePort     = 8  // offsets in the request, ports and addresses in network order
	diagSourceAddress  = 12
	diagTargetAddress  = 28
	diagNoCookie       = 48
	diagAnswerPatience = time.Second
)

var errNoSocket = errors.New("no such socket")

// inodeOf asks for the inode of the TCP socket with this local and remote address.
func inodeOf(local, remote netip.AddrPort) (uint32, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return 0, fmt.Errorf("asking for sockets: %w", err)
	}
	defer syscall.Close(fd)
	patience := syscall.NsecToTimeval(int64(diagAnswerPatience))
	if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &patience); err != nil {
		return 0, fmt.Errorf("asking for sockets: %w", err)
	}
	if err := syscall.Sendto(fd, diagRequest(local, remote), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("asking for sockets: %w", err)
	}
	answer := make([]byte, 4096)
	n, _, err := syscall.Recvfrom(fd, answer, 0)
	if err != nil {
		return 0, fmt.Errorf("asking for sockets: %w", err)
	}
	return inodeIn(answer[:n])
}

// diagRequest is an inet_diag_req_v2 for one socket.
func diagRequest(local, remote netip.AddrPort) []byte {
	const size = syscall.NLMSG_HDRLEN + diagRequestBytes
	b := make([]byte, size)
	binary.NativeEndian.PutUint32(b, size)
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], syscall.NLM_F_REQUEST)
	r := b[syscall.NLMSG_HDRLEN:]
	r[0], r[1] = syscall.AF_INET, syscall.IPPROTO_TCP
	binary.NativeEndian.PutUint32(r[4:], ^uint32(0)) // in any state
	binary.BigEndian.PutUint16(r[diagSourcePort:], local.Port())
	binary.BigEndian.PutUint16(r[diagSourcePort+2:], remote.Port())
	from, to := local.Addr().As4(), remote.Addr().As4()
	copy(r[diagSourceAddress:], from[:])
	copy(r[diagTargetAddress:], to[:])
	for i := range 8 {
		r[diagNoCookie+i] = 0xff
	}
	return b
}

// inodeIn reads the answer.
func inodeIn(b []byte) (uint32, error) {
	if len(b) < syscall.NLMSG_HDRLEN+diagAnswerBytes || binary.NativeEndian.Uint16(b[4:]) != sockDiagByFamily {
		return 0, errNoSocket
	}
	inode := binary.NativeEndian.Uint32(b[syscall.NLMSG_HDRLEN+diagInode:])
	if inode == 0 { // closed already
		return 0, errNoSocket
	}
	return inode, nil
}

// holds reports whether the socket is among the open files.
func holds(dir string, inode uint32) bool {
	files, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	want := fmt.Sprintf("socket:[%d]", inode)
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(dir, f.Name())); err == nil && to == want {
			return true
		}
	}
	return false
}
