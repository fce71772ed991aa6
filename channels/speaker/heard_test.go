//go:build sound

package speaker_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/speaker"
	"almenara/channels/speaker/rtp"
)

var scenarios = map[string]map[string]string{
	"fire":  {"zh-HK": "安麗樓火警。請即沿樓梯離開，切勿使用升降機。", "zh-CN": "安丽楼火警。请立即沿楼梯离开。", "en": "Fire in On Lai House. Leave by the stairs. Do not use the lifts."},
	"flood": {"zh-HK": "河水急漲。請立即到高處。", "zh-CN": "河水急涨。请立即到高处。", "en": "The river is rising. Go to higher ground now."},
	"gas":   {"zh-HK": "街市有煤氣洩漏。請勿接近。", "zh-CN": "市场有煤气泄漏。请不要接近。", "en": "There is a gas leak at the market. Keep away."},
}

// loudness is what ffmpeg measures of a file: the mean and the highest level in dB of full scale.
func loudness(t *testing.T, file string) (mean, most float64) {
	t.Helper()
	out, err := exec.Command("ffmpeg", "-hide_banner", "-i", file, "-af", "volumedetect", "-f", "null", "-").CombinedOutput()
	require.NoError(t, err, "%s", out)
	level := func(name string) float64 {
		m := regexp.MustCompile(name + `: (-?[0-9.]+) dB`).FindSubmatch(out)
		require.NotNil(t, m, "%s", out)
		v, err := strconv.ParseFloat(string(m[1]), 64)
		require.NoError(t, err)
		return v
	}
	return level("mean_volume"), level("max_volume")
}

// Each language of three scenarios, with its length and loudness; what the voice would spell is
// told as such, and never played.
func TestVoice_OfThreeScenarios(t *testing.T) {
	spokenIn := map[string]int{}
	for name, texts := range scenarios {
		for language, text := range texts {
			samples, err := speaker.Voice{}.Speak(context.Background(), language, text)
			if err != nil {
				require.ErrorIs(t, err, speaker.ErrUnspoken)
				t.Logf("%-5s %-5s is not spoken: %v", name, language, err)
				continue
			}
			spokenIn[language]++
			file := filepath.Join(t.TempDir(), name+"-"+language+".wav")
			require.NoError(t, os.WriteFile(file, speaker.WAV(samples), 0o600))
			mean, most := loudness(t, file)
			seconds := float64(len(samples)) / speaker.Rate
			t.Logf("%-5s %-5s %.1f s, mean %.1f dB, most %.1f dB", name, language, seconds, mean, most)
			require.Greater(t, seconds, 1.0)
			require.Greater(t, mean, -35.0)
			require.LessOrEqual(t, most, 0.0)
		}
	}
	require.Equal(t, map[string]int{"en": 3, "zh-HK": 3, "zh-CN": 3}, spokenIn)
}

// A stream that ffmpeg receives is the sound that was sent.
func TestRTP_IsWhatFFmpegHears(t *testing.T) {
	folder := t.TempDir()
	l, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	port := l.LocalAddr().(*net.UDPAddr).Port &^ 1
	require.NoError(t, l.Close())
	sdp := fmt.Sprintf("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=Almenara\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio %d RTP/AVP 0\n", port)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "a.sdp"), []byte(sdp), 0o600))
	sound := speaker.Announcement("siren", nil)
	seconds := 1 + len(sound)/speaker.Rate
	heard := filepath.Join(folder, "heard.wav")
	cmd := exec.Command("ffmpeg", "-hide_banner", "-y", "-protocol_whitelist", "file,udp,rtp", "-i", filepath.Join(folder, "a.sdp"), "-t", strconv.Itoa(seconds-1), "-ar", strconv.Itoa(rtp.Rate), heard)
	var said bytes.Buffer
	cmd.Stderr = &said
	require.NoError(t, cmd.Start())
	sender, err := rtp.Dial(fmt.Sprintf("127.0.0.1:%d", port), 1, "")
	require.NoError(t, err)
	defer sender.Close()
	sent := speaker.Resampled(sound, rtp.Rate)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	whole := make(chan error, 1)
	go func() { whole <- cmd.Wait() }()
	for recorded := false; !recorded; { // again and again: ffmpeg listens some time after it was started
		require.NoError(t, sender.Send(ctx, sent))
		select {
		case err := <-whole:
			require.NoError(t, err, "%s", said.String())
			recorded = true
		default:
		}
	}
	mean, most := loudness(t, heard)
	want := filepath.Join(folder, "sent.wav")
	require.NoError(t, os.WriteFile(want, speaker.WAV(sound), 0o600))
	wantMean, wantMost := loudness(t, want)
	t.Logf("sent %.1f dB (most %.1f), heard %.1f dB (most %.1f)", wantMean, wantMost, mean, most)
	require.Less(t, math.Abs(most-wantMost), 1.5)
	require.Less(t, math.Abs(mean-wantMean), 3.0)
}
