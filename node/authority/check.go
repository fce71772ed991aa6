package authority

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/agreed"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/visited"
	"almenara/storage/audience"
	"almenara/storage/audience/lookup"
	"almenara/storage/rights"
)

// StaleAfter is the policy age from which on only licences of named scenarios count:
// whoever lost a right since cannot be known on a node that is alone.
const StaleAfter = 72 * time.Hour

// Loneliness is whether the node is alone at one moment.
type Loneliness struct {
	Alone bool
	Since time.Time     // of the loss of quorum by the node's clock; zero with quorum
	Age   time.Duration // of the policy: since the last quorum; negative: there never was any
}

// stale reports whether the policy is so old that only named scenarios count.
func (l Loneliness) stale() bool { return l.Age < 0 || l.Age > StaleAfter }

// Sources is all that the rules read. Every function may be called from any goroutine.
type Sources struct {
	Agreed   func() (agreed.Authority, error)
	Users    func() ([]storage.User, error)
	Audience func() *lookup.Index
	Alone    func() Loneliness
	Clock    func() time.Time
	Sender   func() string // the CAP sender of what the district writes itself
	// Recent lists what the author has sent since then and nobody has cancelled: one
	// warning in two halves is one.
	Recent func(author string, status alert.Status, since time.Time) []Message
	// Heard reports whether a message of the CAP sender is known that somebody other than
	// the author took in.
	Heard func(sender, author string) bool
}

// Rules answers who may do what. It holds no state of its own and may be used from any
// goroutine.
type Rules struct{ Sources }

// New makes the rules over what they read; every source is needed.
func New(s Sources) *Rules { return &Rules{s} }

// Message is what the rules read of one CAP message.
type Message struct {
	Key     alert.Key
	MsgType alert.MsgType
	Status  alert.Status
	Infos   []alert.Info // of what is sent, and of what is in force
	Author  string
	// Targets is whom each info block addresses. It may read the disk.
	Targets func() ([]audience.Target, error)
	// Addressed gives the members that it addressed when it was agreed on, wherever they are
	// now; nil where that is not known.
	Addressed func() (*roaring.Bitmap, error)
}

// Alert is what the rules read of an alert that is known here.
type Alert struct {
	ID       string
	Messages []Message // Alerts and Updates
	Standing *Message  // the one that is in force; nil where none is
	Also     []Message // of the same incident, to whose audience Standing speaks
}

// About is what an action is about.
type About struct {
	Message  Message     // that is sent, or is approved
	Direct   bool        // the node writes the message: it may be under the district's own sender
	Made     bool        // the node made the identifier, so no other message has it
	Changes  []Alert     // alerts that it ends, updates or joins
	Unknown  []alert.Key // what it references and is not known here
	Scenario rights.Scenario
	Asked    *rights.Demand // by that scenario, or by one of which an alert was made that it updates; nil: by none
	Passed   bool           // every level of a planned notice has passed it
	Reason   string
	Members  *roaring.Bitmap // whom it is about, of FollowUp and Moderate alone
}

// Right is by what right something is done: what the record says of it.
type Right struct {
	Loneliness
	Policy    uint64         // version of the policy
	Approvals uint32         // persons besides the author who must approve first
	Demand    *rights.Demand // why; nil where none must
	Licence   string         // "": none was needed
	Within    string         // place of the licence
}

// Check decides whether the caller may do this now, and what it still needs. A *wire.Problem says in one sentence why not; then nothing may be done. It is the same for every road.
func (r *Rules) Check(by Caller, action Action, about About) (Right, error) {
	line := LineOf(action)
	if action == Update && !May(by, Update) {
		line = LineOf(Correct) // who may only correct is held to that below
	}
	if err := line.role(by); err != nil {
		return Right{}, err
	}
	if line.Speaks {
		if err := r.Speaks(by, about); err != nil {
			return Right{}, err
		}
	}
	if line.Others {
		if err := r.over(by, about); err != nil {
			return Right{}, err
		}
	}
	if outside := visited.Outside(about.Message.Infos, by.Places...); line.Inside && len(outside) > 0 {
		return Right{}, wire.Problemf(wire.KindForbidden, "nothing was done: it recalls visitors of %s, outside %s, where %s may %s", outside[0], strings.Join(by.Places, " and "), by.Name, action).Because(why.VisitedOutside, outside[0], strings.Join(by.Places, " · "))
	}
	rules, err := r.Agreed()
	if err != nil {
		return Right{}, fmt.Errorf("reading the policy: %w", err)
	}
	right := Right{Loneliness: r.Alone(), Policy: rules.Version}
	if line.Alone == FreshPolicy && right.Alone && right.stale() {
		return right, wire.Problemf(wire.KindRefused, "nothing was done: this node has been alone since %s, and its policy is older than 72 hours, so who may %s is not known here; licensed scenarios, cancels and corrections still work",
			right.Since.UTC().Format(sinceForm), action).Because(why.PolicyOld, right.Since)
	}
	if action == Approve {
		return right, r.approves(by, about.Message, rules.Policy)
	}
	if action == FollowUp || action == Moderate {
		return right, r.inside(by, about.Members, "recorded", "say what was done")
	}
	if action == ReviewNotice {
		reach, err := r.reach(about.Message)
		if err != nil {
			return right, err
		}
		return right, r.inside(by, reach.members, "passed", "pass notices on")
	}
	if !line.Inside {
		return right, nil
	}
	return r.warns(by, line, about, right, rules)
}

