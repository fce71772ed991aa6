package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// Every node dials from the same loopback address, so the proxy asks the kernel
// whose connection it is: /proc/net/tcp gives the socket's inode, and the open files
// of the nodes' processes say who holds it (proc(5)).

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
	table, err := os.Open("/proc/net/tcp")
	if err != nil {
		return outside
	}
	defer table.Close()
	inode, ok := inodeOf(table, client, server)
	if !ok {
		return outside
	}
	for i, pid := range pids {
		if pid > 0 && holds(fmt.Sprintf("/proc/%d/fd", pid), inode) {
			return i
		}
	}
	return outside
}

// inodeOf reads the inode of the socket with this local and remote address from a
// table in the form of /proc/net/tcp.
func inodeOf(table io.Reader, local, remote netip.AddrPort) (string, bool) {
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) > 9 && f[1] == kernelForm(local) && f[2] == kernelForm(remote) && f[9] != "0" {
			return f[9], true
		}
	}
	return "", false
}

// kernelForm is an IPv4 address as the kernel writes it: the address as a number in
// the machine's byte order, both in hex.
func kernelForm(a netip.AddrPort) string {
	four := a.Addr().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(four[:]), a.Port())
}

// holds reports whether the socket is among the open files.
func holds(dir, inode string) bool {
	files, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	for _, f := range files {
		if to, err := os.Readlink(filepath.Join(dir, f.Name())); err == nil && to == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}
