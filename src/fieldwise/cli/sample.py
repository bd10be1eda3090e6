"""Lands the data of the sample warehouse: TPC-H moved to today, as daily deliveries (examples/tpch/README.md)."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

import duckdb

FORMAT = 1  # of the landing; another number lands everything anew
AHEAD = 14  # days delivered beyond yesterday, so that a server left running finds new data every morning
NEWEST_ORDER = date(1998, 8, 2)  # of TPC-H, at every scale factor
MANIFEST = "manifest.json"


class SampleUnavailable(Exception):
    """The sample's data cannot be made. `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Landing:
    """What was delivered: history with `first_day`, then one increment a day up to and including `last_day`.

    `shift_days`: what was added to every date of TPC-H.
    """

    scale_factor: float
    first_day: date
    last_day: date
    shift_days: int


@dataclass(frozen=True, slots=True)
class QueryPair:
    """One of the 22 queries of TPC-H, over the logical tables and over the raw ones: the same rows in the same order."""

    name: str
    logical: str
    raw: str


def generate(
    project_folder: Path,
    scale_factor: float,
    yesterday: date,
    days: int = 3,
    progress: Callable[[str], None] = lambda said: None,
    *,
    keep: bool = False,
) -> Landing:
    """Make `project_folder`/data, of which the `days` data timestamps up to `yesterday` may be run.

    History is delivered with the first of those days. A landing for the same scale factor and day is
    left alone; with `keep` also an older one that reaches up to `yesterday`: for a warehouse that was filled from it.
    Data appear complete or not at all. Raises SampleUnavailable.
    """
    wanted = landing_for(scale_factor, yesterday, days)
    there = landed(project_folder)
    if there == wanted or (keep and there is not None and _serves(there, wanted, days)):
        return there
    project_folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".data-", dir=project_folder))
    try:
        _make(work, wanted, progress)
        _put_in_place(work / "data", project_folder / "data", work / "replaced")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return wanted


def landing_for(scale_factor: float, yesterday: date, days: int = 3) -> Landing:
    if scale_factor <= 0:
        raise SampleUnavailable(
            f"scale factor {scale_factor:g} is not positive", "0.01 is tiny, 0.1 the default, 1 a gigabyte"
        )
    if days < 1:
        raise SampleUnavailable(f"{days} days cannot be run", "take one or more")
    last_day = yesterday + timedelta(days=AHEAD)
    return Landing(
        scale_factor, yesterday - timedelta(days=days - 1), last_day, (last_day - NEWEST_ORDER).days
    )


def landed(project_folder: Path) -> Landing | None:
    """What `project_folder`/data holds; None if nothing, or something of another format."""
    try:
        said = json.loads((project_folder / "data" / MANIFEST).read_text(encoding="utf-8"))
        if said.pop("format") != FORMAT:
            return None
        days = {name: date.fromisoformat(said.pop(name)) for name in ("first_day", "last_day")}
        return Landing(float(said["scale_factor"]), **days, shift_days=int(said["shift_days"]))
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def query_pairs(project_folder: Path, data_date: date) -> Iterator[QueryPair]:
    """The 22 queries as of `data_date`, ready to run: over `tpch.*`, and TPC-H's own text over `raw.*`."""
    landing = landed(project_folder)
    if landing is None:
        raise SampleUnavailable(f"{project_folder / 'data'} holds no sample data", "make it: fieldwise demo")
    folder = project_folder / "queries"
    tables = (folder / "raw" / "tables.sql").read_text(encoding="utf-8")
    for path in sorted(folder.glob("q??.sql")):
        raw = tables + (folder / "raw" / path.name).read_text(encoding="utf-8")
        yield QueryPair(
            path.stem, *(_as_of(text, data_date, landing) for text in (path.read_text(encoding="utf-8"), raw))
        )


def _as_of(text: str, data_date: date, landing: Landing) -> str:
    return text.replace(":data_date", f"DATE '{data_date}'").replace(":shift_days", str(landing.shift_days))


def _serves(there: Landing, wanted: Landing, days: int) -> bool:
    yesterday = wanted.first_day + timedelta(days=days - 1)
    return there.scale_factor == wanted.scale_factor and there.first_day <= yesterday <= there.last_day


def _make(work: Path, landing: Landing, progress: Callable[[str], None]) -> None:
    progress(f"TPC-H at scale factor {landing.scale_factor:g}")
    _run_generator(work / "tpch", landing.scale_factor)
    _deliver(work / "tpch", work / "data" / "landing", landing, progress)
    said = {"format": FORMAT, **asdict(landing)}
    (work / "data" / MANIFEST).write_text(json.dumps(said, default=str, indent=1) + "\n", encoding="utf-8")


