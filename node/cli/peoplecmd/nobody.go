package peoplecmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"almenara/node/cli/command"
	"almenara/node/cli/terminal"
	"almenara/node/client"
)

// placesAsked is how many places are looked at for members: each is a request.
const placesAsked = 20

// warnEmpty says of places under which there is no member that a name may be mistyped: the node
// takes them, because they may still come. What cannot be counted is passed over.
func warnEmpty(ctx context.Context, e *command.Env, c *client.Client, places []string, then string) {
	places = slices.Compact(slices.Sorted(slices.Values(places)))
	for _, place := range places[:min(len(places), placesAsked)] {
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(place)
		warnNobody(ctx, e, c, `place under "`+quoted+`"`, "there is no member in "+place+" now; "+then)
	}
}

// warnNobody says what holds where a selection selects nobody.
func warnNobody(ctx context.Context, e *command.Env, c *client.Client, selection, sentence string) {
	if found, err := c.Select(ctx, selection, "", 1); err == nil && found.Counts.Total == 0 {
		terminal.Wrapped(e.Err, e.Width, "Warning: ", fmt.Sprintf("%s.", terminal.Clean(sentence)))
	}
}
