// Package node is the running node: the only place that sees every part. It wires
// them, carries the one path of every alert, and answers what the API asks.
package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"almenara/channels"
	"almenara/channels/broker"
	"almenara/channels/contract"
	"almenara/channels/mqtt"
	"almenara/cluster"
	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/fsm"
	"almenara/cluster/seldom"
	"almenara/node/api"
	"almenara/storage"
)

// Node is one box of a district. Its methods may be called from any goroutine
// between Start and Stop.
type Node struct {
	options  Options
	settings settings
	identity *cluster.Identity
	log      *slog.Logger
	registry *prometheus.Registry

	space      *space
	time       *timekeeper
	store      *storage.Store
	state      *fsm.FSM
	cluster    *cluster.Cluster
	journal    *fact.Journal
	flushes    atomic.Pointer[fact.Journal] // the same, for the watchdog, which runs before it is there
	exchange   *fact.Exchange
	hybrid     *fact.Clock
	gateway    *mqtt.Gateway
	external   *broker.Broker // nil without one
	dispatcher *channels.Dispatcher
	collector  *collector
	server     *api.Server

	desk       *desk
	presence   *presence
	announced  announced
	contact    *contactWatch
	notes      notes
	events     events
	gates      gates
	tallies    tallies
	under      underway
	strangers  strangers
	roster     roster
	staging    standstill
	foreign    foreignKeys
	joined     chan struct{} // closed when cluster is set
	timely     chan struct{} // closed when it is known what time it is
	scrubbed   scrubbed
	unrecorded seldom.Line
	toldBefore *toldBefore
	plausible  bool        // the node was away for a short time only
	believed   atomic.Bool // this node is in the key ring, so devices take its word
	reread     atomic.Bool // the whole state was replaced: the desk must read it anew

	recording sync.Mutex    // one message at a time decides whether it is known
	stirred   chan struct{} // something that devices may have to hear of has changed; capacity 1
	dutiful   chan struct{} // something that the steward may have to do has come up; capacity 1
	shifted   chan struct{} // the audience has changed, which may wait for more of the same; capacity 1

	begun   time.Time
	stop    steps
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
	saved, err := loadSettings(options.Dir)
	if err != nil {
		return nil, err
	}
	if err := checkLives(options.Dir); err != nil {
		return nil, err
	}
	merged := saved.with(options)
	if err := merged.validate(); err != nil {
		return nil, err
	}
	identity, err := cluster.LoadIdentity(identityDir(options.Dir))
	if err != nil {
		return nil, err
	}
	n := &Node{
		options: options, settings: merged, identity: identity,
		registry: prometheus.NewRegistry(), desk: newDesk(),
		stirred: make(chan struct{}, 1), dutiful: make(chan struct{}, 1), shifted: make(chan struct{}, 1),
		joined: make(chan struct{}),
	}
	n.log = options.Logger.With("node", n.settings.Name)
	n.stop.log = n.log
	n.toldBefore = newToldBefore()
	n.startTime(options.Clock)
	n.contact = openContact(options.Dir, n.options.Clock, n.log)
	n.presence = newPresence(n.options.Clock)
	n.space = newSpace(options.Dir, options.Space, n.log)
	n.space.onChange = n.spaceChanged
	return n, nil
}

func identityDir(dir string) string { return filepath.Join(dir, "identity") }

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
			return errors.Join(err, n.stop.stop(ctx))
		}
	}
	n.log.Info("node is up", "id", n.ID(), "district", n.identity.District.Name, "api", n.API(), "mqtt", n.MQTT())
	return nil
}

// Stop hands leadership over, lets what is under way end, and closes everything,
// Badger last. It may be called again and before Start.
func (n *Node) Stop(ctx context.Context) error {
	n.stopMu.Lock()
	defer n.stopMu.Unlock()
	return n.stop.stop(ctx)
}

// openState opens Badger and the state machine and lays the known alerts on the
// desk.
func (n *Node) openState(context.Context) error {
	n.space.look() // on a full disk it gives the ballast up: Badger needs some space to open
	store, err := storage.Open(filepath.Join(n.options.Dir, stateDir), storage.Options{
		MinFree: n.space.o.Full, OpenFree: min(n.space.o.Full, startSpace), Logger: n.log,
		FreeSpace: n.space.freeBytes,
	})
	if errors.Is(err, storage.ErrDamaged) {
		return n.stateDamaged(err)
	}
	if err != nil {
		return fmt.Errorf("opening the state: %w", comeBack(err))
	}
	n.store = store
	n.stop.add("badger", func(context.Context) error { return store.Close() })
	if err := n.checkState(); err != nil {
		return err
	}
	if err := removeUploads(n.options.Dir); err != nil { // Badger's lock says that the folder is ours
		return err
	}
	n.state, err = fsm.New(store, fsm.Hooks{
		Halt: n.options.Halt, Room: n.space.room, Dump: n.space.noDump,
		Adopted: n.adopted, Changed: n.stateChanged, Logger: n.log,
		MaxVersion: n.options.CommandVersion,
	})
	if err != nil {
		return err
	}
	n.stop.add("state machine", func(context.Context) error { n.state.Close(); return nil })
	if err := n.readBelief(); err != nil {
		return err
	}
	return n.recall()
}

