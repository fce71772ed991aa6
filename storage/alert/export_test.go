package alert

import "time"

// Add is DateTime.add, for the tests.
func Add(d DateTime, by time.Duration) DateTime { return d.add(by) }
