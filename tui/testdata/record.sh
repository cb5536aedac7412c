#!/usr/bin/env bash
# Records the five situations of this folder from a demo that runs, with what an operator would type: tui/testdata/record.sh
# [G2G]. It takes about six minutes; `go test ./tui ./docs -update` then makes the screens and pictures of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
g2g=${1:-g2g}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$work"' EXIT
export G2G_DIR=$work/d/node-1

# A recording is one picture with the minute before it, and the events. Where the folder was is nobody's business.
record() {
	rm -f "$work/record"
	"$g2g" top --once --record "$work/record" >/dev/null
	sed -E 's/"adminAddress":"[^"]*",//' "$work/record" >"$1.jsonl"
	"$g2g" top --once --replay "$1.jsonl" --size 80x24
}
act() { "$g2g" demo "$@" --dir "$work/d"; }
well() { "$g2g" wait --for late==0 --for 'order==11' --for 'groups==4' --timeout 240s || { "$g2g" peers; "$g2g" groups -o json; return 1; }; }

echo '' | tee well.jsonl >late-and-dead.jsonl
"$g2g" demo --headless --nodes 12 --regions 4 --seed 7 --dir "$work/d" >"$work/out" &
until grep -q '^node node-12 ' "$work/out"; do sleep 1; done
well
# Again, if this machine stood still meanwhile.
until grep -q '"state":"alive"' well.jsonl && ! grep -Eq '"state":"(late|dead)"|"ageMs":"[0-9]{5,}"' well.jsonl; do
	sleep 62
	well
	record well
done

act stall node-7
"$g2g" wait --for peer:node-7=dead --timeout 60s
sleep 20
# To be late lasts half a second: the picture of it is tried for.
until grep -q '"state":"late"' late-and-dead.jsonl && grep -q '"state":"dead"' late-and-dead.jsonl; do
	act heal node-2
	"$g2g" wait --for late==0 --for order==10 --timeout 60s
	act stall node-2
	"$g2g" wait --for late==1 --timeout 60s
	record late-and-dead
done
act heal all
well

act cut region-3
"$g2g" wait --for order==8 --for groups==3 --timeout 60s
sleep 15
record region-cut
act heal all
well

# What the nodes gather differs more and more from what this one has.
for round in $(seq 16); do
	for node in $(seq 12); do
		awk -v seed="$node$round" -v mean="$(((node % 4) * round))" 'BEGIN {
			srand(seed)
			for (i = 0; i < 40; i++) print rand() + mean / 8 "," rand() - mean / 8 "," rand() + mean / 16 "," rand()
		}' | "$g2g" data load - --dir "$work/d/node-$node" -q >/dev/null
	done
	sleep 3
done
record diverging

# A node with certificates of an hour.
export G2G_LEAF_LIFE=1h
"$g2g" nominate | "$g2g" join - --dir "$work/brief" --name brief --listen 127.0.0.1:0 --register 127.0.0.1:0
"$g2g" serve --dir "$work/brief" >/dev/null 2>&1 &
"$g2g" wait --for order==12 --for 'groups==4' --timeout 120s
sleep 62
record certificate
