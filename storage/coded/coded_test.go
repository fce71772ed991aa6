package coded

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestErrorf_IsTheErrorWithACode(t *testing.T) {
	inner := New("torn", "it is torn")
	err := Errorf("line", "line %d: %w", 7, inner)
	require.EqualError(t, err, "line 7: it is torn")
	require.ErrorIs(t, err, inner)
	found := Find(fmt.Errorf("reading: %w", err))
	code, with := found.Saying()
	require.Equal(t, "line", code)
	require.Equal(t, []any{7, inner}, with)
	require.ErrorIs(t, Errorf("end", "%w and %w", io.EOF, inner), io.EOF)
	require.Nil(t, Find(errors.New("plain")))
	require.Nil(t, Find(nil))
}
