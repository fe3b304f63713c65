"""The figures as a table, and each one that has a target beside it."""
from stage import Sample

# (measure, who, how it is judged, the bound, in words). `ratio`: at most bound x floor; `share`: at least bound x floor;
# `most` and `least`: the figure itself.
TARGETS = [
    ("start-up, ms", "slipway run --", "ratio", 1.3),
    ("start-up, ms", "slipway", "ratio", 1.8),
    ("memory, 1 idle, MiB", "slipway", "most", 1.5),
    ("memory, 1000 idle, MiB", "slipway", "most", 3.5),
    ("start 1000, ms", "slipway", "ratio", 1.25),
    ("restart, ms", "slipway", "ratio", 1.25),
    ("  processor time of PID 1, ms", "slipway", "ratio", 1.3),
    ("  most unreaped", "slipway", "most", 30),
    ("stop 100 workers, ms", "slipway", "ratio", 1.1),
    ("log, 4000 B writes, MB/s", "slipway", "least", 1300),
    ("  processor seconds per GiB (4000 B)", "slipway", "most", 1.0),
    ("log, 100 B writes, MB/s", "slipway", "share", 0.95),
    ("PostgreSQL cold boot, ms", "slipway", "ratio", 1.05),
    ("PostgreSQL warm boot, ms", "slipway", "ratio", 1.3),
    ("idle wake-ups of PID 1, 1/s", "slipway", "most", 0),
]
WORDS = {"ratio": "at most {} x floor", "share": "at least {} x floor", "most": "at most {}", "least": "at least {}"}


def number(value):
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


class Table:
    def __init__(self):
        self.rows = {}

    def add(self, measure, name, result):
        self.rows.setdefault(measure, {})[name] = result

    def figure(self, measure, name):
        result = self.rows.get(measure, {}).get(name)
        return result.median if isinstance(result, Sample) else None

    def figures(self):
        return {
            measure: {
                name: {"median": result.median, "spread": result.spread, "values": result.values}
                if isinstance(result, Sample) else {"error": str(result)}
                for name, result in row.items()
            }
            for measure, row in self.rows.items()
        }

    def render(self):
        lines = [f"{'measure':38} {'program':24} {'median':>9} {'+-':>8} {'x floor':>8}"]
        for measure, row in self.rows.items():
            lines.append("")
            floor = self.figure(measure, "floor")
            for position, (name, result) in enumerate(row.items()):
                label = measure if position == 0 else ""
                if not isinstance(result, Sample):
                    lines.append(f"{label:38} {name:24} {'-':>9}   {result}")
                    continue
                ratio = f"{result.median / floor:.2f}" if floor else ""
                lines.append(f"{label:38} {name:24} {number(result.median):>9} {number(result.spread):>8} {ratio:>8}")
        return "\n".join(lines)

    def verdicts(self):
        lines = ["", f"{'target':38} {'':16} {'must':>20} {'is':>9}"]
        for measure, name, kind, bound in TARGETS:
            value, floor = self.figure(measure, name), self.figure(measure, "floor")
            if value is None or (kind in ("ratio", "share") and not floor):
                continue
            compared = value / floor if kind in ("ratio", "share") else value
            reached = compared >= bound if kind in ("share", "least") else compared <= bound
            lines.append(
                f"{measure.strip():38} {name:16} {WORDS[kind].format(bound):>20} {number(compared):>9}"
                f"  {'reached' if reached else 'MISSED'}"
            )
        return "\n".join(lines)