// Speaks is the part of Check that needs nothing but the message's own key: what is refused for that is refused before it is even compared with what is known.
func (r *Rules) Speaks(by Caller, about About) error {
	if err := r.speaks(by, about.Message.Key.Sender, about.Direct); err != nil {
		return err
	}
	return r.names(by, about)
}

// role refuses whoever has none of the line's roles.
func (l Line) role(by Caller) error {
	switch {
	case l.People && by.System:
		return wire.Problemf(wire.KindForbidden, "%s is a central system, and only a person can %s", by.Name, l.Action).Because(why.PersonsOnly, by.Name)
	case May(by, l.Action):
		return nil
	case len(l.Roles) == len(Roles()):
		return wire.Problemf(wire.KindForbidden, "this needs a role, and %s has none", by.Name).Because(why.NoRole)
	}
	roles := l.Roles
	if len(roles) == 0 {
		roles = []string{RoleAdministrator}
	}
	return wire.Problemf(wire.KindForbidden, "this needs the role %s, which %s does not have", strings.Join(roles, " or "), by.Name).Because(why.RoleMissing, role(roles...))
}

// Door is Check for what needs no state: whether the caller's role opens the route at all.
func Door(by Caller, action Action) error { return LineOf(action).role(by) }

// warns holds a message to the audience and the policy, and a person's on a node that is alone to the rules for that.
func (r *Rules) warns(by Caller, line Line, about About, right Right, rules agreed.Authority) (Right, error) {
	addressed, err := r.reach(about.Message)
	if err != nil {
		return right, err
	}
	if err := r.inside(by, addressed.members, "sent", "warn"); err != nil {
		return right, err
	}
	switch {
	case line.Action != Update && line.Action != Correct:
	case r.corrects(by, about, addressed) && !visited.Wider(about.Message.Infos, about.Changes[0].Standing.Infos):
		line = LineOf(Correct)
	case line.Action == Correct:
		return right, wire.Problemf(wire.KindForbidden,
			"nothing was sent: %s may only correct, which is to say other words under the same CAP sender about one alert in force, to nobody wider, no louder and until the same end; a composer can send it", by.Name).Because(why.OnlyCorrects)
	}
	if !line.Policy || by.System || !alert.Presentable(about.Message.Status) {
		return right, nil
	}
	if line.Action == Send && !about.Passed && ChainOf(about.Scenario, rules.Policy) != nil && alert.Planned(about.Message.Status, about.Message.Infos) {
		return right, wire.Problemf(wire.KindRefused,
			"nothing was sent: this is a planned notice (its urgency is Future or Past), and here several persons read such a one before it goes out; write it as a notice, or say by its urgency that people must act within the hour").Because(why.NeedsLevels)
	}
	if right.Demand, err = r.demand(by, rules.Policy, about, addressed.members); err != nil {
		return right, err
	}
	if right.Demand != nil {
		right.Approvals = right.Demand.Rule.Approvals
	}
	if !right.Alone || line.Alone != Licensed {
		return right, nil
	}
	return r.alone(by, about, right, rules, addressed.members)
}

// ChainOf is what planned notices of a scenario go through: its own levels, or those of the policy; nil
// where there are none.
func ChainOf(s rights.Scenario, p rights.Policy) *rights.Chain {
	if s.Chain != nil {
		return s.Chain
	}
	return p.Chain
}

// approves holds an approver to the policy, to the author and to the caller's limits.
func (r *Rules) approves(by Caller, m Message, p rights.Policy) error {
	roles := append([]string{RoleAdministrator}, p.Approvers...)
	if len(p.Approvers) == 0 {
		roles = append(roles, RoleApprover)
	}
	switch {
	case m.Author == by.Name:
		return wire.Problemf(wire.KindForbidden, "%s wrote this alert; somebody else must approve it", by.Name).Because(why.OwnAlert)
	case !slices.ContainsFunc(by.Roles, func(role string) bool { return slices.Contains(roles, role) }):
		return wire.Problemf(wire.KindForbidden, "the policy lets %s approve, and %s is none of these", strings.Join(roles, ", "), by.Name).Because(why.NotApprover, role(roles...))
	case len(by.Senders) > 0 && !by.Speaks(m.Key.Sender):
		return wire.Problemf(wire.KindForbidden, "%s may not approve a message of the CAP sender %s", by.Name, m.Key.Sender).Because(why.NotForSender, m.Key.Sender)
	}
	reach, err := r.reach(m)
	if err != nil {
		return err
	}
	return r.inside(by, reach.members, "approved", "approve")
}

// role are roles as pages name them.
func role(names ...string) why.Words { return why.Words{Of: "role.", Values: names} }
