// Package nodecmd is the commands about nodes: making, running, admitting and removing them, how
// they are, and what brings a district back.
package nodecmd

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"almenara/node/access"
	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/tables"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

// Commands are those of this package, in the order of the overview.
func Commands() []command.Command {
	return slices.Concat(nodeCommands(), recoverCommands(), backupCommands())
}

func nodeCommands() []command.Command {
	return []command.Command{
		{
			Name: "init", Purpose: "make the first node of a new district", Setup: initNode, Needs: command.NeedsFolder,
			Example: "almenara init --data /var/lib/almenara --district tuen-mun --name on-ting",
		},
		{
			Name: "serve", Purpose: "run the node of a data folder", Setup: serve, Needs: command.NeedsFolder,
			Example: "almenara serve --data /var/lib/almenara",
		},
		{
			Name: "join", Purpose: "make a further node of a district, with an invitation", Args: "INVITATION", Min: 1, Max: 1,
			Setup: join, Needs: command.NeedsFolder, Example: "almenara join --data /var/lib/almenara --name siu-hong INVITATION",
		},
		{
			Name: "status", Purpose: "say how a node and its district are", Setup: status,
			Example: "almenara status --api https://10.0.0.7:8480 --ca ca.pem\nalmenara status --splits",
		},
		{
			Name: "node invite", Purpose: "make an invitation for a new node", Setup: invite,
			Example: "almenara node invite --minutes 30",
		},
		{
			Name: "node remove", Purpose: "remove a node for good, by its name or its id", Args: "NODE", Min: 1, Max: 1, Setup: removeNode,
			Example: "almenara node remove n3",
		},
	}
}

// registerListen adds the flags that say where a node listens.
func registerListen(fs *pflag.FlagSet, l *inprocess.Listen) {
	fs.StringVar(&l.Internode, "internode", "", "host:port where the other nodes connect")
	fs.StringVar(&l.Advertise, "advertise", "", "host, or host:port for the other nodes, under which everybody reaches what listens on every interface")
	fs.StringArrayVar(&l.TLSNames, "tls-name", nil, "further host name or address for the certificate; repeatable")
	fs.StringVar(&l.API, "listen", "", "host:port of the API")
	fs.StringVar(&l.MQTT, "mqtt", "", "host:port where devices connect by MQTT")
	fs.StringVar(&l.MQTTTLS, "mqtt-tls", "", "the same, with TLS")
	fs.StringVar(&l.MQTTWS, "mqtt-ws", "", "the same, over WebSocket")
	fs.StringVar(&l.MQTTWSS, "mqtt-wss", "", "the same, over WebSocket with TLS")
}

func initNode(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.InitOptions
	fs.StringVar(&opts.District, "district", "", "place of the district, such as tuen-mun")
	fs.StringVar(&opts.Name, "name", "", "name of the node, for people; the machine's when absent")
	registerListen(fs, &opts.Listen)
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if e.Engine.Init == nil {
			return command.ErrNoEngine
		}
		if opts.District == "" {
			return command.Usagef("init needs --district, such as --district tuen-mun")
		}
		opts.Data = e.Data()
		made, err := e.Engine.Init(ctx, opts)
		if err != nil {
			return err
		}
		return e.Print(made, func(w io.Writer) {
			fmt.Fprintf(w, "District %s has its first node, %s (%s), in %s.\n", made.District, made.Name, made.Node, made.Data)
			fmt.Fprintf(w, "The administrator's token is in %s; keep a copy elsewhere.\n", made.TokenFile)
			terminal.Wrapped(w, e.Width, "", fmt.Sprintf("On this machine commands find address, authority and token by --data %s. Elsewhere they take --api, --token and --ca with a copy of %s.",
				made.Data, filepath.Join(made.Data, access.AuthorityFile)))
			fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
		})
	}
}

func join(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.JoinOptions
	fs.StringVar(&opts.Name, "name", "", "name of the node, for people; the machine's when absent")
	registerListen(fs, &opts.Listen)
	return func(ctx context.Context, e *command.Env, args []string) error {
		if e.Engine.Join == nil {
			return command.ErrNoEngine
		}
		opts.Data, opts.Token = e.Data(), args[0]
		made, err := e.Engine.Join(ctx, opts)
		if err != nil {
			return err
		}
		return e.Print(made, func(w io.Writer) {
			fmt.Fprintf(w, "Node %s (%s) belongs to district %s; its data is in %s.\n", made.Name, made.Node, made.District, made.Data)
			fmt.Fprintf(w, "Start it with: almenara serve --data %s\n", made.Data)
		})
	}
}

