package fact

import (
	"bytes"
	"crypto/sha256"
	"fmt"
)

// erasedKey stands in the place of a key's id in a fact that was erased.
const erasedKey = "erased"

// Erasable reports whether facts of the kind may lose their body: those of what people reported or answered
// and of notes about people. No alert or approval ever does; a block of receipts loses nothing but words of answers.
func Erasable(k Kind) bool {
	return k == KindReport || k == KindModeration || k == KindFollowUp || k == KindResidents
}

// Erase gives the fact with another body, which is less than what it said, or nothing. Its place in the
// stream, its kind, its time and its id stay; its signature is gone, and its id stands there. Erasing an
// erased fact erases more of it.
func Erase(s Signed, body []byte) (Signed, error) {
	f, err := s.Fact()
	if err != nil {
		return Signed{}, err
	}
	f.Body = bytes.Clone(body)
	canonical, err := encoding.Marshal(f)
	if err != nil {
		return Signed{}, fmt.Errorf("encoding an erased fact: %w", err)
	}
	id := s.ID()
	return Signed{Canonical: canonical, KeyID: erasedKey, Signature: id[:]}, nil
}

// Erased reports whether the fact says that it was erased. Nobody has signed that, so it is believed of what
// this node itself has agreed on alone: Open refuses it, and nodes hand none to each other.
func (s Signed) Erased() bool { return s.KeyID == erasedKey && len(s.Signature) == sha256.Size }
