package residents

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/checkin"
	"almenara/node/residents"
)

// Whoever prints a code of their own may lead to the page, and not make it say that help was asked for.
func TestAttack_AnAddressSaysNothingThatThisPhoneHasNotDone(t *testing.T) {
	for done, says := range map[string]string{"seen": "已收到，多謝", "help": "你的求助已收到", "photo": "相片已收到", "anything": "已收到，多謝"} {
		n := newNode()
		require.NotContains(t, n.get(Below+link+"?done="+done).Body.String(), says, done)
		require.NotContains(t, n.get(Below+link+"?done="+done+"&here=true&photo=false").Body.String(), `role="status"`, done)
		n.view.Seen, n.view.Help, n.view.Photo = done == "seen", done == "help", done == "photo"
		if done != "anything" {
			require.Contains(t, n.get(Below+link+"?done="+done).Body.String(), says, done)
		}
	}
}

// drawing is a node that is busy with photos.
type drawing struct {
	*node
	begun chan struct{}
	over  chan struct{}
}

func (d *drawing) Answer(ctx context.Context, v residents.Visit, in residents.Answer) (residents.Taken, error) {
	if len(in.Photo) > 1 {
		d.begun <- struct{}{}
		<-d.over
	}
	return d.node.Answer(ctx, v, in)
}

// Photos are drawn anew one at a time. Whoever sends as many as they can keeps nobody's words from being taken, at
// their own address neither.
func TestAttack_PhotosKeepNoWordsWaiting(t *testing.T) {
	d := &drawing{node: newNode(), begun: make(chan struct{}), over: make(chan struct{})}
	p := New(d, visitor{&hall{}}, func() time.Time { return night }, time.UTC)
	send := func(from string, r *http.Request) int {
		r.RemoteAddr = from + ":4000"
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w.Code
	}
	var all sync.WaitGroup
	for i := range photos.All {
		r := uploadOf(t, []byte("a photo"), "answer", "photo")
		all.Go(func() { send(fmt.Sprintf("192.0.2.%d", i/photos.Each), r) })
		select {
		case <-d.begun:
		case <-time.After(10 * time.Second):
			t.Fatal("photo ", i, " is not looked at")
		}
	}
	answered := make(chan int, 8)
	for _, from := range []string{"192.0.2.0", "198.51.100.1"} {
		words := httptest.NewRequest(http.MethodPost, Below+link, strings.NewReader(url.Values{"answer": {"help"}, "where": {"12/F"}}.Encode()))
		words.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		both := uploadOf(t, []byte("a photo"), "answer", "help", "where", "13/F")
		alone := uploadOf(t, []byte("a photo"), "answer", "photo")
		all.Go(func() { answered <- send(from, words); answered <- send(from, both); answered <- send(from, alone) })
		for _, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
			select {
			case code := <-answered:
				require.Equal(t, want, code, from)
			case <-time.After(10 * time.Second):
				t.Fatal("words of ", from, " wait for photos")
			}
		}
	}
	require.Len(t, d.taken, 4, "the words of both, with and without a photo")
	close(d.over)
	go func() {
		for range d.begun { // those that come later
		}
	}()
	all.Wait()
	require.Equal(t, http.StatusOK, send("192.0.2.0", uploadOf(t, []byte("a photo"), "answer", "photo")), "there is room again")
	close(d.begun)
}

// Of a form with two photos neither takes the place of another phone for longer than it is read.
func TestAttack_TwoPhotosInOneFormLeakNoPlace(t *testing.T) {
	n := newNode()
	p := New(n, visitor{&n.hall}, func() time.Time { return night }, time.UTC)
	for i := range 3 * photos.All {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		require.NoError(t, form.WriteField("answer", "help"))
		for range 2 {
			part, err := form.CreateFormFile("photo", "x.jpg")
			require.NoError(t, err)
			_, err = part.Write([]byte("a photo"))
			require.NoError(t, err)
		}
		require.NoError(t, form.Close())
		r := httptest.NewRequest(http.MethodPost, Below+link, &body)
		r.Header.Set("Content-Type", form.FormDataContentType())
		r.RemoteAddr = fmt.Sprintf("192.0.2.%d:4000", i)
		p.ServeHTTP(httptest.NewRecorder(), r)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, uploadOf(t, []byte("a photo"), "answer", "photo"))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, []byte("a photo"), n.taken[len(n.taken)-1].Photo)
	for i := range photos.All {
		require.NoError(t, p.photos.Take(fmt.Sprint(i), false), "all places are free again")
	}
}

// Whoever hangs up a code of their own, or sends a link, may write visits into its address: no phone keeps them, and
// one that has visits of its own is shown no others.
func TestAttack_AnAddressPutsNoVisitsIntoAPhone(t *testing.T) {
	n := newNode()
	n.recalled = true
	made := "?v=" + checkin.Visits{market}.String()
	require.Empty(t, checkin.ReadVisits(night, cookieIn(t, n.get("/r/at/aaaa"+made), visitsCookie).Value))
	for _, path := range []string{"/r/at/aaaa", Below + link, "/r/recalls"} {
		require.NotContains(t, n.get(path+made).Body.String(), "切勿食用", path)
	}
	own := checkin.Visits{}.String()
	for _, path := range []string{"/r/at/aaaa", "/r/visits", Below + link} {
		require.NotContains(t, n.do(http.MethodGet, path+made, nil, visitsCookie, own).Body.String(), "切勿食用", path)
	}
	require.Equal(t, http.StatusNotFound, n.do(http.MethodGet, "/r/recall/"+recalledAlert+made, nil, visitsCookie, own).Code)
	require.Contains(t, n.get("/r/visits"+made).Body.String(), "切勿食用", "of a phone that keeps none")
}
