#!/usr/bin/env python3
"""dynalite_where: filters as paths, beside FilterExpression as dynalite answers it: in a Query and in a Scan, the same items.

dynalite_where.py ITEMFS HOME [FILTERS [SEED]], as dynalite.py. A bare number is a string to strings here (QUERIES.md), which is said to dynalite as an expression.
What dynalite does not know is not asked for: whether lists and maps are equal (it compares references), `contains` of a boolean or null, the type of false, empty strings.
"""
import json
import os
import sys
import time

sys.dont_write_bytecode = True  # nothing is left beside the sources
from dynalite import compared, pages

ITEMS = 120
SYMBOLS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
TYPES = ["S", "N", "BOOL", "NULL", "L", "M", "SS", "NS"]


def random_scalar(rng):
    return rng.choice([{"S": rng.choice(["a", "ab", "b", "é", "😀", "5", "15", "true"])}, {"N": str(rng.randint(-3, 15))}, {"BOOL": True}, {"NULL": True}])


def random_value(rng, depth=0):
    if depth < 2 and rng.random() < 0.4:
        return rng.choice([{"L": [random_value(rng, depth + 1) for _ in range(rng.randint(0, 3))]},
                           {"M": {name: random_value(rng, depth + 1) for name in rng.sample(["x", "y", "z.z"], rng.randint(0, 3))}},
                           {"SS": rng.sample(["a", "ab", "5"], rng.randint(1, 3))}, {"NS": rng.sample(["1", "5", "7"], rng.randint(1, 3))}])
    return random_scalar(rng)


def plain(value):
    (kind, inner), = value.items()
    if kind == "M":
        return "{" + ",".join(json.dumps(name) + ":" + plain(each) for name, each in inner.items()) + "}"
    if kind == "L":
        return "[" + ",".join(map(plain, inner)) + "]"
    if kind == "NS":
        return '{"$NS":[' + ",".join(inner) + "]}"
    return {"S": json.dumps, "N": str, "BOOL": json.dumps, "NULL": lambda _: "null", "SS": lambda v: json.dumps({"$SS": v})}[kind](inner)


def random_path(rng):
    """As a path, as an expression, and the names that the expression uses."""
    path, expression, names = rng.choice("abc"), "#0", {}
    names["#0"] = path
    while rng.random() < 0.4:
        if rng.random() < 0.5:
            step = f"[{rng.randint(0, 2)}]"
            path, expression = path + step, expression + step
        else:
            step = rng.choice(["x", "y", "z.z"])
            names[f"#{len(names)}"] = step
            expression += f".#{len(names) - 1}"
            path += "." + step.replace(".", "%2E")
    return path, expression, names


