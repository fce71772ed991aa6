package command

import (
	"fmt"
	"slices"
	"strconv"

	"almenara/cluster/fact"
	"almenara/storage/factbody"
	"almenara/storage/rights"
)

// Newest is the newest version of an entry that this code knows. Any change of a
// payload, also an added field, and every new kind of fact needs a new one: an old
// node that skipped what it does not know would differ from its peers from then on.
//
//	1  the first
//	2  approvals and spells of being alone as facts; scenarios, licences, policy;
//	   places of a user
//	3  users that are central systems; policy rules for a share of the district; what a
//	   fact of an alert says of times, authority and large originals; a node's version
//	   and addresses from the moment when it is admitted
//	4  passwords, second factors and sessions of people
//	5  scenarios that say what may fill their blanks, with a checklist and sensitive words
//	6  approvals that were read out and typed in by somebody else; facts of what people did about
//	   an alert after it was sent
//	7  changes of what a user may do
//	8  facts of what people reported by their devices, and of what others made of that
//	9  alerts that say which groups are called where too few answer, and how often devices are
//	   reminded, and scenarios that do; facts that a group was called, and that somebody was not told
//	10 planned notices, and the levels that they go through
//	11 facts of what residents without an account answered
//	12 persons erased, with facts and audit lines that lose their words; how long what is known of
//	   people is kept
//	13 changes of one place, which may go with all that is in it to another path
//	14 passkeys
//	15 scenarios that are put only where they are still what was read
//	16 answers of erased persons that lose their own words
const Newest = 16

// limit lowers Max for a drill of a rolling upgrade, at link time only:
// -ldflags "-X almenara/cluster/command.limit=1" makes a build that speaks version 1.
var limit string

// Max is the highest version that this build reads and writes: Newest, but for drills.
func Max() uint64 {
	if n, err := strconv.ParseUint(limit, 10, 64); err == nil && n >= 1 && n <= Newest {
		return n
	}
	return Newest
}

// grown is a payload of an older version that has grown since: version is the lowest
// version that can carry what is in it.
type grown interface{ version() uint64 }

// VersionOf is the lowest version that can carry the payload: what Encode writes, so
// that nodes which were not upgraded yet can read whatever concerns them. It is over
// Newest for what this code does not know, a fact of a newer kind.
func VersionOf(p Payload) uint64 {
	version := types[p.Type()].since
	if g, ok := p.(grown); ok {
		version = max(version, g.version())
	}
	return version
}

// EntryVersion is the version of an encoded entry; 1 for what is no entry at all.
func EntryVersion(b []byte) uint64 {
	var probe struct {
		Version uint64 `cbor:"1,keyasint"`
	}
	if lenient.Unmarshal(b, &probe) != nil {
		return 1
	}
	return max(probe.Version, 1)
}

// writable is the version to write, unless this build does not speak it.
func writable(p Payload) (uint64, error) {
	version := VersionOf(p)
	if version > Max() {
		return 0, fmt.Errorf("%w: %s needs version %d", ErrUnknownVersion, p.Type(), version)
	}
	return version, nil
}

// known reports whether this build reads entries of the version and type.
func known(t Type, version uint64) bool {
	k, ok := types[t]
	return ok && version <= Max() && k.since <= version
}

// tooNew refuses what the entry's own version does not have: software of that version
// stops there, and so must everybody. Facts are no part of it: whoever adopts a fact
// of a kind that the entry's version does not know records it without effect.
func tooNew(p Payload, version uint64) error {
	if _, facts := p.(*AdoptFacts); facts || VersionOf(p) <= version {
		return nil
	}
	return fmt.Errorf("%w: %s with fields of version %d in version %d", ErrUnknownVersion, p.Type(), VersionOf(p), version)
}

// version is that of the newest kind among the facts, and of what is in alerts.
func (p *AdoptFacts) version() uint64 {
	version := uint64(1)
	for _, f := range p.Facts {
		since := f.Kind().Since()
		if since == 0 {
			since = Newest + 1
		}
		if f.Erased() {
			since = max(since, PersonalSince)
		}
		version = max(version, since, bodyVersion(f))
	}
	return version
}

// grownTo is the version that a payload needs where it has something that was added in one version, or else in which
// it began.
func grownTo(has bool, added, began uint64) uint64 {
	if has {
		return added
	}
	return began
}

// version is 3 for a node that said what it understands.
func (p *PutNode) version() uint64 { return grownTo(p.Node.Version > 0, 3, 1) }

// bodyVersion is the version that the body of a fact needs, where bodies of its kind have grown;
// 1 for other facts.
func bodyVersion(s fact.Signed) uint64 {
	of := map[fact.Kind]func([]byte) uint64{fact.KindAlert: factbody.IssueVersion, fact.KindApproval: factbody.ApprovalVersion, fact.KindFollowUp: factbody.FollowUpVersion, fact.KindResidents: factbody.ResidentsVersion}[s.Kind()]
	if of == nil {
		return 1
	}
	f, err := s.Fact()
	if err != nil {
		return 1
	}
	return of(f.Body)
}

// version is 3 where a device must be new.
func (p *PutDevices) version() uint64 { return grownTo(len(p.New) > 0, 3, 1) }

// version is 14 for a person with passkeys.
func (p *PutCredential) version() uint64 { return grownTo(len(p.Credential.Passkeys) > 0, 14, 4) }

// version is 14 for a session that a passkey began.
func (p *BeginSession) version() uint64 { return grownTo(p.Passkey != nil, 14, 4) }

// AnswersSince is the version from which on answers lose the words of erased persons.
const AnswersSince = 16

// version is 16 for a step of a search that goes through answers, too.
func (p *EraseTraces) version() uint64 { return grownTo(p.Answers, AnswersSince, PersonalSince) }

// version is 2 for a user of some places, and 3 for one whose kind is said.
func (p *PutUser) version() uint64 {
	switch {
	case p.Change:
		return 7
	case p.User.Kind != "":
		return 3
	case len(p.User.Places) > 0:
		return 2
	}
	return 1
}

// ScenarioWasSince is the version that says what a scenario was when it was read.
const ScenarioWasSince = 15

// version is 5 for a scenario that says more than its texts and whom they address, 9 for one that says
// what nodes do by themselves after it was sent, 10 for one with levels, and 15 for one that
// must still be what was read.
func (p *PutScenario) version() uint64 {
	switch {
	case len(p.Was) > 0:
		return ScenarioWasSince
	case p.Scenario.Chain != nil:
		return 10
	case p.Scenario.Follows():
		return 9
	case p.Scenario.Said():
		return 5
	}
	return 2
}

// version is 3 for a policy that knows shares of the district, and 10 for one with levels.
func (p *PutPolicy) version() uint64 {
	if p.Policy.Chain != nil {
		return 10
	}
	if slices.ContainsFunc(p.Policy.Rules, func(r rights.PolicyRule) bool { return r.Share > 0 }) {
		return 3
	}
	return 2
}