def _put_in_place(new: Path, place: Path, replaced: Path) -> None:
    """Two renames; whoever dies between them leaves no data, never half of it."""
    with contextlib.suppress(FileNotFoundError):
        place.rename(replaced)
    new.rename(place)


def _run_generator(folder: Path, scale_factor: float) -> None:
    beside = Path(sysconfig.get_path("scripts")) / "tpchgen-cli"
    command = str(beside) if beside.exists() else shutil.which("tpchgen-cli")
    if command is None:
        raise SampleUnavailable(
            "the sample's data come from tpchgen-cli, which is not installed",
            "pip install 'fieldwise[sample]'",
        )
    folder.mkdir()
    arguments = [
        command,
        "parquet",
        "--scale-factor",
        f"{scale_factor:g}",
        "--output-dir",
        str(folder),
        "--quiet",
        "--no-progress",
    ]
    ended = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise SampleUnavailable(
            f"tpchgen-cli ended with exit code {ended.returncode}: {last}", "is there room on the disk?"
        )


def _deliver(tpch: Path, target: Path, landing: Landing, progress: Callable[[str], None]) -> None:
    """Split the eight tables into feeds. One folder a day: `landing/orders/ds=2026-11-18/`."""
    target.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = false")
        for name, value in asdict(landing).items():
            connection.execute(
                f"SET VARIABLE {name} = {value!r}"
                if not isinstance(value, date)
                else f"SET VARIABLE {name} = DATE '{value}'"
            )
        for path in tpch.glob("*.parquet"):
            connection.execute(f"CREATE VIEW {path.stem} AS FROM read_parquet('{_quoted(path)}')")
        connection.execute(PREPARED)
        for feed, sql in FEEDS.items():
            progress(f"delivering {feed}")
            connection.execute(
                f"COPY ({sql}) TO '{_quoted(target / feed)}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (ds), WRITE_PARTITION_COLUMNS true)"
            )
        for file, sql in FILES.items():
            options = "FORMAT csv, HEADER true" if file.endswith(".csv") else "FORMAT json"
            connection.execute(f"COPY ({sql}) TO '{_quoted(target / file)}' ({options})")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


# What follows reads TPC-H's tables by their names, and the landing's values as variables. Everything that varies from
# day to day is arithmetic on keys, not chance: the same day of the same scale factor is always the same delivery.
PREPARED = """
-- The days after the first: 1, 2, ... They bring changes to what the first day delivered in full.
CREATE VIEW later AS
SELECT n, getvariable('first_day') + n AS ds
FROM (SELECT unnest(range(1, getvariable('last_day') - getvariable('first_day') + 1))::INTEGER AS n);

-- An order arrives on its own day. Older ones come from the system that was there before: nearly all on the first day,
-- one in two hundred on each day after it.
CREATE VIEW arrival AS
SELECT o_orderkey, o_orderdate + getvariable('shift_days') AS order_date, (o_orderkey * 7919 // 32 % 200)::INTEGER AS batch,
       CASE WHEN order_date >= getvariable('first_day') THEN order_date
            WHEN getvariable('first_day') + batch <= getvariable('last_day') THEN getvariable('first_day') + batch
            ELSE getvariable('first_day') END AS ds,
       (['web', 'web', 'web', 'web', 'app', 'app', 'app', 'store', 'store', 'phone'])[1 + o_orderkey * 7919 // 100 % 10] AS channel
FROM orders;

-- Every third customer of TPC-H never orders. One in ten of those becomes a customer on a later day: `n`, else 0.
CREATE VIEW joining AS
SELECT customer.*, (CASE WHEN c_custkey % 30 = 0 THEN c_custkey // 30 % (getvariable('last_day') - getvariable('first_day') + 1) ELSE 0 END)::INTEGER AS joined
FROM customer;
"""

