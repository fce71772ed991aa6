package frame

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/authority"
	"almenara/node/signin"
	"almenara/node/wire"
)

// known knows one cookie, of an audience manager.
type known struct{}

func (known) Find(cookie string) (signin.Who, error) {
	if cookie != "manager" {
		return signin.Who{}, wire.Problemf(wire.KindUnauthenticated, "nobody")
	}
	return signin.Who{Caller: authority.Caller{Name: "amy", Roles: []string{authority.RoleAudienceManager}}}, nil
}
func (known) Again(context.Context, signin.Who, string, string) error { return nil }
func (known) Seen(signin.Who)                                         {}
func (known) Status(context.Context, bool) (wire.Status, error)       { return wire.Status{Ready: true}, nil }

const mostInFile = 1000

// upload sends a form to a route that takes a file, and returns what its page read of the file.
func upload(t *testing.T, cookie string, form io.Reader, kind string) (status int, read string, asked bool) {
	t.Helper()
	room := Room{Pages: fstest.MapFS{}, Routes: []Route{{
		Method: "POST", Path: Below + "up", Action: authority.ChangeAudience, Upload: mostInFile, Within: time.Hour,
		Handle: func(q *Request) error {
			asked = true
			if q.File() == nil {
				_, _ = io.WriteString(q.W, "no file, "+q.Form("note"))
				return nil
			}
			raw, err := io.ReadAll(q.File())
			if err != nil {
				err = wire.Problemf(wire.KindMalformed, "the file ends early") // as a service hides the cause
			}
			if err := q.File().Or(err); err != nil {
				return err
			}
			end, _ := q.R.Context().Deadline()
			require.Greater(t, time.Until(end), 50*time.Minute)
			read = q.Form("note") + ": " + string(raw)
			return nil
		},
	}}}
	f, err := New(Options{Sessions: known{}, Status: known{}, Clock: time.Now}, room)
	require.NoError(t, err)
	q := httptest.NewRequest("POST", Below+"up", form)
	q.Host = "localhost"
	q.Header.Set("Content-Type", kind)
	q.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie})
	w := httptest.NewRecorder()
	f.ServeHTTP(w, q)
	if read == "" {
		read = w.Body.String()
	}
	return w.Code, read, asked
}

// formOf is a form with fields and then a file.
func formOf(t *testing.T, fields [][2]string, file string) (io.Reader, string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, field := range fields {
		require.NoError(t, w.WriteField(field[0], field[1]))
	}
	if file != "" {
		part, err := w.CreateFormFile("file", "../residents.csv")
		require.NoError(t, err)
		_, err = io.WriteString(part, file)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return &out, w.FormDataContentType()
}

func TestUpload_ReadsFieldsAndTheFile(t *testing.T) {
	form, kind := formOf(t, [][2]string{{"note", "hello"}}, "a,b\n1,2\n")
	status, read, _ := upload(t, "manager", form, kind)
	require.Equal(t, 200, status, read)
	require.Equal(t, "hello: a,b\n1,2\n", read)
	form, kind = formOf(t, [][2]string{{"note", "hello"}}, "")
	_, read, _ = upload(t, "manager", form, kind)
	require.Equal(t, "no file, hello", read)
}

func TestUpload_RefusesWhatIsTooLarge(t *testing.T) {
	form, kind := formOf(t, nil, strings.Repeat("x", mostInFile+maxForm+1))
	status, page, _ := upload(t, "manager", form, kind)
	require.Equal(t, 413, status, "the file")
	require.Contains(t, page, "more than")
	form, kind = formOf(t, [][2]string{{"note", strings.Repeat("x", maxForm)}, {"more", "x"}}, "f")
	status, _, asked := upload(t, "manager", form, kind)
	require.Equal(t, 413, status, "the fields")
	require.False(t, asked)
	form, kind = formOf(t, make([][2]string, mostFields), "f")
	status, _, asked = upload(t, "manager", form, kind)
	require.Equal(t, 400, status, "fields without end")
	require.False(t, asked)
}

func TestUpload_RefusesWhatIsNoSuchForm(t *testing.T) {
	for kind, body := range map[string]string{
		"application/x-www-form-urlencoded": "note=hello", "multipart/form-data": "x", "multipart/mixed; boundary=x": "--x--", "multipart/form-data; boundary=x": "not a part",
		"text/csv": "a,b", "": "a",
	} {
		status, _, asked := upload(t, "manager", strings.NewReader(body), kind)
		require.Equal(t, 400, status, kind)
		require.False(t, asked)
	}
}

// untouched fails the test when it is read.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	require.FailNow(u.t, "the form of somebody who may not was read")
	return 0, io.EOF
}

func TestUpload_ReadsNothingOfStrangers(t *testing.T) {
	_, kind := formOf(t, nil, "x")
	status, _, asked := upload(t, "stranger", untouched{t}, kind)
	require.Equal(t, 401, status)
	require.False(t, asked)
}
