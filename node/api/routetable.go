package api

import (
	"encoding/json"

	"almenara/node/api/openapi"
	"almenara/node/api/routing"
	"almenara/node/authority"
	"almenara/node/web"
	"almenara/node/wire"
	"almenara/node/wire/splits"
	"almenara/storage/alert"
)

func (h *Handler) alertRoutes() []routing.Route {
	return []routing.Route{
		{Action: authority.Send, Handle: h.takeCAP, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/cap", MaxBody: alert.MaxMessageBytes,
			Summary: "Take a CAP 1.2 message. What has run out is put on record, and effect says that nobody is warned; 409 where an Update would lose against another one only because both are of one second. With Accept: application/cap+xml the answer is a CAP Ack or Error.",
			Params: []openapi.Param{
				{Name: "select", Type: "string", Summary: "a selection that narrows the message's own areas"}, paramWait, paramDryRun,
			},
			Accepts: openapi.MediaCAP, Answer: wire.Outcome{}, InKind: openapi.MediaCAP,
			Fails: warned.And(openapi.Fails{
				wire.KindRefused:  "it is no CAP 1.2 message, or cannot be acted on, or what it asks for is against a rule; nothing was sent",
				wire.KindConflict: "the message is known with another content or selection, the alert was cancelled, or another message of the same second stands",
			}),
		}},
		{Action: authority.Send, Handle: h.sendAlert, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts", MaxBody: bodyAlert,
			Summary: "Send an alert written in JSON with CAP's field names. One that has run out is refused, and so are texts of which devices would show nothing; what the node writes stands above what it knows of the alert, also within a second.",
			Params:  []openapi.Param{paramWait, paramDryRun}, Request: wire.SendAlert{}, Answer: wire.Outcome{},
			Fails: warned.And(openapi.Fails{
				wire.KindNotFound: "the scenario is not known",
				wire.KindRefused:  "the alert cannot be acted on, has run out, selects nobody, or is against a rule; nothing was sent",
				wire.KindConflict: "the message is known with another content or selection, the incident's alert was cancelled, or a later message stands",
			}),
		}},
		{Action: authority.ReadAlerts, Handle: h.listAlerts, Own: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/alerts",
			Summary: "List alerts, newest first. A page that is not the last one has a Link to the next (rel=next).",
			Params:  []openapi.Param{paramPage, paramLimit, {Name: "waiting", Type: "boolean", Summary: "only those that wait for approval, or a change of which does"}, {Name: "open", Type: "boolean", Summary: "only those that are not over: in force, to come, or waiting for approval"}},
			Answer:  []wire.Alert{},
		}},
		{Action: authority.ReadAlerts, Handle: h.showAlert, Own: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/alerts/{id}", Summary: "Show one alert and whom it reached.",
			Answer: wire.Alert{},
			Fails:  oneAlert,
		}},
		{Action: authority.Correct, Handle: h.correctAlert, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/correct", MaxBody: bodyJSON,
			Summary: "Say other words to the same people, by an Update of the alert in force. Its areas, its selection and how loud it is stay as " +
				"they are, so that whoever sent it needs no approval.",
			Params: []openapi.Param{paramWait, paramDryRun}, Request: wire.CorrectAlert{}, Answer: wire.Outcome{},
			Fails: warned.And(oneAlert, openapi.Fails{
				wire.KindNotFound: "its scenario is not known any more",
				wire.KindRefused:  "no device shows the alert, the words cannot be sent, or a rule is against it; nothing was sent",
				wire.KindConflict: "a later message stands",
			}),
		}},
		{Action: authority.Update, Handle: h.correctAlert, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/update", MaxBody: bodyJSON,
			Summary: "Change an alert by an Update that keeps what is not given. Where it is wider or louder than before it waits for the approvals that the policy or its scenario asks for; " +
				"devices show what stands until then.",
			Params: []openapi.Param{paramWait, paramDryRun}, Request: wire.UpdateAlert{}, Answer: wire.Outcome{},
			Fails: warned.And(oneAlert, openapi.Fails{
				wire.KindNotFound: "its scenario is not known any more",
				wire.KindRefused:  "no device shows the alert, what it would say cannot be sent, it selects nobody, or a rule is against it; nothing was sent",
				wire.KindConflict: "a later message stands",
			}),
		}},
		{Action: authority.Cancel, Handle: h.cancelAlert, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/alerts/{id}/cancel", MaxBody: bodyJSON,
			Summary: "Cancel an alert. It is terminal and needs no approval.",
			Params:  []openapi.Param{paramWait}, Request: wire.CancelAlert{}, Answer: wire.Outcome{},
			Fails: warned.And(oneAlert, openapi.Fails{
				wire.KindRefused: "the Cancel cannot be acted on; nothing was cancelled",
			}),
		}},
		{Action: authority.ReadAlerts, Handle: h.alertReceipts, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/alerts/{id}/receipts",
			Summary: "List the addressed members and those who joined that are at a rung or above, or still below it and why, for which every node is asked. A page that is not the last one has a Link to the next (rel=next). With Accept: text/csv the answer is CSV. 403 where the alert was addressed by tags, languages or addresses and the caller is neither composer nor audience manager. The header Almenara-Counts-From says whose knowledge it is: district or this_node.",
			Params: []openapi.Param{
				{Name: "rung", Type: "string", Summary: "presented when absent", Enum: rungs},
				{Name: "missing", Type: "boolean", Summary: "those below the rung instead"}, paramPage, paramLimit,
				{Name: "place", Type: "string", Summary: "the path of a place: those in it alone"},
			},
			Answer: []wire.ReceiptRow{}, InKind: openapi.MediaCSV,
			Fails: oneAlert.And(openapi.Fails{
				wire.KindForbidden: "the alert was addressed by tags, languages or addresses, and the caller has neither of the roles composer and audience-manager",
				wire.KindMalformed: "after names no member",
				wire.KindRefused:   "place is no path of a place",
			}),
		}},
		{Action: authority.ReadAlerts, Handle: h.alertReport, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/alerts/{id}/report",
			Summary: "The report of one alert: who did what when, and when it reached whom, of what is on record; who never told anything is listed. With Accept: text/csv the answer is CSV. All receipts of the alert are read, one report at a time. The header Almenara-Counts-From says whose knowledge it is: district or this_node.",
			Answer:  wire.Report{}, InKind: openapi.MediaCSV,
			Fails: oneAlert,
		}},
		{Action: authority.ReadAlerts, Handle: h.alertMessage, Own: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/alerts/{id}/cap",
			Summary: "The original bytes of the alert's current CAP message; 403 where it has addresses and the caller may not read persons, 503 while no node that can be reached has those of a large one, 404 where they were not kept.",
			Returns: openapi.MediaCAP,
			Fails: oneAlert.And(openapi.Fails{
				wire.KindForbidden: "the message has addresses, and the caller may not read persons",
				wire.KindNotFound:  "the original was not kept",
				wire.KindNotReady:  "no node that can be reached has the original of a large message",
			}),
		}},
		{Action: authority.ReadAlerts, Handle: h.events, Own: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/events",
			Summary: "Server-sent events as they happen; each has an id, and a comment comes every 15 seconds.",
			Params:  []openapi.Param{{Name: "alert", Type: "string", Summary: "only events of this alert: its id, or the beginning of it"}},
			Returns: openapi.MediaEvents, Answer: wire.Event{},
			Fails: oneAlert.And(openapi.Fails{
				wire.KindBusy: "too many streams are open",
			}),
		}},
	}
}

