package exchange

import (
	"errors"
	"io"
	"net/http"

	"github.com/fxamacker/cbor/v2"
)

// Handlers are the paths for cluster.Cluster.Handle.
func (e *Exchange) Handlers() map[string]http.Handler {
	return map[string]http.Handler{
		"POST /fact/push":   e.handler(e.handlePush),
		"POST /fact/vector": e.handler(e.handleVector),
		"POST /fact/after":  e.handler(e.handleAfter),
	}
}

// HandoverHandlers are the paths for cluster.Cluster.HandleHandover: what nodes may ask
// that take no part in the district any more. They take what is signed by a key of the
// district, whoever brings it.
func (e *Exchange) HandoverHandlers() map[string]http.Handler {
	return map[string]http.Handler{
		"POST /fact/held": e.handler(e.handleHeld),
		"POST /fact/push": e.handler(e.handlePush),
	}
}

// handleHeld says how far this node has the lanes that it is asked for.
func (e *Exchange) handleHeld(_ string, body []byte) (any, error) {
	m, err := decodeVector(body)
	if err != nil {
		return nil, err
	}
	answer := heldMessage{Lanes: make([]heldLane, len(m.Lanes))}
	for i, l := range m.Lanes {
		mark := e.o.Marks(l.Origin, l.Stream, l.Epoch)
		e.o.Journal.Adopt(l.Key(), mark)
		answer.Lanes[i] = heldLane{High: max(mark, e.o.Journal.High(l.Key())), Adopted: mark}
	}
	return answer, nil
}

// handler reads the body, notes that the sender lives, and answers in CBOR; what
// cannot be read is 400.
func (e *Exchange) handler(serve func(peer string, body []byte) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxMessage))
		if err != nil {
			http.Error(w, "reading message", http.StatusBadRequest)
			return
		}
		peer := e.o.PeerID(req.Context())
		e.heard.note(peer)
		answer, err := serve(peer, body)
		if err != nil {
			status := http.StatusInternalServerError
			if errors.Is(err, errMessage) {
				status = http.StatusBadRequest
			}
			http.Error(w, err.Error(), status)
			return
		}
		b, err := cbor.Marshal(answer)
		if err != nil {
			http.Error(w, "encoding answer", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(b)
	})
}

func (e *Exchange) handlePush(_ string, body []byte) (any, error) {
	m, err := decodeFacts(body)
	if err != nil {
		return nil, err
	}
	answer := pushAnswer{Results: make([]result, len(m.Facts))}
	for i, s := range m.Facts {
		answer.Results[i] = e.take(s)
	}
	return answer, nil
}

func (e *Exchange) handleVector(peer string, body []byte) (any, error) {
	m, err := decodeVector(body)
	if err != nil {
		return nil, err
	}
	if peer != "" {
		e.learn(peer, m.Lanes)
	}
	return vectorMessage{Lanes: e.o.Journal.Vector()}, nil
}

func (e *Exchange) handleAfter(_ string, body []byte) (any, error) {
	m, err := decodeAfter(body)
	if err != nil {
		return nil, err
	}
	facts, err := e.after(m.Lane, m.Lane.High, m.Max)
	if err != nil {
		return nil, err
	}
	return factsMessage{Facts: facts}, nil
}
