package authority

import (
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/rights"
)

// demandOf says why the rule asks: what it was held against. members are those of the message,
// all of them with those whom its author has warned just before; they are read only where the
// rule counts.
func (r *Rules) demandOf(rule rights.PolicyRule, about About, members, all *roaring.Bitmap) *rights.Demand {
	d := &rights.Demand{Rule: rule}
	if rule.Severity != "" {
		d.Severity = gravest(about.Message.Infos, severities, rule.Severity, severityOf)
	}
	if rule.Urgency != "" {
		d.Urgency = gravest(about.Message.Infos, urgencies, rule.Urgency, urgencyOf)
	}
	if counts(rule) {
		d.Members = all.GetCardinality()
		d.Recent = d.Members - members.GetCardinality()
		share, blocks := r.shareOf(all)
		d.Share, d.Blocks = uint32(share), blocks
	}
	return d
}

// gravest is the value of the blocks for which a rule holds: the highest, or an unknown one where
// none reaches what the rule names.
func gravest(infos []alert.Info, order []string, from string, value func(alert.Info) string) string {
	best := slices.MaxFunc(infos, func(a, b alert.Info) int { return level(order, value(a)) - level(order, value(b)) })
	if level(order, value(best)) >= level(order, from) {
		return value(best)
	}
	i := slices.IndexFunc(infos, func(i alert.Info) bool { return level(order, value(i)) <= 0 })
	return value(infos[max(0, i)])
}

// DemandOut is why approvals are needed, for people and programs; nil where none are, or where
// software that did not record it took the message in.
func DemandOut(d *rights.Demand) *wire.Demand {
	if d == nil {
		return nil
	}
	out := &wire.Demand{
		Rule: RuleOut(d.Rule), Scenario: d.Scenario, Severity: d.Severity, Urgency: d.Urgency,
		Members: d.Members, Share: d.Share, Blocks: d.Blocks, Recent: d.Recent,
	}
	out.Sentence = sentenceOf(*out)
	return out
}

// RuleOut is a rule of the policy as the API has it.
func RuleOut(r rights.PolicyRule) wire.PolicyRule {
	return wire.PolicyRule{
		Severity: r.Severity, Urgency: r.Urgency, Members: r.Members, District: r.District, Scenario: r.Scenario,
		Share: int(r.Share), Approvals: int(r.Approvals),
	}
}

// sentenceOf says what the message is, and from where on the policy asks.
func sentenceOf(d wire.Demand) string {
	if d.Scenario != "" {
		return fmt.Sprintf("the scenario that it is made from asks for %s", approvals(d.Rule.Approvals))
	}
	measured := func(value string, order []string) string {
		if level(order, value) <= 0 {
			return value + ", which counts above " + order[len(order)-1]
		}
		return value
	}
	var is []string
	if d.Rule.Severity != "" {
		is = append(is, "its severity is "+measured(d.Severity, severities))
	}
	if d.Rule.Urgency != "" {
		is = append(is, "its urgency is "+measured(d.Urgency, urgencies))
	}
	if d.Rule.Scenario != "" {
		is = append(is, "it is made from that scenario")
	}
	if d.Members > 0 {
		is = append(is, "it addresses "+reached(d))
	}
	asks := "the policy asks for " + RuleText(d.Rule)
	if len(is) == 0 {
		return asks
	}
	return strings.Join(is, " and ") + ", and " + asks
}

// reached says how many are addressed, as the rule counts them.
func reached(d wire.Demand) string {
	recent := ""
	if d.Recent > 0 {
		recent = fmt.Sprintf(", of whom %d by what its author sent in the %d minutes before, which is added", d.Recent, int(RecentTime.Minutes()))
	}
	if shareOf(d.Rule) == 0 {
		return fmt.Sprintf("%d members%s", d.Members, recent)
	}
	of := map[bool]string{true: "blocks", false: "members"}[d.Blocks]
	return fmt.Sprintf("%d %% of the district's %s (%d members%s)", d.Share, of, d.Members, recent)
}

// shareOf is the share of the district from which on a rule holds, in percent; 0: it names none.
func shareOf(r wire.PolicyRule) int {
	if r.District {
		return max(r.Share, DistrictShare)
	}
	return r.Share
}

// RuleText says what a rule asks for: "1 approval from severity Severe on and from 80 % of the
// district on".
func RuleText(r wire.PolicyRule) string {
	var from []string
	if r.Severity != "" {
		from = append(from, "from severity "+r.Severity+" on")
	}
	if r.Urgency != "" {
		from = append(from, "from urgency "+r.Urgency+" on")
	}
	if r.Scenario != "" {
		from = append(from, "for the scenario "+r.Scenario)
	}
	if r.Members > 0 {
		from = append(from, fmt.Sprintf("for more than %d members", r.Members))
	}
	if share := shareOf(r); share > 0 {
		from = append(from, fmt.Sprintf("from %d %% of the district on", share))
	}
	if len(from) == 0 {
		from = []string{"of every alert"}
	}
	return approvals(r.Approvals) + " " + strings.Join(from, " and ")
}

func approvals(n int) string {
	if n == 1 {
		return "1 approval"
	}
	return fmt.Sprintf("%d approvals", n)
}

// minimalDemand leaves out how many members a rule counted, for who sees only rounded counts.
func minimalDemand(a *wire.Approvals) *wire.Approvals {
	if a == nil || a.Why == nil || a.Why.Members == 0 {
		return a
	}
	out, why := *a, *a.Why
	why.Members, why.Share, why.Recent, why.Blocks = 0, 0, 0, false
	why.Sentence = fmt.Sprintf("a rule of the policy that counts members asks for %s", approvals(why.Rule.Approvals))
	out.Why = &why
	return &out
}
