package node

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/cluster/apply"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/peers"
	"almenara/node/ability"
	"almenara/node/afteraction"
	"almenara/node/alerts"
	"almenara/node/approvals"
	"almenara/node/checkin"
	"almenara/node/duties"
	"almenara/node/escalation"
	"almenara/node/events"
	"almenara/node/export"
	"almenara/node/external"
	"almenara/node/folder"
	"almenara/node/followup"
	"almenara/node/instep"
	"almenara/node/intake"
	"almenara/node/leaving"
	"almenara/node/notices"
	"almenara/node/outcome"
	"almenara/node/personal"
	"almenara/node/presence"
	"almenara/node/present"
	"almenara/node/reachable"
	"almenara/node/reached"
	"almenara/node/read"
	"almenara/node/reports"
	"almenara/node/residents"
	"almenara/node/status"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// newStatus gathers what is said of the node from its parts.
func newStatus(n *Node) *status.Reporter {
	return status.New(status.Options{
		Self:    status.Self{ID: n.ID(), Name: n.Name(), District: n.District(), Version: n.options.Version, Dir: n.options.Dir},
		Cluster: n.cluster, State: n.state, Machine: n.machine, Disk: n.disk, Store: n.store, Ring: n.ring, District: n.district,
		Alone: n.alone.Now, Clock: n.options.Clock, Logger: n.log,
		Sentences: []func() why.Sentence{
			n.district.Drill, n.disk.Sentence, n.clock.Sentence, settlerOf(n).Spool().Sentence, func() why.Sentence { return n.guessed },
		},
		Parts: func(s *wire.Status) {
			s.API, s.MQTT = n.listeners.URLs()
			s.Internode, s.Broker = n.cluster.Advertised(), n.external.Status()
			s.Devices, s.InForce, s.PendingFacts = n.presence.Count(), n.book.Count(n.options.Clock()), n.progress.Count()
			s.Disk, s.Clock, s.Spool = n.disk.Status(), n.clock.Status(), n.receipts.SpoolStatus()
		},
	})
}

// newReader is what answers who reads of alerts.
func newReader(n *Node) *read.Reader {
	return read.New(read.Options{
		Book: n.book, Stories: n.stories, Addressed: n.addressed, Members: n.members, Reached: n.reached, Progress: n.progress,
		Originals: n.originals, Connected: &n.whereabouts, State: n.state, Audience: n.state.Index, Store: n.store,
		Presented: n.presenter.Last, Asked: func(m *alerts.Message, given []board.Approval) (*wire.Approvals, error) {
			return n.approvals.Asked(m, given)
		}, FollowUps: n.followUps, Escalations: newEscalations(n), Clock: n.options.Clock, Logger: n.log,
	})
}

// newEscalations says how far those alerts have got that call one group after the other.
func newEscalations(n *Node) *escalation.Reader {
	return escalation.NewReader(escalation.Options{
		Calls: n.followUps, Audience: func() escalation.Index { return n.state.Index() }, Approved: n.stories.Approved, Clock: n.options.Clock,
	})
}

// newCaller is what calls the next group.
func newCaller(n *Node) *escalation.Caller {
	return escalation.NewCaller(escalation.CallerOptions{
		Book: n.book, Stories: n.stories, Addressed: n.addressed, Reached: n.reached, Reader: newEscalations(n), Record: n.acts.Record, Clock: n.options.Clock,
	})
}

// newReporter is what makes the reports of alerts.
func newReporter(n *Node) *afteraction.Reporter {
	return afteraction.New(afteraction.Options{
		Alerts: n.read, Book: n.book, Stories: n.stories, State: n.state, Addressed: n.addressed, Reached: n.reached, Audience: n.state.Index,
		Residents: n.residents, Store: n.store, Clock: n.options.Clock,
	})
}

// newAnswers is what answers who warns.
func newAnswers(n *Node) *outcome.Answers {
	return outcome.New(outcome.Options{
		Book: n.book, Addressed: n.addressed, Members: n.members, Progress: n.progress, Connected: &n.whereabouts, Here: n.connectedHere,
		Peers: func() []peers.Peer { return n.cluster.Status().Peers }, Alone: func() bool { return n.alone.Now().Alone }, Clock: n.options.Clock,
	})
}

