package frame

import (
	"net/http"
	"strings"
	"time"

	"almenara/node/signin"
	"almenara/node/web/console/words"
)

// The cookies. The one of a session is bound to the host where there is TLS. Cookies do not know
// ports, so nodes under one host name share them, and a session opens on each.
const (
	sessionCookie  = "almenara"
	languageCookie = "almenara-language"
)

// nameOf is the session's cookie. __Host- makes browsers refuse one that another host of the same
// domain has set (RFC 6265bis); they take it with TLS only.
func nameOf(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-" + sessionCookie
	}
	return sessionCookie
}

// CookieOf is the session's cookie of a request; "" where there is none.
func CookieOf(r *http.Request) string {
	cookie, err := r.Cookie(nameOf(r))
	if err != nil || len(cookie.Value) > 200 {
		return ""
	}
	return cookie.Value
}

func setCookie(w http.ResponseWriter, r *http.Request, value string, until time.Time) {
	http.SetCookie(w, &http.Cookie{
		Name: nameOf(r), Value: value, Path: "/", Expires: until, Secure: r.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

// KeepSession gives the browser the cookie of a session that has begun.
func (q *Request) KeepSession(begun signin.Begun) { setCookie(q.W, q.R, begun.Cookie, begun.Until) }

// DropSession takes the cookie from the browser.
func (q *Request) DropSession() {
	http.SetCookie(q.W, &http.Cookie{Name: nameOf(q.R), Path: "/", MaxAge: -1, Secure: q.R.TLS != nil, HttpOnly: true, SameSite: http.SameSiteStrictMode})
}

// languageOf is the language that was chosen, else the browser's.
func languageOf(r *http.Request) *words.Language {
	chosen := ""
	if cookie, err := r.Cookie(languageCookie); err == nil && len(cookie.Value) < 40 {
		chosen = cookie.Value
	}
	return words.Pick(chosen, r.Header.Get("Accept-Language"))
}

// Inside is the path where it is one of the console's pages, else its first page: nobody is sent to
// where a link of somebody else says.
func (q *Request) Inside(path string) string {
	below := Below
	if len(path) > 500 || !strings.HasPrefix(path, below) {
		return below
	}
	for _, c := range path {
		if c <= ' ' || c == '\\' || c > '~' {
			return below
		}
	}
	return path
}
