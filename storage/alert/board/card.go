package board

import (
	"slices"
	"time"

	"almenara/storage/alert"
)

// card is one alert as the messages of one status make it.
type card struct {
	id       alert.ID
	status   alert.Status
	nodes    []*node  // by key; the first one names the alert
	heads    []*Entry // what may stand, lowest revision first
	cancels  []*Entry
	waiting  []*Entry       // what lacks approvals
	aliases  []alert.ID     // other ids under which some node may have listed it
	revision alert.Revision // the highest of all
	drilled  alert.Revision // the highest of the messages that have the card's status
	last     time.Time
	until    time.Time   // ends are listed before this
	shadowed bool        // a stronger status has the id
	instants []time.Time // at which it may look different, in order
}

func newCard(s alert.Status, nodes []*node, cancels map[alert.ID][]*version) *card {
	c := &card{id: nodes[0].id, status: s, nodes: nodes}
	aliases := make(map[alert.ID]bool)
	for _, n := range nodes {
		c.take(n, aliases)
		c.cancelledBy(n, cancels[n.id], aliases)
	}
	slices.SortFunc(c.heads, outranks)
	slices.SortFunc(c.cancels, outranks)
	for _, n := range nodes[1:] {
		if aliases[n.id] {
			c.aliases = append(c.aliases, n.id)
		}
	}
	if len(c.cancels) > 0 { // elsewhere the approvals may be there
		for _, e := range c.waiting {
			c.last, c.revision = alert.Later(c.last, e.Expires), max(c.revision, e.Revision)
		}
	}
	c.until = alert.Later(c.until, c.last.Add(alert.EndMemory))
	c.instants = c.turns()
	return c
}

// take reads the messages of one key. Messages of other statuses and messages
// that lost count for how long and how high, because another node may show them.
func (c *card) take(n *node, aliases map[alert.ID]bool) {
	for i := range n.versions {
		v := &n.versions[i]
		if !v.shows() {
			continue
		}
		if v.pending { // it ends with its alert, and says nothing about when that ends
			c.waiting = append(c.waiting, &v.Entry)
		} else {
			c.last = alert.Later(c.last, v.Expires)
			c.revision = max(c.revision, v.Revision)
		}
		if v.Status == c.status {
			c.drilled = max(c.drilled, v.Revision)
			aliases[smallest(n, v)] = true
			if i == 0 && !v.pending {
				c.heads = append(c.heads, &v.Entry)
			}
		}
	}
}

// smallest is the id that the alert has on a node that knows only this message.
func smallest(n *node, v *version) alert.ID {
	key, id := n.key, n.id
	if v.root != "" {
		return v.root
	}
	if v.pending {
		return id
	}
	for i, ref := range v.refs {
		if k := v.References[i]; k.Compare(key) < 0 {
			key, id = k, ref
		}
	}
	return id
}

// cancelledBy takes the Cancels that end the card through one of its keys. A key
// that was never seen is remembered as long as its message could hold, which is not at all
// where that was over when the Cancel came: such an end is listed nowhere.
func (c *card) cancelledBy(n *node, cancels []*version, aliases map[alert.ID]bool) {
	for _, v := range cancels {
		if v.Status != c.status && v.Status != alert.StatusActual {
			continue
		}
		unseen := !slices.ContainsFunc(n.versions, func(v version) bool { return v.shows() })
		aliases[n.id] = aliases[n.id] || !unseen || !over(n.key.Sent.Time(), v.Accepted)
		c.revision = max(c.revision, v.Revision)
		if !slices.Contains(c.cancels, &v.Entry) {
			c.cancels = append(c.cancels, &v.Entry)
		}
		if sent := n.key.Sent.Time(); unseen && !over(sent, v.Accepted) {
			c.until = alert.Later(c.until, alert.Later(v.Sent, alert.Earlier(sent, v.Accepted)).Add(alert.MaxLifetime+alert.EndMemory))
		}
	}
}

// rooted reports whether the message that names the alert is known and has the
// card's status; behind an incident's key it is the first message.
func (c *card) rooted() bool {
	first := c.nodes[0]
	if first.root && len(c.nodes) > 1 {
		first = c.nodes[1]
	}
	return len(first.versions) > 0 && first.versions[0].shows() && first.versions[0].Status == c.status
}

