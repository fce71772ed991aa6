package folder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"almenara/cluster/identity"
	"almenara/cluster/marks"
	"almenara/storage"
)

// Trusted reads the whole state before anything of it is believed: Badger takes a damaged block
// for absent records. A damaged one leaves the mark of quarantine: the node must not come back
// under its id with a part of the state.
func Trusted(dir string, d *identity.District, verify func(context.Context) error, clock func() time.Time, log *slog.Logger) error {
	err := verify(context.Background())
	if !errors.Is(err, storage.ErrDamaged) {
		return err
	}
	return Damaged(dir, d, clock(), err, log)
}

// Damaged marks the folder and says in one sentence what to do.
func Damaged(dir string, d *identity.District, now time.Time, err error, log *slog.Logger) error {
	if err := marks.MarkQuarantined(RaftDir(dir), marks.CauseState, "the agreed state: "+err.Error(), d, now); err != nil {
		log.Error("the folder was not marked as damaged", "error", err)
	}
	log.Error("the agreed state is damaged", "error", err)
	return fmt.Errorf("this node does not start, because its agreed state is rotten (%w); replace the disk if it is old, "+
		"let the node come back under a new id with almenara rejoin, or restore a backup: %s", storage.ErrDamaged, brief(err))
}

// brief is the end of an error's text, where the cause stands.
func brief(err error) string {
	const most = 160
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	if r := []rune(text); len(r) > most {
		return "…" + string(r[len(r)-most:])
	}
	return text
}
