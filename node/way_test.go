package node_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var code = regexp.MustCompile("`([^`]+)`")

// declared lists what a package declares: functions, types, and methods as Type.Method.
func declared(t *testing.T, folder string) (names []string, imports []string) {
	t.Helper()
	files, err := os.ReadDir("../" + folder)
	require.NoError(t, err, "the package %s", folder)
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path.Join("..", folder, f.Name()), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, i := range parsed.Imports {
			if own, ok := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), "almenara/"); ok {
				imports = append(imports, own)
			}
		}
		for _, d := range parsed.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names = append(names, d.Name.Name)
				if d.Recv != nil {
					names = append(names, receiver(d.Recv.List[0].Type)+"."+d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						names = append(names, s.Name.Name)
					}
				}
			}
		}
	}
	return names, imports
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

func quoted(text string) (out []string) {
	for _, m := range code.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1])
	}
	return out
}

// The way of an alert is short enough to be read: its rooms and types are counted in the table of
// DESIGN.md, which names only what there is, and leaves out nothing that the way in uses.
func TestDesign_TheWayOfAnAlertIsShortAndTrue(t *testing.T) {
	page, err := os.ReadFile("DESIGN.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(page), "## The way of an alert\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")

	var folders []string
	for row := range strings.Lines(section) {
		cells := strings.Split(row, "|")
		if len(cells) < 5 || !strings.Contains(cells[3], "`") {
			continue
		}
		var names []string
		for _, folder := range quoted(cells[3]) {
			own, _ := declared(t, folder)
			names, folders = append(names, own...), append(folders, folder)
		}
		for _, function := range quoted(cells[2]) {
			require.Contains(t, names, function, "row %s: none of %s has it", strings.TrimSpace(cells[1]), cells[3])
		}
	}
	slices.Sort(folders)
	folders = slices.Compact(folders)
	rooms := slices.DeleteFunc(slices.Clone(folders), func(folder string) bool {
		return slices.ContainsFunc(folders, func(above string) bool { return above != "channels" && strings.HasPrefix(folder, above+"/") })
	})
	require.LessOrEqual(t, len(rooms), 12, "the rooms on the way: %s", rooms)
	require.Greater(t, len(rooms), 8, "the table is read")

	_, after, found := strings.Cut(section, "Types on the way:")
	require.True(t, found)
	types, _, _ := strings.Cut(after, "\n\n")
	require.LessOrEqual(t, len(quoted(types)), 15)
	places := append([]string{"storage", "storage/alert", "storage/audience", "storage/factbody", "node/wire"}, folders...)
	for _, name := range quoted(types) {
		of, _, _ := strings.Cut(name, ".")
		i := slices.IndexFunc(places, func(p string) bool { return path.Base(p) == of })
		require.GreaterOrEqual(t, i, 0, name)
		names, _ := declared(t, places[i])
		require.Contains(t, names, strings.TrimPrefix(name, of+"."))
	}

	_, imports := declared(t, "node/intake")
	named := append(quoted(section), "storage", "storage/factbody", "storage/rights", "storage/alert", "storage/audience", "storage/alert/capjson", "cluster/fact", "cluster/agreed",
		"node/wire", "node/alone", "node/shortid", "node/correction", "node/budget/counted") // values, and what other ways in need
	for _, used := range imports {
		require.Contains(t, named, used, "the way in uses it, and the page does not say so")
	}
}
