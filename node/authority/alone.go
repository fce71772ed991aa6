package authority

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/agreed"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert/visited"
	"almenara/storage/rights"
)

// sinceForm is how sentences write a moment.
const sinceForm = "15:04:05 UTC on 2 January"

// alone holds a person's message against the rules of a node that is alone: a licence, or
// the approvals that the policy asks for, while the policy is young enough.
func (r *Rules) alone(by Caller, about About, right Right, rules agreed.Authority, members *roaring.Bitmap) (Right, error) {
	refuse := func(format string, args ...any) (Right, error) {
		return right, r.refuseAlone(by, right, rules, fmt.Sprintf(format, args...))
	}
	license, why := r.licenceFor(by, about, right, rules, members)
	if license != nil {
		if about.Reason == "" {
			return refuse("a reason is needed")
		}
		right.Licence, right.Within, right.Approvals, right.Demand = license.ID, license.Place, 0, nil
		return right, nil
	}
	if right.Approvals > 0 && !right.stale() {
		return right, nil
	}
	return refuse("%s", why)
}

// licenceFor finds a licence of the caller that covers a message of the scenario, "" for a
// free text, or says why none does.
func (r *Rules) licenceFor(by Caller, about About, right Right, rules agreed.Authority, members *roaring.Bitmap) (*rights.Licence, string) {
	what, scenario := "this needs a licence for free texts", about.Scenario.ID
	if scenario != "" {
		what = "this needs a licence for the scenario " + cmp.Or(about.Scenario.Title, scenario)
	}
	for _, l := range r.licences(by, right, rules) {
		if !slices.Contains(l.Scenarios, scenario) && !slices.Contains(l.Scenarios, rights.AnyScenario) {
			continue
		}
		outside, err := r.outside(members, l.Place)
		if outside += uint64(len(visited.Outside(about.Message.Infos, l.Place))); err != nil || outside > 0 {
			what = fmt.Sprintf("%d of the members are outside %s, where your licence holds; a place outside whose visitors it recalls counts as one", outside, l.Place)
			continue
		}
		return &l, ""
	}
	return nil, what
}

// licences are those that the caller may use now. An old policy leaves named scenarios
// only.
func (r *Rules) licences(by Caller, right Right, rules agreed.Authority) (good []rights.Licence) {
	now := r.Clock().UnixMilli()
	for _, l := range rules.Licences {
		if l.Operator != by.Name || l.Revoked || now >= l.Until {
			continue
		}
		if right.stale() {
			l.Scenarios = slices.DeleteFunc(slices.Clone(l.Scenarios), func(id string) bool { return id == rights.AnyScenario })
		}
		if len(l.Scenarios) > 0 {
			good = append(good, l)
		}
	}
	return good
}

// refuseAlone says in one sentence why nothing was sent and what still works for the
// caller.
func (r *Rules) refuseAlone(by Caller, right Right, rules agreed.Authority, reason string) error {
	var still []string
	for _, l := range r.licences(by, right, rules) {
		what := "the scenarios " + strings.Join(l.Scenarios, ", ")
		if slices.Contains(l.Scenarios, rights.AnyScenario) {
			what = "any scenario or free text"
		}
		still = append(still, fmt.Sprintf("%s in %s until %s", what, l.Place, time.UnixMilli(l.Until).UTC().Format(sinceForm)))
	}
	policy := ""
	if right.stale() {
		policy = ", and its policy is older than 72 hours"
	}
	licensed := "you have no licence that holds now"
	if len(still) > 0 {
		licensed = "with a reason you may send " + strings.Join(still, "; ")
	}
	return wire.Problemf(wire.KindRefused, "nothing was sent: this node has been alone since %s%s, and %s; %s; cancels and corrections always work",
		right.Since.UTC().Format(sinceForm), policy, reason, licensed).Because(why.Alone, right.Since)
}
