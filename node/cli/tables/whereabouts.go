package tables

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

// Node is the name of a node, or its id where the nodes do not tell.
func Node(nodes []wire.NodeInfo, id string) string {
	for _, n := range nodes {
		if n.ID == id && n.Name != "" {
			return n.Name
		}
	}
	return id
}

// Devices writes a line for each device, no wider than columns, and which nodes did not answer
// where that leaves something unknown.
func Devices(w io.Writer, devices []wire.Device, nodes []wire.NodeInfo, columns int) {
	faulty := slices.ContainsFunc(devices, func(d wire.Device) bool { return d.Health != nil && len(d.Health.Faults) > 0 })
	head := []string{"DEVICE", "KIND", "STATE", "~NODE", "<PLACE"}
	if faulty {
		head = append(head, "FAULTS")
	}
	t := terminal.NewTable(head...)
	for _, d := range devices {
		cells := []string{d.ID, d.Kind, deviceState(d), cmp.Or(Node(nodes, d.Node), "-"), d.Place}
		if faulty {
			cells = append(cells, cmp.Or(strings.Join(faultsOf(d), ", "), "-"))
		}
		t.Add(cells...)
	}
	t.Write(w, columns)
	if i := slices.IndexFunc(devices, func(d wire.Device) bool { return len(d.Unanswered) > 0 }); i >= 0 {
		noAnswer(w, nodes, devices[i].Unanswered)
	}
}

func faultsOf(d wire.Device) []string {
	if d.Health == nil {
		return nil
	}
	return d.Health.Faults
}

// Device writes what is known of one device, and what it says of itself.
func Device(w io.Writer, d wire.Device, nodes []wire.NodeInfo, columns int) {
	t := &terminal.Table{}
	add := func(name, value string) {
		if value != "" {
			t.Add(name, value)
		}
	}
	add("device", d.ID)
	add("kind", d.Kind)
	if d.Member != d.ID {
		add("member", d.Member)
	}
	add("place", d.Place)
	add("state", deviceState(d))
	add("node", Node(nodes, d.Node))
	if !d.Since.IsZero() {
		add("since", terminal.Clock(d.Since))
	}
	if h := d.Health; h != nil {
		add("faults", strings.Join(h.Faults, ", "))
		add("said at", terminal.Clock(h.At))
		add("software", strings.TrimSpace(h.Version+" "+h.Engine))
		add("level", h.Level)
		add("display", h.Display)
		add("cannot draw", h.Lacks)
		add("picture", h.Picture)
		add("power", h.Power)
		add("sound", h.Sound)
		add("speaks", h.Voice)
		if h.ClockSkew != 0 {
			add("clock off by", fmt.Sprintf("%g s", h.ClockSkew))
		}
		add("store", h.Store)
		if h.Persisted != nil {
			add("kept for good", terminal.Yes(*h.Persisted))
		}
		if h.Awake != nil {
			add("kept awake", terminal.Yes(*h.Awake))
		}
		if !h.Keys.IsZero() {
			add("key ring of", terminal.Clock(h.Keys))
		}
		if h.Drawn != "" {
			add("presented last", strings.TrimSpace(h.Drawn+" at "+terminal.Clock(h.DrawnAt)))
		}
		add("receipts that waited", number(h.Queued))
		add("begun again", number(h.Reloads))
		add("memory", number(h.MemoryMB))
		add("refused last", h.Refused)
	}
	t.Write(w, columns)
	if len(d.Unanswered) > 0 {
		noAnswer(w, nodes, d.Unanswered)
	}
}

// number is "" for none.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return terminal.Thousands(n)
}

func deviceState(d wire.Device) string {
	switch {
	case d.Revoked:
		return "revoked"
	case d.Connected == nil:
		return "unknown"
	case *d.Connected:
		return cmp.Or(d.Condition, "connected")
	}
	return "dark"
}

// Receipts writes a line for each member with the columns of what is known (CSV and JSON have
// all), no wider than columns. nodes is asked for where some nodes did not tables.
func Receipts(w io.Writer, rows []wire.ReceiptRow, nodes func() []wire.NodeInfo, columns int) {
	named := slices.ContainsFunc(rows, func(r wire.ReceiptRow) bool { return r.Name != "" })
	why := slices.ContainsFunc(rows, func(r wire.ReceiptRow) bool { return r.Reason != "" })
	cells := func(member, kind, rung, reason, place, name string) []string {
		out := []string{member, kind, rung}
		if why {
			out = append(out, reason)
		}
		if out = append(out, place); named {
			out = append(out, name)
		}
		return out
	}
	t := terminal.NewTable(cells("MEMBER", "KIND", "RUNG", "REASON", "<PLACE", "NAME")...)
	zone := ""
	for _, row := range rows {
		reason := cmp.Or(row.Reason, "-")
		if !row.Since.IsZero() {
			since := row.Since.Local().Format("Jan 2 15:04")
			if columns == terminal.Unbounded {
				since = terminal.Clock(row.Since)
			} else {
				zone = row.Since.Local().Format("-07:00")
			}
			reason += " since " + since
		}
		if row.ToldBy != "" {
			reason += ", told by " + row.ToldBy
		}
		rung := cmp.Or(row.Rung, "-")
		if row.Answer != "" {
			rung += ": " + row.Answer
		}
		t.Add(cells(row.Member, cmp.Or(row.Kind, "-"), rung, reason, cmp.Or(row.Place, "removed since"), row.Name)...)
	}
	t.Write(w, columns)
	if zone != "" {
		fmt.Fprintf(w, "Times are UTC%s.\n", zone)
	}
	if i := slices.IndexFunc(rows, func(r wire.ReceiptRow) bool { return len(r.Unanswered) > 0 }); i >= 0 {
		noAnswer(w, nodes(), rows[i].Unanswered)
	}
}

// noAnswer says why it is unknown whether some are connected.
func noAnswer(w io.Writer, nodes []wire.NodeInfo, ids []string) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = Node(nodes, id)
	}
	fmt.Fprintf(w, "No answer from %s: what is unknown may be connected there.\n", terminal.Clean(strings.Join(names, ", ")))
}
