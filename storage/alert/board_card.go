package alert

import (
	"slices"
	"time"
)

// card is one alert as the messages of one status make it.
type card struct {
	id       ID
	status   Status
	nodes    []*node  // by key; the first one names the alert
	heads    []*Entry // what may stand, lowest revision first
	cancels  []*Entry
	waiting  []*Entry // what lacks approvals
	aliases  []ID     // other ids under which some node may have listed it
	revision Revision // the highest of all
	drilled  Revision // the highest of the messages that have the card's status
	last     time.Time
	until    time.Time // ends are listed before this
	shadowed bool      // a stronger status has the id
}

func newCard(s Status, nodes []*node, cancels map[ID][]*version) *card {
	c := &card{id: nodes[0].id, status: s, nodes: nodes}
	aliases := make(map[ID]bool)
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
			c.last, c.revision = later(c.last, e.Expires), max(c.revision, e.Revision)
		}
	}
	c.until = later(c.until, c.last.Add(EndMemory))
	return c
}

// take reads the messages of one key. Messages of other statuses and messages
// that lost count for how long and how high, because another node may show them.
func (c *card) take(n *node, aliases map[ID]bool) {
	for i := range n.versions {
		v := &n.versions[i]
		if !v.shows() {
			continue
		}
		if v.pending { // it ends with its alert, and says nothing about when that ends
			c.waiting = append(c.waiting, &v.Entry)
		} else {
			c.last = later(c.last, v.Expires)
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
func smallest(n *node, v *version) ID {
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
// that was never seen is remembered as long as its message could hold.
func (c *card) cancelledBy(n *node, cancels []*version, aliases map[ID]bool) {
	for _, v := range cancels {
		if v.Status != c.status && v.Status != StatusActual {
			continue
		}
		aliases[n.id] = true
		c.revision = max(c.revision, v.Revision)
		if !slices.Contains(c.cancels, &v.Entry) {
			c.cancels = append(c.cancels, &v.Entry)
		}
		if !slices.ContainsFunc(n.versions, func(v version) bool { return v.shows() }) {
			c.until = later(c.until, later(v.Sent, n.key.Sent.Time()).Add(MaxLifetime+EndMemory))
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
func (c *card) claim(claimed map[ID]bool) {
	c.shadowed = claimed[c.id]
	c.aliases = slices.DeleteFunc(c.aliases, func(id ID) bool { return claimed[id] })
	if !Presentable(c.status) {
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
	if !Presentable(c.status) {
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
	if head.MsgType != MsgTypeAlert || head.Root == (Key{}) {
		return nil
	}
	for _, e := range c.heads {
		if e != head && e.MsgType == MsgTypeAlert && e.Root.Same(head.Root) && !e.Effective.After(t) {
			facts = append(facts, e.Fact)
		}
	}
	return facts
}

// ends appends what the card lists as ended at t.
func (c *card) ends(t time.Time, list []End) []End {
	f := c.at(t)
	end := End{Revision: c.revision, Expires: c.until.Add(-EndMemory)}
	if c.status != StatusActual {
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
		return head.Expires
	case len(c.heads) > 0:
		return c.heads[len(c.heads)-1].Sent
	default:
		return c.nodes[0].key.Sent.Time()
	}
}

// nextChange is the first instant after now at which the card looks different.
func (c *card) nextChange(now time.Time) (time.Time, bool) {
	instants := []time.Time{c.until}
	for _, e := range c.heads {
		instants = append(instants, e.Effective, e.Expires)
	}
	slices.SortFunc(instants, time.Time.Compare)
	shown := c.at(now)
	for _, t := range instants {
		if t.After(now) && c.at(t) != shown {
			return t, true
		}
	}
	return time.Time{}, false
}
