package contract

import "strings"

// devices is what all topics of single devices begin with.
const devices = Prefix + "/device/"

// The last parts of a device's topics.
const (
	LeafAlert   = "alert" // followed by the alert id
	LeafCommand = "command"
	LeafReceipt = "receipt"
	LeafReport  = "report"
	LeafState   = "state"
)

// maxDeviceID is the length of a device id in bytes: it is also the MQTT client
// id, and long enough for a UUID or a MAC address with a prefix.
const maxDeviceID = 64

// ValidDeviceID reports whether id is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-':
// what is safe as one level of an MQTT topic, in a URL and in a file name.
func ValidDeviceID(id string) bool {
	if id == "" || len(id) > maxDeviceID || id == "." || id == ".." {
		return false
	}
	for i := range len(id) {
		if !idByte(id[i]) {
			return false
		}
	}
	return true
}

func idByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '.' || c == '_' || c == '-'
}

// DevicePrefix is what every topic of one device begins with. It ends with a
// slash, so that lift-1 is no prefix of lift-10.
func DevicePrefix(device string) string { return devices + device + "/" }

// AlertFilter is the subscription to the bodies of all alerts for the device.
func AlertFilter(device string) string { return DevicePrefix(device) + LeafAlert + "/+" }

// TopicAlert carries a Body to the device.
func TopicAlert(device, alert string) string {
	return DevicePrefix(device) + LeafAlert + "/" + alert
}

// TopicCommand carries a Command to the device.
func TopicCommand(device string) string { return DevicePrefix(device) + LeafCommand }

// TopicReceipt carries arrays of Receipt from the device.
func TopicReceipt(device string) string { return DevicePrefix(device) + LeafReceipt }

// TopicReport carries answers, texts, photos and positions from the device.
func TopicReport(device string) string { return DevicePrefix(device) + LeafReport }

// TopicState carries the device's retained State, and its will.
func TopicState(device string) string { return DevicePrefix(device) + LeafState }

// DeviceTopic is a device's topic taken apart.
type DeviceTopic struct {
	Device string
	Leaf   string // one of the Leaf constants
	Alert  string // the alert id, for LeafAlert only
}

// ParseDeviceTopic takes a topic apart. It reports false for every topic that the
// contract does not know, wildcards included. It allocates nothing.
func ParseDeviceTopic(topic string) (DeviceTopic, bool) {
	rest, ok := strings.CutPrefix(topic, devices)
	if !ok {
		return DeviceTopic{}, false
	}
	device, leaf, ok := strings.Cut(rest, "/")
	if !ok || !ValidDeviceID(device) {
		return DeviceTopic{}, false
	}
	switch leaf {
	case LeafCommand, LeafReceipt, LeafReport, LeafState:
		return DeviceTopic{Device: device, Leaf: leaf}, true
	}
	alert, ok := strings.CutPrefix(leaf, LeafAlert+"/")
	if !ok || !ValidDeviceID(alert) {
		return DeviceTopic{}, false
	}
	return DeviceTopic{Device: device, Leaf: LeafAlert, Alert: alert}, true
}
