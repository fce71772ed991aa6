package console

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Of two values of one field the form would show one, and whoever read the file may have read the other; what it does
// not know would be left out without a word.
func TestScenarioFile_IsReadAsTheAPIReadsIt(t *testing.T) {
	r := newRig(t)
	for content, read := range map[string]bool{
		`{"id":"rain","title":"Rain","alert":{},"minutes":5,"approvals":2}`:                                     true,
		`{"id":"rain","title":"Rain","alert":{},"minutes":5,"approvals":2,"Approvals":0}`:                       false,
		`{"id":"rain","title":"Rain","alert":{},"minutes":5,"aprovals":2}`:                                      false,
		`{"id":"rain","title":"Rain","alert":{"info":[{"severity":"Minor","severity":"Extreme"}]},"minutes":5}`: false,
	} {
		body, kind := withFile(content)
		q := httptest.NewRequest("POST", Below+"scenario/file", strings.NewReader(body))
		q.Header.Set("Content-Type", kind)
		q.AddCookie(&http.Cookie{Name: "almenara", Value: "administrator"})
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		require.Equal(t, read, w.Code == http.StatusOK, "%s: %d", content, w.Code)
		require.Equal(t, read, strings.Contains(w.Body.String(), `value="rain"`), content)
	}
}
