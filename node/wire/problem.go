package wire

import (
	"fmt"
	"net/http"
)

// Kind is the stable name of a sort of error. Programs decide by it; people read the sentence.
type Kind = string

// The kinds of Problem, with the HTTP status that each has.
const (
	KindMalformed       Kind = "malformed"          // 400: the request cannot be read
	KindUnauthenticated Kind = "unauthenticated"    // 401: no token, or not a known one
	KindForbidden       Kind = "forbidden"          // 403: the caller lacks a role
	KindNotFound        Kind = "not-found"          // 404
	KindNotAllowed      Kind = "method-not-allowed" // 405: the path exists, the method does not
	KindConflict        Kind = "conflict"           // 409: it exists already, or differs
	KindTooLarge        Kind = "too-large"          // 413: the body is over the route's limit
	KindRefused         Kind = "refused"            // 422: read and understood, and against a rule; nothing happened
	KindOverBudget      Kind = "over-budget"        // 429: as much as the sender, the place or the district may have; see Retry-After
	KindInternal        Kind = "internal"           // 500: a fault of the node; its log says which
	KindBusy            Kind = "busy"               // 503: try again after Retry-After seconds
	KindNoQuorum        Kind = "no-quorum"          // 503: a majority is needed and cannot be reached
	KindNotReady        Kind = "not-ready"          // 503: the node is starting or is cut off from its data
	KindUnknownOutcome  Kind = "unknown-outcome"    // 504: it may or may not have happened; ask again
)

// Kinds lists every kind, for documents and tests.
func Kinds() []Kind {
	return []Kind{KindMalformed, KindUnauthenticated, KindForbidden, KindNotFound, KindNotAllowed, KindConflict, KindTooLarge,
		KindRefused, KindOverBudget, KindInternal, KindBusy, KindNoQuorum, KindNotReady, KindUnknownOutcome}
}

// statuses maps every kind of problem to its HTTP status.
var statuses = map[Kind]int{
	KindMalformed:       http.StatusBadRequest,
	KindUnauthenticated: http.StatusUnauthorized,
	KindForbidden:       http.StatusForbidden,
	KindNotFound:        http.StatusNotFound,
	KindNotAllowed:      http.StatusMethodNotAllowed,
	KindConflict:        http.StatusConflict,
	KindTooLarge:        http.StatusRequestEntityTooLarge,
	KindRefused:         http.StatusUnprocessableEntity,
	KindOverBudget:      http.StatusTooManyRequests,
	KindInternal:        http.StatusInternalServerError,
	KindBusy:            http.StatusServiceUnavailable,
	KindNoQuorum:        http.StatusServiceUnavailable,
	KindNotReady:        http.StatusServiceUnavailable,
	KindUnknownOutcome:  http.StatusGatewayTimeout,
}

// HTTPStatus is the status with which a problem of the kind is answered; 0 of what is no kind.
func HTTPStatus(kind Kind) int { return statuses[kind] }

// Problemf makes a Problem of a kind with a formatted sentence.
func Problemf(kind Kind, format string, args ...any) *Problem {
	return &Problem{Kind: kind, Sentence: fmt.Sprintf(format, args...)}
}

// Health answers the readiness probe.
type Health struct {
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty"` // why not ready
}
