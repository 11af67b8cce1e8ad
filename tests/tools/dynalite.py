#!/usr/bin/env python3
"""dynalite: Query and Scan as paths, beside DynamoDB's own API as dynalite answers it, on the loopback only: the same items in the same order.

dynalite.py ITEMFS HOME [QUERIES [SEED]]: HOME is a directory where dynalite is, or will be, installed by npm. Random tables with sort keys of each type, and an index; random conditions, orders, limits and starting keys.
Exit status 77, and the reason: there is no node, npm or dynalite here.
"""
import base64
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

VERSION = "4.0.0"
ITEMS = 120  # a partition
OPERATORS = {"eq": "=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def skip(reason):
    print("skipped: dynalite: " + reason)
    sys.exit(77)


def installed(home):
    if not shutil.which("node") or not shutil.which("npm"):
        skip("there is no node here")
    script = os.path.join(home, "node_modules", "dynalite", "cli.js")
    if not os.path.exists(script):
        os.makedirs(home, exist_ok=True)
        try:
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--prefix", home, "dynalite@" + VERSION],
                                  capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            skip("npm did not install it within five minutes")
        if done.returncode or not os.path.exists(script):
            skip("npm cannot install it: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    return script


class Server:
    """A dynalite with everything in memory, at a port that it chooses itself as far as we can let it: one that was free a moment ago, tried again where it is not."""

    def __init__(self, script):
        for _ in range(20):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.process = subprocess.Popen(["node", script, "--host", "127.0.0.1", "--port", str(self.port), "--createTableMs", "0"],
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self.answers():
                break
            self.stop()
        else:
            skip("it does not start")
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def answers(self):
        for _ in range(600):
            if self.process.poll() is not None:
                return False
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.1)
        return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def call(self, operation, **request):
        self.connection.request("POST", "/", json.dumps(request), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "DynamoDB_20120810." + operation,
            "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x",
            "X-Amz-Date": "20260101T000000Z"})
        reply = self.connection.getresponse()
        answer = json.loads(reply.read())
        if reply.status != 200:
            raise RuntimeError(f"{operation} {request}: {answer}")
        return answer


class Mount:
    def __init__(self, itemfs, place):
        self.root = os.path.join(place, "mnt")
        os.mkdir(self.root)
        self.log = open(os.path.join(place, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([itemfs, "-f", os.path.join(place, "volume"), self.root], stdout=self.log, stderr=self.log)
        for _ in range(1200):
            if os.path.ismount(self.root):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError("no mount: " + open(self.log.name, encoding="utf-8").read())

    def stop(self):
        subprocess.run(["fusermount3", "-u", self.root], check=False)
        status = self.process.wait(timeout=300)
        if status:
            raise RuntimeError(f"the daemon ended with {status}: " + open(self.log.name, encoding="utf-8").read())


# A key value is (type, python value); each has a name, an attribute value of the API, and a JSON value of documents.

def random_value(rng, kind):
    if kind == "S":
        return "".join(rng.choice("abAB/.%,~é") for _ in range(rng.randint(1, 4)))
    if kind == "N":
        return rng.choice([str(rng.randint(-50, 50)), str(rng.randint(-5, 5) * 1000), f"{rng.randint(-9, 9)}.{rng.randint(1, 9)}"])
    return bytes(rng.choice((0, 1, 0x61, 0xfe, 0xff)) for _ in range(rng.randint(1, 3)))


def canonical(kind, value):
    return value if kind != "N" else "0" if float(value) == 0 else value


def escaped(text, component, first):
    out = ""
    for at, char in enumerate(text):
        out += f"%{ord(char):02X}" if char in "/%" or (char == "." and at == 0 and first) or (char == "," and component) else char
    return out


def name_of(kind, value, component=False, first=True):
    return escaped(value, component, first) if kind == "S" else value if kind == "N" else value.hex()


def attribute(kind, value):
    return {kind: base64.b64encode(value).decode() if kind == "B" else value}


def document(kind, value):
    return json.dumps(value) if kind == "S" else value if kind == "N" else json.dumps({"$B": base64.b64encode(value).decode()})


def order(kind):
    return {"S": lambda v: v.encode(), "N": float, "B": lambda v: v}[kind]


class Table:
    """One partition of ITEMS items, sort key of a type; the index `gsi` has the same by another attribute, `h`, whose values differ."""

    def __init__(self, server, mount, rng, kind, number):
        self.kind, self.server, self.mount = kind, server, mount
        self.name = f"table-{kind}-{number}"
        values, hs = set(), set()
        while len(values) < ITEMS:
            values.add(canonical(kind, random_value(rng, kind)))
            if kind == "B" and len(values) >= ITEMS // 2:
                break
        definition = {
            "AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": kind},
                                     {"AttributeName": "g", "AttributeType": "S"}, {"AttributeName": "h", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [{"IndexName": "gsi", "Projection": {"ProjectionType": "ALL"},
                                        "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}, {"AttributeName": "h", "KeyType": "RANGE"}]}]}
        server.call("CreateTable", TableName=self.name, **definition)
        while server.call("DescribeTable", TableName=self.name)["Table"]["TableStatus"] != "ACTIVE":
            time.sleep(0.05)
        self.root = os.path.join(mount.root, self.name)
        os.mkdir(self.root)
        with open(os.path.join(self.root, ".schema.json"), "w", encoding="utf-8") as out:
            json.dump(definition, out)
        self.rows = []  # (partition, sort value, h)
        for at, value in enumerate(sorted(values, key=order(kind))):
            h = rng.randint(-999, 999)
            while h in hs:
                h = rng.randint(-999, 999)
            hs.add(h)
            self.put(f"p{at % 7}" if at % 3 == 0 else "here", value, str(h))

    def put(self, partition, value, h):
        self.rows.append((partition, value, h))
        self.server.call("PutItem", TableName=self.name, Item={"p": {"S": partition}, "s": attribute(self.kind, value), "g": {"S": "one"}, "h": {"N": h}})
        directory = os.path.join(self.root, partition)
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, name_of(self.kind, value) + ".json"), "w", encoding="utf-8") as out:
            out.write('{"g":"one","h":%s}' % h)

    def file_of(self, row, index):
        if index:
            return f"{row[2]},{row[0]},{name_of(self.kind, row[1], True, False)}.json"
        return name_of(self.kind, row[1]) + ".json"

    def key_of(self, row, index):
        key = {"p": {"S": row[0]}, "s": attribute(self.kind, row[1])}
        if index:
            key.update(g={"S": "one"}, h={"N": row[2]})
        return key


def random_query(rng, table):
    index = rng.random() < 0.3
    kind = "N" if index else table.kind
    hash_name, range_name = ("g", "h") if index else ("p", "s")
    request = {"TableName": table.name, "KeyConditionExpression": "#p = :p", "ExpressionAttributeNames": {"#p": hash_name},
               "ExpressionAttributeValues": {":p": {"S": "one" if index else "here"}}}
    path = [".index/gsi/one" if index else "here"]
    if index:
        request["IndexName"] = "gsi"
    rows = [row for row in table.rows if index or row[0] == "here"]
    measure = order(kind)
    value_of = (lambda row: row[2]) if index else (lambda row: row[1])
    rows.sort(key=lambda row: measure(value_of(row)))
    values = sorted((canonical(kind, rng.choice((value_of(rng.choice(rows)), random_value(rng, kind)))) for _ in range(2)), key=measure)
    operator = rng.choice(["", "eq", "lt", "le", "gt", "ge", "between"] + ([] if kind == "N" else ["begins_with"]))
    if operator:
        request["ExpressionAttributeNames"]["#s"] = range_name
        request["ExpressionAttributeValues"][":a"] = attribute(kind, values[0])
        path += ["." + operator, name_of(kind, values[0], index)]
        if operator == "between":
            request["ExpressionAttributeValues"][":b"] = attribute(kind, values[1])
            request["KeyConditionExpression"] += " AND #s BETWEEN :a AND :b"
            path.append(name_of(kind, values[1], index))
        elif operator == "begins_with":
            request["KeyConditionExpression"] += " AND begins_with(#s, :a)"
        else:
            request["KeyConditionExpression"] += f" AND #s {OPERATORS[operator]} :a"
    low, high = measure(values[0]), measure(values[1])
    inside = {"": lambda v: True, "eq": lambda v: v == low, "lt": lambda v: v < low, "le": lambda v: v <= low, "gt": lambda v: v > low,
              "ge": lambda v: v >= low, "between": lambda v: low <= v <= high, "begins_with": lambda v: v.startswith(low)}[operator]
    started = [row for row in rows if inside(measure(value_of(row)))] if rng.random() < 0.3 else []
    backwards, limit = rng.random() < 0.5, rng.randint(1, 12) if rng.random() < 0.6 else None
    request["ScanIndexForward"] = not backwards
    if limit:
        request["Limit"] = limit
    if started:
        row = rng.choice(started)
        request["ExclusiveStartKey"] = table.key_of(row, index)
        path += ([".last/all"] if backwards else []) + [".after", table.file_of(row, index)] + ([f".first/{limit}"] if limit else [])
    elif backwards:
        path.append(f".last/{limit or 'all'}")
    elif limit:
        path.append(f".first/{limit}")
    return request, "/".join(path), index


def of_answer(table, item, index):
    kind = table.kind
    value = item["s"][kind]
    return table.file_of((item["p"]["S"], base64.b64decode(value) if kind == "B" else value, item["h"]["N"]), index)


def compare_queries(rng, tables, count):
    for at in range(count):
        table = rng.choice(tables)
        request, path, index = random_query(rng, table)
        expected = [of_answer(table, item, index) for item in table.server.call("Query", **request)["Items"]]
        found = os.listdir(os.path.join(table.root, path))
        if found != expected:
            raise SystemExit(f"query {at}: {table.name}/{path}\nlists      {found}\nbut dynalite gives {expected}\nfor {request}")


def pages(server, **request):
    items = []
    while True:
        answer = server.call("Scan", **request)
        items += answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return items
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def compare_scans(tables):
    """DynamoDB's order of partitions is its own hash's; the items of each stand together and in order, there and here."""
    for table in tables:
        expected, found = {}, {}
        for item in pages(table.server, TableName=table.name):
            expected.setdefault(item["p"]["S"], []).append(of_answer(table, item, False))
        for total in (1, 3):
            found.clear()
            for segment in range(total):
                view = os.path.join(table.root, f".scan/{total}/{segment}")
                for partition in os.listdir(view):
                    if partition in found:
                        raise SystemExit(f"{view} and another segment hold {partition}")
                    found[partition] = os.listdir(os.path.join(view, partition))
            if found != expected:
                raise SystemExit(f"the scan of {table.name} gives {found}, not {expected}")


def compared(words, count, compare):
    """The program, for both: `compare` is given a server, a mount, a source of chance, and how many are asked for."""
    itemfs, home = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else count
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
    print(f"{count} {words}, seed {seed}", flush=True)
    server = Server(installed(home))
    place = tempfile.mkdtemp(prefix="itemfs-dynalite-")
    mount = None
    try:
        mount = Mount(itemfs, place)
        compare(server, mount, random.Random(seed), count)
    finally:
        server.stop()
        if mount:
            mount.stop()
        shutil.rmtree(place, ignore_errors=True)


def compare_all(server, mount, rng, count):
    tables = [Table(server, mount, rng, kind, number) for kind in "SNB" for number in range(2)]
    compare_queries(rng, tables, count)
    compare_scans(tables)
    print("the same items in the same order")


if __name__ == "__main__":
    compared("queries", 10000, compare_all)
