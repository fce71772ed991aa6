//go:build e2e

package e2e

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var axe = flag.String("axe", "", "axe.min.js of axe-core, which finds what keeps people from using a page")

// accessible holds the page to WCAG 2.2 AA, as far as a program can.
func (p *tab) accessible(t testing.TB, name string) {
	t.Helper()
	require.NotEmpty(t, *axe, "run scripts/e2e.sh, or give -axe")
	script, err := os.ReadFile(*axe)
	require.NoError(t, err)
	p.script("if (!window.axe) {" + string(script) + "}; undefined")
	found := read[[]string](p, `axe.run(document, {resultTypes: ["violations"], runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}})
		.then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target + " " + n.failureSummary)))`)
	require.Empty(t, found, name)
}
