package node

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/fsm"
	"almenara/node/api"
	"almenara/node/wire"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// sinceForm is how sentences write a moment.
const sinceForm = "15:04:05 UTC on 2 January"

// ruling is by what right a message goes out, for its record.
type ruling struct {
	loneliness
	policy    uint64
	approvals uint32 // persons besides the author who must approve first
	licence   string // "": none was needed
	within    string // place of the licence
}

// rule decides whether the caller may send the message now, and what it still needs.
// targets are whom it addresses; the message has been admitted. What it refuses has
// not happened.
func (n *Node) rule(in intake, targets []audience.Target) (ruling, error) {
	rules, err := n.state.Authority()
	if err != nil {
		return ruling{}, fmt.Errorf("reading the policy: %w", err)
	}
	r := ruling{loneliness: n.contact.now(), policy: rules.Version}
	if in.alert.MsgType == alert.MsgTypeCancel {
		return r, nil // an end needs nobody else
	}
	addressed, err := n.addressedBy(targets)
	if err != nil {
		return r, fmt.Errorf("resolving targets: %w", err)
	}
	members := addressed.members
	if err := n.inPlaces(in.by, members); err != nil {
		return r, err
	}
	if !alert.Presentable(in.alert.Status) || len(in.by.Senders) > 0 || n.corrects(in.alert, addressed) {
		return r, nil
	}
	r.approvals = n.approvalsFor(rules.Policy, in, members)
	if !r.alone {
		return r, nil
	}
	return n.ruleAlone(in, r, rules, members)
}

// inPlaces keeps a caller of some places to those.
func (n *Node) inPlaces(by api.Caller, members *roaring.Bitmap) error {
	if len(by.Places) == 0 {
		return nil
	}
	outside, err := n.outside(members, by.Places...)
	if err != nil {
		return err
	}
	if outside > 0 {
		return wire.Problemf(wire.KindForbidden, "nothing was sent: it addresses %d members outside %s, where %s may warn",
			outside, strings.Join(by.Places, " and "), by.Name)
	}
	return nil
}

// outside counts the members that are not below any of the places.
func (n *Node) outside(members *roaring.Bitmap, places ...string) (uint64, error) {
	under, err := underPlaces(places)
	if err != nil {
		return 0, err
	}
	inside, err := n.state.Index().Select(under)
	if err != nil {
		return 0, fmt.Errorf("selecting a place: %w", err)
	}
	return roaring.AndNot(members, inside).GetCardinality(), nil
}

// underPlaces selects everybody below any of the places; none gives the zero selection.
func underPlaces(places []string) (audience.Selection, error) {
	var terms []string
	for _, p := range places {
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p)
		terms = append(terms, `place under "`+quoted+`"`)
	}
	if len(terms) == 0 {
		return audience.Selection{}, nil
	}
	s, err := audience.Parse(strings.Join(terms, " or "))
	if err != nil {
		return s, wire.Problemf(wire.KindRefused, "%s is not a place: %v", strings.Join(places, ", "), err)
	}
	return s, nil
}

// corrects reports whether the message is an Update that neither widens the audience
// nor raises severity, urgency or loudness of the one alert that it references and that
// is in force, for any of its members: that never needs anybody else, as little as a
// cancel.
func (n *Node) corrects(a *alert.Alert, addressed reach) bool {
	if a.MsgType != alert.MsgTypeUpdate || len(a.References) == 0 {
		return false
	}
	s := n.referenced(a)
	if s == nil {
		return false
	}
	m := s.current()
	standing, _ := n.desk.standing(m, n.options.Clock())
	if standing != alert.InForce || m.entry.Status != a.Status {
		return false
	}
	now, err := n.reach(m, s.also(m)...)
	if err != nil {
		return false
	}
	for i, info := range a.Infos {
		if !roaring.AndNot(addressed.perInfo[i], now.asLoud(m.alert.Infos, info)).IsEmpty() {
			return false
		}
	}
	return true
}

// asLoud is who is addressed by blocks that are together at least as loud as the given
// one.
func (r reach) asLoud(infos []alert.Info, as alert.Info) *roaring.Bitmap {
	severe, urgent, grave := roaring.New(), roaring.New(), roaring.New()
	for i, info := range infos[:min(len(infos), len(r.perInfo))] {
		if level(severities, info.Severity) >= level(severities, as.Severity) {
			severe.Or(r.perInfo[i])
		}
		if level(urgencies, info.Urgency) >= level(urgencies, as.Urgency) {
			urgent.Or(r.perInfo[i])
		}
		if info.Grave() || !as.Grave() {
			grave.Or(r.perInfo[i])
		}
	}
	severe.And(urgent)
	severe.And(grave)
	return severe
}

// referenced is the one alert of the desk that every reference names; nil otherwise.
func (n *Node) referenced(a *alert.Alert) (s *story) {
	for _, ref := range a.References {
		next := n.deskStory(ref.ID())
		if next == nil || next.current() == nil || s != nil && next.id != s.id {
			return nil
		}
		s = next
	}
	return s
}

