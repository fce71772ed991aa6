package web_test

import (
	"net/http"
	"net/http/httptest"
	"path"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"almenara/node/web"
)

// A browser keeps a file for ever, so another content has another name.
func TestFiles_NamesChangeWithContent(t *testing.T) {
	made := func(content string) *web.Files {
		f, err := web.NewFiles("/static", fstest.MapFS{"a.css": {Data: []byte(content)}, "in/b.js": {Data: []byte("b")}})
		require.NoError(t, err)
		return f
	}
	one, two := made("one"), made("two")
	require.NotEqual(t, one.Path("a.css"), two.Path("a.css"))
	require.Equal(t, one.Path("in/b.js"), two.Path("in/b.js"))
	require.Empty(t, one.Path("c.css"))

	w := httptest.NewRecorder()
	require.True(t, one.Serve(w, httptest.NewRequest(http.MethodGet, "/", nil), path.Base(one.Path("a.css"))))
	require.Equal(t, "one", w.Body.String())
	require.Equal(t, "text/css; charset=utf-8", w.Header().Get("Content-Type"))
	require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
	for _, name := range []string{path.Base(two.Path("a.css")), "a.css", "", "../files.go"} {
		require.False(t, one.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), name), name)
	}

	_, err := web.NewFiles("/static", fstest.MapFS{"unknown.kind": {}})
	require.ErrorContains(t, err, "does not say what it is")
}

// Browsers send cookies with what a page of another site asks for, too.
func TestProtect_RefusesWhatOtherSitesChange(t *testing.T) {
	ask := func(method string, header ...string) error {
		r := httptest.NewRequest(method, "https://box:8480/", nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		err := web.Protect(w, r)
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		return err
	}
	require.NoError(t, ask(http.MethodGet, "Sec-Fetch-Site", "cross-site"), "what only reads")
	require.NoError(t, ask(http.MethodPost, "Sec-Fetch-Site", "same-origin"))
	require.NoError(t, ask(http.MethodPost), "no browser")
	require.ErrorContains(t, ask(http.MethodPost, "Sec-Fetch-Site", "cross-site"), "another site")
	require.ErrorContains(t, ask(http.MethodPost, "Sec-Fetch-Site", "same-site"), "another site")
	require.ErrorContains(t, ask(http.MethodPost, "Origin", "https://elsewhere.example"), "another site")
}