func serve(fs *pflag.FlagSet) command.Runner {
	var opts inprocess.ServeOptions
	var external brokerFiles
	registerListen(fs, &opts.Listen)
	external.register(fs, &opts.Broker)
	fs.StringArrayVar(&opts.Peers, "peer", nil, "host:port where another node may be met, when all have moved at once; repeatable")
	fs.StringArrayVar(&opts.FramedBy, "framed-by", nil, "origin of a signage system whose pages may show /screen/ in a frame; repeatable")
	fs.StringVar(&opts.Residents, "residents", "", "address under which residents' phones reach this node, such as https://host; screens show a code beside alerts that ask for it")
	fs.StringVar(&opts.ResidentsListen, "residents-listen", "", "host:port that serves the residents' pages alone, without TLS")
	fs.DurationVar(&opts.Heartbeat, "heartbeat", 0, "between the nodes' heartbeats; the node's default when absent")
	fs.StringVar(&opts.LogLevel, "log-level", "info", "debug, info, warn or error")
	fs.BoolVar(&opts.LogJSON, "log-json", false, "write the log as JSON lines")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if e.Engine.Serve == nil {
			return command.ErrNoEngine
		}
		opts.Data, opts.Log = e.Data(), e.Err
		if err := external.read(e, &opts.Broker); err != nil {
			return err
		}
		return e.Engine.Serve(ctx, opts, func(info inprocess.ServeInfo) {
			_ = e.Print(info, func(w io.Writer) {
				if info.Isolated {
					fmt.Fprintln(w, command.DrillNotice)
				}
				fmt.Fprintf(w, "Node %s (%s) of %s serves.\nAPI             %s\nDevices (MQTT)  %s\nOther nodes     %s\n",
					info.Name, info.Node, info.District, info.API, strings.Join(info.MQTT, " "), info.Internode)
			})
		})
	}
}

func status(fs *pflag.FlagSet) command.Runner {
	hash := fs.Bool("hash", false, "also hash the agreed state, to compare nodes")
	parted := fs.Bool("splits", false, "instead say what was done while nodes were without a majority")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		if *parted && *hash {
			return command.Usagef("status takes --hash or --splits, not both")
		}
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		if *parted {
			return showSplits(ctx, e, c)
		}
		s, err := c.Status(ctx, *hash)
		if err != nil {
			return err
		}
		if err := e.Print(s, func(w io.Writer) { statusTable(e, w, s) }); err != nil {
			return err
		}
		if s.Alone || !s.Ready {
			return command.ErrNotReady
		}
		return nil
	}
}

func statusTable(e *command.Env, w io.Writer, s wire.Status) {
	t := terminal.Table{}
	t.Add("Node", fmt.Sprintf("%s (%s), version %s", s.Name, s.Node, s.Version))
	t.Add("District", s.District+map[bool]string{true: ", DRILL COPY"}[s.Isolated])
	t.Add("Ready", readiness(s))
	t.Add("Quorum", quorum(s))
	for _, sentence := range s.Warnings {
		t.Add("Warning", sentence.Text)
	}
	if s.PolicyVersion > 0 {
		t.Add("Policy", policyOf(s))
	}
	t.Add("Role", fmt.Sprintf("%s, term %d", s.Role, s.Term))
	t.Add("API", s.API)
	if s.Broker != nil {
		t.Add("Broker", brokerState(s.Broker))
	}
	label := "MQTT"
	for _, address := range s.MQTT {
		t.Add(label, address)
		label = ""
	}
	if s.StateHash != "" {
		t.Add("State", s.StateHash)
	}
	t.Write(w, e.Width)
	fmt.Fprintln(w)
	statusNumbers(e, w, s)
	if len(s.Nodes) == 0 {
		return
	}
	fmt.Fprintln(w)
	nodes := nodeTable(s.Nodes, func(id string) string { return id })
	if address := slices.MaxFunc(s.Nodes, func(a, b wire.NodeInfo) int { return len(a.Internode) - len(b.Internode) }); nodes.LastColumn(e.Width) < len(address.Internode) {
		nodes = nodeTable(s.Nodes, func(id string) string { return id[:min(len(id), shortNode)] })
	}
	nodes.Write(w, e.Width)
	if old := notUpgraded(s.Nodes); len(old) > 0 {
		fmt.Fprintf(w, "\nNot upgraded yet: %s. What needs newer software on every node is refused until then.\n", strings.Join(old, ", "))
	}
}

