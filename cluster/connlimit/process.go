package connlimit

// Bounds of what is kept for everything that is no accepted connection: raft's log, the
// journal, the store's tables, calls to the other nodes, and refused devices that may
// still read why.
const (
	reserveLeast = 256
	reserveMost  = 2048
)

// InternodeStrangers is how many strangers the port for the other nodes takes at most.
const InternodeStrangers = 128

// Limits of strangers. Each costs memory before anything is known of it: HTTP up to some
// 30 KiB with its headers, TLS some 20.
const (
	apiStrangers    = 512
	deviceStrangers = 4096
	loopbackBeyond  = 16
)

// Process is how a node's descriptors are shared out.
type Process struct {
	Pool      *Pool
	API       *Port
	Devices   [4]*Port // by transport: TCP, TLS, WebSocket, WebSocket over TLS
	Internode *Port
}

// Divide shares out so many descriptors: a third is reserved, 2,048 at most. Of the rest an
// eighth is the API's, an eighth for MQTT over TCP and over TLS each, and a sixteenth for
// either kind of WebSocket and for the other nodes, whatever the others do. What is left
// serves who comes, devices that are known above all. One user of the API has a quarter of
// what is the API's in any case, so that three cannot keep the others out of it.
func Divide(descriptors int) *Process {
	usable := max(0, descriptors-min(max(descriptors/3, reserveLeast), reserveMost))
	part := func(of int) int { return max(1, usable/of) }
	p := &Process{Pool: NewPool(usable)}
	p.API = p.Pool.Port(Share{Strangers: min(part(12), apiStrangers), Guaranteed: part(8), Most: part(2),
		OfUser: min(part(32), MostOfUser), Loopback: loopbackBeyond})
	p.Internode = p.Pool.Port(Share{Strangers: min(part(24), InternodeStrangers), Guaranteed: min(part(16), 2*InternodeStrangers), Most: part(4)})
	for i, of := range []int{8, 8, 16, 16} {
		p.Devices[i] = p.Pool.Port(Share{Strangers: min(part(of/2), deviceStrangers), Guaranteed: part(of)})
	}
	return p
}

// Counts are those of all ports together.
func (p *Process) Counts() Counts {
	var sum Counts
	for _, port := range append([]*Port{p.API, p.Internode}, p.Devices[:]...) {
		c := port.Counts()
		sum.Connections += c.Connections
		sum.Strangers += c.Strangers
		sum.Dropped += c.Dropped
		sum.Refused += c.Refused
	}
	return sum
}
