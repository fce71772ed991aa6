package pages_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/pages"
)

func made(t *testing.T, framedBy ...string) *pages.Pages {
	t.Helper()
	p, err := pages.New(framedBy)
	require.NoError(t, err)
	return p
}

func TestPages_LoadNothingButTheirOwnFiles(t *testing.T) {
	p, w := made(t), httptest.NewRecorder()
	w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
	p.ServeScreen(w, pages.FromNode)
	policy := w.Header().Get("Content-Security-Policy")
	for _, rule := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} {
		require.Contains(t, policy, rule)
	}
	require.NotContains(t, policy, "unsafe")
	require.NotRegexp(t, `(?i)<script(?:[^>]*)>[^<]|style=|\son[a-z]+=`, w.Body.String(), "nothing inline, which the policy forbids")
	loaded := regexp.MustCompile(`(?:href|src)="/screen/([0-9a-f]{16})/([^"]+)"`).FindAllStringSubmatch(w.Body.String(), -1)
	require.Len(t, loaded, 2)
	for _, file := range loaded {
		served(t, p, file[1], file[2])
	}
}

func served(t *testing.T, p *pages.Pages, version, name string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	require.True(t, p.ServeFile(w, httptest.NewRequest(http.MethodGet, "/", nil), version, name), name)
	return w
}

// Every module that a page's modules import is there, under the same version.
func TestPages_HaveEveryModuleThatTheyImport(t *testing.T) {
	p := made(t)
	imports := regexp.MustCompile(`(?m)^(?:import|export) .*from '([^']+)'`)
	for _, from := range []string{"screen.js", "phone.js", "speaker.js", "announce.js", "player.js", "speakerwords.js", "cards.js", "list.js", "voice.js", "join.js", "life.js", "sound.js", "agent.js", "mqtt.js", "arrange.js", "draw.js", "lines.js", "letters.js", "words.js", "contract/receiver.js", "contract/signature.js"} {
		w := served(t, p, p.Version(), from)
		require.Equal(t, "text/javascript; charset=utf-8", w.Header().Get("Content-Type"))
		require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
		folder := regexp.MustCompile(`[^/]*$`).ReplaceAllString(from, "")
		for _, name := range imports.FindAllStringSubmatch(w.Body.String(), -1) {
			served(t, p, p.Version(), folder+name[1][2:])
		}
	}
	for _, name := range []string{"screen.html", "phone.html", "speaker.html", "worker.js", "../pages.go", "", "contract"} {
		require.False(t, p.ServeFile(httptest.NewRecorder(), nil, p.Version(), name), name)
	}
	require.False(t, p.ServeFile(httptest.NewRecorder(), nil, "0123456789abcdef", "screen.js"), "of another version")
}

