package alert

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// Digest is the SHA-256 of a message's content. Two messages with one Key and
// different digests contradict each other.
type Digest [sha256.Size]byte

// String is the digest as 64 hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// Digest sums what the message says: every element, white space collapsed, times as
// instants. How it was written does not count: encoding, prefixes, comments,
// indentation, attributes, the signature. A field added to Alert must be added here
// under a new version byte.
func (a *Alert) Digest() Digest {
	s := summer{sha256.New()}
	s.number(1) // version of the order below
	s.texts(a.Identifier, a.Sender, string(a.Status), string(a.MsgType), a.Source, string(a.Scope), a.Restriction, a.Note)
	s.time(a.Sent)
	s.list(a.Addresses)
	s.list(a.Codes)
	s.list(a.Incidents)
	s.number(len(a.References))
	for _, k := range a.References {
		s.texts(k.Sender, k.Identifier)
		s.time(k.Sent)
	}
	s.number(len(a.Infos))
	for n := range a.Infos {
		s.info(&a.Infos[n])
	}
	return Digest(s.Sum(nil))
}

// summer feeds a hash so that no two contents give one byte stream: every text and
// list is led by its length.
type summer struct{ hash.Hash }

func (s summer) number(n int) {
	_, _ = s.Write(binary.BigEndian.AppendUint64(nil, uint64(n)))
}

func (s summer) texts(list ...string) {
	for _, text := range list {
		text = Collapse(text)
		s.number(len(text))
		_, _ = s.Write([]byte(text))
	}
}

func (s summer) list(list []string) {
	s.number(len(list))
	s.texts(list...)
}

func (s summer) pairs(list []Named) {
	s.number(len(list))
	for _, n := range list {
		s.texts(n.Name, n.Value)
	}
}

// time sums the instant; absent differs from every instant.
func (s summer) time(d DateTime) {
	if d.IsZero() {
		s.number(0)
		return
	}
	s.number(1)
	s.number(int(d.Time().Unix()))
}

func (s summer) info(i *Info) {
	s.texts(i.Language, i.Event, i.Urgency, i.Severity, i.Certainty, i.AudienceText,
		i.SenderName, i.Headline, i.Description, i.Instruction, i.Web, i.Contact)
	s.list(i.Categories)
	s.list(i.ResponseTypes)
	s.time(i.Effective)
	s.time(i.Onset)
	s.time(i.Expires)
	s.pairs(i.EventCodes)
	s.pairs(i.Parameters)
	s.number(len(i.Resources))
	for _, r := range i.Resources {
		s.texts(r.Description, r.MIMEType, r.URI, r.DerefURI, r.Digest)
		s.number(int(r.Size))
	}
	s.number(len(i.Areas))
	for _, a := range i.Areas {
		s.area(&a)
	}
}

func (s summer) area(a *Area) {
	s.texts(a.Description, a.Altitude, a.Ceiling)
	s.list(a.Polygons)
	s.list(a.Circles)
	s.pairs(a.Geocodes)
}
