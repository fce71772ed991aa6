package levels

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/wire"
	"almenara/node/wire/notices"
	"almenara/storage/rights"
)

// What could not be carried out is refused in a sentence that names the level.
func TestRecord_RefusesWhatNobodyCouldPass(t *testing.T) {
	good := notices.NoticeLevel{Title: "Estate office", Role: "approver", Checklist: []string{"the date is right"}}
	for name, c := range map[string]struct {
		change func(*notices.NoticeChain)
		says   string
	}{
		"no level":         {func(c *notices.NoticeChain) { c.Levels = nil }, "1 to 10 levels"},
		"too many":         {func(c *notices.NoticeChain) { c.Levels = make([]notices.NoticeLevel, 11) }, "1 to 10 levels"},
		"nobody":           {func(c *notices.NoticeChain) { c.Levels[0].Role = "" }, "neither a role nor people"},
		"a viewer":         {func(c *notices.NoticeChain) { c.Levels[0].Role = "viewer" }, "composer, approver, administrator are expected"},
		"more than named":  {func(c *notices.NoticeChain) { c.Levels[0].People, c.Levels[0].Count = []string{"amy"}, 2 }, "asks for 2 persons and names 1"},
		"minus one person": {func(c *notices.NoticeChain) { c.Levels[0].Count = -1 }, "asks for -1 persons"},
		"minus one hour":   {func(c *notices.NoticeChain) { c.Levels[0].Hours = -1 }, "after -1 hours"},
		"a year":           {func(c *notices.NoticeChain) { c.Levels[0].Hours = 8760 }, "after 8760 hours"},
		"an empty line":    {func(c *notices.NoticeChain) { c.Levels[0].Checklist = []string{" "} }, "a line to tick that is empty"},
		"a line twice":     {func(c *notices.NoticeChain) { c.Levels[0].Checklist = []string{"a", "a"} }, `the line "a" twice`},
		"an endless title": {func(c *notices.NoticeChain) { c.Levels[0].Title = strings.Repeat("x", 81) }, "a title that has more than 80 characters"},
		"an empty word":    {func(c *notices.NoticeChain) { c.Words = []notices.NoticeWord{{}} }, "a sensitive word of the chain is empty"},
		"a hidden word":    {func(c *notices.NoticeChain) { c.Words = []notices.NoticeWord{{Word: "a", Why: "a\x00"}} }, "characters that cannot be shown"},
	} {
		in := &notices.NoticeChain{Levels: []notices.NoticeLevel{good}}
		c.change(in)
		_, err := Record(in)
		var problem *wire.Problem
		require.ErrorAs(t, err, &problem, name)
		require.Equal(t, wire.KindRefused, problem.Kind, name)
		require.Contains(t, problem.Sentence, c.says, name)
	}
	in := &notices.NoticeChain{Levels: []notices.NoticeLevel{good, {People: []string{"zoe", "amy", "amy"}, Hours: 4}}, Words: []notices.NoticeWord{{Word: "panic", Why: "it frightens", Tick: true}}}
	out, err := Record(in)
	require.NoError(t, err)
	require.EqualValues(t, 1, out.Levels[0].Count, "one person, where nothing is said")
	require.Equal(t, []string{"amy", "zoe"}, out.Levels[1].People)
	back := Wire(out)
	require.Equal(t, in.Words, back.Words)
	again, err := Record(back)
	require.NoError(t, err)
	require.Equal(t, out, again, "what is shown can be put back")
	none, err := Record(nil)
	require.NoError(t, err)
	require.Nil(t, none)
	require.Nil(t, Wire(nil))
}

func person(name string, roles ...string) authority.Caller {
	return authority.Caller{Name: name, Roles: roles}
}

func TestAsks_TheRoleOrThoseWhoAreNamed(t *testing.T) {
	chief := rights.Level{Role: authority.RoleApprover, Count: 1}
	named := rights.Level{People: []string{"amy"}, Count: 1}
	both := rights.Level{Role: authority.RoleApprover, People: []string{"amy"}, Count: 1}
	amy, bob := person("amy", authority.RoleComposer), person("bob", authority.RoleApprover)
	require.True(t, Asks(chief, bob))
	require.False(t, Asks(chief, amy))
	require.True(t, Asks(named, amy))
	require.False(t, Asks(named, bob))
	require.False(t, Asks(both, amy), "she has not the role")
	require.True(t, Asks(both, person("amy", authority.RoleApprover)))
	require.True(t, Asks(chief, person("root", authority.RoleAdministrator)))
	require.False(t, Asks(named, person("amy", authority.RoleViewer)), "who may not review notices is not asked, named or not")
	system := bob
	system.System = true
	require.False(t, Asks(chief, system))
}

// Persons pass one level each: who is needed elsewhere is put there.
func TestShort_PutsEachPersonAtOneLevel(t *testing.T) {
	any := rights.Level{Role: authority.RoleComposer, Count: 1}
	amyOnly := rights.Level{People: []string{"amy"}, Count: 1}
	amy, bob := person("amy", authority.RoleComposer), person("bob", authority.RoleComposer)
	require.Equal(t, -1, Short([]rights.Level{any, amyOnly}, []authority.Caller{amy, bob}), "bob passes the first")
	require.Equal(t, 1, Short([]rights.Level{any, amyOnly}, []authority.Caller{amy}))
	require.Equal(t, 1, Short([]rights.Level{any, amyOnly, any}, []authority.Caller{bob}))
	require.Equal(t, 0, Short([]rights.Level{{Role: authority.RoleComposer, Count: 3}}, []authority.Caller{amy, bob}))
	require.Equal(t, -1, Short(nil, nil))
}
