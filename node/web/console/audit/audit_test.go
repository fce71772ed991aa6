package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/wire"
)

func TestTemplates(t *testing.T) {
	pagetest.Templates(t, Room(nil), func() map[string]any { return map[string]any{"audit": &auditPage{}} })
}

// book is an audit of so many lines.
type book struct {
	lines uint64
	asked []wire.AuditQuery
	after int // bytes before its disk fails; 0: never
}

func (b *book) AuditLines(_ context.Context, q wire.AuditQuery) (page wire.AuditPage, err error) {
	b.asked = append(b.asked, q)
	from := b.lines
	if q.Before > 0 {
		from = q.Before - 1
	}
	for n := from; n > 0; n-- {
		if len(page.Lines) == q.Limit {
			page.Next = n + 1
			break
		}
		page.Lines = append(page.Lines, wire.AuditLine{N: n, Actor: "chief", Action: "user put", Summary: fmt.Sprint("line ", n)})
	}
	return page, nil
}

func (b *book) ExportAudit(_ context.Context, w io.Writer, _, _ uint64) error {
	if _, err := io.WriteString(w, strings.Repeat("x", b.after)); err != nil {
		return err
	}
	if b.after > 0 {
		return errors.New("the disk is gone")
	}
	_, err := io.WriteString(w, "{\"from\":1}\n")
	return err
}

func ask(b *book, handle func(pages, *frame.Request) error, query string) (*httptest.ResponseRecorder, error) {
	w := httptest.NewRecorder()
	return w, handle(pages{b}, &frame.Request{W: w, R: httptest.NewRequest(http.MethodGet, "/console/audit?"+query, nil)})
}

// What is saved is everything that is asked for, not the page, and it ends.
func TestCSV_HasEveryLineOnceAndEnds(t *testing.T) {
	b := &book{lines: 2500}
	got, err := ask(b, pages.csv, "who=chief&before=2001")
	require.NoError(t, err)
	require.Equal(t, 2000+1, strings.Count(got.Body.String(), "\r\n"))
	require.Contains(t, got.Header().Get("Content-Disposition"), "almenara-audit-lines.csv")
	require.Equal(t, "chief", b.asked[0].Who)
	b = &book{lines: 10 * linesSaved}
	got, err = ask(b, pages.csv, "about=people&about=x")
	require.NoError(t, err)
	require.Equal(t, linesSaved+1, strings.Count(got.Body.String(), "\r\n"))
	require.Equal(t, wire.AboutPeople, b.asked[0].About)
}

// A chain that breaks off is never taken for a whole one.
func TestChain_IsWholeOrBroken(t *testing.T) {
	got, err := ask(&book{}, pages.chain, "")
	require.NoError(t, err)
	require.Equal(t, "{\"from\":1}\n", got.Body.String())
	require.Contains(t, got.Header().Get("Content-Disposition"), "almenara-audit.jsonl")
	got, err = ask(&book{after: 10}, pages.chain, "")
	require.Error(t, err, "nothing was written yet: a page says so")
	require.Empty(t, got.Header())
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { _, _ = ask(&book{after: 1 << 20}, pages.chain, "") })
}

func TestAt_KeepsWhatIsAskedFor(t *testing.T) {
	require.Equal(t, "/console/audit", at("", url.Values{"before": {"7"}, "evil": {"x"}}, 0))
	require.Equal(t, "/console/audit/lines.csv?holds=a%26b&who=%3Cx%3E", at("/lines.csv", url.Values{"who": {"<x>"}, "holds": {"a&b"}}, 0))
	require.Equal(t, "/console/audit?before=9&who=amy", at("", url.Values{"who": {"amy"}}, 9))
}
