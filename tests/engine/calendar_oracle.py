"""Random cron expressions around changes of the clock, and when they are due: minute by minute, by Python's zoneinfo.

    calendar_oracle.py SEED COUNT  ->  ZONE|EXPRESSION|FROM|UNTIL|DUE DUE ...   (seconds since 1970, FROM < DUE <= UNTIL)
"""
import datetime
import random
import sys
import zoneinfo

UTC = datetime.timezone.utc
MINUTE = datetime.timedelta(minutes=1)
# Zones and days on which their clocks do something.
CHANGES = [
    ("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-03-08"), ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
    ("Pacific/Apia", "2011-12-30"), ("Pacific/Chatham", "2026-04-05"), ("America/Havana", "2026-03-08"),
    ("America/Havana", "2026-11-01"), ("Asia/Pyongyang", "2015-08-15"), ("Antarctica/Troll", "2026-03-29"),
    ("Antarctica/Troll", "2026-10-25"), ("Africa/Casablanca", "2026-02-15"), ("Africa/Casablanca", "2026-03-22"),
    ("America/Scoresbysund", "2024-03-31"), ("Asia/Kolkata", "2026-02-28"), ("UTC", "2028-02-29"),
]
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
LIMITS = [(0, 59, []), (0, 23, []), (1, 31, []), (1, 12, MONTHS), (0, 7, DAYS)]


def random_item(rng, low, high, names):
    first, last = sorted((rng.randint(low, high), rng.randint(low, high)))
    step = rng.choice([2, 3, 5, 7, 10])
    word = lambda n: names[n - low] if names and n - low < len(names) and rng.random() < 0.5 else str(n)
    form = rng.random()
    if form < 0.5:
        return word(first)
    if form < 0.75:
        return f"{first}-{last}"
    if form < 0.85 and step <= high:
        return f"{first}-{last}/{step}"
    return word(last)


def random_field(rng, low, high, names, star):
    if rng.random() < star:
        return "*" if rng.random() < 0.6 else f"*/{rng.choice([2, 3, 5])}"
    return ",".join(random_item(rng, low, high, names) for _ in range(rng.choice([1, 1, 2, 3])))


def random_expression(rng):
    stars = [0.4, 0.4, 0.85, 0.97, 0.85]
    fields = [random_field(rng, *limits, star) for limits, star in zip(LIMITS, stars)]
    if rng.random() < 0.5:  # the hours in which clocks change
        fields[1] = rng.choice(["0", "1", "2", "3", "1,2", "2-3", "0-2"])
    return fields


def numbers(field, low, high, names):
    found = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        for index, name in enumerate(names):
            span = span.replace(name, str(index + low))
        first, _, last = span.partition("-")
        if span == "*":
            first, last = low, high
        found.update(range(int(first), int(last or first) + 1, int(step or 1)))
    return found


class Expression:
    def __init__(self, fields):
        self.minutes, self.hours, self.days, self.months, self.weekdays = (
            numbers(field, *limits) for field, limits in zip(fields, LIMITS))
        self.weekdays = {day % 7 for day in self.weekdays}
        self.either = fields[2][0] != "*" and fields[4][0] != "*"
        self.wildcard = fields[0][0] == "*" or fields[1][0] == "*"

    def matches(self, local):
        in_month, in_week = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        day = in_month or in_week if self.either else in_month and in_week
        return (local.minute in self.minutes and local.hour in self.hours and local.month in self.months and day)


def dues(expression, zone, start, end):
    found = []
    before = start.astimezone(zone).replace(tzinfo=None)
    moment = start
    while moment < end:
        moment += MINUTE
        aware = moment.astimezone(zone)
        local = aware.replace(tzinfo=None, fold=0)
        if expression.wildcard:
            due = expression.matches(local)
        else:
            due = aware.fold == 0 and expression.matches(local)
            left_out = before + MINUTE
            while not due and left_out < local:
                due = expression.matches(left_out)
                left_out += MINUTE
        if due:
            found.append(int(moment.timestamp()))
        before = local
    return found


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        name, day = rng.choice(CHANGES)
        fields = random_expression(rng)
        start = datetime.datetime.fromisoformat(day).replace(tzinfo=UTC) + MINUTE * rng.randint(-2880, 1440)
        end = start + MINUTE * 4320
        found = dues(Expression(fields), zoneinfo.ZoneInfo(name), start, end)
        times = " ".join(map(str, found))
        print(f"{name}|{' '.join(fields)}|{int(start.timestamp())}|{int(end.timestamp())}|{times}")


main()
