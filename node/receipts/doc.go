// Package receipts takes what devices tell of alerts and has it recorded. It owns the way
// from a connection to a block: which receipts are admitted of alerts that nobody here
// knows, which only repeat what is recorded, which go together, and which are given up when
// there is no more room. What a receipt means, package storage/receipt says.
//
//	gateway, broker ─> Intake.Take ─> unknownLimiter ─> repeats ─> collector ─> Settler
//	                                                                  │ pressure <─ Spool
//	              PUBACK <─ done <────────────────────────────────────┘
//
// It needs to hear whether a revision of an alert is known, somebody who settles a block,
// and a clock. It never imports cluster, nor another part of node but
// node/wire: it must not matter to receipts how a block is agreed on.
package receipts
