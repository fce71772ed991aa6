package capxml_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/alert/alerttest"
	"almenara/storage/alert/capxml"
	"almenara/storage/alert/tokens"
)

// refusedFor asserts that Parse refuses the text for the rule.
func refusedFor(t *testing.T, rule, text string) {
	t.Helper()
	a, found, err := capxml.Parse([]byte(text))
	require.ErrorIs(t, err, alert.ErrRejected)
	require.Nil(t, a)
	require.True(t, found.Has(rule), "%s: %s", rule, found.Reason())
}

func TestParse_NeverPanicsOnATruncatedMessage(t *testing.T) {
	for _, text := range []string{strings.TrimSpace(alerttest.Small), alerttest.Whole} {
		for end := range len(text) {
			_, _, err := capxml.Parse([]byte(text[:end]))
			require.ErrorIs(t, err, alert.ErrRejected, "cut at %d", end)
		}
	}
}

func TestParse_RefusesEntitiesWithoutResolvingAny(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	prolog := func(dtd string) string { return alerttest.With(t, alerttest.Small, "<alert ", dtd+"<alert ") }
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
	refusedFor(t, "doctype", alerttest.With(t, alerttest.Small, "<info>", `<!ENTITY x "y"><info>`))
	refusedFor(t, "doctype", alerttest.With(t, alerttest.Small, "<info>", `<!ELEMENT x ANY><info>`))
	require.Zero(t, asked.Load())
}

func TestParse_RefusesWhatIsBeyondItsBounds(t *testing.T) {
	inHeadline := func(s string) string { return alerttest.With(t, alerttest.Small, "Fire in", s) }
	beforeInfo := func(s string) string { return alerttest.With(t, alerttest.Small, "<info>", s+"<info>") }
	resource := "<resource><resourceDesc>r</resourceDesc><mimeType>a/b</mimeType><uri>a:b</uri></resource>"
	for name, text := range map[string]string{
		"bytes":       inHeadline(strings.Repeat("x", alert.MaxMessageBytes)),
		"depth":       beforeInfo(strings.Repeat("<a>", tokens.MaxDepth) + strings.Repeat("</a>", tokens.MaxDepth)),
		"elements":    beforeInfo(strings.Repeat("<a/>", tokens.MaxElements)),
		"infos":       beforeInfo(strings.Repeat(alerttest.Small[strings.Index(alerttest.Small, "<info>"):strings.Index(alerttest.Small, "</info>")]+"</info>", alert.MaxInfos)),
		"areas":       alerttest.With(t, alerttest.Small, "<area>", strings.Repeat("<area><areaDesc>a</areaDesc></area>", alert.MaxAreas)+"<area>"),
		"resources":   alerttest.With(t, alerttest.Small, "<area>", strings.Repeat(resource, alert.MaxResources+1)+"<area>"),
		"references":  alerttest.With(t, alerttest.Small, "</scope>", "</scope><references>"+strings.Repeat("a,b,2026-07-20T17:40:00+08:00 ", alert.MaxReferences+1)+"</references>"),
		"name spaces": beforeInfo(strings.Repeat(`<a xmlns:b="c"><a xmlns:d="e"><a xmlns:f="g">`, 9) + `<a xmlns:b="c"` + manyAttributes("xmlns:n", tokens.MaxNamespaces) + `/>` + strings.Repeat("</a></a></a>", 9)),
	} {
		t.Run(name, func(t *testing.T) { refusedFor(t, "too-large", text) })
	}
	refusedFor(t, "not-well-formed", beforeInfo(`<a b="`+strings.Repeat("x", tokens.MaxTag)+`"/>`))
	refusedFor(t, "polygon-too-many", alerttest.With(t, alerttest.Small, "22.30,114.20 ", strings.Repeat("2,1 ", alert.MaxPoints)))
}

// The largest message that is allowed is allowed.
func TestParse_AcceptsAMessageOfTheLargestSize(t *testing.T) {
	room := alert.MaxMessageBytes - len(alerttest.Small)
	a := alerttest.Parsed(t, alerttest.With(t, alerttest.Small, "Fire in", strings.Repeat("x", room)+"Fire in"))
	require.Greater(t, len(a.Infos[0].Headline), room)
	refusedFor(t, "too-large", alerttest.With(t, alerttest.Small, "Fire in", strings.Repeat("x", room+1)+"Fire in"))
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
		room := alert.MaxMessageBytes - len(alerttest.Small) - len(tail)
		return alerttest.With(t, alerttest.Small, old, strings.Repeat(one, room/len(one))+tail)
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
		"addresses":      alerttest.With(t, alerttest.Small, "</scope>", "</scope><addresses>"+strings.Repeat("a ", 500_000)+"</addresses>"),
		"quotes":         alerttest.With(t, alerttest.Small, "</scope>", "</scope><addresses>"+strings.Repeat("a\" ", 300_000)+"</addresses>"),
		"references 2":   alerttest.With(t, alerttest.Small, "</scope>", "</scope><references>"+strings.Repeat("a ", 500_000)+"</references>"),
		"base64":         alerttest.With(t, alerttest.Small, "<area>", "<resource><resourceDesc/><mimeType>a/b</mimeType><derefUri>"+strings.Repeat("AAAA ", 200_000)+"</derefUri></resource><area>"),
		"character refs": fill("Fire in", "&#65;", ""),
	}
}

// TestParse_AllocatesASmallMultipleOfAHostileMessage that Parse takes from the heap for a message of one MiB, garbage
// included, is a small multiple of the message.
func TestParse_AllocatesASmallMultipleOfAHostileMessage(t *testing.T) {
	const most = 24 * alert.MaxMessageBytes
	for name, text := range hostile(t) {
		require.LessOrEqual(t, len(text), alert.MaxMessageBytes, name)
		raw := []byte(text)
		used := alerttest.Allocated(func() { _, _, _ = capxml.Parse(raw) })
		t.Logf("%-15s %5.1f MiB", name, float64(used)/(1<<20))
		require.LessOrEqual(t, used, uint64(most), name)
	}
}
