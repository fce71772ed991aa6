package channels

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

// CheckSize says whether devices can take the alert: ErrTooLarge where the headlines and
// instructions of blocks that address the same members are larger together than a device
// takes. It is to be asked before a message is accepted: one that passes is delivered to
// everybody whom it addresses, without what the cuts name. Messages that are not for
// devices pass.
func CheckSize(a *alert.Alert) ([]Cut, error) {
	it := itemOf(a)
	if deliverable(it) != nil {
		return nil, nil
	}
	var cuts []Cut
	groups := together(it, nil)
	for _, infos := range groups {
		more, err := cutsOf(it, infos)
		if err != nil {
			return nil, err
		}
		for _, c := range more {
			if c.Info < len(a.Infos) || !slices.Contains(cuts, c) { // groups share their files
				cuts = append(cuts, c)
			}
		}
	}
	slices.SortStableFunc(cuts, func(a, b Cut) int { return cmp.Compare(a.Info, b.Info) })
	if len(groups) > 1 {
		all := make([]int, len(a.Infos))
		for i := range all {
			all[i] = i
		}
		less, err := cutsOf(it, all)
		if err != nil || slices.ContainsFunc(less, func(c Cut) bool { return !slices.Contains(cuts, c) }) {
			cuts = append(cuts, Cut{Info: len(all), Of: Overlap})
		}
	}
	return cuts, nil
}

// Cut is something that a person wrote and that devices do not get, because their body is
// full. Cuts can be compared.
type Cut struct {
	Info  int    // index of the info block; len(Infos) for what several have
	Of    CutOf  // what of it
	Name  string // of a file, or what is left of AreaDesc, as devices get it
	Kept  int    // characters of a text that are left, or areas in Areas
	Whole int    // how many there were
}

// CutOf says what was cut.
type CutOf string

// What may be cut. The texts that may not are headlines, instructions and events.
const (
	Description CutOf = "description" // its end
	SenderName  CutOf = "senderName"  // its end
	AreaDesc    CutOf = "areaDesc"    // the end of one
	Areas       CutOf = "areas"       // all after the first Kept
	Web         CutOf = "web"         // all of it
	Contact     CutOf = "contact"     // all of it
	Attachment  CutOf = "attachment"  // what is in the message of a file, which stays on the list
	File        CutOf = "file"        // all of it
	// Overlap is unlike the others: who is in the areas of several blocks gets less of them
	// than is said of each, or the gravest alone.
	Overlap CutOf = "overlap"
)

// What no body is larger with: a key id is a SHA-256 (RFC 7638), a time has nanoseconds.
var (
	largestSigner = contract.Signer{KeyID: strings.Repeat("k", 64)}
	longestTime   = time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
)

// cutsOf is what the body of the blocks has no room for.
func cutsOf(it *Item, infos []int) ([]Cut, error) {
	slices.Sort(infos) // a body has them in the message's order
	whole, err := buildBody(it, Part{Infos: infos})
	if err != nil {
		return nil, err
	}
	body, err := fittingBody(it, infos, longestTime, largestSigner.SignedSize)
	if err != nil {
		return nil, err
	}
	var cuts []Cut
	for n, i := range infos {
		cuts = append(cuts, textCuts(i, &whole.Texts[n], &body.Texts[n])...)
	}
	for n, f := range whole.Files {
		switch {
		case n >= len(body.Files):
			cuts = append(cuts, Cut{Info: len(it.Message.Infos), Of: File, Name: f.Description})
		case f.Data != body.Files[n].Data:
			cuts = append(cuts, Cut{Info: len(it.Message.Infos), Of: Attachment, Name: f.Description})
		}
	}
	return cuts, nil
}

// textCuts is what got lacks of the texts of info i.
func textCuts(i int, whole, got *contract.Text) (cuts []Cut) {
	look := func(of CutOf, whole, got string) {
		if got != whole {
			kept := utf8.RuneCountInString(strings.TrimSuffix(got, ellipsis))
			cuts = append(cuts, Cut{Info: i, Of: of, Kept: kept, Whole: utf8.RuneCountInString(whole)})
		}
	}
	look(Description, whole.Description, got.Description)
	look(SenderName, whole.From, got.From)
	look(Web, whole.Web, got.Web)
	look(Contact, whole.Contact, got.Contact)
	kept := len(whole.Areas)
	if kept > keptAreas && got.Areas[keptAreas] == ellipsis && (kept > keptAreas+1 || whole.Areas[keptAreas] != ellipsis) {
		kept = keptAreas
		cuts = append(cuts, Cut{Info: i, Of: Areas, Kept: kept, Whole: len(whole.Areas)})
	}
	for n := range kept {
		if look(AreaDesc, whole.Areas[n], got.Areas[n]); got.Areas[n] != whole.Areas[n] {
			cuts[len(cuts)-1].Name = got.Areas[n]
		}
	}
	return cuts
}
