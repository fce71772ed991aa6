package node_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"

	"almenara/node/client"
	"almenara/node/wire"
)

// learnsNothing asks by dry runs for what is known of a resident elsewhere: each question is
// answered alike whether it is so or not.
func learnsNothing(d *district, small *client.Client, here, there estate) {
	csv := fmt.Sprintf("id,kind,place,tags,languages,lat,lon,endpoints\nasked-1,phone,%s,risk=high,tlh,22.391234,113.971234,sms:85298765432\n", there.Block)
	in, err := d.client(0).Import(d.ctx(), client.Import{CSV: strings.NewReader(csv)})
	require.NoError(d.t, err)
	require.True(d.t, in.Applied, "%v", in.Faults)
	ask := func(selection string, change func(body map[string]any)) string {
		form, body := byJSON("asked", selection), map[string]any{}
		require.NoError(d.t, json.Unmarshal(form.Alert, &body))
		change(body)
		form.Alert, err = json.Marshal(body)
		require.NoError(d.t, err)
		return d.forbidden(small.PreviewAlert(d.ctx(), form)).Sentence
	}
	same := func(map[string]any) {}
	private := func(number string) func(map[string]any) {
		return func(body map[string]any) { body["scope"], body["addresses"] = "Private", number }
	}
	within := func(lat float64) func(map[string]any) {
		return func(body map[string]any) {
			area := body["info"].([]any)[0].(map[string]any)["area"].([]any)[0].(map[string]any)
			area["polygon"] = []string{square(lat, 113.9712, 0.0001)}
		}
	}
	const id = `id = "asked-1"`
	require.Equal(d.t, ask(id+" and risk = high", same), ask(id+" and risk = low", same))
	require.Equal(d.t, ask(id+" and language = tlh", same), ask(id+" and language = en", same))
	require.Equal(d.t, ask(id, private("85298765432")), ask(id, private("85200000000")))
	require.Equal(d.t, ask("", private("85298765432")), ask("", private("85200000000")))
	require.Equal(d.t, ask(id, within(22.3912)), ask(id, within(22.4)))

	// Of those inside they may ask, and of those outside nothing is in the answer.
	inside := func(risk string) wire.SendAlert { return byJSON("asked", "risk = "+risk+" and place under "+here.Path) }
	_, high := small.PreviewAlert(d.ctx(), inside("high"))
	_, low := small.PreviewAlert(d.ctx(), inside("low"))
	require.ErrorContains(d.t, high, "selects nobody")
	require.Equal(d.t, strings.ReplaceAll(high.Error(), "high", "low"), low.Error())
}
