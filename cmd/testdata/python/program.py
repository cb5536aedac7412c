"""A program in another language: a gRPC service of raw bytes, and one that calls it. It knows nothing of nodes.

serve: serves lab.Raw on a free port of loopback, which it prints, until its standard input ends.
call ADDRESS CALLER PEER: calls it there and checks what comes back; CALLER is the node that calls, PEER the one that answers.
"""
import concurrent.futures
import json
import sys
import threading

import grpc

NOT_PROTOBUF = b"\xff\x00\xff not a message of anything"


def field(number, content):
    return bytes([number << 3 | 2, len(content)]) + content


# What google.rpc.Status is on the wire: code FAILED_PRECONDITION, a message, one detail.
DETAILS = b"\x08\x09" + field(2, b"not now") + field(3, field(1, b"example.org/lab.Why") + field(2, NOT_PROTOBUF))


class Service(grpc.GenericRpcHandler):
    def __init__(self):
        self.given_up = threading.Semaphore(0)

    def service(self, call):
        kinds = {
            "/lab.Raw/Say": grpc.unary_unary_rpc_method_handler(self.say),
            "/lab.Raw/Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "/lab.Raw/Wait": grpc.unary_unary_rpc_method_handler(self.wait),
            "/lab.Raw/GivenUp": grpc.unary_unary_rpc_method_handler(self.was_given_up),
            "/lab.Raw/Count": grpc.unary_stream_rpc_method_handler(self.count),
            "/lab.Raw/Sum": grpc.stream_unary_rpc_method_handler(self.sum),
            "/lab.Raw/Talk": grpc.stream_stream_rpc_method_handler(self.talk),
        }
        return kinds.get(call.method)

    def say(self, request, context):
        seen = {k: v for k, v in context.invocation_metadata() if k.startswith("g2g") or k == "other"}
        context.send_initial_metadata((("head", "1"), ("head-bin", NOT_PROTOBUF)))
        context.set_trailing_metadata((("seen", json.dumps(seen)), ("trail-bin", NOT_PROTOBUF)))
        return b"you said " + request

    def fail(self, request, context):
        context.set_trailing_metadata((("grpc-status-details-bin", DETAILS),))
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now")

    def wait(self, request, context):
        over = threading.Event()
        if context.add_callback(over.set):  # else the call is over already, and nobody would ever set it
            over.wait()
        self.given_up.release()
        return b""

    def was_given_up(self, request, context):
        return b"yes" if self.given_up.acquire(timeout=20) else b"no"

    def count(self, request, context):
        for i in range(int(request)):
            yield b"%d" % i

    def sum(self, requests, context):
        return b"%d" % sum(int(r) for r in requests)

    def talk(self, requests, context):
        for request in requests:
            yield b"re: " + request
        yield b"bye"


def serve():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=16))
    server.add_generic_rpc_handlers((Service(),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(None)


def check(what, got, want):
    if got != want:
        sys.exit(f"{what}: got {got!r}, want {want!r}")
    print(what, flush=True)


def error_of(call):
    try:
        call()
    except grpc.RpcError as e:
        return e
    sys.exit("no error")


def call(address, caller, peer):
    channel = grpc.insecure_channel(address)
    forged = (("g2g-peer-id", "forged"), ("g2g-peer-id-bin", b"forged"), ("g2g_peer_id", "forged"), ("other", "kept"))
    answer, done = channel.unary_unary("/lab.Raw/Say").with_call(NOT_PROTOBUF, metadata=forged, timeout=60)
    check("unary", answer, b"you said " + NOT_PROTOBUF)
    head, trail = dict(done.initial_metadata()), dict(done.trailing_metadata())
    check("headers", (head.get("head"), head.get("head-bin"), head.get("g2g-peer-id")), ("1", NOT_PROTOBUF, peer))
    check("trailers", trail.get("trail-bin"), NOT_PROTOBUF)
    check("identity", json.loads(trail["seen"]), {"g2g-peer-id": caller, "g2g-peer-mode": "server", "other": "kept"})

    check("server-streaming", list(channel.unary_stream("/lab.Raw/Count")(b"1000", timeout=60)), [b"%d" % i for i in range(1000)])
    check("client-streaming", channel.stream_unary("/lab.Raw/Sum")((b"%d" % i for i in range(1000)), timeout=60), b"499500")
    answers = channel.stream_stream("/lab.Raw/Talk")(iter(()), timeout=60)
    check("empty stream", list(answers), [b"bye"])

    turn = threading.Semaphore(1)

    def questions():  # each waits for the answer to the one before
        for word in (b"a", b"", b"c" * 1_000_000):
            turn.acquire()
            yield word

    said = []
    for answer in channel.stream_stream("/lab.Raw/Talk")(questions(), timeout=60):
        said.append(answer)
        turn.release()
    check("bidirectional", said, [b"re: a", b"re: ", b"re: " + b"c" * 1_000_000, b"bye"])

    e = error_of(lambda: channel.unary_unary("/lab.Raw/Fail")(b"", timeout=60))
    check("error", (e.code(), e.details()), (grpc.StatusCode.FAILED_PRECONDITION, "not now"))
    check("its details", dict(e.trailing_metadata()).get("grpc-status-details-bin"), DETAILS)

    for seconds in (2, 10, 30):  # on a busy machine a call may not reach the backend within its time
        e = error_of(lambda: channel.unary_unary("/lab.Raw/Wait")(b"", timeout=seconds))
        check("deadline", e.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        heard = channel.unary_unary("/lab.Raw/GivenUp")(b"", timeout=60)
        if heard == b"yes":
            break
    check("which the backend hears of", heard, b"yes")

    waiting = channel.unary_unary("/lab.Raw/Wait").future(b"")
    waiting.cancel()
    check("cancelled", waiting.cancelled(), True)

    e = error_of(lambda: channel.unary_unary("/lab.Raw/Nothing")(b"", timeout=60))
    check("no such method", e.code(), grpc.StatusCode.UNIMPLEMENTED)
    e = error_of(lambda: channel.unary_unary("/lab.Other/Say")(b"", timeout=60))
    check("no such service", e.code(), grpc.StatusCode.UNIMPLEMENTED)


if sys.argv[1] == "serve":
    serve()
else:
    call(*sys.argv[2:])
