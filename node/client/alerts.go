package client

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"almenara/node/wire"
)

// How far a fact must get before the answer: the values of wait. The empty text
// is WaitLocal.
const (
	WaitLocal     = "local"
	WaitHeld      = "held"
	WaitCommitted = "committed"
)

// values makes a query of pairs; empty values are left out.
func values(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// number is empty for 0: the server's own default.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// TakeCAP sends a CAP 1.2 message as it is. When it returns without an error the
// message is as durable as the outcome's Replication says.
func (c Alerts) TakeCAP(ctx context.Context, message []byte, selection, wait string) (out wire.Outcome, err error) {
	err = c.call(ctx, request{
		method: "POST", path: path("cap"), query: values("select", selection, "wait", wait),
		body: bytes.NewReader(message), media: "application/cap+xml", accept: "application/json",
	}, nil, &out)
	return out, err
}

// PreviewCAP says what TakeCAP would do, or refuse, and to whom. Nothing is recorded.
func (c Alerts) PreviewCAP(ctx context.Context, message []byte, selection string) (out wire.Outcome, err error) {
	err = c.call(ctx, request{
		method: "POST", path: path("cap"), query: values("select", selection, "dry_run", "true"),
		body: bytes.NewReader(message), media: "application/cap+xml", accept: "application/json",
	}, nil, &out)
	return out, err
}

// PreviewAlert says what SendAlert would do, or refuse, and to whom. Nothing is
// recorded.
func (c Alerts) PreviewAlert(ctx context.Context, in wire.SendAlert) (out wire.Outcome, err error) {
	err = c.call(ctx, request{method: "POST", path: path("alerts"), query: values("dry_run", "true")}, in, &out)
	return out, err
}

// SendAlert sends an alert in JSON.
func (c Alerts) SendAlert(ctx context.Context, in wire.SendAlert, wait string) (out wire.Outcome, err error) {
	err = c.call(ctx, request{method: "POST", path: path("alerts"), query: values("wait", wait)}, in, &out)
	return out, err
}

// CorrectAlert says other words to the same people; with in.DryRun nothing is recorded.
func (c Alerts) CorrectAlert(ctx context.Context, id string, in wire.CorrectAlert, wait string) (out wire.Outcome, err error) {
	query := values("wait", wait)
	if in.DryRun {
		query = values("dry_run", "true")
	}
	err = c.call(ctx, request{method: "POST", path: path("alerts", id, "correct"), query: query}, in, &out)
	return out, err
}

// UpdateAlert changes an alert; with in.DryRun nothing is recorded.
func (c Alerts) UpdateAlert(ctx context.Context, id string, in wire.UpdateAlert, wait string) (out wire.Outcome, err error) {
	query := values("wait", wait)
	if in.DryRun {
		query = values("dry_run", "true")
	}
	err = c.call(ctx, request{method: "POST", path: path("alerts", id, "update"), query: query}, in, &out)
	return out, err
}

// CancelAlert cancels an alert.
func (c Alerts) CancelAlert(ctx context.Context, id string, in wire.CancelAlert, wait string) (out wire.Outcome, err error) {
	err = c.call(ctx, request{method: "POST", path: path("alerts", id, "cancel"), query: values("wait", wait)}, in, &out)
	return out, err
}

// ListAlerts lists a page of alerts, newest first.
// next, where it is not "", is After for the following page.
func (c Alerts) ListAlerts(ctx context.Context, q wire.AlertQuery) (out []wire.Alert, next string, err error) {
	query := values("after", q.After, "limit", number(q.Limit))
	if q.Waiting {
		query.Set("waiting", "true")
	}
	if q.Open {
		query.Set("open", "true")
	}
	header, err := c.page(ctx, request{method: "GET", path: path("alerts"), query: query}, &out)
	return out, header.Get(wire.HeaderNext), err
}

// ShowAlert is one alert with its messages and groups.
func (c Alerts) ShowAlert(ctx context.Context, id string) (out wire.Alert, err error) {
	err = c.call(ctx, request{method: "GET", path: path("alerts", id)}, nil, &out)
	return out, err
}

// AlertReport is what an alert came to: who did what when, and when it reached whom.
func (c Alerts) AlertReport(ctx context.Context, id string) (out wire.Report, err error) {
	err = c.call(ctx, request{method: "GET", path: path("alerts", id, "report")}, nil, &out)
	return out, err
}

// AlertMessage is the original bytes of the alert's current message.
func (c Alerts) AlertMessage(ctx context.Context, id string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	response, err := c.open(ctx, request{method: "GET", path: path("alerts", id, "cap")})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("reading message: %w", err)
	}
	return raw, nil
}

// AlertReceipts lists a page of members at the rung or above, or with missing those below;
// the empty rung is "presented".
func (c Alerts) AlertReceipts(ctx context.Context, id string, in wire.ReceiptQuery) (out wire.ReceiptPage, err error) {
	q := values("rung", in.Rung, "place", in.Place, "after", in.After, "limit", number(in.Limit))
	if in.Missing {
		q.Set("missing", "true")
	}
	header, err := c.page(ctx, request{method: "GET", path: path("alerts", id, "receipts"), query: q}, &out.Rows)
	out.Next, out.From = header.Get(wire.HeaderNext), wire.Source(header.Get(wire.HeaderCountsFrom))
	return out, err
}

// page reads one page of a list. The header says where the next one begins.
func (c *connection) page(ctx context.Context, in request, receive any) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	response, err := c.open(ctx, in)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return response.Header, decode(response, in.method, receive)
}
