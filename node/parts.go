package node

import (
	"almenara/cluster/peers"
	"almenara/node/approvals"
	"almenara/node/intake"
	"almenara/node/outcome"
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

// newAnswers is what answers who warns.
func (n *Node) newAnswers() *outcome.Answers {
	return outcome.New(outcome.Options{
		Book: n.book, Addressed: n.addressed, Members: n.members, Progress: n.progress, Connected: &n.whereabouts, Here: n.connectedOf,
		Peers: func() []peers.Peer { return n.cluster.Status().Peers }, Alone: func() bool { return n.alone.Now().Alone }, Clock: n.options.Clock,
	})
}

// newApprovals is what takes approvals.
func (n *Node) newApprovals() *approvals.Approvals {
	return approvals.New(approvals.Options{
		Book: n.book, Stories: n.stories, Rules: n.rules, Exchange: n.exchange, Progress: n.progress, Answers: n.answers,
		Understood: n.proposer.Understood, Alone: func() bool { return n.alone.Now().Alone }, Clock: n.options.Clock,
	})
}

// newIntake is what takes messages in.
func (n *Node) newIntake() *intake.Intake {
	return intake.New(intake.Options{
		Book: n.book, Stories: n.stories, Affected: n.affected, Rules: n.rules, Budget: n.budget, District: n.district,
		Originals: n.originals, Exchange: n.exchange, Progress: n.progress, Notes: n.notes, Answers: n.answers, Store: n.store,
		Audience: n.state.Index, Understood: n.proposer.Understood, Alone: func() bool { return n.alone.Now().Alone },
		Clock: n.options.Clock, Trusted: n.clock.Trusted,
	})
}
