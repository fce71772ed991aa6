package openapi

import "strings"

// describe gives the description of a member whose comment in package wire says
// nothing because its name does: "" where neither does.
func describe(schema, member string) string {
	if text := words[schema+"."+member]; text != "" {
		return text
	}
	if strings.HasPrefix(schema, "CAP") || schema == "Geocode" {
		return "The CAP 1.2 element " + member + " (CAP 1.2, section 3.2)."
	}
	return words[member]
}

// words describes members by their name, or by the schema and their name where that
// means something else.
var words = map[string]string{
	"accepted": "When a node of the district took it, by that node's clock.", "acknowledged": "Members of whom a person confirmed it.",
	"added": "Members that are new.", "addressed": "Whom it addresses.", "alert": "The alert's id.", "alerts": "What was sent meanwhile.",
	"alerts_in_force": "Alerts that devices must show now.", "alone": "Whether the node was without a majority.",
	"alone_since": "Since when the node has had no majority; absent while it has one.", "api": "Address of the API.",
	"applied": "Whether the rows were taken.", "applied_index": "Raft index up to which the agreed state is in this node's store.",
	"at": "When, by the clock of the node that recorded it.", "author": "The user who sent it.", "by": "The user who did it.",
	"by_kind": "The number by kind of member.", "by_place": "The number by place, down to the block.",
	"cancelled": "Members whose device told that it shows it no more, or never began because it was ended.", "changed": "Members that differ from what was known.",
	"clock": "The time of day by which the node goes.", "commit_index": "Raft index up to which a majority agreed.",
	"connected": "Whether it is connected now.", "count": "How many.", "counts": "How many members it selects, by kind and place.",
	"data": "The data folder.", "delivered": "Members whose device acknowledged the message (MQTT PUBACK).",
	"details": "More lines about it, such as one for each fault.", "devices_connected": "Devices that are connected to this node.",
	"disk": "The file system of the data folder.", "district": "The district's name: the first word of every place.", "dry_run": "Nothing was changed.",
	"encoding": "The character encoding that the file was read in.", "error": "One sentence for a person.", "expired": "Members for whom it ran out.",
	"expires": "When it ends by itself.", "fact": "Id of the signed record that carries it.", "facts_not_committed": "Records of this node that a majority does not have yet.",
	"failed": "Members whose device could not show it.", "format": "The form of the file.", "free_bytes": "Bytes that are free.", "from": "When it began.",
	"granted_at": "When it was granted.", "granted_by": "The administrator who granted it.", "halves": "The parts that could not reach each other.",
	"headline": "The headline in the first language.", "id": "The id.", "incident": "The operator's id of what happened: one scenario and one incident are one alert.",
	"internode": "Address for the other nodes.", "joined": "Members who came into the audience while it was in force.",
	"key": "The CAP identity: sender,identifier,sent.", "kind": "The kind of member, such as screen, speaker, phone or resident.",
	"languages": "Languages in order of preference (BCP 47).", "lat": "Degrees north (WGS 84).", "leader": "Whether it leads.", "lon": "Degrees east (WGS 84).",
	"member": "Id of the member.", "members": "Members of the audience.", "messages": "Its messages: the alert, updates and ends.", "mqtt": "Addresses for devices.",
	"msgType": "CAP's msgType.", "msg_type": "CAP's msgType.", "name": "The name, for people.", "node": "Id of the node.", "nodes": "The nodes.",
	"notes": "What an operator should know of it, one sentence each.", "oldest": "When the oldest of it came in; absent when it is empty.",
	"operator": "The user who may use it.", "path": "district/estate/block/floor-or-lift.", "place": "Path in the place tree: district/estate/block/floor-or-lift.",
	"places": "Places it is limited to, with all below them; none is the whole district.", "presented": "Members whose device showed or spoke it.",
	"queued": "Members who are addressed.", "quorum": "Whether the node takes part in a majority now.", "reachable": "Whether the answering node reaches it.",
	"ready": "Whether the node can do its work.", "reason": "Why, for the audit.", "refused": "Members whose device refused it, as it did not verify.",
	"removed": "Members that the file does not hold, where they are to be removed.", "revision": "Revision of the alert in milliseconds since 1970; a higher one replaces a lower one.",
	"revoked": "It opens nothing any more.", "roles": "Roles that the user has.", "rows": "Rows of the file.", "rung": "How far it got: a rung of the ladder.",
	"rungs": "How many members reached each rung.", "scenario": "Id of the scenario.", "select": "The selection that it is limited to.",
	"senders": "CAP senders that the user may speak for.", "sent": "When it was sent, by its sender's clock.", "servers": "Addresses at which the device finds nodes.",
	"since": "Since when.", "spool": "Receipts that wait until they are agreed.", "status": "CAP's status.", "tags": "Tags by name.", "term": "Raft term.",
	"text": "One sentence for a person.", "title": "The title, for people.", "to": "When it ended.", "token": "The bearer token, or the invitation; shown only once.",
	"told": "Whom it was told to, and when.", "total": "How many in all.", "total_bytes": "Bytes in all.", "unchanged": "Members that are as they were.",
	"url": "Its address.", "verified": "Members whose device verified the signature.", "version": "Version of the program.", "voter": "Whether it has a vote.",
	"warnings": "What the sender should know, one sentence each.",

	"Status.ends": "What ends within 30 days or has ended, the first one first.", "Ending.kind": "What ends: certificate, authority, key or licence.",
	"Ending.name": "What it is, for people.", "Ending.at": "When it ends.", "Ending.then": "What to do, as the end of a sentence.",

	"MessageText.event": "What it is, such as Flood.", "MessageText.headline": "One line that says it all.", "MessageText.description": "What happens.",
	"MessageText.instruction": "What to do.", "MessageText.sender_name": "Who warns, for people.", "MessageText.web": "Where more is said.", "MessageText.contact": "Whom to call or write to for more.",
	"MessageText.severity": "CAP's severity.", "MessageText.certainty": "CAP's certainty.", "MessageText.expires": "When this text ends.",
	"CorrectAlert.texts": "Other words, by language.", "UpdateAlert.texts": "Other words, by language.", "CorrectText.description": "What happens.", "CorrectText.instruction": "What to do.", "CorrectText.headline": "One line that says it all.",
	"Rungs.sent": "Members to whose device it was written.", "Status.leader": "Id of the node that leads; empty when none is known.",
	"SendAlert.alert": "The alert in CAP's field names.", "SendAlert.blanks": "What fills the blanks of the scenario, by name.",
	"Status.members": "Members of the audience in the whole district.", "state": "Where it stands: whether devices show it now, or why not.",
	"Device.connected": "Whether it is connected to the answering node.", "SplitHalf.nodes": "Ids of the nodes of this part.",
	"Enrol.kind": "Kind of the member that is made.", "Enrol.new_kind": "A kind that no member has yet is meant; without it that is refused as a slip.", "Enrol.place": "Place of the member that is made.", "ReceiptRow.answer": "What the person answered last: safe, help, done, or what the device has.", "Enrol.verifier": "SHA-256, in base64url, of a secret that the device made itself; the answer holds no secret then.", "Enrol.member": "Member that it belongs to; empty is one of the same id.",
}
