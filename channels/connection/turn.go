package connection

import (
	"context"
	"sync"
	"time"
)

// turnMost is how long a device may keep others of its process from connecting: a node that does not
// answer must not hold all of them up.
const turnMost = time.Second

// Turn waits for room in turns to connect, or for none where it is nil; false when ctx ends first. release gives the
// room back, and may be called again.
func Turn(ctx context.Context, turns chan struct{}) (release func(), ok bool) {
	if turns == nil {
		return func() {}, true
	}
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return nil, false
	}
	leave := sync.OnceFunc(func() { <-turns })
	late := time.AfterFunc(turnMost, leave)
	return func() { late.Stop(); leave() }, true
}
