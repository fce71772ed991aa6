package node

import (
	"almenara/node/read"
	"almenara/node/status"
	"almenara/node/wire"
)

// newStatus gathers what is said of the node from its parts.
func (n *Node) newStatus() *status.Reporter {
	return status.New(status.Options{
		Self:    status.Self{ID: n.ID(), Name: n.Name(), District: n.District(), Version: n.options.Version, Dir: n.options.Dir},
		Cluster: n.cluster, State: n.state, Machine: n.machine, Disk: n.disk, Store: n.store, Ring: n.ring, District: n.district,
		Alone: n.alone.Now, Clock: n.options.Clock, Logger: n.log,
		Sentences: []func() string{
			n.district.Drill, n.disk.Sentence, n.clock.Sentence, spoolOf(n).Sentence, func() string { return n.guessed },
		},
		Parts: func(s *wire.Status) {
			s.API, s.MQTT = n.listeners.urls()
			s.Internode, s.Broker = n.cluster.Advertised(), n.externalStatus()
			s.Devices, s.InForce, s.PendingFacts = n.presence.count(), n.book.Count(n.options.Clock()), n.progress.Count()
			s.Disk, s.Clock, s.Spool = n.disk.Status(), n.clock.Status(), n.receipts.SpoolStatus()
		},
	})
}

// newReader is what answers who reads of alerts.
func (n *Node) newReader() *read.Reader {
	return read.New(read.Options{
		Book: n.book, Stories: n.stories, Addressed: n.addressed, Members: n.members, Reached: n.reached, Progress: n.progress,
		Originals: n.originals, Connected: &n.whereabouts, State: n.state, Audience: n.state.Index, Store: n.store,
		Presented: n.presented.Load, Clock: n.options.Clock, Logger: n.log,
	})
}
