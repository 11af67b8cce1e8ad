"""report: what was measured, as a table on the terminal, as JSON, and as a page of Markdown with plots. A cell without a figure says that it has none."""

import json
import os
import shutil
import subprocess

from systems import VARIANTS

# (words, phase, over which system, at least, of which of ours): the targets as ratios of medians, pinned.
TARGETS = [("%s, of FUSE's limit" % phase, phase, "limit", at_least, ours)
           for ours, at_least in (("itemfs", 0.85), ("itemfs+index", 0.75))
           for phase in ("create", "overwrite", "replace", "read", "stat", "list+stat", "unlink")] + [
    ("overwrite, of ext4", "overwrite", "ext4", 3, "itemfs"),
    ("replace, of ext4", "replace", "ext4", 2, "itemfs"),
    ("cold read, of ext4", "read cold", "ext4", 1.5, "itemfs"),
    ("unlink, of ext4", "unlink", "ext4", 4, "itemfs"),
    ("durable write, sixteen writers, of ext4", "durable 16", "ext4", 5, "itemfs"),
    ("put, of dynalite", "create", "dynalite", 5, "itemfs"),
    ("get, of dynalite", "read", "dynalite", 6, "itemfs"),
    ("query of ten, of dynalite", "query", "dynalite", 5, "itemfs"),
]

RATIOS = [("itemfs", "limit"), ("itemfs+index", "limit"), ("itemfs", "limit -s"), ("itemfs", "limit -l"), *((variant.name, variant.beside) for variant in VARIANTS.values()),
          ("itemfs", "ext4"), ("itemfs", "dynalite")]


def figure(value):
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if value >= 100:
        return "{:,.0f}".format(value)
    return "%.3g" % value


def ratio(above, below):
    return above / below if above and below else None


def mebibytes(value):
    return value if isinstance(value, str) else "–" if value is None else "%.1f MiB" % (value / 2**20)


def rows_of(phases, results, mode):
    """The table of a mode: a header, then a row a phase."""
    systems = [name for name in results.systems(mode) if name != "?"]
    ratios = [(ours, other) for ours, other in RATIOS if ours in systems and other in systems]
    rows = [["per second"] + systems + ["%s / %s" % pair for pair in ratios]]
    for phase in phases:
        medians = {name: results.median(mode, phase.name, name) for name in systems}
        rows.append([phase.name] + [figure(medians[name]) for name in systems] +
                    ["–" if not ratio(medians[a], medians[b]) else "%.2f" % (medians[a] / medians[b]) for a, b in ratios])
    return rows


def target_rows(results, mode):
    rows = [["target", "of", "at least", "measured", "", "FUSE's limit itself"]]
    for words, phase, other, at_least, ours in TARGETS:
        got = ratio(results.median(mode, phase, ours), results.median(mode, phase, other))
        limit = None if other == "limit" else ratio(results.median(mode, phase, "limit"), results.median(mode, phase, other))
        rows.append([words, ours, "%g" % at_least, "not measured" if got is None else "%.2f" % got,
                     "" if got is None else "met" if got >= at_least else "**missed**", "" if limit is None else "%.2f" % limit])
    export = ratio(results.median(mode, "export", "itemfs"), results.median(mode, "tar out", "ext4"))
    rows.append(["export, of tar on ext4", "itemfs", "5", "not measured" if export is None else "%.2f" % export,
                 "" if export is None else "met" if export >= 5 else "**missed**", ""])
    snapshots = results.median(mode, "snapshot", "itemfs")
    rows.append(["a snapshot taken and released, a second", "itemfs", "1000", figure(snapshots) if snapshots else "not measured",
                 "" if snapshots is None else "met" if snapshots >= 1000 else "**missed**", ""])
    return rows


def text_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths)))
                     for row in rows)


