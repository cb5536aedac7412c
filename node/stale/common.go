package stale

import "time"

// commonSamples is how many completed ages the common pace is the median of.
const commonSamples = 64

// A common is how old peers in general get before news of them comes: in a network that just fits into a view several times as old as what
// they declare. It stands for the pace of whoever has not shown its own yet. The zero value knows nothing.
//
//  1. ages[:count] are the latest completed ages of all peers; the oldest of them is overwritten next.
//  2. pace is their upper median, unless changed; 0 before half of them are known.
type common struct {
	ages    [commonSamples]time.Duration
	count   int
	next    int
	pace    time.Duration
	changed bool
}

func (c *common) complete(age time.Duration) {
	c.ages[c.next] = age
	c.next = (c.next + 1) % commonSamples
	c.count = min(c.count+1, commonSamples)
	c.changed = true
}

// median is found when somebody asks for it: most often every peer has a pace of its own.
func (c *common) median() time.Duration {
	if c.changed && c.count >= commonSamples/2 {
		ages := c.ages
		c.pace = nth(ages[:c.count], c.count/2)
	}
	c.changed = false
	return c.pace
}