// The page of a phone finds beside itself what must not change its name, and its worker keeps every
// module of this version.
func TestPages_OfAPhone(t *testing.T) {
	p := made(t, "https://signage.example")
	get := func(name string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		require.True(t, p.ServePhone(w, httptest.NewRequest(http.MethodGet, "/phone/"+name, nil), name), name)
		return w
	}
	page := get("")
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'", "its buttons answer, so nobody may put it in a frame")
	require.NotContains(t, page.Header().Get("Content-Security-Policy"), "unsafe")
	require.NotRegexp(t, `(?i)<script(?:[^>]*)>[^<]|style=|\son[a-z]+=`, page.Body.String())
	for _, found := range regexp.MustCompile(`href="/phone/([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1) {
		get(found[1])
	}
	worker := get("worker.js")
	require.Equal(t, "text/javascript; charset=utf-8", worker.Header().Get("Content-Type"))
	kept := regexp.MustCompile(`/screen/([0-9a-f]{16})/([^ ']+)`).FindAllStringSubmatch(worker.Body.String(), -1)
	require.Greater(t, len(kept), 15)
	for _, file := range kept {
		served(t, p, file[1], file[2])
	}
	require.Contains(t, worker.Body.String(), "const version = '"+p.Version()+"'")
	icons := regexp.MustCompile(`"src": "([^"]+)"`).FindAllStringSubmatch(get("manifest.webmanifest").Body.String(), -1)
	require.Len(t, icons, 3)
	for _, icon := range icons {
		require.Regexp(t, "^image/", get(icon[1]).Header().Get("Content-Type"))
	}
	require.False(t, p.ServePhone(httptest.NewRecorder(), nil, "phone.js"))
}

// A browser that offers to translate an alert puts a bubble over it.
func TestPages_OfDevicesAreNotTranslated(t *testing.T) {
	p := made(t)
	screen, speaker := httptest.NewRecorder(), httptest.NewRecorder()
	p.ServeScreen(screen, pages.FromAgent)
	require.True(t, p.ServeSpeaker(speaker, httptest.NewRequest(http.MethodGet, "/speaker/", nil), ""))
	for _, page := range []string{screen.Body.String(), speaker.Body.String()} {
		require.Contains(t, page, `<meta name="google" content="notranslate">`)
		require.Contains(t, page, `<html translate="no"`)
	}
}

func TestPages_OfASpeakerAndTheWorkers(t *testing.T) {
	p := made(t, "https://signage.example")
	get := func(name string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		require.True(t, p.ServeSpeaker(w, httptest.NewRequest(http.MethodGet, "/speaker/"+name, nil), name), name)
		return w
	}
	w := get("")
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
	require.NotContains(t, w.Header().Get("Content-Security-Policy"), "unsafe")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.NotRegexp(t, `(?i)<script(?:[^>]*)>[^<]|style=|\son[a-z]+=`, w.Body.String())
	loaded := regexp.MustCompile(`(?:href|src)="/screen/([0-9a-f]{16})/([^"]+)"`).FindAllStringSubmatch(w.Body.String(), -1)
	require.Len(t, loaded, 3)
	for _, file := range loaded {
		served(t, p, file[1], file[2])
	}
	worker := get("worker.js").Body.String()
	require.Contains(t, worker, "const page = '/speaker/'")
	require.Contains(t, worker, "/speaker.js")
	require.False(t, p.ServeSpeaker(httptest.NewRecorder(), nil, "manifest.webmanifest"))
	screen := httptest.NewRecorder()
	require.True(t, p.ServeScreenFile(screen, httptest.NewRequest(http.MethodGet, "/screen/worker.js", nil), "worker.js"))
	require.Contains(t, screen.Body.String(), "const page = '/screen/'")
	require.Contains(t, screen.Body.String(), "/"+p.Version()+"/screen.js")
	require.Equal(t, "no-cache", screen.Header().Get("Cache-Control"), "the next version is found")
	require.Contains(t, screen.Header().Get("Content-Security-Policy"), "worker-src 'self'")
	require.Empty(t, screen.Header().Get("Service-Worker-Allowed"), "it answers for nothing but its page")
	require.False(t, p.ServeScreenFile(httptest.NewRecorder(), nil, "screen.html"))
	phone := httptest.NewRecorder()
	require.True(t, p.ServePhone(phone, httptest.NewRequest(http.MethodGet, "/phone/worker.js", nil), "worker.js"))
	require.Contains(t, phone.Body.String(), "const page = '/phone/'")
}

func TestPages_AreFramedByWhomTheSettingNamesAlone(t *testing.T) {
	w := httptest.NewRecorder()
	made(t, "https://signage.example", "http://10.0.0.9:8080").ServeScreen(w, pages.FromNode)
	require.Regexp(t, `frame-ancestors https://signage\.example http://10\.0\.0\.9:8080$`, w.Header().Get("Content-Security-Policy"))
	for _, origin := range []string{"*", "signage.example", "https://", "https://a b", "https://a;script-src *", "https://a/path", "ftp://a", "https://*.example", "'self'"} {
		_, err := pages.New([]string{origin})
		require.ErrorContains(t, err, "is not the origin of a page", origin)
	}
}

// What runs under the alerts is somebody else's page: it may do what a page does in its frame, and not lead the
// window elsewhere, stop it by a dialog, or open another one above it.
func TestAttack_WhatRunsUnderAlertsStaysInItsFrame(t *testing.T) {
	script, err := os.ReadFile("files/screen.js")
	require.NoError(t, err)
	frames := regexp.MustCompile(`createElement\('iframe'\)`).FindAllString(string(script), -1)
	sandboxes := regexp.MustCompile(`sandbox: '([^']*)'`).FindAllStringSubmatch(string(script), -1)
	require.NotEmpty(t, frames)
	require.Len(t, sandboxes, len(frames), "each frame has one")
	for _, found := range sandboxes {
		require.Subset(t, []string{"allow-scripts", "allow-same-origin", "allow-forms"}, strings.Fields(found[1]))
	}
}