// The values of CAP 1.2 §3.2.2, the least first. Unknown says nothing.
var (
	severities = []string{"Unknown", "Minor", "Moderate", "Severe", "Extreme"}
	urgencies  = []string{"Unknown", "Past", "Future", "Expected", "Immediate"}
)

// level is the place of a value in its order.
func level(order []string, value string) int { return slices.Index(order, value) }

func severityOf(i alert.Info) string { return i.Severity }
func urgencyOf(i alert.Info) string  { return i.Urgency }

// approvalsFor is how many persons besides the author must approve: the strictest rule
// that applies, and what the scenario asks for.
func (n *Node) approvalsFor(p storage.Policy, in intake, members *roaring.Bitmap) uint32 {
	needed := in.scenario.Approvals
	for _, rule := range p.Rules {
		if n.applies(rule, in, members) {
			needed = max(needed, rule.Approvals)
		}
	}
	return needed
}

// applies reports whether everything that the rule names holds. What is Unknown counts
// as high: leaving the word out must not be the way around a second person.
func (n *Node) applies(rule storage.PolicyRule, in intake, members *roaring.Bitmap) bool {
	high := func(order []string, from string, value func(alert.Info) string) bool {
		return from == "" || slices.ContainsFunc(in.alert.Infos, func(i alert.Info) bool {
			at := slices.Index(order, value(i))
			return at <= 0 || at >= slices.Index(order, from)
		})
	}
	count := members.GetCardinality()
	return high(severities, rule.Severity, severityOf) && high(urgencies, rule.Urgency, urgencyOf) &&
		(rule.Members == 0 || count > rule.Members) &&
		(!rule.District || count > 0 && count == uint64(n.state.Index().Len())) &&
		(rule.Scenario == "" || rule.Scenario == in.scenario.ID)
}

// ruleAlone holds a person's message against the rules of a node that is alone: a
// licence, or the approvals that the policy asks for, while the policy is young enough.
func (n *Node) ruleAlone(in intake, r ruling, rules fsm.Authority, members *roaring.Bitmap) (ruling, error) {
	refuse := func(format string, args ...any) (ruling, error) {
		return r, n.refuseAlone(in.by, r, rules, fmt.Sprintf(format, args...))
	}
	license, why := n.licenceFor(in, r, rules, members)
	if license != nil {
		if in.reason == "" {
			return refuse("a reason is needed")
		}
		r.licence, r.within, r.approvals = license.ID, license.Place, 0
		return r, nil
	}
	if r.approvals > 0 && !r.stale() {
		return r, nil
	}
	return refuse("%s", why)
}

// licenceFor finds a licence of the caller that covers the message, or says why none
// does.
func (n *Node) licenceFor(in intake, r ruling, rules fsm.Authority, members *roaring.Bitmap) (*storage.Licence, string) {
	what := "this needs a licence for free texts"
	if in.scenario.ID != "" {
		what = "this needs a licence for the scenario " + in.scenario.ID
	}
	for _, l := range n.licences(in.by, r, rules) {
		if !slices.Contains(l.Scenarios, in.scenario.ID) && !slices.Contains(l.Scenarios, storage.AnyScenario) {
			continue
		}
		outside, err := n.outside(members, l.Place)
		if err != nil || outside > 0 {
			what = fmt.Sprintf("%d of the members are outside %s, where your licence holds", outside, l.Place)
			continue
		}
		return &l, ""
	}
	return nil, what
}

// licences are those that the caller may use now. An old policy leaves named scenarios
// only.
func (n *Node) licences(by api.Caller, r ruling, rules fsm.Authority) (good []storage.Licence) {
	now := n.options.Clock().UnixMilli()
	for _, l := range rules.Licences {
		if l.Operator != by.Name || l.Revoked || now >= l.Until {
			continue
		}
		if r.stale() {
			l.Scenarios = slices.DeleteFunc(slices.Clone(l.Scenarios), func(id string) bool { return id == storage.AnyScenario })
		}
		if len(l.Scenarios) > 0 {
			good = append(good, l)
		}
	}
	return good
}

// refuseAlone says in one sentence why nothing was sent and what still works for the
// caller.
func (n *Node) refuseAlone(by api.Caller, r ruling, rules fsm.Authority, why string) error {
	var still []string
	for _, l := range n.licences(by, r, rules) {
		what := "the scenarios " + strings.Join(l.Scenarios, ", ")
		if slices.Contains(l.Scenarios, storage.AnyScenario) {
			what = "any scenario or free text"
		}
		still = append(still, fmt.Sprintf("%s in %s until %s", what, l.Place, time.UnixMilli(l.Until).UTC().Format(sinceForm)))
	}
	policy := ""
	if r.stale() {
		policy = ", and its policy is older than 72 hours"
	}
	licensed := "you have no licence that holds now"
	if len(still) > 0 {
		licensed = "with a reason you may send " + strings.Join(still, "; ")
	}
	return wire.Problemf(wire.KindRefused, "nothing was sent: this node has been alone since %s%s, and %s; %s; cancels and corrections always work",
		r.since.UTC().Format(sinceForm), policy, why, licensed)
}