# Feeds with a delivery a day. Reference data and balances: in full on the first day, afterwards only rows that changed.
# Comments that none of the 22 queries reads are left out: they would be a third of the disk.
FEEDS = {
    "region": "SELECT getvariable('first_day') AS ds, r_regionkey, r_name FROM region",
    "nation": "SELECT getvariable('first_day') AS ds, n_nationkey, n_name, n_regionkey FROM nation",
    "customer": """
        SELECT getvariable('first_day') + joined AS ds, * EXCLUDE (joined) FROM joining
        UNION ALL BY NAME
        SELECT ds, customer.* EXCLUDE (joined)
               REPLACE ((c_acctbal + ((c_custkey * 7 + n * 131) % 20001 - 10000) / 100)::DECIMAL(15, 2) AS c_acctbal)
        FROM joining AS customer JOIN later ON (c_custkey * 31 + n * 17) % 97 = 0 AND n > joined""",
    "supplier": """
        SELECT getvariable('first_day') AS ds, * FROM supplier
        UNION ALL BY NAME
        SELECT ds, supplier.* REPLACE ((s_acctbal + ((s_suppkey * 11 + n * 131) % 20001 - 10000) / 100)::DECIMAL(15, 2) AS s_acctbal)
        FROM supplier JOIN later ON (s_suppkey * 13 + n * 7) % 29 = 0""",
    "part": """
        SELECT getvariable('first_day') AS ds, * EXCLUDE (p_comment) FROM part
        UNION ALL BY NAME
        SELECT ds, part.* EXCLUDE (p_comment) REPLACE ((p_retailprice * (95 + (p_partkey + n) % 11) / 100)::DECIMAL(15, 2) AS p_retailprice)
        FROM part JOIN later ON (p_partkey * 11 + n * 5) % 211 = 0""",
    "partsupp": """
        SELECT getvariable('first_day') AS ds, * EXCLUDE (ps_comment) FROM partsupp
        UNION ALL BY NAME
        SELECT ds, partsupp.* EXCLUDE (ps_comment)
               REPLACE ((ps_availqty + 997 * n) % 9999 + 1 AS ps_availqty,
                        (ps_supplycost * (90 + (ps_partkey + n) % 21) / 100)::DECIMAL(15, 2) AS ps_supplycost)
        FROM partsupp JOIN later ON (ps_partkey * 17 + ps_suppkey * 3 + n * 23) % 101 = 0""",
    "orders": """
        SELECT ds, orders.* REPLACE (order_date AS o_orderdate), channel AS o_channel
        FROM orders JOIN arrival USING (o_orderkey)""",
    "lineitem": """
        SELECT ds, lineitem.* EXCLUDE (l_returnflag, l_comment)
               REPLACE (l_shipdate + getvariable('shift_days') AS l_shipdate, l_commitdate + getvariable('shift_days') AS l_commitdate,
                        l_receiptdate + getvariable('shift_days') AS l_receiptdate)
        FROM lineitem JOIN arrival ON o_orderkey = l_orderkey""",
    # TPC-H has no returns in its last years; the newest orders get some. R returned, A accepted, no row: N.
    "returns": """
        SELECT ds, l_orderkey, l_linenumber, flag AS l_returnflag
        FROM (SELECT ds, l_orderkey, l_linenumber,
                     CASE WHEN order_date < getvariable('first_day') THEN l_returnflag
                          WHEN (l_orderkey * 7 + l_linenumber * 3) % 11 = 0 THEN 'R'
                          WHEN (l_orderkey * 7 + l_linenumber * 3) % 11 = 1 THEN 'A' ELSE 'N' END AS flag
              FROM lineitem JOIN arrival ON o_orderkey = l_orderkey)
        WHERE flag <> 'N'""",
}

FILES = {
    # The shop's event stream: every order at the second it was placed (UTC). There is none of the time before the first day.
    "order_events.json": """
        SELECT o_orderkey AS order_key, channel, o_orderpriority AS priority, o_totalprice AS amount,
               order_date + to_seconds((o_orderkey * 7919 % 86400 + o_orderkey * 104729 % 86400) // 2) AS placed_at
        FROM orders JOIN arrival USING (o_orderkey) WHERE order_date >= getvariable('first_day') ORDER BY placed_at, o_orderkey""",
    "channels.csv": """
        FROM (VALUES ('web', 'Web shop', 200000), ('app', 'App', 150000), ('store', 'Store', 100000), ('phone', 'Telephone', 50000))
             AS channel (channel, channel_name, hourly_target)""",
    "calendar.csv": """
        SELECT day::DATE AS calendar_date,
               CASE strftime(day, '%m-%d') WHEN '01-01' THEN 'New Year' WHEN '05-01' THEN 'Labour Day'
                                           WHEN '12-25' THEN 'Christmas' WHEN '12-26' THEN 'Boxing Day' END AS holiday
        FROM (SELECT unnest(generate_series((SELECT min(order_date) FROM arrival), getvariable('last_day'), INTERVAL 1 DAY)) AS day)
        ORDER BY calendar_date""",
    # What a landing zone keeps beside the files: which feed was complete for which day.
    "deliveries.csv": f"""
        SELECT feed, ds FROM (SELECT unnest({list(FEEDS)}) AS feed),
             (SELECT getvariable('first_day') AS ds UNION ALL SELECT ds FROM later) ORDER BY ds, feed""",
}
