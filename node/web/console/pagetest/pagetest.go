// Package pagetest tries the pages of a room of the console: every template with empty, huge and hostile
// values in every language. It is for tests.
package pagetest

import (
	"bytes"
	"context"
	"html/template"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/signin"
	"almenara/node/web/console/frame"
	"almenara/node/web/console/words"
	"almenara/node/wire"
)

// Hostile is what somebody may type anywhere: markup, a bidi override that is never closed, and
// what ends an attribute.
const Hostile = "<script>alert(1)</script>\u202egnp.exe\" onload='x' {{.}}"

// fill puts a text into every text of a value, and three of each list.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*words.Language]() {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), text)
		}
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1 << 40)
	case reflect.Uint64:
		v.SetUint(1 << 62)
	}
}

// Nobody is a frame.Sessions in which nobody has signed in, and a service.Status of a node that does not
// answer.
type Nobody struct{}

// Find refuses.
func (Nobody) Find(string) (signin.Who, error) {
	return signin.Who{}, wire.Problemf(wire.KindUnauthenticated, "nobody")
}

// Again and Seen do nothing.
func (Nobody) Again(context.Context, signin.Who, string, string) error { return nil }
func (Nobody) Seen(signin.Who)                                         {}

// Status fails.
func (Nobody) Status(context.Context, bool) (wire.Status, error) {
	return wire.Status{}, wire.Problemf(wire.KindInternal, "no node")
}

// Rendered is the page of a name in the room, with every field of its data but Page filled with the
// text; "" leaves all as it is. The data is a pointer to what the page is filled with.
func Rendered(t *testing.T, room frame.Room, name string, data any, l *words.Language, text string) string {
	t.Helper()
	room.Routes = nil
	f, err := frame.New(frame.Options{Sessions: Nobody{}, Status: Nobody{}, Clock: func() time.Time { return time.Date(2026, 11, 29, 3, 4, 5, 0, time.UTC) }}, room)
	require.NoError(t, err)
	return rendered(t, f.Template(name), f, name, data, l, text)
}

func rendered(t *testing.T, page *template.Template, f *frame.Frame, name string, data any, l *words.Language, text string) string {
	t.Helper()
	v := reflect.ValueOf(data).Elem()
	if text != "" {
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "Page" {
				continue // what is in it is ours
			}
			fill(reflect.NewAt(v.Field(i).Type(), v.Field(i).Addr().UnsafePointer()).Elem(), text)
		}
	}
	p := (*frame.Page)(v.FieldByName("Page").Addr().UnsafePointer())
	p.Language, p.Title, p.Styles = l, l.T(name+".title"), f.Styles(name)
	if text != "" {
		p.User, p.Path, p.Idle, p.Only = text, frame.Below, true, true
		p.Banner = frame.Banner{Drill: true, Level: "alone", State: text, Works: text, Detail: frame.Point{Text: text, Detail: text}, Policy: text, Clock: text, At: text, Stale: text}
	}
	require.NotNil(t, page, name)
	var out bytes.Buffer
	require.NoError(t, page.ExecuteTemplate(&out, "layout", data), name)
	return out.String()
}

// Templates tries every page of the room: a template that is broken for some value must be found here,
// and not by a night shift; what people type is shown as they typed it, and never becomes a part of the
// page. datas makes what each page is filled with, by its name.
func Templates(t *testing.T, room frame.Room, datas func() map[string]any) {
	t.Helper()
	names, err := fs.Glob(room.Pages, "[a-z]*.html")
	require.NoError(t, err)
	require.Len(t, datas(), len(names), "every page is tried")
	for name := range datas() {
		for _, l := range words.All() {
			for _, text := range []string{"", Hostile, strings.Repeat("長", 20_000)} {
				page := Rendered(t, room, name, datas()[name], l, text)
				require.NotContains(t, page, "⟦", "%s in %s: a text is missing", name, l.Tag)
				require.Contains(t, page, `<html lang="`+l.Tag+`">`)
				require.Contains(t, page, "</html>")
				require.NotContains(t, page, "%!", name)
				require.NotContains(t, page, "<script>alert", name)
				require.NotContains(t, page, `" onload=`, name)
			}
		}
	}
}
