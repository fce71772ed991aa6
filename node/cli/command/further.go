package command

import (
	"slices"

	"github.com/spf13/pflag"

	"almenara/node/wire"
	"almenara/node/wire/acts"
)

// FurtherFlags are the flags about what nodes do by themselves after an alert was sent. The function that it
// gives adds them to the alert; it refuses those that mean nothing by themselves, and of an alert that is no
// draft, nil, all of them.
func FurtherFlags(fs *pflag.FlagSet) func(*wire.SendAlert) error {
	var says acts.Escalate
	fs.StringArrayVar(&says.Groups, "then", nil, "selection of the next group, called where too few of those before have answered; may be repeated")
	fs.IntVar(&says.Answers, "answers", 1, "with --then: how many must have answered, or the next group is called")
	fs.IntVar(&says.Minutes, "within", 10, "with --then: minutes that a group has to answer")
	remind := fs.Int("remind", 0, "minutes between reminders where nobody has confirmed it; 0 is what the scenario says")
	return func(in *wire.SendAlert) error {
		given := func(names ...string) bool { return slices.ContainsFunc(names, fs.Changed) }
		switch {
		case in == nil && given("then", "answers", "within", "remind"):
			return Usagef("--then and --remind belong to a --scenario or to texts, not to a CAP file")
		case in == nil:
			return nil
		case len(says.Groups) == 0 && given("answers", "within"):
			return Usagef("--answers and --within say when the group of a --then is called")
		case len(says.Groups) > 0:
			in.Escalate = &says
		}
		in.RemindMinutes = *remind
		return nil
	}
}
