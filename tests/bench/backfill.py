#!/usr/bin/env python3
"""What an index that is being built costs those who write meanwhile: foreground writes a second, with and without one, in turns; the median of several rounds.

    tests/bench/backfill.py ITEMFS [ITEMS [ROUNDS]]

A round: WRITERS processes overwrite items of a table of ITEMS items, first as it is, then while a GSI over all of them is built; counted is only what was written before the index became
ACTIVE. The index is dropped again and its rows are collected before the next round. Prints a line a round, and exits with 1 where the median keeps less than half.
"""
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time

WRITERS, PARTITIONS, SECONDS = 2, 100, 3.0
KEYS = [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]
TYPES = [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "S"}]
BODY = '{"kind":"k%d","text":"%s"}\n'


def define(table, indexed):
    definition = {"KeySchema": KEYS, "AttributeDefinitions": list(TYPES), "BillingMode": "PAY_PER_REQUEST"}
    if indexed:
        definition["AttributeDefinitions"].append({"AttributeName": "kind", "AttributeType": "S"})
        definition["GlobalSecondaryIndexes"] = [{
            "IndexName": "by-kind", "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}]
    with open(table + "/.schema.json", "w") as file:
        json.dump(definition, file)


def status(table):
    with open(table + "/.describe.json") as file:
        return json.load(file)["Table"]["GlobalSecondaryIndexes"][0]


def put(table, i):
    with open("%s/p%d/%d.json" % (table, i % PARTITIONS, i), "w") as file:
        file.write(BODY % (i % 50, "x" * 100))


def write_on(table, items, number, stop, count):
    i = number
    while not stop.is_set():
        put(table, i * 7919 % items)
        count[number] += 1
        i += WRITERS


def rate(table, items, ended):
    """Writes a second until ended() says so."""
    stop, count = multiprocessing.Event(), multiprocessing.Array("Q", WRITERS, lock=False)
    writers = [multiprocessing.Process(target=write_on, args=(table, items, n, stop, count)) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    while not all(count):
        time.sleep(0.01)
    began, before = time.monotonic(), sum(count)
    while not ended(time.monotonic() - began):
        time.sleep(0.02)
    took, written = time.monotonic() - began, sum(count) - before
    stop.set()
    for writer in writers:
        writer.join()
    return written / took, took


def one_round(table, items):
    alone, _ = rate(table, items, lambda passed: passed > SECONDS)
    stop_at = []

    def built(_):
        if not stop_at:
            define(table, True)
            stop_at.append(True)
        return status(table)["IndexStatus"] == "ACTIVE"

    beside, took = rate(table, items, built)
    index = status(table)
    assert index["ItemCount"] == items, index
    define(table, False)
    time.sleep(SECONDS)  # the dropped one is collected
    return alone, beside, took


def main():
    itemfs, items, rounds = sys.argv[1], int((sys.argv[2:] or ["100000"])[0]), int((sys.argv[3:] or ["5"])[0])
    with tempfile.TemporaryDirectory(prefix="itemfs-backfill-") as place:
        mount = place + "/mnt"
        os.mkdir(mount)
        subprocess.run([itemfs, place + "/volume", mount], check=True)
        try:
            table = mount + "/Things"
            os.mkdir(table)
            define(table, False)
            for p in range(PARTITIONS):
                os.mkdir("%s/p%d" % (table, p))
            for i in range(items):
                put(table, i)
            kept = []
            for _ in range(rounds):
                alone, beside, took = one_round(table, items)
                kept.append(beside / alone)
                print("%8.0f writes/s alone, %8.0f while an index of %d items is built (%.1f s): %3.0f%%"
                      % (alone, beside, items, took, 100 * kept[-1]), flush=True)
            print("median: %.0f%%" % (100 * statistics.median(kept)))
        finally:
            subprocess.run(["fusermount3", "-u", mount], check=False)
            time.sleep(1)
    sys.exit(statistics.median(kept) < 0.5)


main()
