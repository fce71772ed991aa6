// Package node is the running node: the only place that sees every part. It makes each of what it
// needs, starts and stops them, and shows metrics. It decides nothing.
package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/cluster"
	"almenara/cluster/agreed"
	"almenara/cluster/apply"
	"almenara/cluster/command"
	"almenara/cluster/connlimit"
	"almenara/cluster/exchange"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/cluster/identity"
	"almenara/cluster/joining"
	"almenara/cluster/journal"
	"almenara/node/ability"
	"almenara/node/access"
	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/alone"
	"almenara/node/approvals"
	"almenara/node/authority"
	"almenara/node/budget"
	"almenara/node/budget/counted"
	"almenara/node/checkin"
	"almenara/node/deviceconns"
	"almenara/node/district"
	"almenara/node/duties"
	"almenara/node/enrol"
	"almenara/node/events"
	"almenara/node/external"
	"almenara/node/folder"
	"almenara/node/followup"
	"almenara/node/heard"
	"almenara/node/httpserver"
	"almenara/node/instep"
	"almenara/node/intake"
	"almenara/node/keyring"
	"almenara/node/machine"
	"almenara/node/members"
	"almenara/node/membership"
	"almenara/node/notes"
	"almenara/node/notices"
	"almenara/node/originals"
	"almenara/node/outcome"
	"almenara/node/personal"
	"almenara/node/policy"
	"almenara/node/presence"
	"almenara/node/present"
	"almenara/node/reachable"
	"almenara/node/reached"
	"almenara/node/read"
	"almenara/node/receipts"
	"almenara/node/records"
	"almenara/node/replication"
	"almenara/node/reports"
	"almenara/node/residents"
	"almenara/node/shutdown"
	"almenara/node/signin"
	"almenara/node/sounds"
	"almenara/node/splits"
	"almenara/node/status"
	"almenara/node/stories"
	"almenara/node/whereabouts"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/factbody"
)

