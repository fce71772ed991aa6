package openapi

import "strings"

// tags are the parts of the API, by the first word of a path below /api/v1.
var tags = []struct{ name, description string }{
	{"alerts", "Alerts and CAP messages: send, approve, change, end, and see whom they reached."},
	{"audience", "Members, places and devices: who can be warned."},
	{"rules", "Scenarios, policy and licences: who may warn, and what waits for whom."},
	{"users", "Users, their tokens, and the audit."},
	{"nodes", "The boxes of the district."},
}

func tagList() []any {
	var all []any
	for _, t := range tags {
		all = append(all, object{"name": t.name, "description": t.description})
	}
	return all
}

var tagOfWord = map[string]string{
	"cap": "alerts", "alerts": "alerts", "events": "alerts", "spoken-codes": "alerts",
	"audience": "audience", "places": "audience", "devices": "audience",
	"scenarios": "rules", "policy": "rules", "licences": "rules",
	"users": "users", "audit": "users",
}

// tagOf is the part that a route belongs to.
func tagOf(route Route) string {
	word, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/api/v1/"), "/")
	if tag := tagOfWord[word]; tag != "" {
		return tag
	}
	return "nodes"
}

// pathNames says what the names in a path stand for.
var pathNames = map[string]string{
	"id":   "the id of what is meant, as lists and answers show it; of alerts and licences the beginning of it will do, 4 characters at least, where it is clear what is meant; of nodes the name, too",
	"name": "the name of the user",
	"file": "the name of the file, as pages have it", "version": "of the page, as it names it",
}
