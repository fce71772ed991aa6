package imports

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/audience"
	"almenara/storage/coded"
)

func TestDiff_TellsWhatWouldChange(t *testing.T) {
	existing := map[string]*audience.Member{
		"same":  {ID: "same", Kind: "kiosk", Place: "a"},
		"moved": {ID: "moved", Kind: "kiosk", Place: "tuen-mun/a", Tags: []audience.Tag{{Name: "old", Value: "1"}}, Languages: []string{"en", "zh"}},
		"gone":  {ID: "gone", Kind: "kiosk", Place: "a"},
	}
	lookup := func(id string) (*audience.Member, bool) { m, ok := existing[id]; return m, ok }
	file := "id,kind,place,tags,languages,lat,lon,endpoints\nsame,kiosk,a,,,,,\nmoved,kiosk,tuen-mun/b,risk=high,zh;en,1,2,sms:+85291234567\nnew,screen,b,,,,,\n"
	d := NewDiffer(lookup, maps.Keys(existing))
	report, err := Scan(strings.NewReader(file), d.Visit)
	require.NoError(t, err)
	require.True(t, report.OK())
	diff := d.Finish()
	require.Equal(t, []int{1, 1, 1, 1}, []int{diff.Added, diff.Changed, diff.Removed, diff.Unchanged})
	require.Equal(t, []string{
		"~ moved: place tuen-mun/a → tuen-mun/b; tags +risk=high -old=1; languages in an…",
		"+ new: screen at b",
		"- gone",
	}, texts(diff.Changes))
	code, with := coded.Find(diff.Changes[0]).Saying()
	require.Equal(t, []any{"import-changes", "moved"}, []any{code, with[0]})
	require.Equal(t, []string{
		"place tuen-mun/a → tuen-mun/b", "tags +risk=high -old=1", "languages in another order", "location none → 1,2", "endpoints +sms:+85291234567",
	}, texts(with[1].([]error)), "what a line has no room for is there")
	require.Equal(t, diff, d.Finish(), "finishing again changes nothing")

	d = NewDiffer(lookup, nil)
	_, err = Scan(strings.NewReader(file), d.Visit)
	require.NoError(t, err)
	require.Zero(t, d.Finish().Removed)
}

func texts(all []error) (out []string) {
	for _, err := range all {
		out = append(out, err.Error())
	}
	return out
}

func TestDiff_FitsATerminal(t *testing.T) {
	d := NewDiffer(func(string) (*audience.Member, bool) { return nil, false }, nil)
	for i := range MaxDiffLines + 50 {
		require.NoError(t, d.Visit(i, audience.Member{ID: fmt.Sprint(i), Kind: "kiosk", Place: audience.Path(strings.Repeat("示", i))}))
	}
	diff := d.Finish()
	require.Len(t, diff.Changes, MaxDiffLines)
	for _, line := range strings.Split(diff.String(), "\n") {
		columns := 0
		for _, r := range line {
			columns++
			if r >= 0x1100 && r != '…' {
				columns++
			}
		}
		require.LessOrEqual(t, columns, 80, line)
	}
	require.Contains(t, diff.String(), "250 added, 0 changed, 0 removed, 0 unchanged\n")
	require.Contains(t, diff.String(), "\nand 50 more\n")
	require.Equal(t, strings.Repeat("x", 80), fit(strings.Repeat("x", 80), 80))
	require.Equal(t, strings.Repeat("x", 79)+"…", fit(strings.Repeat("x", 81), 80))
	require.Equal(t, strings.Repeat("示", 40), fit(strings.Repeat("示", 40), 80))
	require.Equal(t, strings.Repeat("示", 39)+"…", fit(strings.Repeat("示", 41), 80))
}