func (h *Handler) audienceRoutes() []routing.Route {
	return []routing.Route{
		{Action: authority.ChangeAudience, Handle: h.importAudience, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/audience/import", MaxBody: bodyImport,
			Summary: "Import members from CSV: all rows or none. With Accept: application/x-ndjson the answer is a line for each " +
				"step, every 250 ms at most and every 15 seconds at least, and at last one with the report or the problem.",
			Params: []openapi.Param{
				{Name: "dry_run", Type: "boolean", Summary: "say what would change, change nothing"},
				{Name: "replace", Type: "boolean", Summary: "remove the members that the file does not hold; 409 where devices are enrolled for some of them"},
				{Name: "yes", Type: "boolean", Summary: "with replace: remove also members that devices are enrolled for; no alert reaches those then"},
			},
			Accepts: openapi.MediaCSV, Answer: wire.Imported{}, Lines: wire.Progress{},
			Fails: agreedOn.And(openapi.Fails{
				wire.KindConflict:  "another import is being taken in, or devices are enrolled for members that would be removed",
				wire.KindTooLarge:  "the file is larger than an import may be",
				wire.KindBusy:      "two imports are open already, or the disk is too full",
				wire.KindMalformed: "the file cannot be read",
			}),
		}},
		{Action: authority.ChangeAudience, Handle: h.removeMember, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/audience/members/{id}",
			Summary: "Remove one member. 409 where devices are enrolled for it, which no alert would reach then; the details name them.",
			Params:  []openapi.Param{{Name: "yes", Type: "boolean", Summary: "also where devices are enrolled for it"}}, Answer: wire.RemovedMember{},
			Fails: agreedOn.And(openapi.Fails{wire.KindNotFound: "there is no such member", wire.KindConflict: "devices are enrolled for it"}),
		}},
		{Action: authority.ReadAudience, Handle: h.selectAudience, Agreed: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/audience/select",
			Summary: "Count a selection by kind and place, and list its first members: ids, kinds and places; everything that is known of them to audience managers. Of a selection by tags or languages everybody else gets counts in fives (`rounded_to`), over kinds and whole blocks that are joined by `and`, and 403 where it is anything else, fewer than five members or names them.",
			Params: []openapi.Param{
				{Name: "expr", Type: "string", Summary: "place under tuen-mun and not kind = speaker"}, paramAfter, paramLimit,
			},
			Answer: wire.Selected{},
			Fails: openapi.Fails{
				wire.KindMalformed: "the selection cannot be read or answered",
				wire.KindForbidden: "the selection tells too much of single persons",
				wire.KindNotFound:  "after names no member",
			},
		}},
		{Action: authority.ReadAudience, Handle: h.listPlaces, Agreed: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/places", Summary: "List the places of which something is known, and every block in which members are, by path.",
			Answer: []wire.Place{},
		}},
		{Action: authority.ChangeAudience, Handle: h.putPlaces, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/places", MaxBody: bodyPlaces,
			Summary: "Add or change places. A code that is added is that of another place only with shared_codes; one that something cites stays.", Request: []wire.Place{},
			Params: []openapi.Param{{Name: "shared_codes", Type: "boolean", Summary: "codes that are added may be those of other places, too: an area that cites one means all of them"}},
			Fails:  placesPut,
		}},
		{Action: authority.ReadDevices, Handle: h.listDevices, Agreed: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/devices", Summary: "List devices in the order of their ids, 1,000 at most. Every node is asked which are connected to it; of a device that no node has while some do not answer within a second, connected is absent and unanswered names them. A page that is not the last one has a Link to the next (rel=next).",
			Params: []openapi.Param{paramPage, paramLimit}, Answer: []wire.Device{},
		}},
		{Action: authority.ChangeDevices, Handle: h.enrolDevices, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/devices", MaxBody: bodyJSON,
			Summary: "Enrol one device, or up to 500 as an array, all or none. The answer has the same shape and holds the secrets. " +
				"409 where one is enrolled already: rotate gives it a new secret.",
			Request: openapi.OneOrMore{Of: wire.Enrol{}, Most: maxEnrol}, Answer: openapi.OneOrMore{Of: wire.Enrolled{}, Most: maxEnrol},
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "a member was removed meanwhile",
				wire.KindConflict: "one of them is enrolled already; nothing was enrolled",
			}),
		}},
		{Action: authority.ChangeDevices, Handle: h.revokeDevice, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/devices/{id}",
			Summary: "Revoke a device and end its connection.",
			Fails:   agreedOn.And(openapi.Fails{wire.KindNotFound: "it is not enrolled"}),
		}},
	}
}

