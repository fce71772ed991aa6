package audit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"

	"almenara/storage"
	"almenara/storage/dumpfile"
)

// DumpReport says what VerifyDump found.
type DumpReport struct {
	Applied    storage.Applied
	AuditLines uint64 // all of them, one following from the other
}

// VerifyDump reads a dump as storage.CheckDump does, and follows its audit chain from the first
// line to the head. dumpfile.ErrDump says what is wrong.
func VerifyDump(r io.ReadSeeker, size int64) (report DumpReport, err error) {
	chain := auditChain{prev: make([]byte, sha256.Size), head: Head{Hash: make([]byte, sha256.Size)}}
	if report.Applied, err = storage.ReadDump(r, size, chain.take); err != nil {
		return report, err
	}
	if chain.n != chain.head.N || !bytes.Equal(chain.prev, chain.head.Hash) {
		return report, fmt.Errorf("%w: the audit chain ends at line %d, its head says %d", dumpfile.ErrDump, chain.n, chain.head.N)
	}
	if n := chain.seals.open(); n > 0 {
		return report, fmt.Errorf("%w: audit line %d was altered: it says that words of it were erased, and is not as a later line has left it", dumpfile.ErrDump, n)
	}
	report.AuditLines = chain.n
	return report, nil
}

// auditChain follows the audit lines of a dump, in which they are in order.
type auditChain struct {
	prev  []byte
	n     uint64
	head  Head
	seals seals
}

func (c *auditChain) take(key, value []byte) error {
	switch {
	case bytes.Equal(key, keyAuditHead):
		head, err := storage.Decode[Head](key, value)
		if err != nil {
			return fmt.Errorf("%w: %w", dumpfile.ErrDump, err)
		}
		c.head = head
	case bytes.HasPrefix(key, prefAudit):
		line, err := storage.Decode[Entry](key, value)
		if err != nil {
			return fmt.Errorf("%w: %w", dumpfile.ErrDump, err)
		}
		if line.N != c.n+1 {
			return fmt.Errorf("%w: audit line %d does not follow from line %d", dumpfile.ErrDump, line.N, c.n)
		}
		if problem := c.seals.follow(line, c.prev, 1); problem != "" {
			return fmt.Errorf("%w: audit: %s", dumpfile.ErrDump, problem)
		}
		c.prev, c.n = line.Hash, line.N
	}
	return nil
}
