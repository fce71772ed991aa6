package frame_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/pagetest"
	"almenara/node/web/console/words"
)

// Two pages of one name would be one page.
func TestNew_TakesNoTwoPagesOfOneName(t *testing.T) {
	room := frame.Room{Pages: fstest.MapFS{"now.html": {Data: []byte(`{{define "main"}}{{end}}`)}}}
	_, err := frame.New(frame.Options{Clock: time.Now}, room)
	require.NoError(t, err)
	_, err = frame.New(frame.Options{Clock: time.Now}, room, room)
	require.ErrorContains(t, err, "two rooms have a page now")
}

func TestProblem_ShowsForeignTextsAsTexts(t *testing.T) {
	l := words.All()[0]
	page := pagetest.Rendered(t, frame.Room{Pages: fstest.MapFS{}}, "problem", &frame.ProblemPage{}, l, pagetest.Hostile)
	require.NotContains(t, page, "<script>alert")
}