// newApprovals is what takes approvals.
func newApprovals(n *Node) *approvals.Approvals {
	return approvals.New(approvals.Options{
		Book: n.book, Stories: n.stories, Rules: n.rules, Exchange: n.exchange, Progress: n.progress, Answers: n.answers,
		Persons: n.state, Tell: func(id alert.ID) {
			n.events.Tell(events.Approval, wire.Event{Alert: string(id), State: wire.StatePending})
			n.events.Touch(id, events.Alert)
		},
		Understood: n.proposer.Understood, Alone: func() bool { return n.alone.Now().Alone }, Clock: n.options.Clock, Logger: n.log,
	})
}

// newNotices is what keeps planned notices.
func newNotices(n *Node) *notices.Notices {
	return notices.New(notices.Options{
		State: n.state, Proposer: n.proposer, Sender: n.intake, Approvals: n.approvals, Rules: n.rules, District: n.district.Sender, Place: func() string { return n.district.Record().Name }, Known: n.stories.Knows,
		Tell: func() { n.events.Tell(events.Notice, wire.Event{}) }, Clock: n.options.Clock, Logger: n.log,
	})
}

// newFollowUps is what takes what people do about an alert after it was sent.
func newFollowUps(n *Node) *followup.FollowUps {
	return followup.New(followup.Options{
		Book: n.followUps, Stories: n.stories, Addressed: n.addressed, Reached: n.reached, Rules: n.rules, Exchange: n.exchange, Progress: n.progress,
		Store: n.store, Audience: n.state.Index, Understood: n.proposer.Understood, Alone: func() bool { return n.alone.Now().Alone }, Clock: n.options.Clock,
	})
}

// newPersonal is what erases persons, and removes what is old.
func newPersonal(n *Node) *personal.Personal {
	return personal.New(personal.Options{
		Dir: n.options.Dir, Store: n.store, Proposer: n.proposer, Name: n.Name, Trusted: n.clock.Trusted, Books: []personal.Book{n.reported, n.answered}, Photos: n.originals,
		Log:     func() (first, applied uint64) { s := n.cluster.Status(); return s.FirstIndex, s.AppliedIndex },
		Propose: n.cluster.Propose, Journal: n.journal.Clear, Emergency: func() bool { return n.book.At(n.options.Clock()).Emergency() }, Clock: n.options.Clock, Logger: n.log,
	})
}

// newReports is what takes what people report.
func newReports(n *Node) *reports.Reports {
	return reports.New(reports.Options{
		Book: n.reported, Photos: n.originals, AlertIDs: n.stories.AllIDs,
		Rules: n.rules, Exchange: n.exchange, Progress: n.progress, Store: n.store, Audience: n.state.Index, Understood: n.proposer.Understood,
		Alone: func() bool { return !settlerOf(n).CanCommit() }, Clock: n.options.Clock,
	})
}

// newResidents is what takes what residents answer.
func newResidents(n *Node) *residents.Residents {
	return residents.New(residents.Options{
		Book: n.answered, Photos: n.originals, InForce: n.presenter.Last, AlertIDs: n.stories.AllIDs, Recalls: n.stories.Recalls, Keys: n.ring.Members,
		Signer: contract.Signer{KeyID: n.identity.KeyID, Key: n.identity.SigningKey}, Rules: n.rules, Exchange: n.exchange, Progress: n.progress,
		Store: n.store, Audience: n.state.Index, Understood: n.proposer.Understood, Alone: func() bool { return !settlerOf(n).CanCommit() },
		Base: n.options.Residents, Send: n.gateway.Command, Clock: n.options.Clock, Logger: n.log,
	})
}

// newCheckIns is what lets phones check in at places.
func newCheckIns(n *Node) *checkin.CheckIns {
	return checkin.New(checkin.Options{
		Signer: contract.Signer{KeyID: n.identity.KeyID, Key: n.identity.SigningKey}, Keys: n.ring.Members, Audience: n.state.Index, InForce: n.presenter.Last, Answers: n.residents,
		Counts: checkin.OpenCounts(filepath.Join(n.options.Dir, "checkins.json"), n.options.Clock, n.log), Base: n.options.Residents, Clock: n.options.Clock,
		Nodes: checkin.Nodes{Others: func() []string { return n.whereabouts.Others() }, Call: n.callPeer},
	})
}

