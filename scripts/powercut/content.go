//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/cluster/identity"
	"almenara/storage/alert"
	"almenara/storage/audience"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

const settingsFile = "settings.txt"

// begin is the time of the log's first entry.
var begin = time.Date(2026, 7, 20, 9, 40, 0, 0, time.UTC)

const sent = "2026-07-20T17:40:00+08:00"

func newIdentity() (*identity.Identity, error) {
	d, err := identity.NewDistrict("Power cut")
	if err != nil {
		return nil, err
	}
	return identity.New(d, []string{"127.0.0.1:1"})
}

// withSum puts a checksum before text, so that half a file is known as such.
func withSum(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return []byte(hex.EncodeToString(sum[:]) + " " + text)
}

// readSettings returns the version of the settings file; 0 when there is none.
func readSettings(dir string) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(dir, settingsFile))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	_, text, _ := strings.Cut(string(b), " ")
	if string(withSum(text)) != string(b) {
		return 0, fmt.Errorf("the settings file of %d bytes is neither the old one nor the new one", len(b))
	}
	number, _, _ := strings.Cut(text, " ")
	return strconv.ParseUint(number, 10, 64)
}

func members(from, n int) [][]byte {
	kinds := []audience.Kind{audience.KindScreen, audience.KindSpeaker, audience.KindPhone}
	var out [][]byte
	for i := from; i < from+n; i++ {
		out = append(out, audience.EncodeMember(&audience.Member{
			ID: fmt.Sprintf("m-%07d", i), Kind: kinds[i%3], Place: audience.Path(fmt.Sprintf("tuen-mun/estate-%d/block-%d", i%7, i%50)),
			Tags:      []audience.Tag{{Name: "note", Value: fmt.Sprintf("the-%d-one-by-the-stairs", i)}, {Name: "risk", Value: []string{"high", "low"}[i%2]}},
			Endpoints: []audience.Endpoint{{Channel: "mqtt", Address: fmt.Sprintf("lift-%07d", i)}},
		}))
	}
	return out
}

// putMembers is one small entry.
func (w *worker) putMembers() error {
	w.members += 5
	return w.propose(&command.PutMembers{Members: members(w.members, 5)})
}

// batch is several entries that are stored and applied together.
func (w *worker) batch() error {
	var all []command.Payload
	for range 2 + w.r.IntN(6) {
		w.members += 40
		all = append(all, &command.PutMembers{Members: members(w.members, 40)})
	}
	return w.propose(all...)
}

// Each import is so many chunks; its steps are staging all, activation, folding one by
// one.
const (
	importChunks = 4
	chunkMembers = 1800
)

// importStep takes the next step of the import that is under way. The large entries
// make memtables rotate.
func (w *worker) importStep() error {
	number, at := w.imported/(importChunks+2), w.imported%(importChunks+2)
	w.imported++
	id := fmt.Sprintf("import-%d", number)
	switch at {
	case 0:
		var all []command.Payload
		for i := range importChunks {
			from := 100000 + (number%3*importChunks/2+i)*chunkMembers
			all = append(all, &command.StageMembers{Import: id, Chunk: uint32(i), Members: members(from, chunkMembers)})
		}
		return w.propose(all...)
	case 1:
		return w.propose(&command.ActivateImport{Import: id, Chunks: importChunks})
	}
	return w.propose(&command.FoldImport{Import: id, Chunk: uint32(at - 2)})
}

// alert makes one of its own, and half of the time waits until it is in the state
// machine.
func (w *worker) alert() error {
	w.settings++ // any number that is not used twice
	issue := factbody.Issue{
		Message: message(fmt.Sprintf("alert-%d", w.settings), w.r.IntN(60)), Author: "amy", Accepted: begin.UnixMilli(),
		Targets: []audience.Target{{Select: "kind = screen"}},
	}
	body, err := issue.Encode()
	if err != nil {
		return err
	}
	return w.create(fact.KindAlert, fact.Alerts, body)
}

// receipts makes a block of receipts of some alert.
func (w *worker) receipts() error {
	at, err := alert.ParseDateTime(sent)
	if err != nil {
		return err
	}
	id := alert.Key{Sender: "observatory", Identifier: fmt.Sprintf("alert-%d", w.settings), Sent: at}.ID()
	var b receipt.Block
	for i := range 1 + w.r.IntN(1500) {
		b.Receipts = append(b.Receipts, receipt.Receipt{Alert: id, Revision: 1, Member: uint32(i), Rung: receipt.Delivered, At: begin})
	}
	body, err := b.Encode()
	if err != nil {
		return err
	}
	return w.create(fact.KindReceipts, fact.Receipts, body)
}

func (w *worker) create(kind fact.Kind, stream fact.Stream, body []byte) error {
	p, err := w.exchange.Create(context.Background(), kind, stream, body)
	if err != nil {
		return err
	}
	if !p.Durable() {
		return errors.New("the journal does not take facts any more")
	}
	if w.r.IntN(2) == 0 {
		return nil
	}
	select {
	case <-p.Committed():
		return nil
	case err := <-w.failed:
		return err
	}
}

// message is a CAP alert with so many KiB of words.
func message(identifier string, kib int) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>%s</identifier><sender>observatory</sender><sent>%s</sent>
<status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>en</language><category>Met</category><event>Rainstorm</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Observed</certainty><expires>2026-07-21T23:40:00+08:00</expires>
<headline>Rainstorm</headline><description>%s</description><area><areaDesc>Tuen Mun</areaDesc></area></info></alert>`,
		identifier, sent, strings.Repeat("rain, and more rain, in all of the hills. ", kib*25))
}
