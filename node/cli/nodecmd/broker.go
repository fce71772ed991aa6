package nodecmd

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"almenara/node/cli/command"
	"almenara/node/cli/inprocess"
	"almenara/node/cli/terminal"
	"almenara/node/wire"
)

// brokerFiles are the files that hold what does not belong on a command line.
type brokerFiles struct {
	password, ca string
}

// register adds the flags for an external MQTT broker.
func (f *brokerFiles) register(fs *pflag.FlagSet, b *inprocess.Broker) {
	fs.StringVar(&b.URL, "broker", "", "also reach devices through this MQTT broker, such as ssl://broker:8883")
	fs.StringVar(&b.Username, "broker-user", "", "this node's user name there")
	fs.StringVar(&f.password, "broker-password-file", "", "file with the password")
	fs.StringVar(&f.ca, "broker-ca", "", "PEM file of the authority that signs the broker's certificate")
}

// read reads the files.
func (f *brokerFiles) read(e *command.Env, b *inprocess.Broker) error {
	if b.URL == "" {
		if b.Username+f.password+f.ca != "" {
			return command.Usagef("--broker-user, --broker-password-file and --broker-ca need --broker")
		}
		return nil
	}
	if f.password != "" {
		raw, err := e.ReadFile(f.password)
		if err != nil {
			return err
		}
		b.Password = strings.TrimRight(string(raw), "\r\n")
	}
	if f.ca != "" {
		raw, err := e.ReadFile(f.ca)
		if err != nil {
			return err
		}
		b.CA = raw
	}
	return nil
}

// brokerState is the link to the external broker in one line.
func brokerState(b *wire.Broker) string {
	switch {
	case !b.Connected && b.Why != "":
		return fmt.Sprintf("%s, not linked: %s", b.URL, b.Why)
	case !b.Connected:
		return b.URL + ", not linked"
	case b.Publisher:
		return fmt.Sprintf("%s, publishes to %s, %d unanswered", b.URL, terminal.Plural(b.Devices, "device"), b.Unanswered)
	}
	return fmt.Sprintf("%s, stands by; %s there", b.URL, terminal.Plural(b.Devices, "device"))
}
