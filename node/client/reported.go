package client

import (
	"context"
	"fmt"
	"io"

	"almenara/node/wire"
	"almenara/node/wire/reported"
)

// ListReports lists a page of what people reported, newest first. Next of the page, where it is not "", is
// After for the following one.
func (c Reports) ListReports(ctx context.Context, q reported.Query) (out reported.PersonReports, err error) {
	query := values("alert", q.Alert, "place", q.Place, "handling", string(q.Handling), "kind", string(q.Kind), "after", q.After, "limit", number(q.Limit))
	header, err := c.page(ctx, request{method: "GET", path: path("reports"), query: query}, &out)
	out.Next = header.Get(wire.HeaderNext)
	return out, err
}

// ShowReport is one report.
func (c Reports) ShowReport(ctx context.Context, id string) (out reported.PersonReport, err error) {
	err = c.call(ctx, request{method: "GET", path: path("reports", id)}, nil, &out)
	return out, err
}

// ReportPhoto is the photo of a report, a JPEG.
func (c Reports) ReportPhoto(ctx context.Context, id string) ([]byte, error) {
	return c.photo(ctx, path("reports", id, "photo"))
}

func (c Reports) photo(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	response, err := c.open(ctx, request{method: "GET", path: path})
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("reading a photo: %w", err)
	}
	return raw, nil
}

// AlertResidents is what people without an account answered to one alert.
func (c Reports) AlertResidents(ctx context.Context, id string) (out reported.Residents, err error) {
	err = c.call(ctx, request{method: "GET", path: path("alerts", id, "residents")}, nil, &out)
	return out, err
}

// ResidentPhoto is the photo of an answer, a JPEG.
func (c Reports) ResidentPhoto(ctx context.Context, id string) ([]byte, error) {
	return c.photo(ctx, path("residents", id, "photo"))
}

// HandleResident says what was made of an answer.
func (c Reports) HandleResident(ctx context.Context, id string, in reported.Moderate, wait string) (out reported.ResidentsAnswer, err error) {
	err = c.call(ctx, request{method: "POST", path: path("residents", id, "handling"), query: values("wait", wait)}, in, &out)
	return out, err
}

// ModerateReport says what was made of a report.
func (c Reports) ModerateReport(ctx context.Context, id string, in reported.Moderate, wait string) (out reported.PersonReport, err error) {
	err = c.call(ctx, request{method: "POST", path: path("reports", id, "handling"), query: values("wait", wait)}, in, &out)
	return out, err
}
