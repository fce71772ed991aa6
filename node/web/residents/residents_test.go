package residents

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/node/residents"
	"almenara/node/residents/refusals"
	"almenara/storage/factbody"
)

var night = time.Date(2026, 11, 29, 3, 0, 0, 0, time.UTC)

const link = "aqhkcmrzgqzdgnbvgy3tqojqmfrggzdfmzttslyw"

// node answers as it is told, and several at once.
type node struct {
	mu      sync.Mutex // guards visits and taken
	view    residents.View
	err     error
	noPhoto bool
	visits  []residents.Visit
	taken   []residents.Answer
	hall
}

func (n *node) Open(v residents.Visit) (residents.View, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.visits = append(n.visits, v)
	return n.view, n.err
}

func (n *node) Answer(_ context.Context, v residents.Visit, in residents.Answer) (residents.Taken, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.visits, n.taken = append(n.visits, v), append(n.taken, in)
	return residents.Taken{View: n.view, NoPhoto: n.noPhoto}, n.err
}

func newNode() *node {
	return &node{view: residents.View{
		Alert: "abcdefghijklmnopqrstuvwxya", Block: "tm/estate/one", Pass: "aaaabbbb", Tier: contract.TierEmergency, Asked: []string{"seen", "help", "photo"}, Expires: night.Add(time.Hour),
		Texts: []contract.Text{
			{Language: "en", Headline: "Fire in block 1", Instruction: "Leave by the stairs", Expires: night.Add(time.Hour)},
			{Language: "zh-Hant", Headline: "第一座火警", Expires: night.Add(time.Hour)},
		},
	}}
}

func (n *node) ask(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	New(n, visitor{&n.hall}, func() time.Time { return night }, time.UTC).ServeHTTP(w, r)
	return w
}

func (n *node) get(path string) *httptest.ResponseRecorder {
	return n.ask(httptest.NewRequest(http.MethodGet, path, nil))
}

func (n *node) post(form url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, Below+link, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range change {
		c(r)
	}
	return n.ask(r)
}

// upload posts a form as a browser does that has a photo.
func (n *node) upload(t *testing.T, photo []byte, fields ...string) *httptest.ResponseRecorder {
	t.Helper()
	return n.ask(uploadOf(t, photo, fields...))
}

func uploadOf(t *testing.T, photo []byte, fields ...string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(t, form.WriteField(fields[i], fields[i+1]))
	}
	part, err := form.CreateFormFile("photo", "x.jpg")
	require.NoError(t, err)
	_, err = part.Write(photo)
	require.NoError(t, err)
	require.NoError(t, form.Close())
	r := httptest.NewRequest(http.MethodPost, Below+link, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	return r
}

