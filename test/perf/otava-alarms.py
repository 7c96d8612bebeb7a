"""The runs after which Otava, looking at the history up to them, has a new point at which it rises by 5 % or more.

usage: otava-alarms.py < histories.json   (a list of lists of latencies) > alarms.json
"""

import json
import sys

from otava.analysis import compute_change_points

FEWEST = 10


def alarms(history):
    found, known = [], set()
    for end in range(FEWEST, len(history) + 1):
        points, _ = compute_change_points(history[:end], window_len=50, max_pvalue=0.001, min_magnitude=0.05)
        rising = {p.index for p in points if p.stats.mean_2 > p.stats.mean_1}
        # A point moves by a run or two while values come in, and is the same one.
        if any(all(abs(at - before) > 3 for before in known) for at in rising):
            found.append(end - 1)
        known |= rising
    return found


json.dump([alarms(history) for history in json.load(sys.stdin)], sys.stdout)
