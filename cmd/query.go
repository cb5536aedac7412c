package cmd

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/g2g-net/g2g/proto/adminpb"
)

// An answerView is what one node answered.
type answerView struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Hops      uint32  `json:"hops"`
	ElapsedMS float64 `json:"elapsed_ms"`
	Answer    *string `json:"answer"`        // null where it is no text
	Base64    string  `json:"answer_base64"` // then it stands here
	Error     string  `json:"error"`
	Unknown   bool    `json:"unknown"`   // it has no handler of that name; listed with --map alone
	Component int     `json:"component"` // from 1; 0 without --map

	links []*adminpb.QueryLink
}

// A queryView is what a query came to. Without --map only the answers are printed.
type queryView struct {
	Answers    []answerView    `json:"answers"`
	Links      []graphLink     `json:"links"`
	Components []componentView `json:"components"`
	LeftOut    uint32          `json:"left_out"` // answers for which there was no room

	asked, seen, failed, instead uint32
}

const (
	// maxFanout and maxQueryTime bound one query, as the node does.
	maxFanout    = 16
	maxQueryTime = 30 * time.Second
	// queryGrace is how much longer the node may take than the time that a query has.
	queryGrace = 5 * time.Second
)

func (a *app) queryCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "query [NAME]",
		Short: "Ask the network by the fan-out",
		Long: `Asks this node, some peers of its query order, and through these their peers in turn, and prints who answered: over how many hops,
and how long after the question was asked. NAME is what programs answer to; without one every node says who it is. Each hop has less time
than the one before, by the latency to the peer, and nobody works on a question twice: docs/programs.md.

A node that has nothing to say to NAME passes the question on. Nobody at all who has is exit code 5.

With --map each node also says whom it is connected to: -o json adds "links" and "components", the table says in which part of the
network each node is.`,
		Example: `  g2g query
  g2g query inventory --question apples --fanout 5 --timeout 5s
  g2g query --map -o json | jq '.components | length'`,
		Args: exactly(0, "NAME"),
	}
	var q adminpb.QueryRequest
	fanout := c.Flags().Int("fanout", 3, fmt.Sprintf("how many peers each node asks, 1 to %d", maxFanout))
	timeout := c.Flags().Duration("timeout", 2*time.Second, fmt.Sprintf("until the last answer, at most %s", maxQueryTime))
	question := c.Flags().String("question", "", "what to ask, for NAME to make sense of")
	c.Flags().BoolVar(&q.Links, "map", false, "add the connections between the nodes, and the parts that these make")
	f := output(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case *fanout < 1 || *fanout > maxFanout:
			return wrongUsage(fmt.Sprintf("--fanout %d is not 1 to %d", *fanout, maxFanout), "")
		case *timeout < time.Millisecond || *timeout > maxQueryTime:
			return wrongUsage(fmt.Sprintf("--timeout %s is not 1ms to %s", *timeout, maxQueryTime), "")
		}
		if len(args) == 1 {
			q.Name = args[0]
		}
		q.Question, q.Fanout, q.TimeoutMs = []byte(*question), uint32(*fanout), timeout.Milliseconds()
		return a.query(c, &q, f.value)
	}
	return c
}

func (a *app) query(c *cobra.Command, q *adminpb.QueryRequest, f string) error {
	var v queryView
	err := a.ask(c.Context(), func(node *client) (err error) {
		v, err = node.Query(c.Context(), q)
		return err
	})
	if err != nil {
		return err
	}
	if v.answered() == 0 {
		return &failure{why: fmt.Errorf("nobody answers to %q within %dms", q.GetName(), q.GetTimeoutMs()), hint: "programs choose what they answer to; g2g query without a NAME asks who is there", code: exitNobody}
	}
	if q.GetLinks() {
		v.chart()
	}
	if f == asJSON && q.GetLinks() {
		err = writeJSON(a.out, v)
	} else {
		err = answerListing(q.GetLinks()).write(a.out, f, v.Answers)
	}
	return errors.Join(err, a.tellQuery(v, q.GetLinks()))
}

// answered is how many nodes had something to say.
func (v queryView) answered() (n int) {
	for _, one := range v.Answers {
		if !one.Unknown {
			n++
		}
	}
	return n
}

// tellQuery says on stderr how it went.
func (a *app) tellQuery(v queryView, links bool) error {
	text := fmt.Sprintf("%s; asked %d from here: %d had it already, %d brought nothing, %d stood in for others", count(v.answered(), "answer"), v.asked, v.seen, v.failed, v.instead)
	if v.LeftOut > 0 {
		text += fmt.Sprintf("; %s found no room", count(int(v.LeftOut), "answer"))
	}
	if links {
		text += fmt.Sprintf("; %s, %s", count(len(v.Links), "link"), count(len(v.Components), "component"))
	}
	a.Note("%s", text)
	return nil
}

func answerListing(links bool) listing[answerView] {
	l := listing[answerView]{
		name: func(v answerView) string { return v.Name },
		columns: []column[answerView]{
			{"NAME", func(v answerView) string { return v.Name }},
			{"HOPS", func(v answerView) string { return strconv.Itoa(int(v.Hops)) }},
			{"ELAPSED", func(v answerView) string { return fractional(v.ElapsedMS) }},
			{"ANSWER", answerText},
		},
	}
	if links {
		l.columns = append(l.columns, column[answerView]{"LINKS", func(v answerView) string { return strconv.Itoa(len(v.links)) }},
			column[answerView]{"COMPONENT", func(v answerView) string { return strconv.Itoa(v.Component) }})
	}
	l.columns = append(l.columns, column[answerView]{"ID", func(v answerView) string { return shortID(v.ID) }})
	return l
}

func answerText(v answerView) string {
	switch {
	case v.Error != "":
		return "error: " + v.Error
	case v.Unknown:
		return "no such name here"
	case v.Answer == nil:
		return "base64 " + v.Base64
	}
	return *v.Answer
}

func answerOf(a *adminpb.QueryAnswer) answerView {
	v := answerView{
		ID: a.GetId(), Name: a.GetName(), Hops: a.GetHops(), ElapsedMS: float64(a.GetElapsedUs()) / 1000, Error: a.GetError(), Unknown: a.GetUnknown(), links: a.GetLinks(),
	}
	if body := a.GetBody(); utf8.Valid(body) {
		text := string(body)
		v.Answer = &text
	} else {
		v.Base64 = base64.StdEncoding.EncodeToString(body)
	}
	return v
}
