package channels

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"almenara/channels/contract"
	"almenara/storage/alert"
)

// MaxBody is the size of the largest signed body and manifest, in bytes as they
// travel: what a small device's MQTT client takes in one packet of 64 KiB, less
// topic and header.
const MaxBody = 60 << 10

// keptAreas is how many area names stay when the list has to be cut.
const keptAreas = 8

// keptAreaBytes is how much of each stays where that is still too much.
const keptAreaBytes = 100

// ellipsis stands where something was cut.
const ellipsis = "…"

// ErrTooLarge is returned for a body whose headlines and instructions alone are
// over MaxBody. They are never cut: half an instruction can be the wrong one.
var ErrTooLarge = errors.New("alert too large for devices")

// fittingBody makes the body of the info blocks as it will be signed.
func fittingBody(it *Item, infos []int, at time.Time, signedSize func(payload int) int) (contract.Body, error) {
	body, err := buildBody(it, Part{Infos: infos})
	if err != nil {
		return contract.Body{}, err
	}
	body.Time = at.UTC()
	return body, fit(&body, signedSize)
}

// gravestBody is fittingBody, or where the blocks are too large together, and are for
// different areas that happen to have a member in common, of the gravest of those areas
// that fit. The blocks of one area, its languages, stay together. It says how many blocks
// are in it.
func gravestBody(it *Item, infos []int, at time.Time, signedSize func(payload int) int) (contract.Body, int, error) {
	body, err := fittingBody(it, infos, at, signedSize)
	if !errors.Is(err, ErrTooLarge) {
		return body, len(infos), err
	}
	var kept []int
	for _, more := range together(it, infos) {
		both := slices.Sorted(slices.Values(slices.Concat(kept, more)))
		if fitting, tooMuch := fittingBody(it, both, at, signedSize); tooMuch == nil {
			body, kept, err = fitting, both, nil
		}
	}
	return body, len(kept), err
}

// together groups info blocks that are for the same area, the gravest group first. Nil
// infos are all blocks of the message.
func together(it *Item, infos []int) (groups [][]int) {
	at := map[string]int{}
	for i := range it.Message.Infos {
		if infos != nil && !slices.Contains(infos, i) {
			continue
		}
		area := areaOf(&it.Message.Infos[i])
		group, ok := at[area]
		if !ok {
			group = len(groups)
			at[area], groups = group, append(groups, nil)
		}
		groups[group] = append(groups[group], i)
	}
	slices.SortStableFunc(groups, func(a, b []int) int { return cmp.Compare(rankOf(it, a), rankOf(it, b)) })
	return groups
}

// areaOf is equal for blocks that are for the same area.
func areaOf(in *alert.Info) string {
	hash := sha256.New()
	for _, area := range in.Areas {
		_ = json.NewEncoder(hash).Encode([]any{area.Polygons, area.Circles, area.Geocodes})
	}
	return string(hash.Sum(nil))
}

func rankOf(it *Item, infos []int) int {
	var some []alert.Info
	for _, i := range infos {
		some = append(some, it.Message.Infos[i])
	}
	return rank(alert.PresentationOf(it.Status, some).Tier)
}

// fit makes b small enough to be signed within MaxBody, giving up the least
// important first: files that travel inside (largest first; digest and address
// stay), then the ends of descriptions, then the list of files, then area names, and
// what is long of the names of areas and senders, of addresses and contacts. Descriptions
// get the room that the later steps make. CheckSize says what was given up.
func fit(b *contract.Body, signedSize func(payload int) int) error {
	fits := func() bool { return signedSize(jsonSize(b)) <= MaxBody }
	for !fits() {
		if !dropLargestData(b) {
			break
		}
	}
	if fits() {
		return nil
	}
	whole := make([]string, len(b.Texts))
	for i := range b.Texts {
		whole[i] = b.Texts[i].Description
	}
	if cutDescriptions(b, whole, fits) {
		return nil
	}
	for _, smaller := range []func(){
		func() { b.Files = nil },
		func() { eachText(b, cutAreas) },
		func() { eachText(b, cutNames) },
	} {
		if smaller(); cutDescriptions(b, whole, fits) {
			return nil
		}
	}
	return fmt.Errorf("%w: %s", ErrTooLarge, b.Alert)
}

func eachText(b *contract.Body, change func(*contract.Text)) {
	for i := range b.Texts {
		change(&b.Texts[i])
	}
}

func cutAreas(t *contract.Text) {
	if len(t.Areas) > keptAreas {
		t.Areas = append(t.Areas[:keptAreas:keptAreas], ellipsis)
	}
}

// cutNames cuts the names of areas and of the sender. An address or a telephone number
// goes as a whole: half of one leads elsewhere.
func cutNames(t *contract.Text) {
	for n := range t.Areas {
		t.Areas[n] = shorten(t.Areas[n], keptAreaBytes)
	}
	t.From = shorten(t.From, keptAreaBytes)
	for _, address := range []*string{&t.Web, &t.Contact} {
		if len(*address) > keptAreaBytes {
			*address = ""
		}
	}
}

// jsonSize is at least the size of b's payload: HTML characters are counted
// escaped.
func jsonSize(v any) int {
	raw, err := json.Marshal(v)
	if err != nil {
		return MaxBody + 1
	}
	return len(raw)
}

func dropLargestData(b *contract.Body) bool {
	largest := -1
	for i, f := range b.Files {
		if f.Data != "" && (largest < 0 || len(f.Data) > len(b.Files[largest].Data)) {
			largest = i
		}
	}
	if largest < 0 {
		return false
	}
	b.Files[largest].Data = ""
	return true
}

// cutDescriptions cuts the whole descriptions to the longest common length with which b
// fits, so that no language pays for another. It reports whether there is one.
func cutDescriptions(b *contract.Body, whole []string, fits func() bool) bool {
	cut := func(n int) bool {
		for i := range b.Texts {
			b.Texts[i].Description = shorten(whole[i], n)
		}
		return fits()
	}
	if !cut(0) {
		return false
	}
	low, high := 0, 1 // cut(high) does not fit, or cuts nothing
	for _, text := range whole {
		high = max(high, min(len(text), MaxBody)+1)
	}
	for high-low > 1 {
		if middle := (low + high) / 2; cut(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return cut(low)
}

// shorten cuts s to at most n bytes, at a character, and says so with "…".
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + ellipsis
}
