package gossip
import ("testing";"time";"fmt")
func TestDbg(t *testing.T) {
	worst := time.Duration(0)
	for seed := range uint64(250) {
		n := 2 + int(seed%9)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
		w := newWorld(t, 1000+seed)
		w.network(n)
		w.becomes(30*time.Second, w.whole)
		w.trouble(4 * time.Minute)
		w.heal()
		d := w.becomes(time.Minute, w.whole)
		if d > 3*time.Second { fmt.Println(seed, n, d) }
		worst = max(worst, d)
		w.becomes(time.Minute, w.converged)
		})
	}
	fmt.Println(worst)
}
