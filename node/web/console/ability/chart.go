package ability

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire/able"
)

// The chart in units of its view box, 640 by 260, and how many estates are drawn: more than four lines
// nobody tells apart, and the worst are those that somebody has to do something about.
const (
	chartLeft, chartTop     = 64, 12
	chartRight, chartBottom = 612, 220
	linesMost               = 4
)

// chart is shares over time, a line an estate, with the same as a table.
type chart struct {
	Lines  []line
	XTicks []tick
	YTicks []tick
	Says   string // in words, for who does not see it
	Heads  []string
	Rows   []tableRow
}

type line struct{ Name, Points, Class, X, Y string }

type tick struct{ At, Label string }

type tableRow struct {
	Name  string
	Cells []string
}

// series is one estate: a share for each moment, the oldest first; below zero where there was none.
type series struct {
	name   string
	shares []float64
}

// chartOf draws series over the labels of their moments. Those whose last share is the lowest are drawn.
func chartOf(q *frame.Request, labels []string, all []series, says string) (c chart) {
	if len(labels) == 0 || len(all) == 0 {
		return c
	}
	c.Says = says
	x := func(i int) float64 {
		if len(labels) == 1 {
			return (chartLeft + chartRight) / 2
		}
		return chartLeft + float64(chartRight-chartLeft)*float64(i)/float64(len(labels)-1)
	}
	y := func(share float64) float64 { return chartBottom - (chartBottom-chartTop)*share }
	for _, percent := range []int{0, 50, 100} {
		c.YTicks = append(c.YTicks, tick{point(y(float64(percent) / 100)), strconv.Itoa(percent) + " %"})
	}
	for _, i := range slices.Compact([]int{0, (len(labels) - 1) / 2, len(labels) - 1}) {
		c.XTicks = append(c.XTicks, tick{point(x(i)), labels[i]})
	}
	worst := slices.Clone(all)
	slices.SortStableFunc(worst, func(a, b series) int { return cmp.Compare(a.last(), b.last()) })
	for n, s := range worst[:min(len(worst), linesMost)] {
		l := line{Name: s.name, Class: "k" + strconv.Itoa(n)}
		var points []string
		for i, share := range s.shares {
			if share >= 0 {
				l.X, l.Y = point(x(i)), point(y(share))
				points = append(points, l.X+","+l.Y)
			}
		}
		l.Points = strings.Join(points, " ")
		c.Lines = append(c.Lines, l)
	}
	return c
}

func (s series) last() float64 {
	for _, share := range slices.Backward(s.shares) {
		if share >= 0 {
			return share
		}
	}
	return 2
}

func point(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// shareOf is a share from 0 to 1; below zero where there is none.
func shareOf(n, of uint64) float64 {
	if of == 0 {
		return -1
	}
	return min(float64(n)/float64(of), 1)
}

// columnsMost is how many nights or drills the table beside the chart has.
const columnsMost = 7

// nightsOf is the trend of the nights, which come the newest first.
func nightsOf(q *frame.Request, nights []able.AbilityNight, names view.PlaceNames) chart {
	var labels []string
	places := map[string]*series{}
	cells := map[string][]string{}
	var order []string
	for n, night := range slices.Backward(nights) {
		at := len(labels)
		labels = append(labels, night.Night[min(len(night.Night), len("2026-")):]) // month and day
		for _, p := range night.Places {
			if places[p.Place] == nil {
				places[p.Place] = &series{name: names.Of(p.Place)}
				order = append(order, p.Place)
			}
			s := places[p.Place]
			for len(s.shares) < at {
				s.shares = append(s.shares, -1)
			}
			s.shares = append(s.shares, shareOf(p.Passed, p.Devices))
			if n < columnsMost {
				for len(cells[p.Place]) < at-max(0, len(nights)-columnsMost) {
					cells[p.Place] = append(cells[p.Place], "–")
				}
				cells[p.Place] = append(cells[p.Place], percent(p.Passed, p.Devices))
			}
		}
	}
	var all []series
	for _, place := range order {
		all = append(all, *places[place])
	}
	c := chartOf(q, labels, all, q.Lang.T("ability.nights.chart", len(labels)))
	c.Heads = labels[max(0, len(labels)-columnsMost):]
	c.Rows = rowsOf(order, places, cells, len(c.Heads))
	return c
}

func rowsOf(order []string, places map[string]*series, cells map[string][]string, columns int) (out []tableRow) {
	for _, place := range order {
		row := tableRow{Name: places[place].name, Cells: cells[place]}
		for len(row.Cells) < columns {
			row.Cells = append(row.Cells, "–")
		}
		out = append(out, row)
	}
	return out
}

// drillsMost is how many drills are compared: each is read with all of its receipts.
const drillsMost = 6

type drillsPage struct {
	frame.Page
	Drills []drill // the newest first
	Score  chart
}

// drills compares how soon each estate was reached by the last drills.
func (p pages) drills(q *frame.Request) error {
	names, err := view.NamesOfPlaces(p.s.Places, q)
	if err != nil {
		return err
	}
	found, err := p.recentDrills(q, drillsMost)
	if err != nil {
		return err
	}
	out := drillsPage{Page: q.Page("drills", "_able"), Drills: found}
	var labels []string
	places, cells := map[string]*series{}, map[string][]string{}
	var order []string
	for _, d := range slices.Backward(found) {
		report, err := p.s.Reports.AlertReport(q.R.Context(), q.By(), d.ID)
		if err != nil {
			return err
		}
		at := len(labels)
		labels = append(labels, d.Sent[:min(len(d.Sent), len(time.DateOnly))])
		for _, e := range report.Estates {
			if places[e.Place] == nil {
				places[e.Place] = &series{name: names.Of(e.Place)}
				order = append(order, e.Place)
			}
			s := places[e.Place]
			for len(s.shares) < at {
				s.shares, cells[e.Place] = append(s.shares, -1), append(cells[e.Place], "–")
			}
			s.shares = append(s.shares, shareOf(e.TenSeconds, e.Of))
			cells[e.Place] = append(cells[e.Place], fmt.Sprintf("%s · %s", percent(e.TenSeconds, e.Of), percent(e.Minute, e.Of)))
		}
	}
	var all []series
	for _, place := range order {
		all = append(all, *places[place])
	}
	out.Score = chartOf(q, labels, all, q.Lang.T("drills.chart", len(labels)))
	out.Score.Heads = labels
	out.Score.Rows = rowsOf(order, places, cells, len(labels))
	return q.Show("drills", out)
}