def random_filter(rng):
    path, at, names = random_path(rng)
    operator = rng.choice(list(SYMBOLS) + ["between", "begins_with", "contains", "exists", "not_exists", "type", "size"])
    values = {}
    if operator in ("exists", "not_exists"):
        return f".where/{path}/{operator}", f"attribute_{operator}({at})", names, values
    if operator == "type":
        values[":t"] = {"S": rng.choice(TYPES)}
        return f".where/{path}/type/{values[':t']['S']}", f"attribute_type({at}, :t)", names, values
    if operator == "size":
        compare, values[":n"] = rng.choice(list(SYMBOLS)), {"N": str(rng.randint(0, 3))}
        return f".where/{path}/size/{compare}/{values[':n']['N']}", f"size({at}) {SYMBOLS[compare]} :n", names, values
    if operator == "between":
        low, high = sorted(rng.sample(range(0, 9), 2))  # of one digit: their order as strings is that as numbers
        values.update({":s": {"S": "S"}, ":a": {"N": str(low)}, ":b": {"N": str(high)}, ":c": {"S": str(low)}, ":d": {"S": str(high)}})
        return (f".where/{path}/between/{low}/{high}",
                f"(attribute_type({at}, :s) AND {at} BETWEEN :c AND :d) OR {at} BETWEEN :a AND :b", names, values)
    value = random_scalar(rng)
    while operator in ("lt", "le", "gt", "ge", "begins_with", "contains") and next(iter(value)) in ("BOOL", "NULL"):
        value = random_scalar(rng)
    if operator in ("eq", "ne") and rng.random() < 0.2:
        value = rng.choice([{"SS": ["ab", "a"]}, {"NS": ["5", "1"]}, {"SS": ["a"]}])
    written = plain(value).replace("%", "%25").replace("/", "%2F")
    where, bare = f".where/{path}/{operator}/{written}", next(iter(value)) in ("N", "BOOL", "NULL")
    values[":v"] = value
    if bare:
        values[":w"] = {"S": plain(value)}
    if operator == "begins_with":
        if bare:
            del values[":v"]
        return where, f"begins_with({at}, {':w' if bare else ':v'})", names, values
    if operator == "contains":
        return where, f"contains({at}, :v)" + (f" OR contains({at}, :w)" if bare else ""), names, values
    symbol = SYMBOLS[operator]
    if not bare:
        return where, f"{at} {symbol} :v", names, values
    values[":s"] = {"S": "S"}
    if operator in ("eq", "ne") or next(iter(value)) == "N":
        return where, f"(attribute_type({at}, :s) AND {at} {symbol} :w) OR ((NOT attribute_type({at}, :s)) AND {at} {symbol} :v)", names, values
    raise AssertionError(operator)


def fill(server, mount, rng):
    definition = {"AttributeDefinitions": [{"AttributeName": "p", "AttributeType": "S"}, {"AttributeName": "s", "AttributeType": "S"}],
                  "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}], "BillingMode": "PAY_PER_REQUEST"}
    server.call("CreateTable", TableName="Table", **definition)
    while server.call("DescribeTable", TableName="Table")["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.05)
    root = os.path.join(mount.root, "Table")
    os.mkdir(root)
    with open(os.path.join(root, ".schema.json"), "w", encoding="utf-8") as out:
        json.dump(definition, out)
    for at in range(ITEMS):
        partition, attributes = ("here", "one", "two", "three")[at % 4 if at % 2 else 0], {name: random_value(rng) for name in "abc" if rng.random() < 0.8}
        server.call("PutItem", TableName="Table", Item={"p": {"S": partition}, "s": {"S": f"i{at:03}"}, **attributes})
        os.makedirs(os.path.join(root, partition), exist_ok=True)
        with open(os.path.join(root, partition, f"i{at:03}.json"), "w", encoding="utf-8") as out:
            out.write(plain({"M": attributes}))
    return root


def compare(server, root, rng, count):
    left = 0
    for at in range(count):
        where, expression, names, values = random_filter(rng)
        request = {"TableName": "Table", "FilterExpression": expression, "ExpressionAttributeNames": names}
        if rng.random() < 0.5:
            request.update(KeyConditionExpression="p = :p")
            answer = server.call("Query", **request, ExpressionAttributeValues={":p": {"S": "here"}, **values})["Items"]
            expected, found = [item["s"]["S"] + ".json" for item in answer], os.listdir(os.path.join(root, "here", where))
        else:
            answer = pages(server, **request, **({"ExpressionAttributeValues": values} if values else {}))
            expected = sorted(item["p"]["S"] + "/" + item["s"]["S"] + ".json" for item in answer)
            view = os.path.join(root, where)
            found = sorted(partition + "/" + name for partition in os.listdir(view) for name in os.listdir(os.path.join(view, partition)))
        left += bool(expected)
        if found != expected:
            raise SystemExit(f"filter {at}: {where}\nlists      {found}\nbut dynalite gives {expected}\nfor {request} {values}")
    print(f"{count} filters, {left} of which leave something: the same items")


if __name__ == "__main__":
    compared("filters", 3000, lambda server, mount, rng, count: compare(server, fill(server, mount, rng), rng, count))
