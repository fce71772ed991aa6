// Package records has changes of the agreed records made: users, devices, places and
// imports. It owns how a change is proposed and tried again (Proposer), what is refused
// before it is proposed, and the one sentence that says what an error means for who asked.
// What was agreed is on this node, too, when a change returns, as far as that comes in time.
//
//	API ─> Users, Devices, Places, Imports ─> Proposer ─> Link (the log)
//
// It never imports channels or another part of node but node/alone, node/authority, node/known,
// node/secret and what is asked in node/service and the bodies of node/wire. How devices are reached and what they
// show is nothing to it: what a device must be told at enrolment it is given as a function.
package records
