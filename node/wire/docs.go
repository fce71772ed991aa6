package wire

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"sync"
)

// source is the text of this package and of those below it that have bodies: their comments are the description of the API, so
// that there is one place for both.
//
//go:embed *.go acts/*.go able/*.go caution/*.go devicehealth/*.go headline/*.go looks/*.go notices/*.go personal/*.go places/*.go reported/*.go splits/*.go visits/*.go
var source embed.FS

// Docs gives what the comments of this package say of its types and their fields, by
// "Alert" and "Alert.Headline". The first line feed of a paragraph is a space. It is
// read once; the map must not be modified.
var Docs = sync.OnceValue(func() map[string]string {
	docs := map[string]string{}
	err := fs.WalkDir(source, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := source.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		addDocs(docs, file)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("reading the comments of the API's bodies: %v", err)) // it has been compiled
	}
	return docs
})

// addDocs adds the types of one file.
func addDocs(docs map[string]string, file *ast.File) {
	for _, decl := range file.Decls {
		types, ok := decl.(*ast.GenDecl)
		if !ok || types.Tok != token.TYPE {
			continue
		}
		for _, spec := range types.Specs {
			named := spec.(*ast.TypeSpec)
			docs[named.Name.Name] = sentence(types.Doc, named.Doc, named.Comment)
			body, ok := named.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range body.Fields.List {
				for _, name := range field.Names {
					docs[named.Name.Name+"."+name.Name] = sentence(field.Doc, field.Comment)
				}
			}
		}
	}
}

// sentence puts the lines of comments together.
func sentence(groups ...*ast.CommentGroup) string {
	var words []string
	for _, g := range groups {
		if g != nil {
			words = append(words, strings.Fields(g.Text())...)
		}
	}
	return strings.Join(words, " ")
}
