package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// room is what was measured of one package, tests apart.
type room struct {
	path       string // import path
	lines      int
	files      int
	exported   int            // exported names of the package and exported methods of its exported types
	methods    map[string]int // by type
	references int            // pairs of files of which one uses a name of the other
	back       int            // of them those that run back up in the best order of the files
}

// name is the path inside of the module; the root is "main".
func (r room) name() string {
	if _, inside, ok := strings.Cut(r.path, "/"); ok {
		return inside
	}
	return "main"
}

func (r room) largestType() string {
	best, most := "-", 0
	for t, n := range r.methods {
		if n > most || n == most && t < best {
			best, most = t, n
		}
	}
	if most == 0 {
		return best
	}
	return fmt.Sprintf("%s %d", best, most)
}

// listed is what go list says of a package.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
	Module                  *struct{ Main bool }
	DepOnly                 bool
}

// measure reads the packages that pattern names. It compiles them first, for their
// export data.
func measure(pattern string) ([]room, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles,Module,DepOnly", pattern)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	exports := map[string]string{}
	var own []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[p.ImportPath] = p.Export
		if p.Module != nil && p.Module.Main && !p.DepOnly && len(p.GoFiles) > 0 {
			own = append(own, p)
		}
	}
	var rooms []room
	for _, p := range own {
		r, err := measureOne(p, exports)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.ImportPath, err)
		}
		rooms = append(rooms, r)
	}
	return rooms, nil
}

func measureOne(p listed, exports map[string]string) (room, error) {
	r := room{path: p.ImportPath, methods: map[string]int{}, files: len(p.GoFiles)}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		src, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return r, err
		}
		r.lines += bytes.Count(src, []byte("\n"))
		f, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
		if err != nil {
			return r, err
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	open := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	conf := types.Config{Importer: importer.ForCompiler(set, "gc", open)}
	pkg, err := conf.Check(p.ImportPath, set, files, info)
	if err != nil {
		return r, err
	}
	r.count(pkg)
	r.references, r.back = backReferences(set, pkg, info)
	return r, nil
}

// count counts the exported names and the methods of each type.
func (r *room) count(pkg *types.Package) {
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if o.Exported() {
			r.exported++
		}
		t, ok := o.Type().(*types.Named)
		if _, isType := o.(*types.TypeName); !ok || !isType || t.Obj() != o {
			continue
		}
		r.methods[name] = t.NumMethods()
		for m := range t.Methods() {
			if o.Exported() && m.Exported() {
				r.exported++
			}
		}
	}
}

// backReferences counts the pairs of files of which one uses what the other declares,
// and those that run back up when the files are put into an order that has few of them
// (Eades, Lin and Smyth 1993).
func backReferences(set *token.FileSet, pkg *types.Package, info *types.Info) (all, back int) {
	uses := map[string]map[string]bool{}
	add := func(from, to string) {
		if uses[from] == nil {
			uses[from] = map[string]bool{}
		}
		uses[from][to] = true
	}
	for id, o := range info.Uses {
		if o.Pkg() != pkg || !o.Pos().IsValid() {
			continue
		}
		from, to := set.Position(id.Pos()).Filename, set.Position(o.Pos()).Filename
		if from != to && !isField(o) {
			add(from, to)
		}
	}
	place := map[string]int{}
	for i, f := range order(uses) {
		place[f] = i
	}
	for from, tos := range uses {
		for to := range tos {
			all++
			if place[from] > place[to] {
				back++
			}
		}
	}
	return all, back
}

// isField reports whether o is the field of a struct: reading a field of a type that one
// uses anyway is no reference of its own.
func isField(o types.Object) bool {
	v, ok := o.(*types.Var)
	return ok && v.IsField()
}
