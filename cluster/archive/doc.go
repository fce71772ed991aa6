// Package archive keeps the alerts that were adopted: those that may still matter on a board in
// memory, those that are over in the store.
//
//	a message ─▶ Summon what it names ─▶ Add ─▶ the board ─▶ all of a group has run out ─▶ Retire
//	                    ▲                          │                                          │
//	                    └──────────────────────────┼───────────────── the archive (chk/!) ◀───┘
//	                                               ▼                        │
//	                                    Find, Beginning, NewestAt ◀─────────┘
//
// The board holds what may still matter. When every message of a group, which is all that is
// connected by references, has run out by the time of the commands, the group goes to the
// archive, and comes back whole before anything is added that names one of its keys. So what an
// entry does is the same whether and whenever groups were archived: neither a restart nor
// software without an archive can be told from the agreed state.
//
// It owns the board of the state machine, where its messages were adopted, and the archive's
// records. It imports cluster/fact and storage, and may never import the log, the commands or
// what reads it. DESIGN.md has the crashes.
package archive
