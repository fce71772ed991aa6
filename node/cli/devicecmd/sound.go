package devicecmd

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/pflag"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/channels/speaker"
	"almenara/channels/speaker/rtp"
	"almenara/node/cli/command"
)

// soundFlags say by what a box is heard, or lights up.
type soundFlags struct {
	play, rtp, rtpInterface, sign, night, clips string
	ttl, level, nightLevel                      int
}

func (f *soundFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.play, "play", "aplay -q -", "program that plays a WAV file from its input")
	fs.StringVar(&f.clips, "clips", "", "folder of recorded clips with its clips.json; what they do not say is spoken by espeak-ng")
	fs.StringVar(&f.rtp, "rtp", "", "group:port of IP speakers, in place of --play; the port is even")
	fs.StringVar(&f.rtpInterface, "rtp-interface", "", "network interface for --rtp; the system's choice when absent")
	fs.IntVar(&f.ttl, "rtp-ttl", 1, "how many networks --rtp may pass")
	fs.StringVar(&f.sign, "sign", "", "LED sign of the Alpha protocol: tcp://host:3001, or the file of a serial port")
	fs.IntVar(&f.level, "level", 100, "how loud advisories and drills are, in percent; emergencies are as loud as it gets")
	fs.IntVar(&f.nightLevel, "night-level", 40, "the same at night")
	fs.StringVar(&f.night, "night", "", "hours that are night, by this box's clock, such as 22-7; none when absent")
}

// withoutPage is a device that has no browser, until ctx ends.
func (f flags) withoutPage(ctx context.Context, e *command.Env, d deviceOptions) error {
	d.Kind = f.kind
	b := &box{health: map[string]string{"level": "C"}}
	d.Health = b.healthNow
	var err error
	var sp *speaker.Speaker
	var trying sync.WaitGroup
	defer trying.Wait()
	switch {
	case f.kind == "sign":
		sign := &signBox{to: f.sound.sign}
		d.Present, d.Command = sign.present, func(c contract.Command) { b.trySign(sign, c) }
		if f.sound.sign == "" {
			return command.Usagef("a sign needs --sign")
		}
	default:
		if sp, err = f.sound.speaker(b); err != nil {
			return err
		}
		d.Present = func(e rules.Effect) error { sp.Give(e); return pendingButStops(e) }
		d.Command = func(c contract.Command) { trying.Go(func() { b.trySound(ctx, sp, c, f.sound.rtp == "") }) }
	}
	if b.device, err = device.New(d); err != nil {
		return err
	}
	fmt.Fprintf(e.Out, "Device %s, a %s.\n", d.ID, f.kind)
	var playing sync.WaitGroup
	if sp != nil {
		playing.Go(func() { sp.Run(ctx) })
	}
	defer playing.Wait()
	return b.device.Run(ctx)
}

// pendingButStops: what is stopped is silent at once; what begins has still to be heard.
func pendingButStops(e rules.Effect) error {
	if e.Action == rules.Stop {
		return nil
	}
	return device.ErrPending
}

// box is what a device without a page tells.
type box struct {
	device *device.Device

	mu     sync.Mutex
	health map[string]string
}

func (b *box) healthNow() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[string]string, len(b.health))
	for k, v := range b.health {
		out[k] = v
	}
	return out
}

func (b *box) say(name, text string) {
	b.mu.Lock()
	b.health[name] = strings.ToValidUTF8(text[:min(len(text), contract.MaxStateText)], "")
	b.mu.Unlock()
	device.LocalOf(b.device).HealthChanged()
}

// speaker makes the speaker that the flags describe.
func (f *soundFlags) speaker(b *box) (*speaker.Speaker, error) {
	night, err := hours(f.night)
	if err != nil {
		return nil, err
	}
	speech := speaker.Both{Clips: speaker.OpenClips(f.clips)}
	if f.clips != "" {
		if _, err := speech.Clips.Check(); err != nil {
			return nil, err
		}
	}
	o := speaker.Options{
		Speech: speech, Unspoken: func(language string, err error) { b.say("speech "+language[:min(len(language), 16)], err.Error()) },
		Level: func(tier contract.Tier) float64 {
			switch {
			case tier == contract.TierEmergency:
				return 1
			case night(device.LocalOf(b.device).Now().Local().Hour()):
				return float64(f.nightLevel) / 100
			}
			return float64(f.level) / 100
		},
	}
	if f.rtp == "" {
		o.Player = speaker.Command(strings.Fields(f.play))
		o.Done = b.heard
		return speaker.New(o), nil
	}
	sender, err := rtp.Dial(f.rtp, f.ttl, f.rtpInterface)
	if err != nil {
		return nil, err
	}
	o.Player = rtpPlayer{sender}
	o.Done = b.sent
	return speaker.New(o), nil
}

// heard tells that the sound has ended, or that it could not be played.
func (b *box) heard(alert string, revision uint64, err error) {
	if err != nil {
		b.say("sound", err.Error())
		device.LocalOf(b.device).Failed(alert, revision)
		return
	}
	b.say("sound", "played")
	device.LocalOf(b.device).Presented(alert, revision)
}

// sent tells nothing as presented: speakers behind a multicast group do not answer.
func (b *box) sent(alert string, revision uint64, err error) {
	if err != nil {
		b.say("sound", err.Error())
		device.LocalOf(b.device).Failed(alert, revision)
		return
	}
	b.say("sound", "sent")
}

type rtpPlayer struct{ sender *rtp.Sender }

func (p rtpPlayer) Play(ctx context.Context, samples []int16) error {
	return p.sender.Send(ctx, speaker.Resampled(samples, rtp.Rate))
}

// hours reads "22-7".
func hours(text string) (func(hour int) bool, error) {
	if text == "" {
		return func(int) bool { return false }, nil
	}
	var from, to int
	if n, err := fmt.Sscanf(text, "%d-%d", &from, &to); n != 2 || err != nil || from < 0 || from > 23 || to < 0 || to > 23 {
		return nil, command.Usagef("%.20q is no range of hours, such as 22-7", text)
	}
	return func(hour int) bool {
		if from <= to {
			return from <= hour && hour < to
		}
		return hour >= from || hour < to
	}, nil
}
