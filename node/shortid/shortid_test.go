package shortid_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/shortid"
	"almenara/node/wire"
	"almenara/node/wire/why"
)

func TestPick_NeedsOneThatBeginsSo(t *testing.T) {
	one, err := shortid.Pick("alert", "abcd", []string{"abcde", "abcde"})
	require.NoError(t, err, "found twice, it is one")
	require.Equal(t, "abcde", one)

	_, err = shortid.Pick("alert", "abcd", []string(nil))
	require.Equal(t, wire.Problemf(wire.KindNotFound, "no alert abcd is known here").Because(why.NoSuchID, "abcd"), problem(t, err))

	_, err = shortid.Pick("alert", "abcd", []string{"abcdf", "abcde"})
	require.Equal(t, wire.Problemf(wire.KindConflict,
		"abcd is the beginning of 2 alert ids (abcde, abcdf): write more of the one that is meant").Because(why.IDsMany, "abcd"), problem(t, err))

	_, err = shortid.Pick("licence", "abcd", []string{"abcd4", "abcd3", "abcd2", "abcd1"})
	require.Contains(t, problem(t, err).Sentence, "4 licence ids (abcd1, abcd2, abcd3 and more)")
}

func problem(t *testing.T, err error) *wire.Problem {
	t.Helper()
	var p *wire.Problem
	require.True(t, errors.As(err, &p))
	return p
}
