package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"almenara/node/web/console/frame"
	"almenara/node/web/console/view"
	"almenara/node/wire"
)

// The chart in units of its view box, 640 by 260.
const (
	chartLeft, chartTop     = 64, 12
	chartRight, chartBottom = 612, 220
	kindsDrawn              = 4
	firstTenth              = 0.1 // s, where time begins
)

// marks are the times that may be written below the chart, in seconds. The distance grows with the
// logarithm, because most devices present within seconds and the last one may take days.
var marks = []struct {
	seconds      float64
	unit, number string
}{{firstTenth, "report.seconds", "0.1"}, {1, "report.seconds", "1"}, {10, "report.seconds", "10"}, {60, "report.minutes", "1"}, {600, "report.minutes", "10"}, {3600, "report.hours", "1"}, {10 * 3600, "report.hours", "10"}, {4 * 86400, "report.days", "4"}, {40 * 86400, "report.days", "40"}}

// chart is the curve of reach, in all and by kind.
type chart struct {
	Lines  []curve
	XTicks []tick
	YTicks []tick
	Says   string // in words, for who does not see it
}

type curve struct {
	Name, Points, Class string
	Y                   string // of its end, where its mark is
	X                   string
}

type tick struct{ At, Label string }

func chartOf(q *frame.Request, r wire.Report) (c chart) {
	if len(r.Curve) == 0 || r.Reached.Of == 0 {
		return c
	}
	last, n := r.Curve[len(r.Curve)-1].At.Sub(r.Begun).Seconds(), 3
	for n < len(marks) && marks[n-1].seconds < last {
		n++
	}
	end := marks[n-1].seconds
	c.Lines = append(c.Lines, curveOf(q.Lang.T("report.all"), "all", r.Curve, r.Begun, r.Reached.Of, end))
	if len(r.Kinds) > 1 {
		for i, k := range r.Kinds[:min(len(r.Kinds), kindsDrawn)] {
			if len(k.Curve) > 0 && k.Reached.Of > 0 {
				c.Lines = append(c.Lines, curveOf(q.Lang.Or("kind.", k.Kind), "k"+strconv.Itoa(i), k.Curve, r.Begun, k.Reached.Of, end))
			}
		}
	}
	for _, m := range marks[:n] {
		c.XTicks = append(c.XTicks, tick{point(x(m.seconds, end)), q.Lang.T(m.unit, m.number)})
	}
	for _, percent := range []int{0, 50, 100} {
		c.YTicks = append(c.YTicks, tick{point(y(float64(percent) / 100)), strconv.Itoa(percent) + " %"})
	}
	c.Says = q.Lang.T("report.chart", view.Show(r.Reached.Count), view.Show(r.Reached.Of), after(q, r.Begun, r.Reached.First), after(q, r.Begun, r.Reached.Last))
	return c
}

// curveOf draws steps: a share stays until the next device presents.
func curveOf(name, class string, points []wire.CurvePoint, begun time.Time, of uint64, end float64) curve {
	var b strings.Builder
	share, at := 0.0, x(0, end)
	fmt.Fprintf(&b, "%s,%s", point(at), point(y(0)))
	for _, p := range points {
		at = x(p.At.Sub(begun).Seconds(), end)
		fmt.Fprintf(&b, " %s,%s", point(at), point(y(share)))
		share = min(float64(p.Count)/float64(of), 1)
		fmt.Fprintf(&b, " %s,%s", point(at), point(y(share)))
	}
	fmt.Fprintf(&b, " %d,%s", chartRight, point(y(share)))
	return curve{Name: name, Points: b.String(), Class: class, X: point(at), Y: point(y(share))}
}

func x(seconds, end float64) float64 {
	seconds = min(max(seconds, firstTenth), end)
	return chartLeft + (chartRight-chartLeft)*math.Log10(seconds/firstTenth)/math.Log10(end/firstTenth)
}

func y(share float64) float64 { return chartBottom - (chartBottom-chartTop)*share }

func point(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

func seconds(q *frame.Request, d time.Duration) string {
	return q.Lang.T("report.seconds", strconv.FormatFloat(d.Seconds(), 'f', 1, 64))
}
