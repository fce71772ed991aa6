package signin

import (
	"sync"
	"time"
)

// rereadAfter is the least time between two looks at all credentials for a passkey that nobody seems to have.
const rereadAfter = time.Second

// holders know whose passkey is which, so that an answer that anybody sends does not have all credentials read. It may
// be behind: who asks looks whether the person still has it. Its methods may be called from any goroutine.
type holders struct {
	read  func() (map[string]string, error) // names of users by the ids of their passkeys
	clock func() time.Time

	mu    sync.Mutex
	users map[string]string
	at    time.Time // of the last look
}

// of is the user who has a passkey, as far as is known; "" where that is nobody. One that was added at another node is
// known after a second at the latest.
func (h *holders) of(id []byte) (user string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if user, known := h.users[string(id)]; known {
		return user, nil
	}
	now := h.clock()
	if h.users != nil && now.Sub(h.at).Abs() < rereadAfter {
		return "", nil
	}
	users, err := h.read()
	if err != nil {
		return "", err
	}
	h.users, h.at = users, now
	return users[string(id)], nil
}

// forget has all credentials read again for the next passkey: one was added here.
func (h *holders) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users = nil
}
