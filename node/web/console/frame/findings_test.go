package frame

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/words"
	"almenara/node/wire/why"
)

// judges are the packages that say what is wrong with a message.
var judges = []string{"storage/alert", "storage/alert/check", "storage/alert/capxml", "storage/alert/capjson", "storage/audience/areas", "node/judge", "node/known"}

// finding is one sentence about a message: its code, and how many values fill it in.
type finding struct {
	code  string
	given int
	at    token.Position
}

// Whatever is found about a message has a text in both languages, and what the text names is given where it
// is found; a text without such a sentence is none.
func TestFindings_HaveATextInBothLanguages(t *testing.T) {
	all := findings(t)
	require.Greater(t, len(all), 100, "findings were looked at")
	texts := map[string]bool{}
	for _, key := range words.All()[0].Keys() {
		if code, ok := strings.CutPrefix(key, "why."+string(why.Finding(""))); ok {
			texts[code] = false
		}
	}
	for _, s := range all {
		found := false
		for code := range texts {
			if code == s.code {
				found, texts[code] = true, true
				if missing := unfilled(why.Finding(code), s.given); missing != "" {
					t.Errorf("%s: %s", s.at, missing)
				}
			}
		}
		if !found {
			t.Errorf("%s: pages have no text for the finding %q, and would say it in English", s.at, s.code)
		}
	}
	for code, used := range texts {
		require.True(t, used, "there is a text for %s, and nothing is found so", code)
	}
}

// findings are the sentences of all judges.
func findings(t *testing.T) (out []finding) {
	t.Helper()
	for _, folder := range judges {
		names, err := filepath.Glob("../../../../" + folder + "/*.go")
		require.NoError(t, err)
		files, set := []*ast.File{}, token.NewFileSet()
		for _, name := range names {
			if !strings.HasSuffix(name, "_test.go") {
				file, err := parser.ParseFile(set, name, nil, 0)
				require.NoError(t, err)
				files = append(files, file)
			}
		}
		known := namesOf(files)
		for _, file := range files {
			for _, s := range sentences(file, known) {
				s.at = set.Position(token.Pos(s.at.Offset))
				out = append(out, s)
			}
		}
	}
	return out
}

// namesOf are the constants of a package, and what its functions return as codes.
func namesOf(files []*ast.File) map[string][]finding {
	out := map[string][]finding{}
	each := func(look func(ast.Node)) {
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool { look(n); return true })
		}
	}
	each(func(n ast.Node) {
		if n, ok := n.(*ast.ValueSpec); ok {
			for i, name := range n.Names {
				if i < len(n.Values) {
					out[name.Name] = codes(n.Values[i], nil)
				}
			}
		}
	})
	each(func(n ast.Node) {
		if n, ok := n.(*ast.FuncDecl); ok && strings.HasSuffix(n.Name.Name, "Code") {
			ast.Inspect(n.Body, func(at ast.Node) bool {
				if r, ok := at.(*ast.ReturnStmt); ok {
					out[n.Name.Name] = append(out[n.Name.Name], codes(r.Results[0], out)...)
				}
				return true
			})
		}
	})
	return out
}

// codes are what an expression may be: a literal, a name, or what a function returns; where that is what it was
// given, all that it was given.
func codes(e ast.Expr, known map[string][]finding) []finding {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return []finding{{code: text}}
		}
	case *ast.Ident:
		return known[e.Name]
	case *ast.CallExpr:
		if name, ok := e.Fun.(*ast.Ident); ok {
			if out := known[name.Name]; len(out) > 0 {
				return out
			}
			if strings.HasSuffix(name.Name, "Code") {
				return slices.Concat(codes(e.Args[0], known), codes(e.Args[1], known))
			}
		}
	}
	return nil
}

// sentences are those of a file. Where a code is a parameter, its callers are looked at instead.
func sentences(file *ast.File, known map[string][]finding) (out []finding) {
	named := map[ast.Node]*ast.CallExpr{} // finding → As
	skipped := map[ast.Node]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if by, ok := n.Fun.(*ast.SelectorExpr); ok && by.Sel.Name == "As" {
				named[by.X] = n
			}
		case *ast.AssignStmt: // .Code = code
			if to, ok := n.Lhs[0].(*ast.SelectorExpr); ok && to.Sel.Name == "Code" {
				skipped[to.X] = true
			}
		}
		return true
	})
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || call.Ellipsis.IsValid() && named[n] == nil || skipped[n] {
			return true
		}
		code, given := 0, 0
		switch name := called(call); {
		case name == "Add" && len(call.Args) >= 3:
			code, given = 1, len(call.Args)-3
		case (name == "reject" || name == "warn") && len(call.Args) >= 2:
			code, given = 0, len(call.Args)-1 // with the place
		case name == "note" || name == "strange":
			code, given = 0, len(call.Args)-2
		default:
			return true
		}
		is := codes(call.Args[code], known)
		if as := named[n]; as != nil {
			if is, given = codes(as.Args[0], known), len(as.Args)-1; as.Ellipsis.IsValid() {
				return true // a parameter
			}
		}
		for _, s := range is {
			s.given, s.at.Offset = given, int(call.Pos())
			out = append(out, s)
		}
		if len(is) == 0 {
			out = append(out, finding{code: "nothing that this test can read", at: token.Position{Offset: int(call.Pos())}})
		}
		return true
	})
	return out
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}
