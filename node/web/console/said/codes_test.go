package said

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/words"
)

const root = "../../../../"

// sayers are the packages whose errors people read in pages, behind the sentence that something is refused. What
// is named after one may stay without a code: no page is told it.
var sayers = map[string][]string{
	"storage/audience":          {"the bytes are not a member's record"},
	"storage/audience/areas":    nil,
	"storage/audience/geometry": nil,
	"storage/audience/imports":  nil,
	"storage/audience/lookup":   nil,
	"storage/alert/capjson":     {"errors.New"}, // what rejects a message says it by its findings
	"storage/alert/capxml":      nil,
	"storage/alert/tokens":      nil,
	"storage/alert/visited":     nil,
	"node/levels":               nil,
	"node/wire/places":          nil,
}

// keptInEnglish are the refusals of the state machine that no page can be told in other words: of entries that
// nobody can read, and of what stands in the place of an answer that was erased.
var keptInEnglish = []string{"%v", "encoding answer: %v", "what was answered to this request was erased with a person's data"}

// Every error with a code has a text in both languages that is filled in with what the error is given; in English
// that is the error's own sentence. Nothing that pages show of an error stays without a code, and no text is left
// over.
func TestErrors_HaveATextInBothLanguages(t *testing.T) {
	texts := map[string]bool{}
	for _, key := range words.All()[0].Keys() {
		if code, ok := strings.CutPrefix(key, "error."); ok {
			texts[code] = false
		}
	}
	seen := 0
	for _, top := range []string{"storage", "node", "cluster"} {
		require.NoError(t, filepath.WalkDir(root+top, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, root+"storage/coded/") || strings.HasPrefix(path, root+"cluster/refusal/") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			folder := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), root)
			for _, e := range errorsOf(file) {
				at := set.Position(e.at)
				if e.refuses && e.code == "" && !slices.Contains(keptInEnglish, e.format) {
					t.Errorf("%s: the refusal %q of the state machine has no code, and pages would say it in English", at, e.format)
				}
				if e.code == "" {
					if mayStay, is := sayers[folder]; is && !slices.ContainsFunc(mayStay, func(may string) bool { return may == e.format || may == e.by && e.format == "" }) {
						t.Errorf("%s: the error %q has no code (storage/coded), and pages would say it in English", at, e.format)
					}
					continue
				}
				seen++
				if _, there := texts[e.code]; !there {
					t.Errorf("%s: pages have no text for the error %s", at, e.code)
					continue
				}
				texts[e.code] = true
				if e.format != "" && english(e.format) != raw(words.All()[0], "error."+e.code) {
					t.Errorf("%s: the English text of %s is %q, and the error says %q", at, e.code, raw(words.All()[0], "error."+e.code), english(e.format))
				}
				for _, found := range regexp.MustCompile(`\{(\d)`).FindAllStringSubmatch(raw(words.All()[1], "error."+e.code), -1) {
					if n, _ := strconv.Atoi(found[1]); n >= e.given {
						t.Errorf("%s: the text of %s names {%d}, and is given %d", at, e.code, n, e.given)
					}
				}
			}
			return nil
		}))
	}
	require.Greater(t, seen, 150, "errors were looked at")
	for code, used := range texts {
		require.True(t, used, "there is a text for %s, and no error says so", code)
	}
}

// raw is a text with its places for values.
func raw(l *words.Language, key string) string { return l.T(key) }

// english is a format as a text has it: {0} for the first value.
func english(format string) string {
	n := -1
	return regexp.MustCompile(`%[.0-9]*[a-zA-Z]`).ReplaceAllStringFunc(format, func(verb string) string {
		if n++; strings.HasSuffix(verb, "q") {
			return fmt.Sprintf(`"{%d}"`, n)
		}
		return fmt.Sprintf("{%d}", n)
	})
}

// saying is one error that is made: by what, with which code ("" of none), and how many values.
type saying struct {
	by, code, format string
	given            int
	at               token.Pos
	refuses          bool // it is the state machine's
}

// errorsOf are the errors that a file makes.
func errorsOf(file *ast.File) (out []saying) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "Saying" {
				ast.Inspect(n.Body, func(at ast.Node) bool {
					if r, ok := at.(*ast.ReturnStmt); ok && len(r.Results) == 2 && literal(r.Results[0]) != "" {
						out = append(out, saying{by: "Saying", code: literal(r.Results[0]), given: len(r.Results[1].(*ast.CompositeLit).Elts), at: r.Pos()})
					}
					return true
				})
			}
		case *ast.CallExpr:
			name := calledAs(n)
			codeAt, formatAt := 0, 1
			switch name {
			case "fmt.Errorf", "errors.New":
				out = append(out, saying{by: name, format: literal(n.Args[0]), at: n.Pos()})
				return true
			case "coded.Errorf", "coded.New", "r.failf", "r.notef":
			case "refuse", "command.Refuse", "Refuse":
				if file.Name.Name == "levels" {
					break
				}
				if codeAt, formatAt = 1, 2; len(n.Args) < 3 || !strings.HasPrefix(fmt.Sprint(n.Args[0]), "&{command Kind") && !strings.HasPrefix(fmt.Sprint(n.Args[0]), "Kind") {
					return true
				}
				out = append(out, saying{name, literal(n.Args[codeAt]), literal(n.Args[formatAt]), len(n.Args) - formatAt - 1, n.Pos(), true})
				return true
			case "wrong":
				if codeAt, formatAt = 1, 2; file.Name.Name != "audience" {
					return true
				}
			default:
				return true
			}
			if code := literal(n.Args[codeAt]); code != "" { // else it is passed on
				out = append(out, saying{name, code, literal(n.Args[formatAt]), len(n.Args) - formatAt - 1, n.Pos(), false})
			}
		}
		return true
	})
	return out
}

func calledAs(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return fmt.Sprint(f.X) + "." + f.Sel.Name
	}
	return ""
}

func literal(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, _ := strconv.Unquote(e.Value)
		return text
	case *ast.BinaryExpr:
		if left, right := literal(e.X), literal(e.Y); left != "" && right != "" {
			return left + right
		}
	}
	return ""
}
