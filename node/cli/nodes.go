package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/wire"
)

// errNoEngine is a program that was put together without a node.
var errNoEngine = errors.New("this program was built without a node in it")

func nodeCommands() []command {
	return []command{
		{
			name: "demo", purpose: "run three nodes and 300 devices here, and warn them", setup: demo, needs: needsNothing,
			example: "almenara demo\nalmenara demo --devices 1000 --cap flood.xml --keep",
		},
		{
			name: "init", purpose: "make the first node of a new district", setup: initNode, needs: needsFolder,
			example: "almenara init --data /var/lib/almenara --district tuen-mun --name on-ting",
		},
		{
			name: "serve", purpose: "run the node of a data folder", setup: serve, needs: needsFolder,
			example: "almenara serve --data /var/lib/almenara",
		},
		{
			name: "join", purpose: "make a further node of a district, with an invitation", args: "INVITATION", min: 1, max: 1,
			setup: join, needs: needsFolder, example: "almenara join --data /var/lib/almenara --name siu-hong INVITATION",
		},
		{
			name: "status", purpose: "say how a node and its district are", setup: status,
			example: "almenara status --api https://10.0.0.7:8480 --ca ca.pem\nalmenara status --splits",
		},
		{
			name: "node invite", purpose: "make an invitation for a new node", setup: invite,
			example: "almenara node invite --name siu-hong --minutes 30",
		},
		{
			name: "node remove", purpose: "remove a node from the district for good", args: "NODE", min: 1, max: 1, setup: removeNode,
			example: "almenara node remove n3",
		},
	}
}

// register adds the flags that say where a node listens.
func (l *Listen) register(fs *pflag.FlagSet) {
	fs.StringVar(&l.Internode, "internode", "", "host:port where the other nodes connect")
	fs.StringVar(&l.Advertise, "advertise", "", "host:port under which they reach this node")
	fs.StringVar(&l.API, "listen", "", "host:port of the API")
	fs.StringVar(&l.MQTT, "mqtt", "", "host:port where devices connect by MQTT")
	fs.StringVar(&l.MQTTTLS, "mqtt-tls", "", "the same, with TLS")
	fs.StringVar(&l.MQTTWS, "mqtt-ws", "", "the same, over WebSocket")
	fs.StringVar(&l.MQTTWSS, "mqtt-wss", "", "the same, over WebSocket with TLS")
}

func initNode(fs *pflag.FlagSet) runner {
	var opts InitOptions
	fs.StringVar(&opts.District, "district", "", "place of the district, such as tuen-mun")
	fs.StringVar(&opts.Name, "name", "", "name of the node, for people; the machine's when absent")
	opts.Listen.register(fs)
	return func(ctx context.Context, e *env, _ []string) error {
		if e.engine.Init == nil {
			return errNoEngine
		}
		if opts.District == "" {
			return usagef("init needs --district, such as --district tuen-mun")
		}
		opts.Data = e.global.data
		made, err := e.engine.Init(ctx, opts)
		if err != nil {
			return err
		}
		return e.print(made, func(w io.Writer) {
			fmt.Fprintf(w, "District %s has its first node, %s (%s), in %s.\n", made.District, made.Name, made.Node, made.Data)
			fmt.Fprintf(w, "The administrator's token is in %s; keep a copy elsewhere.\n", made.TokenFile)
			fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
		})
	}
}

func join(fs *pflag.FlagSet) runner {
	var opts JoinOptions
	fs.StringVar(&opts.Name, "name", "", "name of the node, for people; the machine's when absent")
	opts.Listen.register(fs)
	return func(ctx context.Context, e *env, args []string) error {
		if e.engine.Join == nil {
			return errNoEngine
		}
		opts.Data, opts.Token = e.global.data, args[0]
		made, err := e.engine.Join(ctx, opts)
		if err != nil {
			return err
		}
		return e.print(made, func(w io.Writer) {
			fmt.Fprintf(w, "Node %s (%s) belongs to district %s; its data is in %s.\n", made.Name, made.Node, made.District, made.Data)
			fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
		})
	}
}

func serve(fs *pflag.FlagSet) runner {
	var opts ServeOptions
	var external brokerFiles
	opts.Listen.register(fs)
	external.register(fs, &opts.Broker)
	fs.DurationVar(&opts.Heartbeat, "heartbeat", 0, "between the nodes' heartbeats; the node's default when absent")
	fs.StringVar(&opts.LogLevel, "log-level", "info", "debug, info, warn or error")
	fs.BoolVar(&opts.LogJSON, "log-json", false, "write the log as JSON lines")
	return func(ctx context.Context, e *env, _ []string) error {
		if e.engine.Serve == nil {
			return errNoEngine
		}
		opts.Data, opts.Log = e.global.data, e.Err
		if err := external.read(e, &opts.Broker); err != nil {
			return err
		}
		return e.engine.Serve(ctx, opts, func(info ServeInfo) {
			_ = e.print(info, func(w io.Writer) {
				fmt.Fprintf(w, "Node %s (%s) of %s serves.\nAPI             %s\nDevices (MQTT)  %s\nOther nodes     %s\n",
					info.Name, info.Node, info.District, info.API, strings.Join(info.MQTT, " "), info.Internode)
			})
		})
	}
}

func status(fs *pflag.FlagSet) runner {
	hash := fs.Bool("hash", false, "also hash the agreed state, to compare nodes")
	parted := fs.Bool("splits", false, "instead say what was done while nodes were without a majority")
	return func(ctx context.Context, e *env, _ []string) error {
		if *parted && *hash {
			return usagef("status takes --hash or --splits, not both")
		}
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		if *parted {
			return e.splits(ctx, c)
		}
		s, err := c.Status(ctx, *hash)
		if err != nil {
			return err
		}
		return e.print(s, func(w io.Writer) { e.statusTable(w, s) })
	}
}