// claim takes the card's ids, except those that a stronger status has.
func (c *card) claim(claimed map[alert.ID]bool) {
	c.shadowed = claimed[c.id]
	c.aliases = slices.DeleteFunc(c.aliases, func(id alert.ID) bool { return claimed[id] })
	if !alert.Presentable(c.status) {
		return
	}
	claimed[c.id] = true
	for _, id := range c.aliases {
		claimed[id] = true
	}
}

// face is what the card shows at one moment: two equal faces look the same.
type face struct {
	head    *Entry // in force; nil when nothing is
	why     Why    // why the alert itself has ended; "" when it has not
	aliases bool   // the aliases are listed as ended
	also    int    // further Alerts whom the head speaks for; they only become more
}

func (c *card) at(t time.Time) face {
	if !alert.Presentable(c.status) {
		return face{}
	}
	listed := t.Before(c.until)
	f := face{aliases: listed && len(c.aliases) > 0}
	head, pending := c.head(t)
	switch {
	case c.shadowed:
	case len(c.cancels) > 0:
		if listed {
			f.why = WhyCancelled
		}
	case head == nil:
	case t.Before(head.Expires):
		f.head, f.also = head, len(c.also(head, t))
	case listed && !pending && head.Expires.Before(c.last):
		f.why = WhyExpired
	}
	return f
}

// head is the highest message whose effective time has come, nil when none, and
// whether a higher one is still to come.
func (c *card) head(t time.Time) (head *Entry, pending bool) {
	for i := len(c.heads) - 1; i >= 0; i-- {
		if !c.heads[i].Effective.After(t) {
			return c.heads[i], pending
		}
		pending = true
	}
	return nil, pending
}

// also lists the facts of the Alerts beside head that have its root: whom they address
// gets what head says.
func (c *card) also(head *Entry, t time.Time) (facts []string) {
	if head.MsgType != alert.MsgTypeAlert || head.Root == (alert.Key{}) {
		return nil
	}
	for _, e := range c.heads {
		if e != head && e.MsgType == alert.MsgTypeAlert && e.Root.Same(head.Root) && !e.Effective.After(t) {
			facts = append(facts, e.Fact)
		}
	}
	return facts
}

// ends appends what the card lists as ended at t.
func (c *card) ends(t time.Time, list []End) []End {
	f := c.at(t)
	end := End{Revision: c.revision, Expires: c.until.Add(-alert.EndMemory)}
	if c.status != alert.StatusActual {
		end.Drill, end.Revision = true, c.drilled
	}
	if f.why != "" {
		end.ID, end.Why, end.At = c.id, f.why, c.endedAt(f.why, t)
		list = append(list, end)
	}
	if !f.aliases {
		return list
	}
	end.Why = WhySuperseded
	if len(c.cancels) > 0 {
		end.Why = WhyCancelled
	}
	end.At = c.endedAt(end.Why, t)
	for _, end.ID = range c.aliases {
		list = append(list, end)
	}
	return list
}

func (c *card) endedAt(why Why, t time.Time) time.Time {
	switch {
	case why == WhyCancelled:
		first := c.cancels[0].Sent
		for _, e := range c.cancels[1:] {
			if e.Sent.Before(first) {
				first = e.Sent
			}
		}
		return first
	case why == WhyExpired:
		head, _ := c.head(t)
		return alert.Later(head.Expires, c.last.Add(-alert.MaxLifetime))
	case len(c.heads) > 0:
		return c.heads[len(c.heads)-1].Sent
	default:
		return alert.Later(alert.Earlier(c.nodes[0].key.Sent.Time(), c.last), c.last.Add(-alert.MaxLifetime))
	}
}

// nextChange is the first instant after now at which the card looks different.
func (c *card) nextChange(now time.Time) (time.Time, bool) {
	first, _ := slices.BinarySearchFunc(c.instants, now.Add(1), time.Time.Compare)
	if first == len(c.instants) {
		return time.Time{}, false
	}
	shown := c.at(now)
	for _, t := range c.instants[first:] {
		if c.at(t) != shown {
			return t, true
		}
	}
	return time.Time{}, false
}

// turns lists when the card may look different: when a message begins or runs out, and
// when its ends are listed no more.
func (c *card) turns() []time.Time {
	instants := []time.Time{c.until}
	for _, e := range c.heads {
		instants = append(instants, e.Effective, e.Expires)
	}
	slices.SortFunc(instants, time.Time.Compare)
	return slices.CompactFunc(instants, time.Time.Equal)
}
