//go:build lossy

package durable

import "os"

// Parts that can be left out.
const (
	PartStore   = "store"
	PartJournal = "journal"
	PartLog     = "log"
	PartFiles   = "files"
)

// Synced is false for the part that ALMENARA_LOSSY names: a program built like this
// loses what it acknowledged. It is there to be caught.
func Synced(part string) bool { return os.Getenv("ALMENARA_LOSSY") != part }