// newIntake is what takes messages in.
func newIntake(n *Node) *intake.Intake {
	return intake.New(intake.Options{
		Book: n.book, Stories: n.stories, State: n.state, Rules: n.rules, Budget: n.budget, District: n.district,
		Originals: n.originals, Exchange: n.exchange, Progress: n.progress, Notes: n.notes, Answers: n.answers, Store: n.store,
		Audience: n.state.Index, Understood: n.proposer.Understood, Alone: func() bool { return n.alone.Now().Alone },
		Escalations: newEscalations(n), Called: n.followUps.Called, Speech: n.sounds.Preview, Clock: n.options.Clock, Trusted: n.clock.Trusted,
	})
}

// newEvents makes the feed of what happens.
func newEvents(n *Node) *events.Feed {
	return events.New(events.Options{
		Clock: n.options.Clock,
		Find: func(id string) (alert.ID, error) {
			s, err := n.stories.Find(id)
			if err != nil {
				return "", err
			}
			return s.ID, nil
		},
		Alert:   func(id alert.ID) (wire.Event, bool) { return n.read.Event(id) },
		Changed: func(what apply.Change) { n.presence.Changed(what); n.notices.Changed(what) },
	})
}

// newPresence is what knows the devices that are connected here.
func newPresence(n *Node) *presence.Presence {
	return presence.New(presence.Options{
		Store: n.store, Holds: n.ring.Holds, Sent: n.receipts.Sent, Touch: n.events.TouchRecords, Clock: n.options.Clock, Logger: n.log,
		Drop: func(device string) { n.gateway.Drop(device) },
	})
}

// newInStep is what keeps the phones of one person in step.
func newInStep(n *Node) *instep.InStep {
	return instep.New(instep.Options{
		Answers: instep.Known{OnBook: n.stories.OnBook, Now: func() (reached.View, error) { return n.reached.Now() }},
		Send: func(ctx context.Context, device string, payload []byte) error {
			return n.gateway.Command(ctx, device, payload)
		},
		Signer: contract.Signer{KeyID: n.identity.KeyID, Key: n.identity.SigningKey}, Clock: n.options.Clock, Logger: n.log,
	})
}

// newTester is what has the devices that are connected here test themselves.
func newTester(n *Node) *ability.Tester {
	return ability.NewTester(ability.TesterOptions{
		Memory: ability.OpenMemory(filepath.Join(n.options.Dir, "ability.json"), n.log),
		Here:   n.presence.IDs,
		Send: func(ctx context.Context, device string, payload []byte) error {
			return n.gateway.Command(ctx, device, payload)
		},
		Broker: n.external, Signer: contract.Signer{KeyID: n.identity.KeyID, Key: n.identity.SigningKey}, Emergency: func() bool { return n.book.At(n.options.Clock()).Emergency() },
		Enrolled: func() (map[string]string, error) { return n.read.Enrolled() }, Clock: n.options.Clock, Zone: time.Local, Logger: n.log,
	})
}

// newAbility is what answers which devices would show or sound an alert.
func newAbility(n *Node) *ability.Asked {
	return ability.NewAsked(ability.Options{
		Self: n.ID(), Others: n.whereabouts.Others, Call: n.cluster.Call, Tester: n.tester, Find: n.whereabouts.Ask,
		Devices: n.read.ListDevices, PlaceOf: n.read.PlaceOf, Places: n.places.ListPlaces, Clock: n.options.Clock, Logger: n.log,
	})
}