// slow is a body of which nothing comes before it is closed.
func slow(t *testing.T, begun chan<- struct{}) io.Reader {
	in, out := io.Pipe()
	t.Cleanup(func() { out.Close() })
	return readerFunc(func(p []byte) (int, error) {
		if begun != nil {
			begun <- struct{}{}
			begun = nil
		}
		return in.Read(p)
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// Somebody who opens many answers and sends none of them to its end keeps nobody else from asking for help.
func TestAttack_SlowPhonesTakeNoRoomOfOthers(t *testing.T) {
	n := newNode()
	p := New(n, visitor{&n.hall}, func() time.Time { return night }, time.UTC)
	begun := make(chan struct{})
	var all sync.WaitGroup
	post := func(from string, body io.Reader) int {
		r := httptest.NewRequest(http.MethodPost, Below+link, body)
		r.RemoteAddr = from + ":4000"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Code
	}
	t.Cleanup(all.Wait) // after the bodies are closed
	for range reading.Each {
		body := slow(t, begun)
		all.Go(func() { post("192.0.2.1", body) })
		<-begun
	}
	answered := make(chan int)
	for _, from := range []string{"192.0.2.1", "192.0.2.2"} {
		all.Go(func() {
			answered <- post(from, strings.NewReader(url.Values{"answer": {"help"}, "where": {"12/F"}, "pass": {"aaaabbbb"}}.Encode()))
		})
		want := map[string]int{"192.0.2.1": http.StatusTooManyRequests, "192.0.2.2": http.StatusOK}[from]
		select {
		case code := <-answered:
			require.Equal(t, want, code, from)
		case <-time.After(10 * time.Second):
			t.Fatal("the answer of ", from, " is not read")
		}
	}
	require.Len(t, n.taken, 1)
}

func TestPage_ShowsTheAlertChineseFirstAndLoadsNothingOfOthers(t *testing.T) {
	n := newNode()
	w := n.get(Below + link)
	require.Equal(t, http.StatusOK, w.Code)
	page := w.Body.String()
	require.Less(t, strings.Index(page, "第一座火警"), strings.Index(page, "Fire in block 1"))
	require.Regexp(t, `有效至 \d{4}-\d\d-\d\d \d\d:\d\d [A-Z]+`, page)
	require.Regexp(t, `Valid until</span> \d{4}-\d\d-\d\d \d\d:\d\d [A-Z]+`, page)
	policy := w.Header().Get("Content-Security-Policy")
	require.Contains(t, policy, "default-src 'none'")
	require.Contains(t, policy, "frame-ancestors 'none'")
	require.NotContains(t, policy, "unsafe")
	require.NotRegexp(t, `(?i)<script(?:[^>]*)>[^<]|style=|\son[a-z]+=`, page, "nothing inline, which the policy forbids")
	require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	for _, found := range regexp.MustCompile(`(?:href|src)="(/r/file/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		require.Equal(t, http.StatusOK, n.get(found[1]).Code, found[1])
	}
	cookies := w.Result().Cookies()
	require.Len(t, cookies, 1, "one, and of this alert alone")
	c := cookies[0]
	require.Equal(t, []any{"aaaabbbb", Below, true, http.SameSiteLaxMode, 3600}, []any{c.Value, c.Path, c.HttpOnly, c.SameSite, c.MaxAge})
	require.NotContains(t, page, "演習")
	n.view.Tier = contract.TierDrill
	require.Contains(t, n.get(Below+link).Body.String(), "演習")
	n.view.Asked = []string{"seen"}
	require.NotContains(t, n.get(Below+link).Body.String(), `value="help"`)
}

func TestPage_OfTheCodeInCapitalsIsTheSame(t *testing.T) {
	w := newNode().get(Upper + strings.ToUpper(link))
	require.Equal(t, http.StatusTemporaryRedirect, w.Code)
	require.Equal(t, Below+link, w.Header().Get("Location"))
}

func TestAnswer_IsTakenWithoutScriptAndWithoutCookies(t *testing.T) {
	n := newNode()
	w := n.post(url.Values{"answer": {"help"}, "where": {"12/F"}, "text": {"smoke"}, "pass": {"ccccdddd"}})
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "你的求助已收到")
	require.Contains(t, w.Body.String(), "kept by this box alone")
	require.Equal(t, []residents.Answer{{What: factbody.ResidentHelp, Where: "12/F", Text: "smoke"}}, n.taken)
	require.Equal(t, "ccccdddd", n.visits[0].Pass)

	w = n.post(url.Values{"answer": {"seen"}}, func(r *http.Request) { r.AddCookie(&http.Cookie{Name: cookieOf(link), Value: "eeee"}) })
	require.Equal(t, http.StatusSeeOther, w.Code, "loading again sends nothing again")
	require.Equal(t, "eeee", n.visits[1].Pass)
	n.view.Seen = true
	w = n.get(w.Header().Get("Location"))
	require.Contains(t, w.Body.String(), "已收到，多謝")
	require.Equal(t, factbody.ResidentWhat(0), n.answerOf("anything"))
}

func (n *node) answerOf(what string) factbody.ResidentWhat {
	n.post(url.Values{"answer": {what}})
	return n.taken[len(n.taken)-1].What
}

func TestAttack_APhotoTooLargeLosesNoWords(t *testing.T) {
	n := newNode()
	n.noPhoto = true
	w := n.upload(t, make([]byte, 5<<20), "answer", "help", "where", "12/F")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "The photo was not taken")
	require.Equal(t, []residents.Answer{{What: factbody.ResidentHelp, Where: "12/F", Photo: []byte{0}}}, n.taken)
	n.upload(t, make([]byte, mostBody+1<<20), "answer", "help", "where", "13/F")
	require.Equal(t, "13/F", n.taken[1].Where)
	n.upload(t, []byte("jpeg"), "answer", "photo")
	require.Equal(t, []byte("jpeg"), n.taken[2].Photo)
	require.Equal(t, http.StatusBadRequest, n.upload(t, make([]byte, mostBody+1<<20), "answer", "photo").Code)
	many := make([]string, 0, 60)
	for range 30 {
		many = append(many, "x", "y")
	}
	require.Equal(t, http.StatusBadRequest, n.upload(t, nil, many...).Code)
	n.upload(t, nil, "answer", "help", "text", strings.Repeat("x", 100<<10))
	require.Len(t, n.taken[3].Text, mostField)
	require.Equal(t, http.StatusBadRequest, n.post(url.Values{"text": {strings.Repeat("x", 100<<10)}}).Code)
}

// What is too large is read past, and takes no memory: many send at a time.
func TestAttack_APhotoTooLargeIsNotKept(t *testing.T) {
	n := newNode()
	var before, after runtime.MemStats
	r := uploadOf(t, make([]byte, 15<<20), "answer", "help", "where", "12/F")
	runtime.ReadMemStats(&before)
	require.Equal(t, http.StatusOK, n.ask(r).Code)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(14<<20))
}

func TestAttack_APageOfAnotherSiteAnswersNothing(t *testing.T) {
	n := newNode()
	w := n.post(url.Values{"answer": {"seen"}}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	require.Equal(t, http.StatusForbidden, w.Code)
	require.Empty(t, n.taken)
}

// Whatever a sender writes is text.
func TestAttack_TextsAreNoMarkup(t *testing.T) {
	n := newNode()
	n.view.Texts[0].Headline = `</h1><script>alert(1)</script>`
	n.view.Texts[0].From = `" onload="x`
	page := n.get(Below + link).Body.String()
	require.NotContains(t, page, "<script>alert")
	require.NotRegexp(t, `\sonload="x`, page)
}

func TestRefusal_IsASentenceInBothLanguages(t *testing.T) {
	require.Len(t, sentences, len(refusals.Reasons()))
	for _, why := range refusals.Reasons() {
		n := newNode()
		n.err = &refusals.Refused{Why: why, RetryAfter: 7}
		w := n.get(Below + link)
		require.GreaterOrEqual(t, w.Code, 400, why)
		require.NotEmpty(t, sentences[why].Zh, why)
		require.Contains(t, w.Body.String(), sentences[why].Zh)
		require.Contains(t, w.Body.String(), escaped(sentences[why].En))
		require.Equal(t, "7", w.Header().Get("Retry-After"))
		require.Empty(t, w.Result().Cookies())
		require.NotContains(t, w.Body.String(), "<form")
	}
	n := newNode()
	n.err = &refusals.Refused{Why: refusals.TooMany}
	require.Equal(t, http.StatusTooManyRequests, n.get(Below+link).Code)
}

func escaped(text string) string { return strings.ReplaceAll(text, "'", "&#39;") }
