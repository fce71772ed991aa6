// Package levels says what the levels of planned notices may be, whom one asks for, and whether there
// are enough persons for all of them. It reads nothing that is agreed and has no clock. It never imports
// another part of node but authority, scenario and wire.
package levels

import (
	"slices"
	"strings"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/scenario"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/node/wire/why"
	"almenara/storage/coded"
	"almenara/storage/rights"
)

const (
	mostTitle = 80  // characters of a level's title
	mostLine  = 200 // characters of a line of a checklist, a word, or why
	mostHours = 720
)

// Record is the record of a chain that somebody wrote; nil for none. What could not be carried out is
// refused with a *wire.Problem.
func Record(in *notices.NoticeChain) (*rights.Chain, error) {
	if in == nil {
		return nil, nil
	}
	if len(in.Levels) == 0 || len(in.Levels) > command.MaxLevels {
		return nil, wire.Problemf(wire.KindRefused, "a chain has 1 to %d levels", command.MaxLevels).Because(why.LevelsMany, command.MaxLevels)
	}
	if len(in.Words) > command.MaxWords {
		return nil, wire.Problemf(wire.KindRefused, "a chain has %d sensitive words at most", command.MaxWords).Because(why.CareWordsMany, command.MaxWords)
	}
	out := &rights.Chain{}
	for i, l := range in.Levels {
		one, err := level(i+1, l)
		if err != nil {
			return nil, err
		}
		out.Levels = append(out.Levels, one)
	}
	for _, w := range in.Words {
		if bad := scenario.BadText(w.Word, mostLine); bad != nil {
			return nil, wire.Problemf(wire.KindRefused, "a sensitive word of the chain %s", bad).Because(why.CareWordUnfit, mostLine)
		}
		if bad := scenario.BadText(w.Why, mostLine); w.Why != "" && bad != nil {
			return nil, wire.Problemf(wire.KindRefused, "why %q is a sensitive word %s", w.Word, bad).Because(why.CareWordUnfit, mostLine)
		}
		out.Words = append(out.Words, rights.Word{Word: w.Word, Why: w.Why, Tick: w.Tick})
	}
	return out, nil
}

func level(n int, l notices.NoticeLevel) (rights.Level, error) {
	roles := append(authority.NoticeRoles(), authority.RoleAdministrator)
	out := rights.Level{Title: l.Title, Role: l.Role, People: slices.Compact(slices.Sorted(slices.Values(l.People))), Count: uint32(max(l.Count, 1)), Hours: uint32(max(l.Hours, 0)), Checklist: l.Checklist}
	refuse := func(code, format string, args ...any) (rights.Level, error) {
		said := coded.Errorf(code, format, args...)
		return out, wire.Problemf(wire.KindRefused, "level %d %v", n, said).Because(why.LevelWrong, n, said)
	}
	switch {
	case l.Role == "" && len(l.People) == 0:
		return refuse("level-nobody", "names neither a role nor people, so nobody could pass a notice on there")
	case l.Role != "" && !slices.Contains(roles, l.Role):
		return refuse("level-role", "asks for the role %q; %s are expected", l.Role, strings.Join(roles, ", "))
	case len(out.People) > command.MaxPeople:
		return refuse("level-people", "names more than %d people", command.MaxPeople)
	case l.Count < 0 || l.Count > command.MaxApprovals:
		return refuse("level-persons", "asks for %d persons; 1 to %d are expected", l.Count, command.MaxApprovals)
	case len(out.People) > 0 && int(out.Count) > len(out.People):
		return refuse("level-names", "asks for %d persons and names %d", out.Count, len(out.People))
	case l.Hours < 0 || l.Hours > mostHours:
		return refuse("level-hours", "is overdue after %d hours; 1 to %d are expected", l.Hours, mostHours)
	case len(l.Checklist) > command.MaxBlanks:
		return refuse("level-lines", "has more than %d lines to tick", command.MaxBlanks)
	}
	if bad := scenario.BadText(l.Title, mostTitle); l.Title != "" && bad != nil {
		return refuse("level-title", "has a title that %s", bad)
	}
	for i, line := range l.Checklist {
		if bad := scenario.BadText(line, mostLine); bad != nil {
			return refuse("level-line", "has a line to tick that %s", bad)
		}
		if slices.Contains(l.Checklist[:i], line) {
			return refuse("level-twice", "has the line %q twice", line)
		}
	}
	for _, name := range out.People {
		if bad := scenario.BadText(name, mostTitle); bad != nil {
			return refuse("level-name", "names somebody whose name %s", bad)
		}
	}
	return out, nil
}

// Wire is a chain as the API shows it; nil for none.
func Wire(c *rights.Chain) *notices.NoticeChain {
	if c == nil {
		return nil
	}
	out := &notices.NoticeChain{}
	for _, l := range c.Levels {
		out.Levels = append(out.Levels, WireLevel(l))
	}
	for _, w := range c.Words {
		out.Words = append(out.Words, notices.NoticeWord{Word: w.Word, Why: w.Why, Tick: w.Tick})
	}
	return out
}

// WireLevel is a level as the API shows it.
func WireLevel(l rights.Level) notices.NoticeLevel {
	return notices.NoticeLevel{Title: l.Title, Role: l.Role, People: l.People, Count: int(l.Count), Hours: int(l.Hours), Checklist: l.Checklist}
}

// Asks reports whether a level asks for the caller, whoever wrote the notice.
func Asks(l rights.Level, by authority.Caller) bool {
	if authority.Door(by, authority.ReviewNotice) != nil || len(l.People) > 0 && !slices.Contains(l.People, by.Name) {
		return false
	}
	return l.Role == "" || slices.Contains(by.Roles, l.Role) || slices.Contains(by.Roles, authority.RoleAdministrator)
}

// Short is the first level for which there are too few persons who may pass a notice on, from 0, where
// each passes one level only; -1 where there are enough. all are those who may pass notices on at all,
// without the author.
func Short(all []rights.Level, people []authority.Caller) int {
	seat := map[string]int{} // by name: the place that the person takes
	var places []rights.Level
	var take func(place int, tried map[string]bool) bool
	take = func(place int, tried map[string]bool) bool {
		for _, p := range people {
			if tried[p.Name] || !Asks(places[place], p) {
				continue
			}
			tried[p.Name] = true
			if held, taken := seat[p.Name]; !taken || take(held, tried) {
				seat[p.Name] = place
				return true
			}
		}
		return false
	}
	for i, l := range all {
		for range l.Count {
			places = append(places, l)
			if !take(len(places)-1, map[string]bool{}) {
				return i
			}
		}
	}
	return -1
}
