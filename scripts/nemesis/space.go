//go:build linux

package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Every node lives in a network namespace of its own, whose only way out is a TUN
// device (linux/Documentation/networking/tuntap.rst) that ends in this process: what
// is between the nodes is this program, packet by packet. So a cut is what it is in
// the field: the kernels on both sides retransmit and back off, and learn nothing. No
// packet filter, no traffic control and no change of the machine's own network is
// needed, and all of it is gone when the process is.

const (
	mtuBytes   = 9000 // as on a jumbo Ethernet: fewer packets for one busy process
	deviceName = "nemesis0"
	hostBits   = 24
	outsideIP  = 254 // last byte of the address of the devices and clients
)

// subnet is private to the namespaces (RFC 1918); nothing of it is seen outside.
var subnet = netip.AddrFrom4([4]byte{10, 83, 0, 0})

// addressAt is the address of a berth.
func addressAt(berth int) netip.Addr {
	bytes := subnet.As4()
	bytes[3] = byte(berth + 1)
	if berth == outside {
		bytes[3] = outsideIP
	}
	return netip.AddrFrom4(bytes)
}

// berthOf is whose address this is; false when nobody's.
func berthOf(ip []byte, berths int) (int, bool) {
	base := subnet.As4()
	if [3]byte(ip[:3]) != [3]byte(base[:3]) {
		return 0, false
	}
	if ip[3] == outsideIP {
		return outside, true
	}
	berth := int(ip[3]) - 1
	return berth, berth >= 0 && berth < berths
}

// housed says, in the environment, that the process has a network namespace of its
// own.
const housed = "NEMESIS_HOUSED"

// rehouse starts this program again in a network namespace of its own, in the same
// process; in one of its own for mounts too, so that no disk is left mounted when it is
// killed. It returns at once when that has been done, and with an error when it
// cannot be.
func rehouse() error {
	if os.Getenv(housed) != "" {
		return nil
	}
	tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_ = tun.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("making a network namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts to itself: %w", err)
	}
	return fmt.Errorf("starting again: %w", syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), housed+"=1")))
}

// house is a network namespace and the end of its only device.
type house struct {
	namespace *os.File // nil: the one of this process
	tun       *os.File
}

// newHouse makes the namespace of a berth; that of outside is the process's own.
func newHouse(berth int) (*house, error) {
	type made struct {
		house *house
		err   error
	}
	answer := make(chan made)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		h, err := settle(berth)
		answer <- made{h, err}
	}()
	m := <-answer
	return m.house, m.err
}

// settle makes and fills the namespace on this thread.
func settle(berth int) (*house, error) {
	h := &house{}
	if berth != outside {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return nil, fmt.Errorf("making a network namespace: %w", err)
		}
		var err error
		if h.namespace, err = os.Open("/proc/thread-self/ns/net"); err != nil {
			return nil, err
		}
	}
	var err error
	if h.tun, err = openTUN(); err == nil {
		err = configure(addressAt(berth))
	}
	if err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func openTUN() (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(deviceName)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, errors.Join(fmt.Errorf("making a TUN device: %w", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), deviceName), nil
}

// configure gives this thread's namespace its address and switches its devices on.
func configure(addr netip.Addr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("configuring a namespace: %w", err)
	}
	defer unix.Close(fd)
	ip := addr.As4()
	for _, do := range []struct {
		device string
		code   uint
		fill   func(*unix.Ifreq) error
	}{
		{deviceName, unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(ip[:]) }},
		{deviceName, unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr([]byte{255, 255, 255, 0}) }},
		{deviceName, unix.SIOCSIFMTU, func(r *unix.Ifreq) error { r.SetUint32(mtuBytes); return nil }},
		{deviceName, unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
		{"lo", unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error { r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING); return nil }},
	} {
		request, err := unix.NewIfreq(do.device)
		if err == nil {
			err = do.fill(request)
		}
		if err == nil {
			err = unix.IoctlIfreq(fd, do.code, request)
		}
		if err != nil {
			return fmt.Errorf("configuring %s: %w", do.device, err)
		}
	}
	return nil
}

// start starts a command inside; a nil house is this process's own namespace.
func (h *house) start(cmd *exec.Cmd) error {
	if h == nil || h.namespace == nil {
		return cmd.Start()
	}
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer home.Close()
	if err := unix.Setns(int(h.namespace.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("entering a namespace: %w", err)
	}
	err = cmd.Start()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("leaving a namespace: %w", back)) // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

func (h *house) close() {
	if h.namespace != nil {
		_ = h.namespace.Close()
	}
	if h.tun != nil {
		_ = h.tun.Close()
	}
}

// space carries packets between all houses, as far as the wires let it. Safe for
// concurrent use.
type space struct {
	houses []*house // of the berths; the last one is outside's
	wires  *wires
	seen   [][]atomic.Uint64 // packets carried, from and to
	under  sync.WaitGroup
}

// newSpace makes a house for every berth and one for the devices and clients.
func newSpace(berths int, w *wires) (*space, error) {
	s := &space{wires: w}
	for i := range berths + 1 {
		berth := i
		if i == berths {
			berth = outside
		}
		h, err := newHouse(berth)
		if err != nil {
			s.close()
			return nil, err
		}
		s.houses = append(s.houses, h)
	}
	s.start()
	return s, nil
}

// start lets packets flow.
func (s *space) start() {
	for range s.houses {
		s.seen = append(s.seen, make([]atomic.Uint64, len(s.houses)))
	}
	for i := range s.houses {
		s.under.Go(func() { s.read(i) })
	}
}

// close ends all devices and waits for what is under way.
func (s *space) close() {
	for _, h := range s.houses {
		h.close()
	}
	s.under.Wait()
}

func (s *space) read(house int) {
	from := house
	if house == len(s.houses)-1 {
		from = outside
	}
	buf := make([]byte, mtuBytes)
	for {
		n, err := s.houses[house].tun.Read(buf)
		if err != nil {
			return
		}
		s.carry(from, buf[:n])
	}
}

// carry takes a packet to where it wants, late, or not at all.
func (s *space) carry(from int, packet []byte) {
	if len(packet) < ipv4HeaderBytes || packet[0]>>4 != 4 {
		return
	}
	to, ok := berthOf(packet[16:20], len(s.houses)-1)
	if !ok {
		return
	}
	l, _ := s.wires.get(from, to)
	switch {
	case l.cut && l.refuse:
		if answer, ok := reset(packet); ok {
			s.deliver(from, answer)
		}
	case l.cut, l.loss > 0 && rand.Float64() < l.loss:
	case l.delay > 0:
		late := append([]byte(nil), packet...)
		s.under.Add(1)
		time.AfterFunc(l.delay, func() {
			defer s.under.Done()
			s.arrive(from, to, late)
		})
	default:
		s.arrive(from, to, packet)
	}
}

func (s *space) arrive(from, to int, packet []byte) {
	s.seen[s.wires.place(from)][s.wires.place(to)].Add(1)
	s.deliver(to, packet)
}

// deliver hands a packet to the kernel on the other side. A full queue drops it, as
// on any wire.
func (s *space) deliver(to int, packet []byte) {
	_, _ = s.houses[s.wires.place(to)].tun.Write(packet)
}

// between is how many packets were carried from one berth to another.
func (s *space) between(from, to int) uint64 {
	return s.seen[s.wires.place(from)][s.wires.place(to)].Load()
}
