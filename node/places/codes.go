package places

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"almenara/node/authority"
	"almenara/node/authority/inplaces"
	"almenara/node/wire"
	"almenara/node/wire/places"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

func codeText(code alert.Named) string { return code.Name + " = " + code.Value }

// codes are those of the places of the district: whose each is, and how their names are spelled.
type codes struct {
	of      map[alert.Named]audience.Path // one of the places that have it
	spelled map[string]string             // by the name in lower case
}

// codesBut are those of all places but some.
func (p *Places) codesBut(paths map[audience.Path]bool) codes {
	c := codes{map[alert.Named]audience.Path{}, map[string]string{}}
	for _, one := range p.o.State.Index().Places() {
		for _, has := range one.Geocodes {
			c.spelled[strings.ToLower(has.Name)] = has.Name
		}
		if !paths[one.Path] {
			c.add(one.Path, one.Geocodes)
		}
	}
	return c
}

func (c codes) add(path audience.Path, all []alert.Named) {
	for _, code := range all {
		c.spelled[strings.ToLower(code.Name)] = code.Name
		if _, known := c.of[code]; !known {
			c.of[code] = path
		}
	}
}

// checkCodes refuses codes that nothing could cite, those of another place where that is not meant, and to take
// away one that is cited. What was there before is not judged again.
func (p *Places) checkCodes(by authority.Caller, is, becomes audience.Place, shared bool) error {
	if err := p.codesBut(map[audience.Path]bool{is.Path: true, becomes.Path: true}).check(by, is, becomes, shared); err != nil {
		return err
	}
	taken := slices.DeleteFunc(slices.Clone(is.Geocodes), func(code alert.Named) bool { return slices.Contains(becomes.Geocodes, code) })
	return p.notCited(func(string) audience.Path { return is.Path }, taken)
}

// check refuses codes of a place as checkCodes does. Who is limited to places may give none of theirs a code of one
// elsewhere: what others send there would reach them, too.
func (c codes) check(by authority.Caller, is, becomes audience.Place, shared bool) error {
	for n, code := range becomes.Geocodes {
		if slices.Contains(becomes.Geocodes[:n], code) {
			return unfitCode(code, "it is there twice")
		}
		if slices.Contains(is.Geocodes, code) {
			continue
		}
		if err := c.mayBeCode(code); err != nil {
			return err
		}
		other, known := c.of[code]
		if !known {
			continue
		}
		if !shared {
			return wire.Problemf(wire.KindConflict, "the code %s is one of the place %s already, and an area that cites it would mean both; nothing was changed: say that it is meant (shared_codes), or give it another code",
				codeText(code), other).Because(why.CodeShared, codeText(code), string(other))
		}
		if err := inplaces.Hold(by, authority.ChangeAudience, string(other), string(other)); err != nil {
			return err
		}
	}
	return nil
}

// mayBeCode refuses a code that no area of a CAP message would be read as, and a second spelling of what the
// codes of the district are called: messages use the first one.
func (c codes) mayBeCode(code alert.Named) error {
	for _, text := range []string{code.Name, code.Value} {
		if text != strings.TrimSpace(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return unfitCode(code, "it has spaces around it, or characters that nobody sees")
		}
	}
	has, known := c.spelled[strings.ToLower(code.Name)]
	switch {
	case code.Name == alert.ExcludePolygon:
		return unfitCode(code, alert.ExcludePolygon+" is a hole in an area, and no code")
	case len(code.Codes()) > 1:
		return unfitCode(code, "several values are several codes: write each by itself")
	case known && has != code.Name:
		return unfitCode(code, fmt.Sprintf("codes of this kind are called %s in the district", has))
	}
	return nil
}

func unfitCode(code alert.Named, because string) error {
	return wire.Problemf(wire.KindRefused, "the code %q = %q: %s; nothing was changed", code.Name, code.Value, because).Because(why.CodeUnfit, codeText(code), because)
}

// notCited refuses to take codes from places while something cites one; from says of which place a code is.
func (p *Places) notCited(from func(code string) audience.Path, codes []alert.Named) error {
	cited, err := p.citedBy(codes)
	if err != nil || len(cited) == 0 {
		return err
	}
	path := from(cited[0].Code)
	out := wire.Problemf(wire.KindConflict, "areas of %d scenarios, notices or alerts cite the code %s of %s; nothing was changed: change those first", len(cited), cited[0].Code, path).
		Because(why.PlaceCited, cited[0].Code, string(path), len(cited))
	out.Details = detailsOf(cited)
	return out
}

// codesUnder are the codes of a place and of those below it.
func (p *Places) codesUnder(path audience.Path) (out []alert.Named) {
	for _, one := range p.o.State.Index().Places() {
		if one.Path.Under(path) {
			out = append(out, one.Geocodes...)
		}
	}
	return out
}

// citedBy lists what cites one of the codes in an area: scenarios, planned notices that are open and alerts in
// force. Whoever moves a place takes its codes along, so that this keeps nobody from moving it.
func (p *Places) citedBy(codes []alert.Named) (out []places.Naming, err error) {
	if len(codes) == 0 {
		return nil, nil
	}
	add := func(kind, id, title string, cited []alert.Named) {
		for _, code := range codes {
			if slices.Contains(cited, code) {
				out = append(out, places.Naming{Kind: kind, ID: id, Title: title, Code: codeText(code)})
				return
			}
		}
	}
	rights, err := p.o.State.Authority()
	if err != nil {
		return nil, fmt.Errorf("reading who may warn: %w", err)
	}
	for _, s := range rights.Scenarios {
		add(places.ByScenario, s.ID, s.Title, citedIn(s.Alert))
	}
	newest, err := p.newestNotices()
	if err != nil {
		return nil, err
	}
	for _, v := range newest {
		add(places.ByNotice, v.Notice, "", citedIn(v.Alert))
	}
	live, err := p.inForce()
	if err != nil {
		return nil, err
	}
	for _, one := range live {
		var cited []alert.Named
		for _, target := range one.targets {
			cited = append(cited, target.Geocodes...)
		}
		add(places.ByAlert, one.id, "", cited)
	}
	return out, nil
}

// citedIn are the codes that areas of an alert cite, in the API's JSON form, with blanks or without.
func citedIn(raw []byte) (out []alert.Named) {
	var a struct {
		Info []struct {
			Area []struct {
				Geocode []wire.Geocode `json:"geocode"`
			} `json:"area"`
		} `json:"info"`
	}
	if json.Unmarshal(raw, &a) != nil {
		return nil // what cannot be read is sent by nobody
	}
	for _, info := range a.Info {
		for _, area := range info.Area {
			for _, g := range area.Geocode {
				for _, code := range (alert.Named{Name: g.ValueName, Value: g.Value}).Codes() {
					out = append(out, alert.Named{Name: g.ValueName, Value: code})
				}
			}
		}
	}
	return out
}
