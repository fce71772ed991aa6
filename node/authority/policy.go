package authority

import (
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/authority/estates"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/rights"
)

const (
	// DistrictShare is the share of the district, in percent, from which on a rule for the
	// whole district holds: leaving out one screen of a hundred must not be the way around.
	DistrictShare = 80
	// RecentTime is how long what an author has sent counts together with what follows: one
	// warning in two halves is one.
	RecentTime = 10 * time.Minute
	// manyBlocks is how many blocks a district must have for a share of them to say much.
	manyBlocks = 5
)

// everyone selects every member.
var everyone, _ = audience.Parse("all")

// The values of CAP 1.2 §3.2.2, the least first. Unknown says nothing.
var (
	severities = []string{"Unknown", "Minor", "Moderate", "Severe", "Extreme"}
	urgencies  = []string{"Unknown", "Past", "Future", "Expected", "Immediate"}
)

// Severities and Urgencies are the values that a rule may name, the least first.
func Severities() []string { return slices.Clone(severities[1:]) }
func Urgencies() []string  { return slices.Clone(urgencies[1:]) } // Urgencies is likewise.

// level is the place of a value in its order.
func level(order []string, value string) int { return slices.Index(order, value) }

func severityOf(i alert.Info) string { return i.Severity }
func urgencyOf(i alert.Info) string  { return i.Urgency }

// demand is how many persons besides the author must approve, and why: the strictest rule
// that applies, or what a scenario asks for; nil where nobody must. Rules that count members
// count also whom the author has warned just before.
func (r *Rules) demand(by Caller, p rights.Policy, about About, members *roaring.Bitmap) (asked *rights.Demand, err error) {
	asked = about.Asked
	needed := asked.Approvals()
	var all *roaring.Bitmap
	for _, rule := range p.Rules {
		if rule.Approvals <= needed || !named(rule, about) {
			continue
		}
		if counts(rule) && all == nil {
			all = members.Clone()
			for _, m := range r.Recent(by.Name, about.Message.Status, r.Clock().Add(-RecentTime)) {
				before, err := r.reach(m)
				if err != nil {
					return nil, err
				}
				all.Or(before.members)
			}
		}
		if !counts(rule) || r.large(rule, all) {
			needed, asked = rule.Approvals, r.demandOf(rule, about, members, all)
		}
	}
	return asked, nil
}

// named reports whether everything holds that the rule names of the message itself. What is
// Unknown counts as high: leaving the word out must not be the way around a second person.
func named(rule rights.PolicyRule, about About) bool {
	high := func(order []string, from string, value func(alert.Info) string) bool {
		return from == "" || slices.ContainsFunc(about.Message.Infos, func(i alert.Info) bool {
			at := level(order, value(i))
			return at <= 0 || at >= level(order, from)
		})
	}
	return high(severities, rule.Severity, severityOf) && high(urgencies, rule.Urgency, urgencyOf) &&
		(rule.Scenario == "" || rule.Scenario == about.Scenario.ID)
}

func counts(rule rights.PolicyRule) bool { return rule.Members > 0 || rule.District || rule.Share > 0 }

// large reports whether as many members are addressed as the rule names.
func (r *Rules) large(rule rights.PolicyRule, members *roaring.Bitmap) bool {
	share := uint64(rule.Share)
	if rule.District {
		share = max(share, DistrictShare)
	}
	reached, _ := r.shareOf(members)
	return (rule.Members == 0 || members.GetCardinality() > rule.Members) && (share == 0 || reached >= share)
}

// shareOf is the share of the district in percent, rounded up: of members or, of manyBlocks or more, of blocks; the largest one.
func (r *Rules) shareOf(members *roaring.Bitmap) (share uint64, ofBlocks bool) {
	index := r.Audience()
	everybody, err := index.Select(everyone)
	if err != nil || everybody.IsEmpty() {
		return 0, false
	}
	some, all := index.Count(members, audience.BlockDepth), index.Count(everybody, audience.BlockDepth)
	percent := func(part, whole uint64) uint64 { return (part*100 + whole - 1) / whole }
	share, blocks := percent(some.Total, all.Total), uint64(len(all.ByPlace))
	if of := max(percent(uint64(len(some.ByPlace)), max(blocks, 1)), estates.Share(some.ByPlace, all.ByPlace, manyBlocks)); blocks >= manyBlocks && of > share {
		return of, true
	}
	return share, false
}
