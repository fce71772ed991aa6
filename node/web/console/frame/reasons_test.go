package frame

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/words"
	"almenara/node/wire/why"
)

// programsOnly are the folders and files below node whose problems no page of the console shows, and who
// is told them.
var programsOnly = map[string]string{
	"api": "programs", "cli": "the command line", "client": "programs", "engine": "the command line", "membership": "nodes and the command line",
	"web/files.go": "browsers that ask for a file of a page", "web/console/pagetest": "tests",
	"enrol/ask.go": "devices that ask to be let in", "enrol/handler.go": "devices that ask to be let in",
}

// Whatever the console can be told has a reason, so that no sentence is shown in a language that the
// person did not choose, and what the text of the reason names is given where it is chosen.
func TestProblems_HaveAReasonWithATextInBothLanguages(t *testing.T) {
	named := reasons(t)
	values := map[why.Reason]bool{}
	for name, r := range named {
		require.False(t, values[r], "two reasons are %s; one is %s", r, name)
		values[r] = true
	}
	for _, key := range words.All()[0].Keys() {
		if r, ok := strings.CutPrefix(key, "why."); ok && !strings.HasPrefix(r, string(why.Finding(""))) {
			require.True(t, values[why.Reason(r)], "there is a text for %s, and no such reason", r)
		}
	}

	const node = "../../.."
	files := token.NewFileSet()
	seen, used := 0, map[string]bool{}
	require.NoError(t, filepath.WalkDir(node, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, _ := filepath.Rel(node, path)
		if programsOnly[filepath.ToSlash(below)] != "" {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || below == "wire/problem.go" {
			return nil
		}
		file, err := parser.ParseFile(files, path, nil, 0)
		if err != nil {
			return err
		}
		onPages := strings.HasPrefix(filepath.ToSlash(below), "web/console/")
		for _, says := range []string{"web/console/frame/", "web/console/said/"} {
			onPages = onPages && !strings.HasPrefix(filepath.ToSlash(below), says)
		}
		for _, wrong := range withoutReason(file, onPages, named, used, &seen) {
			t.Errorf("%s: %s", files.Position(wrong.at), wrong.says)
		}
		return nil
	}))
	require.Greater(t, seen, 150, "problems were looked at")
	for name := range named {
		require.True(t, used[name], "nothing is refused for the reason %s", name)
	}
}

// reasons are the constants of the package why by their names.
func reasons(t *testing.T) map[string]why.Reason {
	t.Helper()
	out := map[string]why.Reason{}
	sources, err := filepath.Glob("../../../wire/why/*.go")
	require.NoError(t, err)
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || fmt.Sprint(spec.Type) != "Reason" {
				return true
			}
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			out[spec.Names[0].Name] = why.Reason(value)
			return true
		})
	}
	require.Greater(t, len(out), 100)
	return out
}

type wrongAt struct {
	at   token.Pos
	says string
}

// withoutReason finds the problems of a file that have no reason, and reasons that are given less than
// their texts name. It counts the problems and notes the reasons.
func withoutReason(file *ast.File, onPages bool, named map[string]why.Reason, used map[string]bool, seen *int) (wrong []wrongAt) {
	explained := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if n.Sel.Name == "Sentence" && onPages {
				wrong = append(wrong, wrongAt{n.Pos(), "a page shows what Request.Said says, not the sentence, which is English"})
			}
			if isName(n, "why", "") && named[n.Sel.Name] != "" {
				used[n.Sel.Name] = true
			}
		case *ast.CallExpr:
			if by, ok := n.Fun.(*ast.SelectorExpr); ok && strings.EqualFold(by.Sel.Name, "because") {
				explained[by.X] = true
				if at, ok := n.Args[0].(*ast.SelectorExpr); ok && !n.Ellipsis.IsValid() {
					if missing := unfilled(named[at.Sel.Name], len(n.Args)-1); missing != "" {
						wrong = append(wrong, wrongAt{n.Pos(), missing})
					}
				}
			}
			if isName(n.Fun, "wire", "Problemf") || isName(n.Fun, "why", "Sayf") || file.Name.Name == "budget" && fmt.Sprint(n.Fun) == "refuse" {
				if *seen++; !explained[n] {
					wrong = append(wrong, wrongAt{n.Pos(), "the problem has no reason of the package why, so pages say it in English"})
				}
			}
		case *ast.CompositeLit:
			if !isName(n.Type, "wire", "Problem") {
				return true
			}
			*seen++
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok && fmt.Sprint(kv.Key) == "Why" {
					return true
				}
			}
			wrong = append(wrong, wrongAt{n.Pos(), "the problem has no Why, so pages say it in English"})
		}
		return true
	})
	return wrong
}

// unfilled says that a text of the reason names more than it is given; "" where it does not.
func unfilled(r why.Reason, given int) string {
	for _, l := range words.All() {
		for _, found := range regexp.MustCompile(`\{(\d)`).FindAllStringSubmatch(l.T("why."+string(r)), -1) {
			if at, _ := strconv.Atoi(found[1]); at >= given {
				return fmt.Sprintf("the text of %s names {%d} in %s, and is given %d", r, at, l.Tag, given)
			}
		}
	}
	return ""
}

// isName reports whether the expression is pkg.name; "" is any name.
func isName(e ast.Expr, pkg, name string) bool {
	sel, ok := e.(*ast.SelectorExpr)
	return ok && fmt.Sprint(sel.X) == pkg && (name == "" || sel.Sel.Name == name)
}
