package speaker_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
	"almenara/channels/speaker"
)

// folder is clips of a folder; each is a tenth of a second of samples that are its number.
func folder(t *testing.T, clips ...speaker.Clip) string {
	t.Helper()
	dir := t.TempDir()
	for i, c := range clips {
		samples := make([]int16, speaker.Rate/10)
		for n := range samples {
			samples[n] = int16(i + 1)
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, c.File), speaker.WAV(samples), 0o600))
	}
	raw, err := json.Marshal(map[string]any{"clips": clips})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, speaker.ManifestName), raw, 0o600))
	return dir
}

func TestClips_SayWhatIsWrittenOrNothing(t *testing.T) {
	c := speaker.OpenClips(folder(t,
		speaker.Clip{Language: "zh-HK", Says: "火警，請即沿樓梯離開。", File: "fire.wav"}, speaker.Clip{Language: "zh-HK", Says: "安麗樓", File: "on-lai.wav"},
		speaker.Clip{Language: "zh-HK", Says: "第", File: "di.wav"}, speaker.Clip{Language: "zh-HK", Says: "12", File: "12.wav"}, speaker.Clip{Language: "zh-HK", Says: "1", File: "1.wav"},
		speaker.Clip{Language: "zh-HK", Says: "座", File: "zo.wav"}, speaker.Clip{Language: "zh-HK", Says: "第12座", File: "block-12.wav"},
		speaker.Clip{Language: "en", Says: "Fire in", File: "fire-in.wav"}, speaker.Clip{Language: "en", Says: "On Lai House", File: "on-lai-en.wav"}, speaker.Clip{Language: "en", Says: "on", File: "on.wav"},
	))
	for _, one := range []struct{ language, text, want string }{
		{"zh-HK", "安麗樓火警. 請即沿樓梯離開", "on-lai.wav fire.wav"},
		{"zh-Hant", "安麗樓 火警 請即沿樓梯離開！", "on-lai.wav fire.wav"},
		{"zh-HK", "第12座", "block-12.wav"},
		{"zh-HK", "第1座", "di.wav 1.wav zo.wav"},
		{"en", "FIRE IN: On Lai House!", "fire-in.wav on-lai-en.wav"},
		{"en-GB", "fire in on lai house", "fire-in.wav on-lai-en.wav"},
		{"en", "Fire in On Lai Houses", ""}, {"en", "Fire inon", ""}, {"zh-HK", "第112座", ""}, {"zh-HK", "第2座", ""}, {"zh-CN", "安麗樓", ""}, {"en", "", ""}, {"", "x", ""},
	} {
		got, err := c.Find(one.language, one.text)
		require.Equal(t, one.want, strings.Join(got, " "), one.text)
		if one.want == "" {
			require.ErrorIs(t, err, speaker.ErrUnspoken, one.text)
		}
	}
	samples, err := c.Speak(t.Context(), "zh-HK", "安麗樓火警，請即沿樓梯離開。")
	require.NoError(t, err)
	require.Equal(t, []int16{2, 0, 1}, []int16{samples[0], samples[speaker.Rate/10], samples[len(samples)-1]}, "the name, a splice, and the sentence")
}

// Texts come from outside: a long one, and one that nearly fits in many ways, cost no more than others.
func TestClips_LongTextsAreBounded(t *testing.T) {
	c := speaker.OpenClips(folder(t, speaker.Clip{Language: "zh-HK", Says: "火", File: "a.wav"}, speaker.Clip{Language: "zh-HK", Says: "火火", File: "b.wav"}))
	_, err := c.Find("zh-HK", strings.Repeat("火", 100_000))
	require.ErrorIs(t, err, speaker.ErrUnspoken, "more clips than one text is made of")
	files, err := c.Find("zh-HK", strings.Repeat("火", 20))
	require.NoError(t, err)
	require.Len(t, files, 10, "the fewest")
}

func TestClips_RefuseAManifestThatCannotBeMeant(t *testing.T) {
	n, err := speaker.OpenClips(filepath.Join(t.TempDir(), "none")).Check()
	require.NoError(t, err)
	require.Zero(t, n)
	for says, manifest := range map[string]string{
		"reading": `{"clips": [`, "says nothing": `{"clips":[{"language":"en","says":" ! ","file":"a.wav"}]}`,
		"not the name of a file": `{"clips":[{"language":"en","says":"fire","file":"../operator.token"}]}`,
		"no such file":           `{"clips":[{"language":"en","says":"fire","file":"gone.wav"}]}`,
		"gave no sound that":     `{"clips":[{"language":"en","says":"fire","file":"clips.json"}]}`,
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, speaker.ManifestName), []byte(manifest), 0o600))
		_, err := speaker.OpenClips(dir).Check()
		require.ErrorContains(t, err, says)
	}
}

func TestBoth_SpeaksByClipsFirst(t *testing.T) {
	dir := folder(t, speaker.Clip{Language: "en", Says: "Fire", File: "fire.wav"})
	b := speaker.Both{Clips: speaker.OpenClips(dir), Voice: speaker.Voice{Program: "/nonexistent/espeak-ng"}}
	samples, err := b.Speak(t.Context(), "en", "Fire!")
	require.NoError(t, err)
	require.EqualValues(t, 1, samples[0])
	require.Equal(t, speaker.Recorded, b.By(t.Context(), "en", "Fire"))
	require.Equal(t, speaker.Nothing, b.By(t.Context(), "en", "Flood"))
	_, err = b.Speak(t.Context(), "en", "Flood")
	require.ErrorIs(t, err, speaker.ErrUnspoken)
}

// The page of a speaker makes the same names (channels/pages/tests/announce.test.js).
func TestLines_AreNamedByWhatTheySay(t *testing.T) {
	lines := speaker.Lines([]contract.Text{
		{Language: "en", Event: "Fire", Headline: " ", Instruction: "Leave."}, {Language: "zh-HK", Headline: "火警", Instruction: "離開。"},
	}, rules.Look{Tier: contract.TierDrill, Sound: "drill"})
	require.Equal(t, []speaker.Line{{"zh-HK", "演習。火警. 離開。"}, {"en", "This is a drill. Fire. Leave."}}, lines)
	require.Equal(t, "1a4ee60e677e3ff7ea5849aa99eca783a9516ff9cf15c33c65ff9a14ecf45a49", lines[0].Name())
}
