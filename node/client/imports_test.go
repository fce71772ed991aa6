package client_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/client"
	"almenara/node/wire"
)

// telling answers an import with these lines and notes what it was asked.
func telling(t *testing.T, lines string) *client.Client {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if !strings.Contains(r.Header.Get("Accept"), "application/x-ndjson") {
			t.Errorf("the client wants %q", r.Header.Get("Accept"))
		}
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, lines)
	}))
	t.Cleanup(s.Close)
	return newClient(t, client.Config{URL: s.URL})
}

func TestImport_TellsTheUploadAndThenTheNodesProgress(t *testing.T) {
	r := newRig(t)
	told := make(chan struct{})
	r.Importing = func(ctx context.Context, progress func(wire.Progress)) {
		progress(wire.Progress{Phase: wire.PhaseStaging, Done: 1, Total: 2})
		select {
		case <-told:
		case <-ctx.Done():
		}
	}
	r.Imported = wire.Imported{Applied: true, Rows: 2}
	const size = 300_000
	var phases []string
	var sent int64
	out, err := r.Client.Import(t.Context(), client.Import{
		CSV: bytes.NewReader(make([]byte, size)), Size: size,
		Progress: func(p wire.Progress) {
			if len(phases) == 0 || phases[len(phases)-1] != p.Phase {
				phases = append(phases, p.Phase)
			}
			switch p.Phase {
			case wire.PhaseUploading:
				if p.Done < sent || p.Total != size {
					t.Errorf("after %d bytes: %+v", sent, p)
				}
				sent = p.Done
			case wire.PhaseStaging:
				if p.Done != 1 || p.Total != 2 {
					t.Errorf("%+v", p)
				}
				close(told)
			}
		},
	})
	require.NoError(t, err)
	require.Equal(t, r.Imported, out)
	require.EqualValues(t, size, sent)
	require.Equal(t, []string{wire.PhaseUploading, wire.PhaseStaging}, phases)
	require.Equal(t, []string{"Import 300000 false false"}, r.Calls())
}

func TestImport_ReadsTheLastLine(t *testing.T) {
	progress := `{"phase":"checking","done":1000,"total":0}` + "\n" + `{"phase":"a new one","done":1,"total":2,"more":true}` + "\n"
	out, err := telling(t, progress+`{"applied":true,"rows":3}`+"\n").Import(t.Context(), client.Import{CSV: strings.NewReader("id\n")})
	require.NoError(t, err)
	require.Equal(t, wire.Imported{Applied: true, Rows: 3}, out)

	var p *wire.Problem
	_, err = telling(t, progress+`{"kind":"no-quorum","error":"no majority","details":["x"]}`).Import(t.Context(), client.Import{CSV: strings.NewReader("id\n")})
	require.ErrorAs(t, err, &p)
	require.Equal(t, &wire.Problem{Kind: wire.KindNoQuorum, Sentence: "no majority", Details: []string{"x"}}, p)
}

func TestImport_ThatIsCutIsUnknownUnlessItWasADryRun(t *testing.T) {
	for _, lines := range []string{"", `{"phase":"folding in","done":1,"total":2}` + "\n", `{"applied":tr`, "garbage", "[]\n"} {
		_, err := telling(t, lines).Import(t.Context(), client.Import{CSV: strings.NewReader("id\n")})
		require.ErrorIs(t, err, client.ErrUnknown, lines)
		_, err = telling(t, lines).Import(t.Context(), client.Import{CSV: strings.NewReader("id\n"), DryRun: true})
		require.Error(t, err, lines)
		require.NotErrorIs(t, err, client.ErrUnknown, "a dry run changes nothing")
	}
}

func TestPreview_AsksForADryRun(t *testing.T) {
	r := newRig(t)
	out, err := r.Client.PreviewCAP(t.Context(), []byte("<alert/>"), "all")
	require.NoError(t, err)
	require.True(t, out.DryRun)
	out, err = r.Client.PreviewAlert(t.Context(), wire.SendAlert{Alert: []byte("{}"), Select: "all"})
	require.NoError(t, err)
	require.True(t, out.DryRun)
	require.Equal(t, []string{`PreviewCAP <alert/> "all"`, `PreviewAlert {} "all"`}, r.Calls())
}
