# The second opinion of two-parsers.ts: reads one JSON object a line (bytes in base64, what to take
# them for) and answers with what h11 makes of them, a line each.
import base64
import json
import sys

import h11

LIMIT_BYTES = 1 << 20


def text(data):
    return bytes(data).decode("latin-1")


def pairs(headers):
    return [[text(name).lower(), text(value)] for name, value in headers]


def read_messages(connection, reply):
    """Messages up to the first that is not whole, and the error that stopped it."""
    messages = []
    while True:
        event = connection.next_event()
        if isinstance(event, (h11.Request, h11.Response, h11.InformationalResponse)):
            message = {"headers": pairs(event.headers), "body": b"", "trailers": [], "whole": False}
            if isinstance(event, h11.Request):
                message["method"] = text(event.method)
                message["target"] = text(event.target)
            else:
                message["status"] = event.status_code
                message["whole"] = isinstance(event, h11.InformationalResponse)
            message["version"] = text(event.http_version)
            messages.append(message)
            yield message
        elif isinstance(event, h11.Data):
            messages[-1]["body"] += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            messages[-1]["trailers"] = pairs(event.headers)
            messages[-1]["whole"] = True
            if not reply(connection):
                return
        else:
            return


def answer(connection):
    connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
    connection.send(h11.EndOfMessage())
    return next_cycle(connection)


def next_cycle(connection):
    if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
        return False
    connection.start_next_cycle()
    return True


def ask(connection, methods):
    if not methods:
        return False
    connection.send(h11.Request(method=methods.pop(0), target="/", headers=[("host", "a.test")]))
    connection.send(h11.EndOfMessage())
    return True


def parse(question):
    methods = list(question.get("methods", []))
    role = h11.CLIENT if question["kind"] == "responses" else h11.SERVER
    connection = h11.Connection(role, max_incomplete_event_size=LIMIT_BYTES)
    messages, error = [], None
    if role is h11.CLIENT:
        ask(connection, methods)
        reply = lambda connection: next_cycle(connection) and ask(connection, methods)
    else:
        reply = answer
    try:
        connection.receive_data(base64.b64decode(question["bytes"]))
        if question.get("ended"):
            connection.receive_data(b"")
        for message in read_messages(connection, reply):
            messages.append(message)
    except (h11.ProtocolError, RuntimeError) as problem:
        error = str(problem)
    for message in messages:
        message["body"] = text(message["body"])
    rest, _ = connection.trailing_data
    return {"messages": messages, "error": error, "rest": text(rest)}


for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps({"id": question["id"], **parse(question)}), flush=True)
