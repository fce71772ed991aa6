package alert

// CheckLine is the line that the check command prints for one message: name,
// verdict and reason with tabs between, without a line end. The reason of accept is
// "ok".
func CheckLine(name string, raw []byte) string {
	_, found, _ := Parse(raw)
	reason := found.Reason()
	if reason == "" {
		reason = "ok"
	}
	return oneLine(name) + "\t" + string(found.Verdict()) + "\t" + reason
}
