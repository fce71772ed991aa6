package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"almenara/node/wire"
)

// Status is what the node knows of itself and its district.
func (c District) Status(ctx context.Context, withHash bool) (out wire.Status, err error) {
	q := values()
	if withHash {
		q.Set("hash", "true")
	}
	err = c.call(ctx, request{method: "GET", path: path("status"), query: q}, nil, &out)
	return out, err
}

// Invite makes a one-time join token.
func (c District) Invite(ctx context.Context, in wire.Invite) (out wire.Invited, err error) {
	err = c.call(ctx, request{method: "POST", path: path("nodes", "invite")}, in, &out)
	return out, err
}

// RemoveNode removes a node for good.
func (c District) RemoveNode(ctx context.Context, id string) error {
	return c.call(ctx, request{method: "DELETE", path: path("nodes", id)}, nil, nil)
}

// ExportAudit writes the audit chain's lines to w; 0 leaves an end open. Only its
// context bounds it. An error means that what was written may be cut.
func (c People) ExportAudit(ctx context.Context, w io.Writer, from, to uint64) error {
	q := values()
	for name, index := range map[string]uint64{"from": from, "to": to} {
		if index != 0 {
			q.Set(name, strconv.FormatUint(index, 10))
		}
	}
	return copyAnswer(ctx, c.connection, request{method: "GET", path: path("audit"), query: q}, w)
}

// OpenAPI is the API's description.
func (c District) OpenAPI(ctx context.Context) (out json.RawMessage, err error) {
	err = c.call(ctx, request{method: "GET", path: path("openapi.json")}, nil, &out)
	return out, err
}

// Health reports that the process serves requests.
func (c District) Health(ctx context.Context) (out wire.Health, err error) {
	err = c.call(ctx, request{method: "GET", path: "/healthz"}, nil, &out)
	return out, err
}

// Ready says whether the node can do its work, and why not. That it cannot is no
// error.
func (c District) Ready(ctx context.Context) (out wire.Health, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	response, err := c.openAny(ctx, request{method: "GET", path: "/readyz"})
	if err != nil {
		return out, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusServiceUnavailable {
		return out, problem(response)
	}
	if err := decode(response, http.MethodGet, &out); err != nil {
		return out, err
	}
	if !out.Ready && out.Why == "" {
		return out, errors.New("the server at this address gave no answer of a node")
	}
	return out, nil
}

// Metrics writes the node's metrics, in Prometheus text format, to w.
func (c District) Metrics(ctx context.Context, w io.Writer) error {
	return copyAnswer(ctx, c.connection, request{method: "GET", path: "/metrics"}, w)
}

// copyAnswer writes the whole answer to w.
func copyAnswer(ctx context.Context, c *connection, in request, w io.Writer) error {
	response, err := c.open(ctx, in)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(w, response.Body); err != nil {
		return fmt.Errorf("copying the node's answer: %w", err)
	}
	return nil
}