func (h *Handler) peopleRoutes() []routing.Route {
	return []routing.Route{
		{Action: authority.ReadUsers, Handle: h.listUsers, Agreed: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/users", Summary: "List users and tokens, without secrets.",
			Answer: []wire.User{},
		}},
		{Action: authority.ChangeUsers, Handle: h.addUser, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/users", MaxBody: bodyJSON,
			Summary: "Add a user. The answer holds the token, shown only once.",
			Request: wire.AddUser{}, Answer: wire.User{},
			Fails: agreedOn.And(openapi.Fails{wire.KindConflict: "there is a user of this name"}),
		}},
		{Action: authority.ChangeUsers, Handle: h.setUser, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/users/{name}", MaxBody: bodyJSON,
			Summary: "Change what a user is and may do: kind, roles, senders, places. What is left out stays, and so do token and password; sessions end. With a version nothing is changed where the user is another by now.",
			Request: wire.SetUser{},
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "there is no such user, or it was revoked",
				wire.KindConflict: "it is the last administrator and would not be one any more, the user has another token meanwhile, or is another version than the request says",
			}),
		}},
		{Action: authority.ChangeUsers, Handle: h.setPassword, Route: openapi.Route{
			Method: "PUT", Path: "/api/v1/users/{name}/password", MaxBody: bodyJSON,
			Summary: "Set the password with which a person signs in to the console, and end all sessions of that person.",
			Request: wire.SetPassword{},
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound:   "there is no such user, or it was revoked",
				wire.KindConflict:   "how the person signs in was changed meanwhile",
				wire.KindRefused:    "it is no password, or the user is a central system",
				wire.KindOverBudget: "too many passwords are worked on at this node",
			}),
		}},
		{Action: authority.ChangeUsers, Handle: h.revokeUser, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/users/{name}",
			Summary: "Revoke a user and the token, at once.",
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "there is no such user",
				wire.KindConflict: "it is the last administrator",
			}),
		}},
		{Action: authority.ReadAudit, Handle: h.exportAudit, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/audit",
			Summary: "Export the audit chain, one JSON object a line, oldest first.",
			Params: []openapi.Param{
				{Name: "from", Type: "integer", Summary: "first index; 0 is the first there is"},
				{Name: "to", Type: "integer", Summary: "last index; 0 is the newest"},
			},
			Returns: openapi.MediaLines,
			Fails:   openapi.Fails{wire.KindNotFound: "the chain does not reach that far"},
		}},
	}
}

