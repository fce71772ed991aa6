package audience

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(Services{}), func() map[string]any {
		return map[string]any{"audience": &audiencePage{}, "import": &importPage{}, "places": &placesPage{}}
	})
}

// A file waits for a word of whoever brought it, for a quarter of an hour.
func TestKept_IsTheirsWhoBroughtIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKept()
		amy, err := k.keep(file{by: "amy", name: "a.csv"})
		require.NoError(t, err)
		_, ok := k.find(amy, "ben")
		require.False(t, ok, "it is not ben's")
		time.Sleep(keptFor - time.Second)
		f, ok := k.find(amy, "amy")
		require.True(t, ok)
		require.Equal(t, "a.csv", f.name)
		time.Sleep(2 * time.Second)
		_, ok = k.find(amy, "amy")
		require.False(t, ok)
		require.Empty(t, k.all, "nothing of it is left in memory")
	})
}

func TestKept_IsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKept()
		for i := range mostKept {
			_, err := k.keep(file{by: fmt.Sprint(i)})
			require.NoError(t, err)
		}
		_, err := k.keep(file{by: "one more"})
		require.ErrorContains(t, err, "wait here to be applied")
		second, err := k.keep(file{by: "1", name: "second"})
		require.NoError(t, err, "in place of the one that the person had")
		require.Len(t, k.all, mostKept)
		k.forget(second)
		_, err = k.keep(file{by: "one more"})
		require.NoError(t, err)
		time.Sleep(keptFor)
	})
}

func TestPacker_GivesBackWhatItWasGiven(t *testing.T) {
	p := newPacker()
	text := []byte("id,kind,place\nlift-1,screen,屯門\n")
	for range 1000 {
		_, _ = p.Write(text)
	}
	packed, whole := p.packed()
	require.True(t, whole)
	require.Less(t, len(packed), 1000*len(text)/10)
	r, err := file{packed: packed}.read()
	require.NoError(t, err)
	got, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(bytes.Repeat(text, 1000), got))
}

// What does not become smaller is judged, and not kept: memory does not grow with a file.
func TestPacker_KeepsNoMoreThanItMay(t *testing.T) {
	p := newPacker()
	noise := make([]byte, 1<<20)
	for range keptBytes>>20 + 4 {
		_, _ = rand.Read(noise)
		n, err := p.Write(noise)
		require.NoError(t, err)
		require.Equal(t, len(noise), n)
		require.LessOrEqual(t, p.out.Len(), keptBytes+1<<20)
	}
	_, whole := p.packed()
	require.False(t, whole)
	require.Zero(t, p.out.Cap())
}

func TestDraw(t *testing.T) {
	require.Nil(t, draw(nil, nil))
	require.Nil(t, draw([]wire.Place{{Path: "a"}, {Path: "b", Shape: []string{"1,2 3,4"}}, {Path: "c", Shape: []string{"x,y 1,2 3,4"}}, {Path: "d", Shape: []string{"91,0 1,1 2,2"}}, {Path: "e", Shape: []string{"NaN,0 1,1 2,2"}}}, nil), "nothing that can be drawn")
	m := draw([]wire.Place{
		{Path: "tm", Shape: []string{"22.0,114.0 22.1,114.0 22.1,114.1 22.0,114.1 22.0,114.0"}},
		{Path: `tm/"a"`, Lat: new(22.05), Lon: new(114.05)},
	}, nil)
	require.Len(t, m.Outlines, 1)
	require.Len(t, m.Points, 1)
	require.Equal(t, "500.0", m.Points[0].X, "in the middle")
	require.True(t, strings.HasPrefix(m.Outlines[0].Shape, "M"))
	require.Equal(t, "/console/audience?expr=place+under+%22tm%2F%5C%22a%5C%22%22", m.Points[0].Path)
	var width, height float64
	_, err := fmt.Sscanf(m.ViewBox, "0 0 %f %f", &width, &height)
	require.NoError(t, err)
	require.InDelta(t, 1000, height, 1, "it is a little higher than wide, and never more than that")
	one := draw([]wire.Place{{Path: "tm", Lat: new(22.0), Lon: new(114.0)}}, nil)
	require.Equal(t, "500.0", one.Points[0].X, "one point alone")
	require.NotContains(t, one.ViewBox, "NaN")
	large := draw([]wire.Place{{Path: "tm", Shape: []string{strings.Repeat("22.0,114.0 22.1,114.0 22.1,114.1 ", 20_000)}}}, nil)
	require.LessOrEqual(t, strings.Count(large.Outlines[0].Shape, "L"), mostDrawn)
}

func TestCountsUnder(t *testing.T) {
	require.Equal(t, map[string]string{"a": "1,006", "a/b": "6", "a/b/c": "4", "a/b/d": "2", "a/e": "1,000"}, countsUnder([]wire.Count{{Name: "a/b/c", Count: 4}, {Name: "a/b/d", Count: 2}, {Name: "a/e", Count: 1000}}))
}

func TestNameOf(t *testing.T) {
	for name, want := range map[string]string{`C:\docs\people.csv`: "people.csv", "../../etc/passwd": "passwd", strings.Repeat("長", 200): strings.Repeat("長", 100)} {
		require.Equal(t, want, nameOf(name))
	}
}