// openExternal makes the way through the external broker, if there is one. Who hands alerts to
// it is the leader, and a node that is alone, because nobody else may know of its alerts. Two
// that do so at once cost work only: a device begins a revision once.
func (n *Node) openExternal() (err error) {
	if n.options.Broker.URL != "" && n.district.Isolated() {
		return fmt.Errorf("%w: %s; start it without a broker, where devices of the district may be", reachable.ErrOptions, n.district.Drill())
	}
	n.external, err = external.Open(external.Options{
		Broker: n.options.Broker, Node: n.ID(), Store: n.store, Receipts: n.receipts, Clock: n.options.Clock, Logger: n.log, Registry: n.registry, State: func(from channels.Endpoint, s contract.State) { n.tester.State(from, s) },
		Present: func(device string) bool { _, here := n.presence.Of(device); return here },
		Elected: func() bool { return electionOf(n, n.cluster).Holds(duties.AtOne) }, // two at once cost work only
	})
	return err
}

// connectedHere counts the devices of members that this node reaches.
func (n *Node) connectedHere(members *roaring.Bitmap) int {
	return n.presence.CountOf(members) + n.external.Reaching(members)
}

// newPresenter is what gives devices what is in force.
func newPresenter(n *Node) *present.Presenter {
	return present.New(present.Options{
		Book: n.book, State: n.state, Audience: n.state.Index, Set: func(s channels.Situation) error { return n.dispatcher.Set(s) },
		Keys: n.ring.Signed, Here: n.connectedHere, Notes: func() present.Notes { return n.notes }, Recall: func() error { return n.learner.Recall() },
		Reminded: func(l alerts.Live) (last, next time.Time) {
			last, next, _ = n.followUps.RemindersOf([]alert.ID{l.ID}, l.Message, func() []board.Approval { return n.book.Approvers(l.Message) }, n.options.Clock())
			return last, next
		}, Called: n.followUps.Called,
		Touch: func(id alert.ID) { n.events.Touch(id, events.Alert) }, Passed: func() { n.times.Passed() }, Clock: n.options.Clock, Logger: n.log,
	})
}

// manifestVersion is channels.Options.Version.
func manifestVersion(n *Node, last uint64, _ time.Time) uint64 {
	version, err := present.NextVersion(n.hybrid, last)
	if err != nil {
		n.log.Warn("the versions of manifests are not durable", "error", err)
	}
	return version
}

// originsOf are the hosts whose pages may connect to the gateway.
func originsOf(n *Node) []string {
	own, _ := n.listeners.URLs()
	nodes, err := n.state.Nodes()
	if err != nil {
		n.log.Error("reading the nodes of the district", "error", err)
	}
	return reachable.Origins(own, n.reachableAt().Hosts(), nodes)
}

// newLearner is what takes new facts.
func newLearner(n *Node) *present.Learner {
	return present.NewLearner(present.LearnerOptions{
		Book: n.book, Budget: n.budget, Progress: n.progress, Originals: n.originals, Events: n.events, FollowUps: n.followUps, Reports: n.reported, Residents: n.answered, Log: n.state,
		News: func(f fact.Fact) (alert.ID, bool) { return n.reached.News(f) }, Ended: n.splits.Ended,
		Changed: n.presenter.Changed, Clock: n.options.Clock, Logger: n.log,
	})
}

// newLeaver is what hands over where the district goes on without this node.
func newLeaver(n *Node) *leaving.Leaver {
	return leaving.New(leaving.Options{
		Self: n.ID(), Cluster: n.cluster, Nodes: n.membership, Ring: n.ring, Logger: n.log,
		Told: func() { n.presenter.Changed(); n.duty() },
		Lanes: func() ([]fact.Lane, error) {
			marks, err := n.state.Marks()
			return folder.LanesOf(marks), err
		},
		HandOver: func(ctx context.Context, addr string, ring []byte, lanes []fact.Lane) (exchange.HandedOver, error) {
			return folder.HandOver(ctx, n.identity, addr, ring, n.exchange, lanes)
		},
	})
}

// newExport is what gives out backups and the audit.
func newExport(n *Node) *export.Export {
	return export.New(export.Options{Store: n.store, Dir: n.options.Dir, Logger: n.log, Of: func() folder.BackupOf {
		return folder.BackupOf{ID: n.identity, Name: n.Name(), Version: n.options.Version, Now: n.options.Clock(), Originals: n.originals.Archive()}
	}})
}
