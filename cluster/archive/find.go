package archive

import (
	"cmp"
	"slices"

	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/archived"
	"almenara/storage/factlog"
)

// Find looks for an alert, by its id or one that it had before, on the board, then in the
// archive, and gives where its messages were adopted, by fact id in hex. Between the two it may have
// come back: then it is on the board.
func (a *Alerts) Find(t *storage.Txn, id alert.ID) (board.Card, map[string]Placed, bool, error) {
	if card, places, ok := a.card(id); ok {
		return card, places, true, nil
	}
	g, ok, err := archived.Of(t, string(id))
	if err != nil {
		return board.Card{}, nil, false, err
	}
	if !ok {
		card, places, ok := a.card(id)
		return card, places, ok, nil
	}
	past := empty()
	if err := past.restore(t, g.Facts, nil); err != nil {
		return board.Card{}, nil, false, err
	}
	card, places, ok := past.card(id)
	return card, places, ok, nil
}

// card gives an alert on the board and where its messages were adopted.
func (a *Alerts) card(id alert.ID) (board.Card, map[string]Placed, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	card, ok := a.board.Card(id)
	if !ok {
		return card, nil, false
	}
	places := make(map[string]Placed)
	for _, part := range [][]board.Entry{card.Messages, card.Cancels, card.Lost} {
		for _, e := range part {
			if p, ok := a.places[e.Fact]; ok {
				if e.Approvals > 0 { // others' approvals are not kept with what is over
					p.Approvers = a.board.Approvers(e)
				}
				places[e.Fact] = p
			}
		}
	}
	return card, places, true
}

// Beginning lists the ids of the alerts that have an id, or had one before, which begins so;
// no more than about most, and some of them more than once.
func (a *Alerts) Beginning(t *storage.Txn, begin string, most int) (out []alert.ID, err error) {
	a.View(func(b *board.Board) { out = b.Beginning(begin) })
	err = archived.Beginning(t, begin, func(keyID, _ string) (bool, error) {
		card, _, ok, err := a.Find(t, alert.ID(keyID))
		if ok {
			out = append(out, card.ID)
		}
		return len(out) < most, err
	})
	return out, err
}

// NewestAt gives the ids of the alerts, of those that the message adopted at p under that id
// belongs to, whose newest message it is. over says that all that is connected with them has
// run out and is in the archive.
func (a *Alerts) NewestAt(t *storage.Txn, id string, p factlog.Place) (out []alert.ID, over bool, err error) {
	cards, onBoard := a.listed(alert.ID(id))
	if !onBoard {
		g, ok, err := archived.Of(t, id)
		if err != nil {
			return nil, false, err
		}
		if cards = g.Cards; !ok { // it may have come back
			cards, onBoard = a.listed(alert.ID(id))
		}
	}
	for _, c := range cards {
		if c.Newest == p {
			out = append(out, alert.ID(c.ID))
		}
	}
	return out, !onBoard, nil
}

func (a *Alerts) listed(id alert.ID) (out []archived.Alert, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f, ok := a.board.Family(id)
	for _, c := range f.Cards {
		out = append(out, archived.Alert{ID: string(c.ID), Newest: newestOf(c, a.places)})
	}
	return out, ok
}

// EndOrdinals is how many ordinals had been given when a message of the alert was shown no
// more: when the message of the fact next was adopted, which may be "", or the alert's first
// Cancel, or when the last of its messages had run out. Members with higher ordinals came
// later and never got it. 0: not known. ended says that it is agreed that it was shown no more: what has run
// out since the last entry of the log is not agreed to have ended.
func (a *Alerts) EndOrdinals(t *storage.Txn, id alert.ID, next string) (given uint32, ended bool, err error) {
	card, places, known, err := a.Find(t, id)
	if err != nil || !known {
		return 0, false, err
	}
	if p, adopted := places[next]; adopted {
		return p.Ordinals, true, nil
	}
	for _, e := range card.Cancels {
		if at := places[e.Fact].Ordinals; at > 0 && (given == 0 || at < given) {
			given = at
		}
	}
	if given > 0 || len(card.Cancels) > 0 {
		return given, true, nil
	}
	g, ended, err := archived.Of(t, string(id))
	return g.Ordinals, ended, err
}

// OnBoard lists the messages on the board in log order.
func (a *Alerts) OnBoard() (out []archived.Fact) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.places {
		out = append(out, p.fact())
	}
	slices.SortFunc(out, func(x, y archived.Fact) int {
		return cmp.Or(cmp.Compare(x.Place.Index, y.Place.Index), cmp.Compare(x.Place.N, y.Place.N))
	})
	return out
}
