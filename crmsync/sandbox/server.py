"""The server: sockets, routing, faults on the wire, and the command line."""

import argparse
import logging
import signal
import socketserver
import sys
import threading
import time
from pathlib import Path
from typing import Final

import orjson

from crmsync.sandbox import controls, gateway, identity, wire
from crmsync.sandbox.bootstrap import ORGANIZATION_ID
from crmsync.sandbox.environment import Environment, open_environment
from crmsync.sandbox.faults import Act, Verdict
from crmsync.sandbox.gateway import Outcome
from crmsync.sandbox.journal import Entry
from crmsync.sandbox.messages import (
    ENVIRONMENT_HOST,
    LOGIN_HOST,
    Request,
    Response,
    json_response,
)

logger = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback; one thread serves one connection."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, environment: Environment, port: int) -> None:
        super().__init__((HOST, port), Connection)
        self.environment = environment
        environment.port = self.server_address[1]

    def ready_line(self) -> dict[str, object]:
        """Describe what a client needs to know: addresses and identities."""
        return {
            "base_url": f"http://{HOST}:{self.environment.port}",
            "origin": f"https://{ENVIRONMENT_HOST}",
            "login_origin": f"https://{LOGIN_HOST}",
            "organization_id": ORGANIZATION_ID,
            **self.environment.credentials.described(),
        }

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that vanish are everyday here; anything else is a defect worth a trace."""
        del request
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | TimeoutError):
            logger.error("The connection from %s failed", client_address, exc_info=error)


class Connection(socketserver.StreamRequestHandler):
    """One keep-alive connection."""

    server: Server
    rbufsize = 65_536
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while self._serve_one():
            pass

    def _serve_one(self) -> bool:
        """Serve one request; False ends the connection."""
        try:
            request = wire.read_request(self.rfile, self.connection)
        except wire.BadRequestError as error:
            wire.send(self.connection, json_response(400, {"error": str(error)}))
            return False
        if request is None:
            return False
        if request.path.startswith(controls.ROOT):
            wire.send(self.connection, controls.answer(self.server.environment, request))
            return True
        return self._serve_imitated(request) and request.headers.get("connection") != "close"

    def _serve_imitated(self, request: Request) -> bool:
        environment, arrived = self.server.environment, time.time()
        verdict = environment.faults.judge(request.method, request.target, request.body)
        outcome = _carried_out(environment, request, verdict)
        time.sleep(environment.latency + verdict.latency)
        response = _spoiled(verdict.act, outcome.response)
        # The journal is written before the answer leaves: who has the answer can read the entry.
        number = environment.journal.append(_entry(request, verdict, outcome, response, arrived))
        goes_on = self._send(response, verdict.act)
        if response is not None and "retry-after" in map(str.lower, response.headers):
            environment.journal.has_left(number)
        return goes_on

    def _send(self, response: Response | None, act: Act | None) -> bool:
        """Send the answer as the fault wants it; False where the connection must end."""
        if response is None:
            wire.abort(self.connection)
            return False
        if act is not None and act.half_body:
            wire.send_half(self.connection, response)
            return False
        if act is not None and act.drip:
            wire.send_dripping(self.connection, response, act.drip)
        else:
            wire.send(self.connection, response)
        return True


def serve(
    *,
    port: int,
    data_file: Path,
    seed: str = "demo",
    customers: int = 500,
    latency: float = 0.0,
    dop_hint: int = 8,
) -> None:
    """Serve until SIGTERM or SIGINT; print one JSON line when ready.

    `port` 0 takes a free one. `latency` is in seconds. Must run in the main thread.
    """
    environment = open_environment(data_file, seed=seed, customers=customers)
    environment.latency, environment.dop_hint = latency, dop_hint
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Server(environment, port) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        sys.stdout.write(orjson.dumps(server.ready_line()).decode() + "\n")
        sys.stdout.flush()
        stop.wait()
        server.shutdown()
    environment.store.close()


def main(argv: list[str]) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="sandbox", description="A Dynamics 365 Sales environment to run against."
    )
    parser.add_argument("--port", type=int, default=0, help="loopback port; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="data file, made when missing")
    parser.add_argument("--seed", choices=("demo", "empty"), default="demo")
    parser.add_argument("--customers", type=int, default=500, help="size of the demo company")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to every answer")
    parser.add_argument("--dop-hint", type=int, default=8, help="recommended parallel requests")
    given = parser.parse_args(argv)
    try:
        serve(
            port=given.port,
            data_file=given.data,
            seed=given.seed,
            customers=given.customers,
            latency=given.latency_ms / 1000,
            dop_hint=given.dop_hint,
        )
    except OSError as error:
        sys.stderr.write(f"The sandbox cannot start on port {given.port}: {error}\n")
        return 1
    return 0


def _carried_out(environment: Environment, request: Request, verdict: Verdict) -> Outcome:
    """Let the request take effect, unless a fault swallows it before."""
    if verdict.act is not None and not verdict.act.takes_effect:
        return Outcome(Response(204))
    return _routed(environment, request)


def _routed(environment: Environment, request: Request) -> Outcome:
    if request.path.startswith("/api/data/"):
        return gateway.answer(environment, request)
    response = identity.answer(environment, request)
    return Outcome(response or json_response(404, {"error": "Nothing is at this address."}))


def _spoiled(act: Act | None, response: Response) -> Response | None:
    """Return the answer that a fault puts in place of the true one; None is no answer."""
    if act is None:
        return response
    if act.drop is not None:
        return None
    headers = dict(act.headers)
    if act.redirect is not None:
        return Response(act.status or 302, {"Location": act.redirect, **headers})
    if act.body is not None:
        body_headers = {"Content-Type": "text/html; charset=utf-8", **headers}
        return Response(act.status or 200, body_headers, act.body.encode())
    if act.wrong_json:
        json_headers = {"Content-Type": "application/json; odata.metadata=minimal", **headers}
        return Response(act.status or 200, json_headers, b'{"value": [{"name": "cut')
    if act.status is not None:
        error = {"error": {"code": act.code, "message": act.message}}
        return json_response(act.status, error, headers)
    return Response(response.status, {**response.headers, **headers}, response.body)


def _entry(
    request: Request,
    verdict: Verdict,
    outcome: Outcome,
    response: Response | None,
    arrived: float,
) -> Entry:
    return Entry(
        time=arrived,
        method=request.method,
        url=request.target,
        headers=request.headers,
        body=request.body,
        status=response.status if response else None,
        rows=outcome.rows_written,
        fault=verdict.rule_id,
        caller=outcome.caller_id,
    )
