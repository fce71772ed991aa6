package alert

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// refusedFor asserts that Parse refuses the text for the rule.
func refusedFor(t *testing.T, rule, text string) {
	t.Helper()
	a, found, err := Parse([]byte(text))
	require.ErrorIs(t, err, ErrRejected)
	require.Nil(t, a)
	require.True(t, found.Has(rule), "%s: %s", rule, found.Reason())
}

func TestParse_NeverPanicsOnATruncatedMessage(t *testing.T) {
	for _, text := range []string{strings.TrimSpace(small), whole} {
		for end := range len(text) {
			_, _, err := Parse([]byte(text[:end]))
			require.ErrorIs(t, err, ErrRejected, "cut at %d", end)
		}
	}
}

func TestParse_RefusesEntitiesWithoutResolvingAny(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	prolog := func(dtd string) string { return with(t, small, "<alert ", dtd+"<alert ") }
	for _, dtd := range []string{
		`<!DOCTYPE alert>`,
		`<!DOCTYPE alert SYSTEM "` + server.URL + `/a.dtd">`,
		`<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/passwd">]>`,
		`<!DOCTYPE alert [<!ENTITY % r SYSTEM "` + server.URL + `"> %r;]>`,
		`<!DOCTYPE alert [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`,
	} {
		refusedFor(t, "doctype", prolog(dtd))
		refusedFor(t, "doctype", strings.Replace(prolog(dtd), "Fire in", "&x;&b;", 1))
	}
	refusedFor(t, "doctype", with(t, small, "<info>", `<!ENTITY x "y"><info>`))
	refusedFor(t, "doctype", with(t, small, "<info>", `<!ELEMENT x ANY><info>`))
	require.Zero(t, asked.Load())
}

func TestParse_RefusesWhatIsBeyondItsBounds(t *testing.T) {
	inHeadline := func(s string) string { return with(t, small, "Fire in", s) }
	beforeInfo := func(s string) string { return with(t, small, "<info>", s+"<info>") }
	resource := "<resource><resourceDesc>r</resourceDesc><mimeType>a/b</mimeType><uri>a:b</uri></resource>"
	for name, text := range map[string]string{
		"bytes":       inHeadline(strings.Repeat("x", MaxMessageBytes)),
		"depth":       beforeInfo(strings.Repeat("<a>", MaxDepth) + strings.Repeat("</a>", MaxDepth)),
		"elements":    beforeInfo(strings.Repeat("<a/>", MaxElements)),
		"infos":       beforeInfo(strings.Repeat(small[strings.Index(small, "<info>"):strings.Index(small, "</info>")]+"</info>", MaxInfos)),
		"areas":       with(t, small, "<area>", strings.Repeat("<area><areaDesc>a</areaDesc></area>", MaxAreas)+"<area>"),
		"resources":   with(t, small, "<area>", strings.Repeat(resource, MaxResources+1)+"<area>"),
		"references":  with(t, small, "</scope>", "</scope><references>"+strings.Repeat("a,b,2026-07-20T17:40:00+08:00 ", MaxReferences+1)+"</references>"),
		"name spaces": beforeInfo(strings.Repeat(`<a xmlns:b="c"><a xmlns:d="e"><a xmlns:f="g">`, 9) + `<a xmlns:b="c"` + manyAttributes("xmlns:n", maxNamespaces) + `/>` + strings.Repeat("</a></a></a>", 9)),
	} {
		t.Run(name, func(t *testing.T) { refusedFor(t, "too-large", text) })
	}
	refusedFor(t, "not-well-formed", beforeInfo(`<a b="`+strings.Repeat("x", maxTag)+`"/>`))
	refusedFor(t, "polygon-too-many", with(t, small, "22.30,114.20 ", strings.Repeat("2,1 ", MaxPoints)))
}

// The largest message that is allowed is allowed.
func TestParse_AcceptsAMessageOfTheLargestSize(t *testing.T) {
	room := MaxMessageBytes - len(small)
	a := parsed(t, with(t, small, "Fire in", strings.Repeat("x", room)+"Fire in"))
	require.Greater(t, len(a.Infos[0].Headline), room)
	refusedFor(t, "too-large", with(t, small, "Fire in", strings.Repeat("x", room+1)+"Fire in"))
}

func manyAttributes(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` %s%d="x"`, prefix, i)
	}
	return b.String()
}

// hostile are messages of one MiB that are made to cost more than they weigh.
func hostile(t testing.TB) map[string]string {
	t.Helper()
	fill := func(old, one, tail string) string {
		room := MaxMessageBytes - len(small) - len(tail)
		return with(t, small, old, strings.Repeat(one, room/len(one))+tail)
	}
	return map[string]string{
		"text":           fill("Fire in", "x", ""),
		"references":     fill("Fire in", "&amp;", ""),
		"elements":       fill("<info>", "<a/>", "<info>"),
		"nesting":        fill("<info>", "<a>", "<info>"),
		"attributes":     fill("<info>", `<a`+manyAttributes("b", 400)+`/>`, "<info>"),
		"comments":       fill("<info>", "<!--x-->", "<info>"),
		"instructions":   fill("<info>", "<?x y?>", "<info>"),
		"stray text":     fill("<info>", "x<!---->", "<info>"),
		"infos":          fill("<info>", "<info/>", "<info>"),
		"areas":          fill("<area>", "<area/>", "<area>"),
		"codes":          fill("<info>", "<code>x</code>", "<info>"),
		"empty pairs":    fill("<area>", "<parameter/>", "<area>"),
		"points":         fill("22.30,114.20 ", "1,1 ", ""),
		"bad points":     fill("<polygon>", "<polygon>1</polygon>", "<polygon>"),
		"quoted items":   fill("</scope>", "x", "</scope><incidents>"+strings.Repeat(`"" `, 1000)+"</incidents>"),
		"addresses":      with(t, small, "</scope>", "</scope><addresses>"+strings.Repeat("a ", 500_000)+"</addresses>"),
		"quotes":         with(t, small, "</scope>", "</scope><addresses>"+strings.Repeat("a\" ", 300_000)+"</addresses>"),
		"references 2":   with(t, small, "</scope>", "</scope><references>"+strings.Repeat("a ", 500_000)+"</references>"),
		"base64":         with(t, small, "<area>", "<resource><resourceDesc/><mimeType>a/b</mimeType><derefUri>"+strings.Repeat("AAAA ", 200_000)+"</derefUri></resource><area>"),
		"character refs": fill("Fire in", "&#65;", ""),
	}
}

// allocated is what f takes from the heap, in bytes, freed or not.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Everything that Parse takes from the heap for a message of one MiB, garbage
// included, is a small multiple of the message.
func TestParse_AllocatesASmallMultipleOfAHostileMessage(t *testing.T) {
	const most = 24 * MaxMessageBytes
	for name, text := range hostile(t) {
		require.LessOrEqual(t, len(text), MaxMessageBytes, name)
		raw := []byte(text)
		used := allocated(func() { _, _, _ = Parse(raw) })
		t.Logf("%-15s %5.1f MiB", name, float64(used)/(1<<20))
		require.LessOrEqual(t, used, uint64(most), name)
	}
}
