package originals

import (
	"fmt"
	"regexp"
	"slices"

	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/capxml"
	"almenara/storage/factbody"
)

const (
	// mostAttached is the longest attachment that stays in a fact, in base64: a longer one
	// reaches no device, whose whole message has 60 KiB (channels.MaxBody).
	mostAttached = 60 << 10
	// mostValue is the longest parameter that stays. Some senders put maps there.
	mostValue = 1 << 10
)

// absolute is how a link begins that says something without its attachment.
var absolute = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// reduction makes a message small enough for its fact, taking away only what nobody acts
// on once the targets are known.
type reduction struct {
	issue   factbody.Issue // its Message is replaced
	alert   *alert.Alert   // a copy
	most    int            // bytes of the body
	dropped int            // attachments that devices might have got otherwise: of larger ones the judgement of the message tells
}

// reduce gives the body of the fact for an issue whose whole message is a. The warnings
// say what devices will not get. Texts are never cut: where they alone are too large the
// error is a *wire.Problem.
func reduce(issue factbody.Issue, a *alert.Alert, most int) (body []byte, warnings why.Sentences, err error) {
	r := reduction{issue: issue, alert: a.Clone(), most: most}
	r.takeOutlines()
	for {
		body, err := r.body()
		if err != nil {
			return nil, nil, err
		}
		if len(body) <= most {
			return body, r.warnings(), nil
		}
		if !r.takeLargest() && !r.takeCodes() {
			return nil, nil, wire.Problemf(wire.KindTooLarge, "what the message says, without outlines and attachments, is larger than %d bytes with its areas and its reason, "+
				"the most that the nodes pass on; nothing was sent", most).Because(why.MessageLarge)
		}
	}
}

func (r *reduction) body() ([]byte, error) {
	xml, err := capxml.Write(r.alert)
	if err != nil {
		return nil, fmt.Errorf("writing the shortened message: %w", err)
	}
	if _, _, err := capxml.Parse(xml); err != nil { // a fact that cannot be read warns nobody
		return nil, fmt.Errorf("reading the shortened message: %w", err)
	}
	r.issue.Message = xml
	body, err := r.issue.Encode()
	if err != nil {
		return nil, fmt.Errorf("encoding the alert: %w", err)
	}
	return body, nil
}

// takeOutlines takes what the targets have, and what no device could get.
func (r *reduction) takeOutlines() {
	for i := range r.alert.Infos {
		info := &r.alert.Infos[i]
		for n := range info.Areas {
			area := &info.Areas[n]
			area.Polygons, area.Circles = nil, nil
		}
		for n := range info.Resources {
			if len(info.Resources[n].DerefURI) > mostAttached {
				r.takeAttachment(&info.Resources[n])
			}
		}
		info.Parameters = slices.DeleteFunc(info.Parameters, func(p alert.Named) bool { return len(p.Value) > mostValue })
	}
}

// takeAttachment leaves the description, the digest and the link of a resource.
func (r *reduction) takeAttachment(res *alert.Resource) {
	if len(res.DerefURI) <= mostAttached {
		r.dropped++
	}
	res.DerefURI = ""
	if !absolute.MatchString(res.URI) {
		res.URI = ""
	}
}

// takeLargest takes the largest attachment that is left.
func (r *reduction) takeLargest() bool {
	var largest *alert.Resource
	for i := range r.alert.Infos {
		for n := range r.alert.Infos[i].Resources {
			res := &r.alert.Infos[i].Resources[n]
			if res.DerefURI != "" && (largest == nil || len(res.DerefURI) > len(largest.DerefURI)) {
				largest = res
			}
		}
	}
	if largest == nil {
		return false
	}
	r.takeAttachment(largest)
	return true
}

// takeCodes takes the geocodes, which the targets have, and leaves one area of each name.
func (r *reduction) takeCodes() (changed bool) {
	for i := range r.alert.Infos {
		info := &r.alert.Infos[i]
		seen := map[string]bool{}
		var areas []alert.Area
		for _, area := range info.Areas {
			changed = changed || len(area.Geocodes) > 0 || seen[area.Description]
			if area.Geocodes = nil; !seen[area.Description] {
				seen[area.Description], areas = true, append(areas, area)
			}
		}
		info.Areas = areas
	}
	return changed
}

func (r *reduction) warnings() why.Sentences {
	if r.dropped == 0 {
		return nil
	}
	what := "an attachment is"
	if r.dropped > 1 {
		what = fmt.Sprintf("%d attachments are", r.dropped)
	}
	return why.Sentences{why.Sayf("%s too large to be passed on to devices, which get the text and the link, if there is one", what).Because(why.AttachmentsLarge, r.dropped)}
}