def markdown_table(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" + "---:|" * (len(rows[0]) - 1)] + lines[1:])


def growth_rows(system):
    columns = ["items", "create", "get", "put", "stat", "query", "first page", "bytes an item", "written a byte"]
    heads = ["items", "create, a second", "get, µs", "put, µs", "stat, µs", "query of ten, µs", "first page, µs", "bytes an item on disk",
             "bytes written a byte stored"]
    return [heads] + [[figure(row.get(name)) for name in columns] for row in system["rows"]]


def memory_rows(growth):
    counts = ["items", "names known", "names known then", "files open"]
    names = ["items", "at rest", "bound at rest", "readdir of all", "find with stat of all", "names known", "bound with them", "after drop_caches",
             "names known then", "files open", "with them open", "bound with open files"]
    rows = [[""] + names]
    for system, found in growth.items():
        if "memory" in found:
            cells = found["memory"]
            rows.append([system] + [figure(cells.get(n)) if n in counts else mebibytes(cells.get(n)) for n in names])
    return rows


def plot(path, script):
    """True where gnuplot made it."""
    if not shutil.which("gnuplot"):
        return False
    script = "set terminal svg size 1000,480 dynamic background rgb 'white'\nset output '%s'\n%s" % (path, script)
    return subprocess.run(["gnuplot"], input=script, text=True, capture_output=True, check=False).returncode == 0


def plot_rates(path, phases, results, mode):
    systems = [name for name in results.systems(mode) if name in ("itemfs", "itemfs+index", "limit", "ext4")]
    lines = ["\"%s\" %s" % (p.name, " ".join(str(results.median(mode, p.name, s) or "NaN") for s in systems))
             for p in phases if any(results.median(mode, p.name, s) for s in systems)]
    return plot(path, "\n".join([
        "set logscale y", "set ylabel 'a second'", "set style data histogram", "set style fill solid 0.8", "set xtics rotate by -40",
        "set key top right", "set grid y", "$d << END", *lines, "END",
        "plot " + ", ".join("$d using %d:xtic(1) title '%s'" % (i + 2, s) for i, s in enumerate(systems))]) + "\n")


def plot_growth(path, growth):
    found = growth.get("itemfs", {}).get("rows", [])
    names = [n for n in ("get", "put", "stat", "query", "first page") if any(isinstance(r.get(n), float) for r in found)]
    if not names or len(found) < 2:
        return False
    lines = [" ".join([str(r["items"])] + [str(r[n]) if isinstance(r.get(n), float) else "NaN" for n in names]) for r in found]
    return plot(path, "\n".join([
        "set logscale xy", "set xlabel 'items in one partition'", "set ylabel 'microseconds'", "set key outside", "set grid",
        "$d << END", *lines, "END",
        "plot " + ", ".join("$d using 1:%d with linespoints title '%s'" % (i + 2, n) for i, n in enumerate(names))]) + "\n")


MODES = {"pinned": "Pinned to one processor", "unpinned": "Not pinned"}


def page(options, run, results, phases, plots):
    c = run["conditions"]
    out = ["# Performance", "",
           "Made by `contrib/bench.sh` (`tests/bench/bench.py` says how it measures); the figures are in `performance/results.json`.", "",
           *(["**A quick run: it shows that the bench runs, and nothing about speed.**", ""] if options.quick else []),
           "%s, commit %s: %d × %s, Linux %s, load %.1f at the start; %s items of %d bytes%s, a hundred in a partition, medians of %d round%s. "
           "Only ratios within this run mean something; rates drift with the machine." % (
               c["when"], c["commit"], c["processors"], c["processor"], c["kernel"], c["load"], "{:,}".format(c["items"]), c["bytes"],
               "" if c["unpinned_items"] == c["items"] else " ({:,} where nothing is pinned)".format(c["unpinned_items"]), c["rounds"], "" if c["rounds"] == 1 else "s"), "",
           "`itemfs` has no index, `itemfs+index` one that holds all of each item. `limit` is a FUSE filesystem in memory that does as little as one can "
           "(`tests/bench/memfs.c`): what FUSE costs here, with libfuse's threads; `limit -s` is the same with one thread, `limit -l` the same with a log: one `write` for each file that is written, renamed or removed, so that the daemon's death loses nothing that was acknowledged, which itemfs promises too. `ext4` is a directory on the disk that the volumes are on. `leveldb` is the engine alone, without "
           "files. `dynalite` is DynamoDB's API over HTTP on the loopback, one client, with the same items in the same order. Unit: operations a second; for listings names, for tar, rsync, export and "
           "import items. – means not measured; the reasons stand at the end.", ""]
    for mode in options.modes:
        out += ["## " + MODES.get(mode, mode), "", markdown_table(rows_of(phases, results, mode)), ""]
        if mode in plots:
            out += ["![rates](performance/%s.svg)" % mode, ""]
    if "pinned" in options.modes:
        out += ["## Targets", "", "Ratios of medians, pinned. The last column is what the filesystem in memory reaches by the same measure: where it misses a target, "
                "FUSE forbids it on this machine.", "", markdown_table(target_rows(results, "pinned")), "",
                "What FUSE forbids: a warm read and a warm `stat` on ext4 are system calls that find everything in the kernel; a warm read of an item is two requests and "
                "more to the daemon, because items are `direct_io` (a cached reader could see half an item).", ""]
    if run["growth"]:
        out += growth_part(run["growth"], "growth" in plots)
    out += ["## Phases", ""] + ["- **%s**: %s" % (phase.name, phase.words) for phase in phases] + [""]
    return "\n".join(out + missing_part(options, results, plots))


MEMORY = """It is bounded by what it is made of (`fs/memory.h`; `memory` in `.itemfs/stats.json` tells each part, what is taken and the bound):
24 MiB for the program and what malloc has free, 1.06 MiB a thread that may serve (32: 34 MiB), the block cache and two memtables and 0.4 MiB an open table of the engine, about 150 bytes a name that the kernel remembers (350 where it was opened), and
about 1,200 bytes and its document or draft an open file; of the names and open files a quarter more. The kernel forgets names when it needs room, with a kilobyte of its own for each; what they took here goes back to the system then. [Ten million items, and memory](GROWTH.md) has more of it."""


def growth_part(growth, plotted):
    out = ["## Growth", "", "All items in one partition; pinned, at random places whose names the kernel knows, the median of each operation."]
    for system, found in growth.items():
        out += ["", "### " + system, ""]
        out += [markdown_table(growth_rows(found))] if "rows" in found else []
        out += [found["reason"]] if "reason" in found else []
    if plotted:
        out += ["", "![growth](performance/growth.svg)"]
    out += ["", "## Memory", "", "The daemon's own memory (RssAnon), its peak during each step, and the bound that it states itself then, with the last of the sizes above.", "",
            markdown_table(memory_rows(growth)), "", MEMORY, ""]
    return out


def missing_part(options, results, plots):
    reasons = {}
    for (mode, phase, system), reason in results.reasons.items():
        if (mode, phase, system) not in results.rates:
            reasons.setdefault("%s: %s" % (system, reason) if system != "?" else reason, set()).add(phase)
    out = ["## Not measured", ""]
    out += ["- %s (%s)" % (reason, ", ".join(sorted(found))) for reason, found in sorted(reasons.items())]
    if not plots:
        out.append("- no plots: gnuplot is not here")
    return out + ([""] if len(out) > 2 else ["Nothing.", ""])


def write(options, run, results):
    from phases import PHASES
    directory = os.path.join(options.out, "performance")
    os.makedirs(directory, exist_ok=True)
    plots = {mode for mode in options.modes if plot_rates(os.path.join(directory, mode + ".svg"), PHASES, results, mode)}
    if run["growth"] and plot_growth(os.path.join(directory, "growth.svg"), run["growth"]):
        plots.add("growth")
    with open(os.path.join(directory, "results.json"), "w", encoding="utf-8") as file:
        json.dump(run, file, indent=1)
        file.write("\n")
    with open(os.path.join(options.out, "PERFORMANCE.md"), "w", encoding="utf-8") as file:
        file.write(page(options, run, results, PHASES, plots))
    for mode in options.modes:
        print("\n%s\n%s" % (MODES.get(mode, mode), text_table(rows_of(PHASES, results, mode))))
    if "pinned" in options.modes:
        print("\n" + text_table(target_rows(results, "pinned")))
    for system, found in (run["growth"] or {}).items():
        print("\ngrowth, %s\n%s" % (system, text_table(growth_rows(found)) if "rows" in found else found["reason"]))
    if run["growth"]:
        print("\nmemory\n" + text_table(memory_rows(run["growth"])))
    print("\n" + os.path.join(options.out, "PERFORMANCE.md"))
