//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// berth is an address of the district. At most one node at a time lives there; the
// one that comes after a removed one is another node.
type berth struct {
	index  int
	listen []string          // flags of init and join
	url    string            // of the API
	mqtt   map[string]string // by kind of device
	house  *house            // nil behind the proxies
	proxy  *proxy            // nil in namespaces
	lived  int               // nodes that lived here and are gone
	moves  int               // how often its internode address was changed
	taken  bool              // somebody lives here, or has not quite left
}

// most berths of a district: node numbers count them off.
const mostBerths = 16

// number is what a node is called in the history: its berth and how many lived there
// before.
func (b *berth) number() int { return b.lived*mostBerths + b.index }

// nodeName is the name of a node: n4 is the first one of the fourth berth, n4.2 the
// second one.
func nodeName(number int) string {
	if number == outside {
		return "nobody"
	}
	name := fmt.Sprintf("n%d", number%mostBerths+1)
	if before := number / mostBerths; before > 0 {
		name += "." + strconv.Itoa(before+1)
	}
	return name
}

// newBerth lays a berth where the rig's wires are.
func (g *rig) newBerth(i int) error {
	if g.space != nil {
		g.berths = append(g.berths, inHouse(i, g.space.houses[i]))
		return nil
	}
	b, err := g.behindProxy(i, &ports{used: g.usedPorts, pick: rand.IntN})
	if err != nil {
		return err
	}
	g.berths = append(g.berths, b)
	return nil
}

// inHouse has the usual ports at an address of its own.
func inHouse(i int, h *house) *berth {
	at := func(port int) string { return fmt.Sprintf("%s:%d", addressAt(i), port) }
	return &berth{
		index: i, house: h, url: "https://" + at(8480),
		mqtt:   map[string]string{"screen": "tcp://" + at(1883), "speaker": "ssl://" + at(8883), "phone": "ws://" + at(8083)},
		listen: []string{"--internode", at(8470), "--listen", at(8480), "--mqtt", at(1883), "--mqtt-tls", at(8883), "--mqtt-ws", at(8083)},
	}
}

// behindProxy has free ports of loopback, and tells the others that of its proxy.
func (g *rig) behindProxy(i int, p *ports) (*berth, error) {
	var free [5]string
	for f := range free {
		var err error
		if free[f], err = p.free(); err != nil {
			return nil, err
		}
	}
	door, err := p.listen()
	if err != nil {
		return nil, err
	}
	b := &berth{
		index: i, url: "http://" + free[1],
		mqtt: map[string]string{"screen": "tcp://" + free[2], "speaker": "ssl://" + free[3], "phone": "ws://" + free[4]},
	}
	b.proxy = newProxy(i, door, free[0], g.wires, g.whose)
	b.listen = []string{
		"--internode", free[0], "--advertise", b.proxy.addr(), "--listen", free[1],
		"--mqtt", free[2], "--mqtt-tls", free[3], "--mqtt-ws", free[4],
	}
	return b, nil
}

// at is the number of the node that lives at a berth now; outside where none ever
// did.
func (g *rig) at(berth int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	number := outside
	for _, n := range g.nodes {
		if n.berth.index == berth {
			number = n.number
		}
	}
	return number
}
