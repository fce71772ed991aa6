// Package apply works out what one entry of a district's raft log does to the agreed state:
// which records change, what is answered, what the audit says. It has no clock, no
// randomness and no settings: what it does follows from the entry and the state alone, so
// that every replica does the same. Time comes with the commands.
//
//	entry (command) ─> Transaction.Apply ─> records in Txn, memory in Derived ─> encoded result
//
// It begins, commits and ends no transaction and knows nothing of raft: that is fsm's. It
// never imports fsm, agreed or what speaks to other nodes.
package apply