// openGateway makes the road to the devices; nobody is let in yet.
func (n *Node) openGateway(ctx context.Context) error {
	tls, err := n.serverTLS()
	if err != nil {
		return err
	}
	n.collector = newCollector(n, func(err error) { n.unrecorded.Log(n.log, slog.LevelError, "receipts were not recorded", err) })
	n.collector.pressure = newPressure(n.spoolUsage)
	n.gateway, err = mqtt.New(mqtt.Options{
		Auth: n, Receipts: receipts{n}, Hooks: hooks{n}, TLS: tls, Tickets: n.ticketSecret(), Logger: n.log, Registry: n.registry,
	})
	if err != nil {
		return err
	}
	if err := n.openExternal(); err != nil {
		return err
	}
	n.dispatcher, err = channels.NewDispatcher(channels.Options{
		Signer: contract.Signer{KeyID: n.identity.KeyID, Key: n.identity.SigningKey},
		Node:   n.ID(), Clock: n.options.Clock, Version: n.manifestVersion, Outlets: n.outlets(), Logger: n.log,
	})
	return err
}

// openCluster joins the raft group and lets the workers begin.
func (n *Node) openCluster(run context.Context) (err error) {
	if err := n.checkMemory(); err != nil {
		return comeBack(err)
	}
	n.cluster, err = cluster.Start(cluster.Options{
		Dir: n.raftDir(), Identity: n.identity,
		Listen: n.settings.Internode, Advertise: n.settings.Advertise,
		FSM: n.state, Snapshots: n.state.SnapshotStore(), Bootstrap: n.settings.Genesis != nil,
		HeartbeatTimeout: n.options.Heartbeat, Stabilization: n.options.Stabilization,
		Version: n.options.CommandVersion, VersionOf: command.EntryVersion, Applied: n.appliedVersion,
		Admit: n.admitNode, Invited: n.invited, Address: n.addressOf, Former: n.former,
		Dial: n.options.Dial, Halt: n.options.Halt, Stalled: n.stalled, Logger: n.log,
	})
	if err != nil {
		return comeBack(err)
	}
	n.stop.add("raft", n.cluster.Stop)
	n.stop.add("disk space", func(context.Context) error { n.space.stop(); return nil }) // raft waits for the state machine
	close(n.joined)
	n.space.tell()
	n.serveNodes()
	n.serveLeaving()
	if err := n.exchange.Start(); err != nil {
		return err
	}
	n.stop.add("fact exchange", func(context.Context) error { n.exchange.Stop(); return nil })
	n.stop.add("workers", func(context.Context) error { n.cancel(); n.workers.Wait(); n.keepLastTime(); return nil })
	for _, work := range []func(context.Context){
		n.collector.Run, n.timed(n.present), n.timed(n.dispatcher.Run), n.watchTime, n.scrub, n.steward, n.keepNotes, n.keepAlone, n.tellReceipts, n.space.run,
		n.runExternal, n.leave, n.watchAlone,
	} {
		n.workers.Go(func() { work(run) })
	}
	return nil
}

// openDoors lets devices and people in.
func (n *Node) openDoors(context.Context) error {
	n.stop.add("device gateway", n.gateway.Stop)
	if err := n.openMQTT(); err != nil {
		return err
	}
	return n.openAPI()
}

// API is the URL under which the API is reached; "" when it is off.
func (n *Node) API() string {
	url, _ := n.gates.urls()
	return url
}

// MQTT lists the addresses of the device gateway.
func (n *Node) MQTT() []string {
	_, urls := n.gates.urls()
	return urls
}

// Internode is the address under which the other nodes reach this one.
func (n *Node) Internode() string { return n.cluster.Advertised() }

// District is the name of the district.
func (n *Node) District() string { return n.identity.District.Name }

// RootKey is the district's public root key, which devices are given at enrolment.
func (n *Node) RootKey() ed25519.PublicKey { return n.rootPublic() }

// Removed is closed when this node has learnt that it was removed from the
// district.
func (n *Node) Removed() <-chan struct{} { return n.cluster.Removed() }

// StopTime is how long a planned stop may take before what still runs is cut off.
const StopTime = 15 * time.Second