func (e *env) statusTable(w io.Writer, s wire.Status) {
	t := table{}
	t.add("Node", fmt.Sprintf("%s (%s), version %s", s.Name, s.Node, s.Version))
	t.add("District", s.District)
	t.add("Ready", readiness(s))
	t.add("Quorum", quorum(s))
	for _, sentence := range s.Warnings {
		t.add("Warning", sentence)
	}
	if s.PolicyVersion > 0 {
		t.add("Policy", policyOf(s))
	}
	t.add("Role", fmt.Sprintf("%s, term %d", s.Role, s.Term))
	t.add("API", s.API)
	if s.Broker != nil {
		t.add("Broker", brokerState(s.Broker))
	}
	label := "MQTT"
	for _, address := range s.MQTT {
		t.add(label, address)
		label = ""
	}
	if s.StateHash != "" {
		t.add("State", s.StateHash)
	}
	t.write(w, e.Width)
	fmt.Fprintln(w)
	e.statusNumbers(w, s)
	if len(s.Nodes) == 0 {
		return
	}
	fmt.Fprintln(w)
	nodes := newTable("NODE", "~NAME", "~STATE", "INTERNODE")
	for _, n := range s.Nodes {
		nodes.add(n.ID, n.Name, nodeState(n), n.Internode)
	}
	nodes.write(w, e.Width)
	if old := notUpgraded(s.Nodes); len(old) > 0 {
		fmt.Fprintf(w, "\nNot upgraded yet: %s. What needs newer software on every node is refused until then.\n", strings.Join(old, ", "))
	}
}

// notUpgraded names the nodes that understand less than the newest one of them.
func notUpgraded(nodes []wire.NodeInfo) (names []string) {
	var newest uint64
	for _, n := range nodes {
		newest = max(newest, n.CommandVersion)
	}
	for _, n := range nodes {
		if n.CommandVersion < newest {
			names = append(names, or(n.Name, n.ID))
		}
	}
	return names
}

// statusNumbers writes one number a line, under each other.
func (e *env) statusNumbers(w io.Writer, s wire.Status) {
	t := table{right: map[int]bool{1: true}}
	t.add("Alerts in force", thousands(s.InForce))
	t.add("Facts not committed", thousands(s.PendingFacts))
	t.add("Members", thousands(s.Members))
	t.add("Devices connected here", thousands(s.Devices))
	t.add("Log entries committed", thousands(s.Committed))
	t.add("Log entries applied", thousands(s.Applied))
	t.write(w, e.Width)
}

// nodeState says what a node is to its district, as the asked node sees it.
func nodeState(n wire.NodeInfo) string {
	switch {
	case n.LostLog:
		return "lost its log"
	case !n.Reachable:
		return "unreachable"
	case n.Leader:
		return "leader"
	case !n.Voter:
		return "non-voter"
	}
	return "follower"
}

// nodeName is the name of a node for people, or its id where none is known.
func nodeName(nodes []wire.NodeInfo, id string) string {
	for _, n := range nodes {
		if n.ID == id && n.Name != "" {
			return n.Name
		}
	}
	return id
}

func readiness(s wire.Status) string {
	if s.Ready {
		return "yes"
	}
	return "no: " + or(s.Why, "the node does not say why")
}

func quorum(s wire.Status) string {
	switch {
	case s.Alone:
		return "no, ALONE since " + clock(s.AloneSince) + "; people need a licence to warn from here"
	case s.Quorum:
		return "yes, " + or(nodeName(s.Nodes, s.Leader), "nobody") + " leads"
	case s.AloneSince.IsZero():
		return "no; alerts still go out from here"
	}
	return "no, since " + clock(s.AloneSince) + "; alerts still go out from here"
}

// policyOf says which policy the node knows and how old that is.
func policyOf(s wire.Status) string {
	text := fmt.Sprintf("version %d", s.PolicyVersion)
	switch age := time.Duration(s.PolicyAge) * time.Second; {
	case s.Quorum:
	case s.PolicyAge < 0 || age > 72*time.Hour:
		text += ", older than 72 hours: licensed scenarios only"
	default:
		text += ", " + age.String() + " old"
	}
	return text
}

func invite(fs *pflag.FlagSet) runner {
	var in wire.Invite
	fs.StringVar(&in.Name, "name", "", "name of the node that may come")
	fs.IntVar(&in.Minutes, "minutes", 60, "how long the invitation holds")
	return func(ctx context.Context, e *env, _ []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		invited, err := c.Invite(ctx, in)
		if err != nil {
			return err
		}
		return e.print(invited, func(w io.Writer) {
			fmt.Fprintf(w, "On the new node, before %s:\nalmenara join --data FOLDER %s\n",
				invited.Expires.Local().Format(time.DateTime), invited.Token)
		})
	}
}

func removeNode(*pflag.FlagSet) runner {
	return func(ctx context.Context, e *env, args []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.RemoveNode(ctx, args[0]); err != nil {
			return err
		}
		return e.done("removed", args[0], "Node %s is removed. Its data folder must not be used again.\n", args[0])
	}
}

// done prints the end of a command that has no other answer.
func (e *env) done(verb, id, format string, args ...any) error {
	return e.print(map[string]string{verb: id}, func(w io.Writer) { fmt.Fprintf(w, format, args...) })
}
