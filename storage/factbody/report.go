package factbody

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
	"unicode/utf8"

	"almenara/storage"
)

// The bounds of one report and of what is made of it.
const (
	MaxReportText     = 1000     // bytes
	MaxReportPlace    = 200      // bytes
	MaxReportAccuracy = 100_000  // metres
	MaxReportPhoto    = 64 << 10 // bytes as the nodes keep it
	MaxReportSide     = 4096     // pixels of a side of the photo
	MaxModerationNote = 500      // bytes
)

// ReportKind says what a report is about. Numbers are never given anew.
type ReportKind uint8

// The kinds of reports.
const (
	ReportNeedHelp   ReportKind = iota + 1 // the person needs help
	ReportHazard                           // something is dangerous
	ReportBlockedWay                       // a way cannot be used
	ReportDamage                           // something is broken
	ReportAllClear                         // nothing is wrong there
	ReportOther                            // what the text says
	ReportPosition                         // where a responder is, for one alert or drill; the newest counts
)

var reportKinds = [...]string{"", "need_help", "hazard", "blocked_way", "damage", "all_clear", "other", "position"}

// String is the kind as devices and the API write it.
func (k ReportKind) String() string {
	if int(k) < len(reportKinds) && k > 0 {
		return reportKinds[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// ReportKindOf reads what String wrote; 0 for any other text.
func ReportKindOf(text string) ReportKind { return ReportKind(number(reportKinds[:], text)) }

// ReportState says what a person made of a report. Numbers are never given anew.
type ReportState uint8

// The states of a report. One of which nobody said anything is new.
const (
	ReportNew       ReportState = iota + 1
	ReportSeen                  // somebody has read it
	ReportHidden                // it is shown only to who asks for what is hidden
	ReportForwarded             // it was passed on to who acts on it
)

var reportStates = [...]string{"", "new", "seen", "hidden", "forwarded"}

// String is the state as the API writes it.
func (s ReportState) String() string {
	if int(s) < len(reportStates) && s > 0 {
		return reportStates[s]
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// ReportStateOf reads what String wrote; 0 for any other text.
func ReportStateOf(text string) ReportState { return ReportState(number(reportStates[:], text)) }

func number(names []string, text string) int {
	for i := 1; i < len(names); i++ {
		if names[i] == text {
			return i
		}
	}
	return 0
}

// Point is where a report was made, as the device measured it.
type Point struct {
	Lat      int32  `cbor:"1,keyasint"`           // degrees × 10^7
	Lon      int32  `cbor:"2,keyasint"`           // degrees × 10^7
	Accuracy uint32 `cbor:"3,keyasint,omitempty"` // metres; 0: not told
}

// Photo names the photo of a report, which lies beside the facts as originals of alerts do.
type Photo struct {
	SHA256 []byte `cbor:"1,keyasint"`
	Size   int64  `cbor:"2,keyasint"` // bytes
	Width  uint32 `cbor:"3,keyasint"` // pixels
	Height uint32 `cbor:"4,keyasint"`
}

// Report records what a person reported by a device: the body of a report fact, of which the state
// machine only writes a line on the audit. It needs command version 8.
type Report struct {
	Report string     `cbor:"1,keyasint"` // ReportID
	Device string     `cbor:"2,keyasint"`
	Member uint32     `cbor:"3,keyasint"` // ordinal of the member whose device it is
	Kind   ReportKind `cbor:"4,keyasint"`
	Alert  string     `cbor:"5,keyasint,omitempty"` // id, as the device had it; "": none
	At     int64      `cbor:"6,keyasint"`           // ms since 1970, when it was made, as far as that is believed
	Taken  int64      `cbor:"7,keyasint"`           // ms since 1970, clock of the node that took it
	Text   string     `cbor:"8,keyasint,omitempty"`
	Place  string     `cbor:"9,keyasint,omitempty"` // in the person's words
	Point  *Point     `cbor:"10,keyasint,omitempty"`
	Photo  *Photo     `cbor:"11,keyasint,omitempty"`
}

// Moderation records what a person made of a report: the body of a moderation fact. It needs command
// version 8.
type Moderation struct {
	Report string      `cbor:"1,keyasint"` // ReportID
	State  ReportState `cbor:"2,keyasint"`
	By     string      `cbor:"3,keyasint"`           // user name, as the node that took it has authenticated
	At     int64       `cbor:"4,keyasint"`           // ms since 1970, that node's clock
	Note   string      `cbor:"5,keyasint,omitempty"` // for people
}

// reportIDLen is the length of a ReportID.
const reportIDLen = 26

var letters = base32.StdEncoding.WithPadding(base32.NoPadding)

// ReportID is what the district calls a report: 26 letters and digits of the device and of the id that the
// device gave it, so that a report that is sent again is the same at every node.
func ReportID(device, id string) string {
	sum := sha256.Sum256([]byte(device + "\x00" + id))
	return strings.ToLower(letters.EncodeToString(sum[:16]))
}

// Encode writes the record as canonical CBOR.
func (r Report) Encode() ([]byte, error) { return storage.Canonical.Marshal(r) }

// Encode writes the record as canonical CBOR.
func (m Moderation) Encode() ([]byte, error) { return storage.Canonical.Marshal(m) }

// DecodeReport reads what Encode wrote. It refuses what is beyond the bounds, and never panics on foreign
// bytes.
func DecodeReport(b []byte) (Report, error) {
	r, err := storage.Decode[Report](nil, b)
	if err != nil {
		return Report{}, fmt.Errorf("decoding a report: %w", err)
	}
	good := len(r.Report) == reportIDLen && r.Device != "" && len(r.Device) <= 64 && (r.Alert == "" || len(r.Alert) == 26) && r.At >= 0 && r.Taken >= 0 &&
		bounded(r.Text, MaxReportText) && bounded(r.Place, MaxReportPlace) && r.Point.good() && r.Photo.good() &&
		r.Kind >= ReportNeedHelp && r.Kind <= ReportPosition
	if !good || r.Kind == ReportPosition && (r.Point == nil || r.Alert == "" || r.Photo != nil || r.Text != "") {
		return Report{}, fmt.Errorf("decoding a report: it is beyond what one may say")
	}
	return r, nil
}

// DecodeModeration reads what Encode wrote. It refuses what is beyond the bounds, and never panics on
// foreign bytes.
func DecodeModeration(b []byte) (Moderation, error) {
	m, err := storage.Decode[Moderation](nil, b)
	if err != nil {
		return Moderation{}, fmt.Errorf("decoding a moderation: %w", err)
	}
	if len(m.Report) != reportIDLen || m.State < ReportNew || m.State > ReportForwarded || m.By == "" || m.At < 0 || !bounded(m.Note, MaxModerationNote) {
		return Moderation{}, fmt.Errorf("decoding a moderation: it is beyond what one may say")
	}
	return m, nil
}

// ReportLine is what the audit says of the body of a report, or of a moderation: that it came, and not what it
// says. Of positions it says nothing, and action is empty: they are many, and nobody's act.
func ReportLine(body []byte, moderation bool) (action, text string, err error) {
	if moderation {
		m, err := DecodeModeration(body)
		return "report moderated", fmt.Sprintf("report %s is %s, by %s, note %q, at %d", m.Report, m.State, m.By, m.Note, m.At), err
	}
	r, err := DecodeReport(body)
	if err != nil || r.Kind == ReportPosition {
		return "", "", err
	}
	return "report taken", fmt.Sprintf("report %s, kind %s, of device %s, alert %q, with a photo: %t, at %d, taken at %d", r.Report, r.Kind, r.Device, r.Alert, r.Photo != nil, r.At, r.Taken), nil
}

func bounded(text string, most int) bool { return len(text) <= most && utf8.ValidString(text) }

func (p *Point) good() bool {
	return p == nil || p.Lat >= -900_000_000 && p.Lat <= 900_000_000 && p.Lon >= -1_800_000_000 && p.Lon <= 1_800_000_000 && p.Accuracy <= MaxReportAccuracy
}

func (p *Photo) good() bool {
	return p == nil || len(p.SHA256) == sha256.Size && p.Size > 0 && p.Size <= MaxReportPhoto && p.Width > 0 && p.Width <= MaxReportSide && p.Height > 0 && p.Height <= MaxReportSide
}
