package wire

import (
	"time"

	"almenara/node/wire/headline"
)

// Message is one CAP message of an alert.
type Message struct {
	Key      string    `json:"key"`
	MsgType  string    `json:"msg_type"`
	Revision uint64    `json:"revision"`
	Accepted time.Time `json:"accepted"`
	Author   string    `json:"author,omitempty"`
	Fact     string    `json:"fact"`
	Digest   string    `json:"digest"` // of its content: what an approval is given for
	Reason   string    `json:"reason,omitempty"`
	// Headline, Addressed, Joined and Rungs are what this message says, for whom, and what they
	// told; no later message changes them. A Cancel has no Rungs. Joined came into the audience
	// while this message was the newest.
	Headline  string         `json:"headline,omitempty"`
	Headlines headline.Lines `json:"headlines,omitempty"` // as of the alert
	Addressed uint64         `json:"addressed,omitempty"`
	Joined    uint64         `json:"joined,omitempty"`
	Rungs     *Rungs         `json:"rungs,omitempty"`
	// Texts is what the message says, as devices get it: of the message that is shown and of
	// those that wait for approval. A device gets those whose areas it is in.
	Texts []MessageText `json:"texts,omitempty"`
	// Pending says that approvals of it are missing.
	Pending bool `json:"pending"`
	// Approvals is who has approved it and how many must; only while it is pending.
	Approvals *Approvals `json:"approvals,omitempty"`
	// Number is that of its content, eight digits, for somebody who approves it by voice and whose node
	// does not have it; only while it is pending.
	Number   string    `json:"number,omitempty"`
	Original *Original `json:"original,omitempty"` // of a message that is too large to be in its fact; nil: it is there
}

// MessageText is what a message says in one language.
type MessageText struct {
	Language    string   `json:"language"` // BCP 47
	Event       string   `json:"event"`
	Headline    string   `json:"headline,omitempty"`
	Description string   `json:"description,omitempty"`
	Instruction string   `json:"instruction,omitempty"`
	SenderName  string   `json:"sender_name,omitempty"`
	Web         string   `json:"web,omitempty"`
	Contact     string   `json:"contact,omitempty"`
	Areas       []string `json:"areas"` // in words
	// Urgency, Severity and Certainty are CAP's; with them devices choose how loud they are.
	Urgency   string    `json:"urgency"`
	Severity  string    `json:"severity"`
	Certainty string    `json:"certainty"`
	Category  []string  `json:"category,omitempty"` // CAP's, such as Met; devices are not told
	Onset     time.Time `json:"onset,omitzero"`     // when it begins, where the message says so
	Expires   time.Time `json:"expires"`
}

// Original is a message that the nodes keep apart, as its sender wrote it.
type Original struct {
	SHA256 string `json:"sha256"` // of its bytes, in hex
	Bytes  int64  `json:"bytes"`  // its size
	Copy   Copy   `json:"copy"`   // whether the answering node has it
}