// shortNode is how much of a node's id is shown where there is no room for all of it: node remove takes
// the beginning.
const shortNode = 8

func nodeTable(nodes []wire.NodeInfo, id func(string) string) *terminal.Table {
	t := terminal.NewTable("NODE", "~NAME", "STATE", "INTERNODE")
	for _, n := range nodes {
		t.Add(id(n.ID), n.Name, nodeState(n), n.Internode)
	}
	return t
}

// notUpgraded names the nodes that understand less than the newest one of them.
func notUpgraded(nodes []wire.NodeInfo) (names []string) {
	var newest uint64
	for _, n := range nodes {
		newest = max(newest, n.CommandVersion)
	}
	for _, n := range nodes {
		if n.CommandVersion < newest {
			names = append(names, command.Or(n.Name, n.ID))
		}
	}
	return names
}

// statusNumbers writes one number a line, under each other.
func statusNumbers(e *command.Env, w io.Writer, s wire.Status) {
	t := terminal.Table{Right: map[int]bool{1: true}}
	t.Add("Alerts in force", terminal.Thousands(s.InForce))
	t.Add("Facts not committed", terminal.Thousands(s.PendingFacts))
	t.Add("Members", terminal.Thousands(s.Members))
	t.Add("Devices connected here", terminal.Thousands(s.Devices))
	t.Add("Log entries committed", terminal.Thousands(s.Committed))
	t.Add("Log entries applied", terminal.Thousands(s.Applied))
	t.Write(w, e.Width)
}

// nodeState says what a node is to its district, as the asked node sees it.
func nodeState(n wire.NodeInfo) string {
	switch {
	case n.LostLog:
		return "lost its log"
	case n.NeverSeen:
		return "never seen"
	case !n.Reachable && n.LastAnswer.IsZero():
		return "never answered"
	case !n.Reachable:
		return "silent, " + terminal.ShortClock(n.LastAnswer, time.Now()) // when it answered last
	case n.Leader:
		return "leader"
	case !n.Voter:
		return "non-voter"
	}
	return "follower"
}

func readiness(s wire.Status) string {
	if s.Ready {
		return "yes"
	}
	return "no: " + command.Or(s.Why.Text, "the node does not say why")
}

func quorum(s wire.Status) string {
	switch {
	case s.Alone:
		return "no, ALONE since " + terminal.Clock(s.AloneSince) + "; people need a licence to warn from here"
	case s.Quorum:
		return "yes, " + command.Or(tables.Node(s.Nodes, s.Leader), "nobody") + " leads"
	case s.AloneSince.IsZero():
		return "no; alerts still go out from here"
	}
	return "no, since " + terminal.Clock(s.AloneSince) + "; alerts still go out from here"
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

func invite(fs *pflag.FlagSet) command.Runner {
	var in wire.Invite
	fs.IntVar(&in.Minutes, "minutes", 60, "how long the invitation holds")
	return func(ctx context.Context, e *command.Env, _ []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		invited, err := c.Invite(ctx, in)
		if err != nil {
			return err
		}
		return e.Print(invited, func(w io.Writer) {
			fmt.Fprintf(w, "On the new node, before %s:\nalmenara join --data FOLDER %s\n",
				terminal.Clock(invited.Expires), invited.Token)
		})
	}
}

func removeNode(*pflag.FlagSet) command.Runner {
	return func(ctx context.Context, e *command.Env, args []string) error {
		c, err := e.Client()
		if err != nil {
			return err
		}
		defer c.Close()
		if err := c.RemoveNode(ctx, args[0]); err != nil {
			return err
		}
		return command.Done(e, "removed", args[0], "Node %s is removed. Its data folder must not be used again.\n", args[0])
	}
}