// Node is one box of a district. Its methods may be called from any goroutine
// between Start and Stop.
type Node struct {
	options  Options
	settings folder.Settings
	identity *identity.Identity
	log      *slog.Logger
	registry *prometheus.Registry

	conns      *connlimit.Process
	disk       *machine.Disk
	clock      *machine.Clock
	times      *machine.Watch
	scrubber   *machine.Scrubber
	store      *storage.Store
	machine    *fsm.FSM // the state machine
	state      *agreed.Reader
	cluster    *cluster.Cluster
	journal    *journal.Journal
	flushes    atomic.Pointer[journal.Journal] // the same, for the watchdog, which runs before it is there
	exchange   *exchange.Exchange
	originals  *originals.Keeper
	hybrid     *fact.Clock
	gateway    *mqtt.Gateway
	external   *external.Link // nil without one
	dispatcher *channels.Dispatcher
	presenter  *present.Presenter
	sounds     *sounds.Sounds
	receipts   *receipts.Intake
	reached    *reached.Known
	server     *httpserver.Server

	book        *alerts.Book
	stories     *stories.Finder
	addressed   *addressed.Resolver
	members     *members.Members
	splits      *splits.Reader
	learner     *present.Learner
	read        *read.Reader
	intake      *intake.Intake
	answers     *outcome.Answers
	approvals   *approvals.Approvals
	notices     *notices.Notices
	followUps   *followup.Book
	acts        *followup.FollowUps
	reported    *reports.Book
	reports     *reports.Reports
	answered    *residents.Book
	residents   *residents.Residents
	checkIns    *checkin.CheckIns
	budget      *budget.Budget
	rules       *authority.Rules
	users       *records.Users
	signin      *signin.SignIn
	enrolment   *enrol.Enrolment
	instep      *instep.InStep
	tester      *ability.Tester
	ability     *ability.Asked
	personal    *personal.Personal
	devices     *records.Devices
	places      *records.Places
	imports     *records.Imports
	proposer    *records.Proposer
	presence    *presence.Presence
	whereabouts whereabouts.Nodes
	alone       *alone.Watch
	notes       *notes.Notes
	events      *events.Feed
	listeners   reachable.Listeners
	progress    *replication.Facts
	duties      atomic.Pointer[duties.Duties] // set with cluster
	checks      func() []machine.Part         // of the daily check
	ring        *keyring.Ring
	district    *district.District
	membership  *membership.Membership
	status      *status.Reporter
	scenarios   *policy.Scenarios
	licences    *policy.Licences
	policy      *policy.Policy
	joined      chan struct{} // closed when cluster is set
	guessed     why.Sentence  // where the advertised address is a guess

	begun   time.Time
	stop    shutdown.Steps
	stopMu  sync.Mutex
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

// New reads the data folder that Init or Join made. Nothing runs yet.
func New(options Options) (*Node, error) {
	options = options.withDefaults()
	if err := options.Validate(); err != nil {
		return nil, err
	}
	saved, err := folder.Load(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := folder.CheckMarks(options.Dir); err != nil {
		return nil, err
	}
	merged, guessed := saved.With(options.Addresses()), ""
	if err := merged.Check(); err != nil {
		return nil, err
	}
	if !saved.Said(options.Addresses()) { // what was said now is refused, what was said long ago is mended
		merged, guessed = merged.Guessed()
	}
	if err := merged.CheckReached(); err != nil {
		return nil, err
	}
	identity, err := identity.Load(folder.IdentityDir(options.Dir))
	if err != nil {
		return nil, err
	}
	n := &Node{
		options: options, settings: merged, identity: identity,
		registry: prometheus.NewRegistry(),
		joined:   make(chan struct{}),
	}
	n.book = alerts.NewBook(stories.Texts(func() stories.Facts { return n.state }))
	n.conns = connlimit.Divide(options.Descriptors)
	n.log = options.Logger.With("node", n.settings.Name)
	if guessed != "" {
		n.guessed = why.Sayf("this node listens on every interface and is told to others as %s, which it guessed: serve it with --advertise HOST", guessed).Because(why.AddressGuessed, guessed)
		n.log.Warn(n.guessed.Text)
	}
	n.stop.Log, n.checks = n.log, func() []machine.Part { return diskParts(n) }
	n.clock = machine.OpenClock(options.Dir, options.Clock, n.book.Calm)
	n.options.Clock = n.clock.Now
	n.events = newEvents(n)
	n.times = machine.NewWatch(machine.WatchOptions{Clock: n.clock, Peers: n.peers, Call: n.callPeer, Changed: func() { n.presenter.Changed() }, Logger: n.log})
	n.scrubber = machine.NewScrubber(machine.ScrubOptions{
		Every: options.Scrub, Parts: func() []machine.Part { return n.checks() }, Skip: func() bool { return n.cluster.Quarantine() != nil },
		Clock: n.options.Clock, Logger: n.log,
	})
	n.alone = alone.Open(alone.Options{
		Dir: options.Dir, Clock: n.options.Clock, Logger: n.log, Record: func(ctx context.Context, a factbody.Alone) error { return alone.AsFact(ctx, n.exchange, a, n.log) },
		Applied: func() uint64 { return n.machine.Applied() }, Turned: func() { n.events.TouchRecords(apply.ChangedNodes) },
	})
	n.disk = machine.NewDisk(options.Dir, options.Space, n.diskChanged, n.log)
	return n, nil
}

// reachableAt is where others reach this node.
func (n *Node) reachableAt() reachable.Node { return n.settings.Reached() }

// ID is the node's raft server id.
func (n *Node) ID() string { return n.identity.NodeID }

// Name is what people call the node.
func (n *Node) Name() string { return n.settings.Name }

// Start brings the node up: it returns when devices and people can reach it, with
// or without a leader. On an error everything that was started is stopped again.
func (n *Node) Start(ctx context.Context) error {
	n.stopMu.Lock()
	defer n.stopMu.Unlock()
	if n.cancel != nil {
		return errors.New("starting node: it was started before")
	}
	run, cancel := context.WithCancel(context.Background())
	n.cancel, n.begun = cancel, n.options.Clock()
	for _, begin := range []func(context.Context) error{
		n.openState, n.openGateway, n.openFacts, n.openCluster, n.openDoors,
	} {
		if err := begin(run); err != nil {
			cancel()
			return errors.Join(err, n.stop.Stop(ctx))
		}
	}
	if err := (access.Access{Authority: access.PEM(n.identity.District.CA.Raw), URL: n.API()}).Write(n.options.Dir); err != nil { // a full disk keeps no node from warning
		n.log.Warn("commands on this machine may not find this node by its data folder", "error", err)
	}
	n.log.Info("node is up", "id", n.ID(), "district", n.identity.District.Name, "api", n.API(), "mqtt", n.MQTT())
	return nil
}

// Stop hands leadership over, lets what is under way end, and closes everything,
// Badger last. Every step is bounded in time; what is stuck is named in the error, and
// only the end of the process ends it. It may be called again and before Start.
func (n *Node) Stop(ctx context.Context) error {
	n.stopMu.Lock()
	defer n.stopMu.Unlock()
	if n.cancel == nil {
		return n.stop.Stop(ctx)
	}
	n.log.Info("node stops")
	err := n.stop.Stop(ctx)
	n.log.Info("node has stopped", "error", err)
	return err
}

// openState opens Badger and the state machine and lays the known alerts on the
// book.
func (n *Node) openState(context.Context) error {
	n.disk.Look() // on a full disk it gives the ballast up: Badger needs some space to open
	least, opening := n.disk.Needs()
	store, err := storage.Open(folder.StateDir(n.options.Dir), storage.Options{
		MinFree: least, OpenFree: opening, Logger: n.log,
		FreeSpace: n.disk.FreeBytes,
	})
	if errors.Is(err, storage.ErrDamaged) {
		return folder.Damaged(n.options.Dir, n.identity.District, n.options.Clock(), err, n.log)
	}
	if err != nil {
		return fmt.Errorf("opening the state: %w", folder.ComeBack(err))
	}
	n.store = store
	n.stop.AddStore("badger", func(context.Context) error { return store.Close() })
	if err := folder.Trusted(n.options.Dir, n.identity.District, store.Verify, n.options.Clock, n.log); err != nil {
		return err
	}
	if err := records.RemoveUploads(n.options.Dir); err != nil { // Badger's lock says that the folder is ours
		return err
	}
	if err := n.openOriginals(); err != nil {
		return err
	}
	n.machine, err = fsm.New(store, fsm.Hooks{
		Halt: n.options.Halt, Room: n.disk.Room, Dump: n.disk.DumpRefusal,
		Adopted: func(signed fact.Signed, f fact.Fact, out command.FactOutcome) {
			n.exchange.Adopted(signed)
			n.learner.Adopted(signed, f, out)
		}, Changed: n.stateChanged, Logger: n.log,
		MaxVersion: n.options.CommandVersion,
	})
	if err != nil {
		return err
	}
	n.state = agreed.New(n.machine)
	n.stories = stories.New(n.book, n.state, n.options.Clock)
	n.progress, n.followUps = replication.New(n.stories.Agreed), followup.NewBook(n.state, n.options.Clock)
	n.reported, n.answered = reports.NewBook(n.state, n.originals, n.options.Clock), residents.NewBook(n.state, n.originals, n.options.Clock)
	n.addressed, n.members = addressed.New(n.state, n.stories), members.New(n.state.Index, n.store)
	n.addressed.Called, n.splits = n.followUps.Called, splits.NewReader(n.state, n.store, n.stories, n.addressed)
	n.proposer = records.NewProposer(records.ProposerOptions{Store: n.store, Alone: n.alone.Now, Room: n.disk, Clock: n.options.Clock, Timed: n.times.Agreed(), Logger: n.log})
	n.ring = keyring.New(keyring.Options{Identity: n.identity, Name: n.Name(), Store: n.store, Proposer: n.proposer, Clock: n.options.Clock, Logger: n.log})
	n.district = district.New(district.Options{
		Identity: n.identity, Name: n.Name(), Genesis: n.settings.Genesis, Store: n.store, Proposer: n.proposer, Logger: n.log,
	})
	n.membership = membership.New(membership.Options{
		ID: n.ID(), Name: n.Name(), Dir: n.options.Dir, Replaces: n.settings.Replaces, Store: n.store, Ring: n.ring, Proposer: n.proposer,
		Self: n.self, Isolated: n.district.Isolated, Clock: n.options.Clock, Logger: n.log,
	})
	n.scenarios = policy.NewScenarios(n.state, n.proposer, policy.Own{Sender: n.district.Sender, Place: func() string { return n.district.Record().Name }}, n.options.Clock)
	n.licences, n.policy = policy.NewLicences(n.state, n.proposer, n.options.Clock), policy.NewPolicy(n.state, n.proposer)
	n.presenter = newPresenter(n)
	n.users = records.NewUsers(n.proposer, n.store, n.district.Sender, n.state.Index)
	n.signin = signin.New(signin.Options{Dir: n.options.Dir, Records: n.state, Changer: n.proposer, Agreed: n.proposer.AwaitAgreed, Identify: n.users.Identify, Clock: n.options.Clock, District: n.District(), KeyID: n.identity.KeyID, Key: n.identity.SigningKey, Keys: n.ring.Members})
	n.devices = records.NewDevices(n.proposer, n.state, func() ([]string, string, string) { return n.ring.ForDevices(n.MQTT()) })
	n.enrolment = enrol.New(enrol.Options{
		Devices: n.devices, RootKey: func() string { _, root, _ := n.ring.ForDevices(n.MQTT()); return root }, Node: n.Name(), Clock: n.options.Clock,
	})
	n.places = records.NewPlaces(n.state)
	n.imports = records.NewImports(records.ImportsOptions{Proposer: n.proposer, Dir: n.options.Dir, Name: n.Name(), State: n.state})
	n.rules = intake.Rules(intake.RulesOptions{
		Book: n.book, Agreed: n.state.Authority, Audience: n.state.Index, Sender: n.district.Sender, Alone: n.alone.Now, Clock: n.options.Clock,
		Users: func() ([]storage.User, error) { return records.UsersIn(n.store) },
	})
	if err := n.ring.Reread(); err != nil {
		return err
	}
	n.budget = budget.New(counted.Source{Book: n.book, State: n.state, Clock: n.options.Clock}, n.options.Clock)
	n.learner = newLearner(n)
	return n.learner.Recall()
}

// openGateway makes the road to the devices; nobody is let in yet.
func (n *Node) openGateway(ctx context.Context) error {
	var err error
	n.receipts = receipts.New(receipts.Options{Knows: n.book.Knows, Settler: settlerOf(n), Spool: settlerOf(n).Spool(), Clock: n.options.Clock, Logger: n.log})
	n.presence = newPresence(n)
	if err := n.openExternal(); err != nil {
		return err
	}
	n.instep, n.tester = newInStep(n), newTester(n)
	n.gateway, err = mqtt.New(mqtt.Options{
		Auth: n.presence, Receipts: n.receipts, Hooks: heard.Hooks{Presence: n.presence, InStep: n.instep, Tester: n.tester, Reports: func() *reports.Reports { return n.reports }, Residents: func() *residents.Residents { return n.residents }}, TLS: identity.PublicTLS(n.identityNow), Tickets: n.identity.TicketSecret(), Clock: n.options.Clock, Conns: deviceconns.Shares{Process: n.conns}, Logger: n.log, Registry: n.registry,
		Origins: func() []string { return originsOf(n) },
	})
	if err != nil {
		return err
	}
	n.dispatcher, err = channels.NewDispatcher(channels.Options{
		Signer: contract.Signer{KeyID: n.identity.KeyID, Key: n.identity.SigningKey},
		Node:   n.ID(), Clock: n.options.Clock, Version: func(last uint64, now time.Time) uint64 { return manifestVersion(n, last, now) }, Outlets: n.external.Outlets(n.gateway), Shared: n.external != nil, Logger: n.log,
	})
	return err
}

// openCluster joins the raft group and lets the workers begin.
func (n *Node) openCluster(run context.Context) (err error) {
	if err := folder.CheckBegun(n.options.Dir, n.ID()); err != nil {
		return folder.ComeBack(err)
	}
	n.cluster, err = cluster.Start(cluster.Options{
		Dir: folder.RaftDir(n.options.Dir), Identity: n.identity,
		Listen: n.settings.Internode, Advertise: n.reachableAt().InternodeAddr(), Names: func() []string { return n.reachableAt().Hosts() },
		FSM: n.machine, Snapshots: n.machine.SnapshotStore(), Bootstrap: n.settings.Genesis != nil,
		HeartbeatTimeout: n.options.Heartbeat, Stabilization: n.options.Stabilization,
		Version: n.options.CommandVersion, VersionOf: command.EntryVersion, Clock: n.options.Clock, Applied: func() (uint64, error) { applied, err := n.store.Applied(); return applied.Version, err }, Recorded: n.membership.RecordedVersion,
		Admit: n.membership.Admit, Invited: n.membership.Invited, Address: n.membership.AddressOf, Seek: n.options.Peers, AdmittedBy: joining.AdmittedBy(folder.IdentityDir(n.options.Dir)), Former: n.membership.Former,
		Dial: n.options.Dial, Conns: n.conns.Internode, Halt: n.options.Halt, Stalled: func() time.Duration { return stalled(n) }, Logger: n.log,
	})
	if err != nil {
		return folder.ComeBack(err)
	}
	n.proposer.Connect(n.cluster)
	n.membership.Connect(n.cluster)
	n.status = newStatus(n)
	n.stop.Add("raft", n.cluster.Stop)
	n.stop.Add("disk space", func(context.Context) error { n.disk.Stop(); return nil }) // raft waits for the state machine
	close(n.joined)
	n.disk.Report()
	n.whereabouts = whereaboutsOf(n)
	n.ability, n.personal = newAbility(n), newPersonal(n)
	n.serveNodes()
	n.workers.Go(func() { n.times.Run(run) })
	n.times.Await(run) // what this node tells, takes and writes down from here on has the right time
	leaver := newLeaver(n)
	for path, handler := range n.exchange.HandoverHandlers() {
		n.cluster.HandleHandover(path, handler)
	}
	n.cluster.HandleHandover("POST "+folder.RingPath, leaver.Handler())
	if err := n.exchange.Start(); err != nil {
		return err
	}
	n.workers.Go(func() { n.originals.Run(run) }) // once the journal's facts are known
	n.stop.Add("fact exchange", func(context.Context) error { n.exchange.Stop(); return nil })
	n.stop.Add("workers", func(context.Context) error { n.cancel(); n.workers.Wait(); n.times.Keep(); return nil })
	for _, work := range []func(context.Context){
		n.receipts.Run, n.presenter.Run, n.dispatcher.Run, n.scrubber.Run, n.status.LogExpiry, dutiesOf(n, n.cluster).Run, n.notes.Run, n.events.Run, n.disk.Run, n.instep.Run, n.tester.Run, n.residents.Run, n.checkIns.Run,
		n.external.Run, leaver.Run, func(ctx context.Context) { n.alone.Run(ctx, n.cluster) },
	} {
		n.workers.Go(func() { work(run) })
	}
	return nil
}

// openDoors lets devices and people in. What Stop does first is registered last: the
// others have a leader before anything here takes its time.
func (n *Node) openDoors(context.Context) error {
	n.stop.Add("reports of people", func(context.Context) error { n.reports.Close(); n.residents.Close(); return nil })
	n.stop.Add("device gateway", n.gateway.Stop)
	if err := n.openMQTT(); err != nil {
		return err
	}
	if err := n.openAPI(); err != nil {
		return err
	}
	n.stop.Add("leadership", func(ctx context.Context) error { n.cluster.HandLeadershipOver(ctx); return nil })
	n.stop.Add("daily check", func(context.Context) error { n.scrubber.Stop(); return nil })
	return nil
}

// API is the URL under which the API is reached; "" when it is off.
func (n *Node) API() string {
	url, _ := n.listeners.URLs()
	return url
}

// MQTT lists the addresses of the device gateway.
func (n *Node) MQTT() []string {
	_, urls := n.listeners.URLs()
	return urls
}

// Internode is the address under which the other nodes reach this one.
func (n *Node) Internode() string { return n.cluster.Advertised() }

// District is the name of the district.
func (n *Node) District() string { return n.identity.District.Name }

// Isolated reports whether the node is of a copy of the district for a drill.
func (n *Node) Isolated() bool { return n.district.Isolated() }

// RootKey is the district's public root key, which devices are given at enrolment.
func (n *Node) RootKey() ed25519.PublicKey { return n.identity.District.RootPublic() }

// Removed is closed when this node has learnt that it was removed from the
// district.
func (n *Node) Removed() <-chan struct{} { return n.cluster.Removed() }

// StopTime is how long a planned stop may take before what still runs is cut off.
const StopTime = 15 * time.Second
