//go:build !linux

package node

// idly runs work.
func idly(work func()) { work() }