func (h *Handler) nodeRoutes() []routing.Route {
	return []routing.Route{
		{Action: authority.ReadDistrict, Handle: h.status, Own: true, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/status", Summary: "What this node knows of itself and its district.",
			Params: []openapi.Param{{Name: "hash", Type: "boolean", Summary: "also hash the agreed state, which takes a while"}},
			Answer: wire.Status{},
		}},
		{Action: authority.ReadAlerts, Handle: h.splits, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/splits",
			Summary: "What was done while nodes were without a majority, the newest split first: who was warned, where, when, " +
				"by whom, under which policy, what was double or came late. Every node says the same.",
			Params: []openapi.Param{paramLimit}, Answer: []splits.Split{},
		}},
		{Action: authority.ChangeNodes, Handle: h.invite, Route: openapi.Route{
			Method: "POST", Path: "/api/v1/nodes/invite", MaxBody: bodyJSON,
			Summary: "Make a one-time token with which a new node joins.",
			Request: wire.Invite{}, Answer: wire.Invited{},
			Fails: agreedOn.And(openapi.Fails{wire.KindConflict: "the same token was made before"}),
		}},
		{Action: authority.ChangeNodes, Handle: h.removeNode, Route: openapi.Route{
			Method: "DELETE", Path: "/api/v1/nodes/{id}",
			Summary: "Remove a node from the district for good: by its id, the beginning of it, or its name; 409 where several nodes are meant. When this is agreed and cannot be finished yet (503, busy), the district finishes it by itself.",
			Fails: agreedOn.And(openapi.Fails{
				wire.KindNotFound: "there is no such node",
				wire.KindConflict: "several nodes are meant",
				wire.KindRefused:  "the others could not agree without it, or it is the only one that votes",
			}),
		}},
		{Action: authority.Backup, Handle: h.backup, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/backup",
			Summary: "A backup of the district in one file. It holds the district's private keys and is not encrypted.",
			Returns: openapi.MediaBytes,
			Fails: openapi.Fails{
				wire.KindBusy:     "another copy of the state is being written",
				wire.KindNotReady: "there is too little free space",
			},
		}},
		{Handle: h.serveOpenAPI, Route: openapi.Route{
			Method: "GET", Path: "/api/v1/openapi.json", Open: true, Summary: "This description.",
			Answer: json.RawMessage{},
		}},
		{Handle: h.file, Route: openapi.Route{
			Kind: openapi.File, Method: "GET", Path: web.FilesPath + "{file}", Open: true, Summary: "A file that pages load. Its name changes with its content, so that it may be kept for ever.",
			Returns: openapi.MediaAny, Fails: openapi.Fails{wire.KindNotFound: "no page of this version has such a file"},
		}},
		{Handle: h.board, Route: openapi.Route{
			Kind: openapi.Page, Method: "GET", Path: "/" + openapi.OnlyHere, Open: true,
			Summary: "The board: a page that says whether this node agrees with its district or is alone, and what works. It loads itself again every 5 s.",
			Params:  []openapi.Param{{Name: "lang", Type: "string", Summary: "language; else that of Accept-Language", Enum: []string{"en", "zh-Hant"}}},
			Returns: "text/html",
		}},
		{Handle: h.healthz, Route: openapi.Route{
			Method: "GET", Path: "/healthz", Open: true, Summary: "Answers while the process serves requests.",
			Answer: wire.Health{},
		}},
		{Handle: h.readyz, Route: openapi.Route{
			Method: "GET", Path: "/readyz", Open: true, Summary: "200 when the node can do its work, else 503 and why not.",
			Answer: wire.Health{}, Unready: wire.Health{},
		}},
		{Handle: h.metrics, Route: openapi.Route{
			Method: "GET", Path: "/metrics", Open: true, Summary: "Metrics in Prometheus text format: numbers only.",
			Returns: "text/plain",
		}},
	}
}
