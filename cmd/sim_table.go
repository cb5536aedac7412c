package cmd

import (
	"fmt"
	"strconv"
	"time"

	"github.com/g2g-net/g2g/node/sim"
)

// A section is one table of what a simulation prints.
type section struct {
	header []string
	rows   [][]string
}

// simSections are the tables, each over all runs: where there are several the first column says of which.
func simSections(v simView) []section {
	sections := []section{
		{header: []string{"SETTLED AFTER", "AT", "TOOK", "STILL"}},
		{header: []string{"DETECTION OF", "AT", "NODES", "FIRST", "DROPPED BY ACTIVE", "LATE AT HOLDERS", "DEAD AT HOLDERS", "NEVER"}},
		{header: []string{"FALSE", "DEAD", "BY HEALTHY", "LATE", "BY HEALTHY"}},
		{header: []string{"COST A NODE", "FROM", "TO", "MESSAGES/S", "BYTES/S", "TURNS/S"}},
		{header: []string{"OVERLAY AT", "NODES", "REACH", "HOPS", "PARTS ACTIVE/VIEW/KNOWN", "LARGEST ACTIVE/VIEW", "ACTIVE MEAN/MIN", "ONE-SIDED", "IN-DEGREE MEAN/P99/MAX"}},
		{header: []string{"CHECKS", "FAILED"}},
	}
	for _, r := range v.Runs {
		for i, rows := range [][][]string{settledRows(r), detectionRows(r), falseRows(r), costRows(r), overlayRows(r), checkRows(r)} {
			for _, row := range rows {
				if v.labelled() {
					row = append([]string{r.Label}, row...)
				}
				sections[i].rows = append(sections[i].rows, row)
			}
		}
	}
	if v.labelled() {
		for i := range sections {
			sections[i].header = append([]string{"RUN"}, sections[i].header...)
		}
	}
	return sections
}

// simTime is a moment or a duration of a simulation.
func simTime(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(10 * time.Millisecond).String()
}

func settledRows(r *sim.Report) (rows [][]string) {
	for _, s := range r.Settled {
		took := ""
		if s.TookS != nil {
			took = simTime(*s.TookS)
		}
		rows = append(rows, []string{s.After, simTime(s.AtS), took, s.Still})
	}
	return rows
}

// spreadCell is median, 99 % and all, in seconds; - for what has not come.
func spreadCell(s sim.Spread) string {
	if s.Cases == 0 {
		return ""
	}
	cell := ""
	for i, at := range []*float64{s.Median, s.P99, s.Max} {
		if i > 0 {
			cell += "/"
		}
		if at == nil {
			cell += "-"
		} else {
			cell += strconv.FormatFloat(*at, 'f', 1, 64)
		}
	}
	return cell + " s"
}

func detectionRows(r *sim.Report) (rows [][]string) {
	for _, d := range r.Detection {
		rows = append(rows, []string{
			d.What, simTime(d.AtS), fmt.Sprint(d.Nodes), spreadCell(d.First), spreadCell(d.Dropped), spreadCell(d.Late), spreadCell(d.Dead),
			fmt.Sprintf("%d of %d", d.Dead.Never, d.Dead.Cases),
		})
	}
	return rows
}

func falseRows(r *sim.Report) [][]string {
	f := r.False
	return [][]string{{"verdicts", fmt.Sprint(f.Dead), fmt.Sprint(f.DeadHealthy), fmt.Sprint(f.Late), fmt.Sprint(f.LateHealthy)}}
}

func costRows(r *sim.Report) (rows [][]string) {
	for _, c := range r.Cost {
		rows = append(rows, []string{
			c.Phase, simTime(c.FromS), simTime(c.ToS), fmt.Sprintf("%.2f", c.MessagesS), fmt.Sprintf("%.0f", c.BytesS), fmt.Sprintf("%.2f", c.TurnsS),
		})
	}
	return rows
}

func overlayRows(r *sim.Report) (rows [][]string) {
	for _, o := range r.Overlay {
		rows = append(rows, []string{
			simTime(o.AtS), fmt.Sprint(o.Nodes), fmt.Sprintf("%.2f %%", 100*o.Reach), fmt.Sprintf("%.2f, at most %d", o.Hops, o.MaxHops),
			fmt.Sprintf("%d/%d/%d", o.ActiveComponents, o.ViewComponents, o.KnownComponents),
			fmt.Sprintf("%.2f/%.2f %%", 100*o.ActiveLargest, 100*o.ViewLargest), fmt.Sprintf("%.1f/%d", o.ActiveMean, o.ActiveMin), fmt.Sprint(o.OneSided),
			fmt.Sprintf("%.0f/%d/%d", o.InMean, o.InP99, o.InMax),
		})
	}
	return rows
}

func checkRows(r *sim.Report) [][]string {
	rows := [][]string{{fmt.Sprint(r.Checks.Done), fmt.Sprint(r.Checks.Failed)}}
	for _, f := range r.Checks.Failures {
		rows = append(rows, []string{f})
	}
	return rows
}
