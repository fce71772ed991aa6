//go:build splitbench

package node_test

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/node/client"
	"almenara/node/wire"
)

// What scripts/splitbench.sh asks for.
var (
	benchProgram = flag.String("splitbench.almenara", "", "the program whose leader is killed")
	benchKills   = flag.Int("splitbench.kills", 100, "leaders killed")
)

// row prints one line of the table: what was measured, how often, and the target.
func row(what string, took []time.Duration, target string) {
	slices.Sort(took)
	at := func(q float64) time.Duration {
		return took[min(int(q*float64(len(took))), len(took)-1)].Round(time.Millisecond)
	}
	fmt.Printf("%-48s %5d  %8v %8v %8v  %s\n", what, len(took), at(0.5), at(0.99), took[len(took)-1].Round(time.Millisecond), target)
}

// box is a node that is a process of its own.
type box struct {
	t      *testing.T
	data   string
	cmd    *exec.Cmd
	client *client.Client
	at     []string // internode, API
}

func newBox(t *testing.T, name string) *box {
	b := &box{t: t, data: filepath.Join(t.TempDir(), name)}
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		b.at = append(b.at, l.Addr().String())
		require.NoError(t, l.Close())
	}
	t.Cleanup(b.kill)
	return b
}

// settle runs init or join.
func (b *box) settle(args ...string) {
	off := "127.0.0.1:0"
	args = append(args[:1:1], append([]string{"--data", b.data, "--internode", b.at[0], "--listen", b.at[1],
		"--mqtt", off, "--mqtt-tls", off, "--mqtt-ws", off}, args[1:]...)...)
	out, err := exec.Command(*benchProgram, args...).CombinedOutput()
	require.NoError(b.t, err, "%s", out)
}

func (b *box) serve(token string) {
	var err error
	b.cmd = exec.Command(*benchProgram, "serve", "--data", b.data)
	require.NoError(b.t, b.cmd.Start())
	b.client, err = client.New(client.Config{URL: "http://" + b.at[1], Token: token, Timeout: patience})
	require.NoError(b.t, err)
}

func (b *box) kill() {
	if b.cmd != nil {
		_ = b.cmd.Process.Kill()
		_ = b.cmd.Wait()
	}
}

// how is what the node says; the zero status while it does not answer.
func (b *box) how() wire.Status {
	s, err := b.client.Status(b.t.Context(), false)
	if err != nil {
		return wire.Status{}
	}
	return s
}

// found makes a district of three processes, all of which vote.
func found(t *testing.T) (boxes []*box, token string) {
	for _, name := range []string{"n1", "n2", "n3"} {
		b := newBox(t, name)
		if len(boxes) == 0 {
			b.settle("init", "--name", name, "--district", "bench")
			text, err := os.ReadFile(filepath.Join(b.data, "operator.token"))
			require.NoError(t, err)
			token = strings.TrimSpace(string(text))
		} else {
			invited, err := boxes[0].client.Invite(t.Context(), wire.Invite{})
			require.NoError(t, err)
			b.settle("join", "--name", name, invited.Token)
		}
		b.serve(token)
		boxes = append(boxes, b)
		until(t, "all have a vote", func() bool { return voters(boxes[0].how()) == len(boxes) })
	}
	return boxes, token
}

func voters(s wire.Status) (n int) {
	for _, node := range s.Nodes {
		if node.Voter {
			n++
		}
	}
	return n
}

// whole says whether all nodes are ready and have the same: one that has just come back
// and lacks the last entries cannot be elected, and its vote is late.
func whole(boxes []*box) bool {
	first := boxes[0].how()
	return !slices.ContainsFunc(boxes, func(b *box) bool {
		s := b.how()
		return !s.Ready || s.Applied != first.Applied || s.Committed != first.Committed
	})
}

// until asks every 10 ms.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	require.Eventually(t, ok, patience, 10*time.Millisecond, what)
}

// How long after kill -9 of its leader a district of three processes commits again: from
// the signal to the answer of a node that is left, which was asked at once.
func TestSplitbench_LeaderKilledToTheNextCommit(t *testing.T) {
	boxes, token := found(t)
	var took []time.Duration
	for n := range *benchKills {
		var leader int
		until(t, "one leads, and all have what it has", func() bool {
			leader = slices.IndexFunc(boxes, func(b *box) bool { return b.how().Role == "leader" })
			return leader >= 0 && whole(boxes)
		})
		left := boxes[(leader+1)%3].client
		place := []wire.Place{{Path: fmt.Sprint("bench/kill-", n)}}
		begun := time.Now()
		boxes[leader].kill()
		for {
			err := left.PutPlaces(t.Context(), place)
			if err == nil {
				break
			}
			require.Less(t, time.Since(begun), patience, "%v", err)
		}
		took = append(took, time.Since(begun))
		boxes[leader].serve(token)
	}
	row("leader killed -> next commit", took, "p50 < 700ms, p99 < 1.2s")
}
