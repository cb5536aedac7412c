package cmd

// A counterView is a number that only grows while the node runs.
type counterView struct {
	Name   string `json:"name"`
	Method string `json:"method"` // of gRPC; empty where it is about none
	Value  uint64 `json:"value"`
}

// key tells counters apart.
func (c counterView) key() string {
	if c.Method == "" {
		return c.Name
	}
	return c.Name + " " + c.Method
}
