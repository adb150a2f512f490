#!/usr/bin/env python3
"""Drives Oxcart and two peers with the same load, one after the other, on this machine.

README.md beside this file says what is compared. Needs only Python's standard library; ends what it
started, by process id.
"""

import argparse
import contextlib
import json
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
CATALOGUE = REPOSITORY / "crates/cli/demo/catalogue.json"
ON_HAND = 1_000_000
WARM_UP_SECONDS = 2
STARTS_WITHIN_SECONDS = 300
LOADS = [("get-product", 8), ("list-products", 8), ("order", 1), ("order", 16)]
JSON_BODY = {"Content-Type": "application/json"}
ADDRESS = {
    "recipient": "Ada Example",
    "line1": "Hauptstr. 1",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}


class Processes:
    """What this program started, with its output in files of one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []

    def start(self, name, command, user=None, stop=signal.SIGTERM, **options):
        log = self.folder / f"{name}.log"
        groups = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **groups,
                **options,
            )
        self.running.append((process, stop, log))
        return process, log

    def run(self, name, command, **options):
        """Runs a command to its end, which must be a success."""
        process, log = self.start(name, command, **options)
        try:
            status = process.wait(STARTS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            status = "no end"
        if status != 0:
            raise SystemExit(f"{name} failed ({status}):\n{tail(log)}")
        return log.read_text(errors="replace")

    def check(self, since):
        """Fails with the output of what has ended although it should still run."""
        for process, _, log in self.running[since:]:
            if process.poll() not in (None, 0):
                raise SystemExit(f"{log.stem} ended with {process.returncode}:\n{tail(log)}")

    def stop_since(self, count):
        """Ends what was started after so many, the latest first."""
        while len(self.running) > count:
            process, stop, _ = self.running.pop()
            if process.poll() is None:
                process.send_signal(stop)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(20)
            # Children that outlived it are in its own process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def tail(log):
    return log.read_text(errors="replace")[-3000:]


def wait_for(what, ready, process, log, seconds=STARTS_WITHIN_SECONDS):
    """Polls until `ready` returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"{what} ended:\n{tail(log)}")
        with contextlib.suppress(OSError, KeyError, TypeError, ValueError):
            result = ready()
            if result:
                return result
        time.sleep(0.1)
    raise SystemExit(f"{what} is not ready after {seconds} s:\n{tail(log)}")


def free_ports(count):
    with contextlib.ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def send(method, url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {**JSON_BODY, **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def program(name, *folders):
    """Finds a program on the path or in one of the folders (patterns)."""
    found = shutil.which(name)
    for folder in folders:
        found = found or next((str(path) for path in sorted(Path("/").glob(f"{folder}/{name}"))), None)
    if not found:
        raise SystemExit(f"{name} is not installed; README.md says what is needed")
    return found


class Postgres:
    """A cluster of its own: in the temporary folder, on a free port of the loopback interface."""

    def __init__(self, processes, folder, durable):
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        user = self.user if os.geteuid() == 0 else None
        data = folder / "postgres"
        data.mkdir()
        if user:
            shutil.chown(data, user)
        binaries = "usr/lib/postgresql/*/bin"
        self.psql = program("psql", binaries)
        initdb = [program("initdb", binaries), "-D", data, "-U", self.user, "-A", "trust"]
        processes.run("initdb", [*initdb, "-E", "UTF8", "--locale=C"], user=user, cwd=data)
        [self.port] = free_ports(1)
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories="]
        if not durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        command = [program("postgres", binaries), "-D", data, "-p", self.port]
        command += [part for setting in settings for part in ("-c", setting)]
        process, log = processes.start("postgres", command, user=user, cwd=data, stop=signal.SIGINT)
        wait_for("postgres", lambda: self.query("SELECT 1", missing_ok=True), process, log)

    def query(self, sql, database="postgres", missing_ok=False):
        command = [self.psql, "-X", "-At", "-h", "127.0.0.1", "-p", str(self.port), "-U", self.user]
        done = subprocess.run([*command, "-d", database, "-c", sql], capture_output=True, text=True)
        if done.returncode != 0 and not missing_ok:
            raise SystemExit(f"psql: {done.stderr}")
        return done.stdout.strip()


class Oxcart:
    """Release binaries under the local runner, with tables in memory."""

    title = "Oxcart"

    def __init__(self, processes, arguments, folder):
        self.processes, self.binary = processes, Path(arguments.oxcart)
        if not self.binary.exists():
            raise SystemExit(f"{self.binary} is missing; README.md says how to build it")

    def install(self):
        pass

    def start(self):
        shop, control, aws = free_ports(3)
        command = [self.binary, "--no-build", "--quiet", "--port", shop]
        command += ["--control-port", control, "--aws-port", aws]
        for parameter in ("RateLimitPercent=100000", "TokenLifetimeSeconds=86400"):
            command += ["--parameter", parameter]
        process, log = self.processes.start("oxcart", command, stop=signal.SIGINT)
        wait_for("oxcart", lambda: "The shop is open at" in log.read_text(), process, log)
        self.url = f"http://127.0.0.1:{shop}"
        admin = self.sign_in("admin")
        self.token = self.sign_in("customer")
        products = send("GET", f"{self.url}/products?limit=100")["items"]
        self.products = [product["id"] for product in products]
        for product in self.products:
            headers = {**admin, "If-Match": "*"}
            send("PUT", f"{self.url}/inventory/{product}", {"on_hand": ON_HAND}, headers)

    def sign_in(self, user):
        body = {"email": f"{user}@example.com", "password": f"oxcart-demo-{user}"}
        token = send("POST", f"{self.url}/auth/login", body)["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def plan(self, request, series):
        if request == "get-product":
            return {"steps": [get("/products/{product}")], "expect": '"id"'}
        if request == "list-products":
            return {"steps": [get("/products?limit=20")], "expect": '"id"'}
        headers = {"Idempotency-Key": series + "-{client}-{number}", "Prefer": "wait=5"}
        body = {
            "items": [{"product_id": "{product}", "quantity": 1}],
            "shipping_address": ADDRESS,
            "payment": {"token": "tok_ok"},
        }
        step = post("/orders", body, {**headers, **self.token})
        return {"steps": [step], "expect": '"status":"confirmed"'}

    def check(self):
        return None


class Brief:
    """FastAPI, SQLAlchemy and PostgreSQL."""

    title = "brief"
    customer = "00000000-0000-0000-0000-000000000001"

    def __init__(self, processes, arguments, folder):
        self.processes, self.workers = processes, arguments.processes
        self.durable, self.folder = arguments.fsync == "on", folder

    def install(self):
        virtual = self.folder / "venv"
        self.processes.run("venv", [sys.executable, "-m", "venv", virtual])
        self.python = virtual / "bin/python"
        pip = [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        self.processes.run("pip", [*pip, "-r", HERE / "brief/requirements.txt"])

    def start(self):
        self.postgres = Postgres(self.processes, self.folder, self.durable)
        self.postgres.query("CREATE DATABASE brief")
        url = f"postgresql+psycopg2://{self.postgres.user}@127.0.0.1:{self.postgres.port}/brief"
        options = {
            "cwd": HERE / "brief",
            "env": {**os.environ, "DATABASE_URL": url, "PYTHONDONTWRITEBYTECODE": "1"},
        }
        self.processes.run("brief-seed", [self.python, "app.py", CATALOGUE, ON_HAND], **options)
        [port] = free_ports(1)
        server = [self.python, "-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--port", port]
        server += ["--workers", self.workers, "--no-access-log"]
        process, log = self.processes.start("brief", server, **options)
        self.url = f"http://127.0.0.1:{port}"
        ready = lambda: log.read_text().count("Application startup complete") == self.workers
        wait_for("the brief's server", ready, process, log)
        self.products = [product["id"] for product in send("GET", f"{self.url}/products?limit=100")]

    def plan(self, request, series):
        if request == "get-product":
            return {"steps": [get("/products/{product}")], "expect": '"id"'}
        if request == "list-products":
            return {"steps": [get("/products?limit=20")], "expect": '"id"'}
        body = {
            "customer_id": self.customer,
            "items": [{"product_id": "{product}", "quantity": 1}],
            "shipping_address": ADDRESS,
        }
        return {"steps": [post("/orders", body, {})], "expect": '"status":"confirmed"'}

    def check(self):
        sold = "SELECT coalesce(sum(quantity), 0) FROM order_items"
        taken = f"SELECT sum({ON_HAND} - available) FROM inventory"
        return [int(self.postgres.query(sql, "brief")) for sql in (sold, taken)]


class Vendure:
    """Vendure's servers and its worker, on PostgreSQL."""

    title = "Vendure"

    def __init__(self, processes, arguments, folder):
        self.processes, self.workers = processes, arguments.processes
        self.durable, self.folder = arguments.fsync == "on", folder

    def install(self):
        self.shop = self.folder / "vendure"
        shutil.copytree(HERE / "vendure", self.shop, ignore=shutil.ignore_patterns("node_modules"))
        npm = [program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        self.processes.run("npm", npm, cwd=self.shop)

    def start(self):
        self.postgres = Postgres(self.processes, self.folder, self.durable)
        self.postgres.query("CREATE DATABASE vendure")
        [port] = free_ports(1)
        environment = {
            **os.environ,
            "DATABASE_PORT": str(self.postgres.port),
            "DATABASE_USER": self.postgres.user,
            "NODE_ENV": "production",
            "PORT": str(port),
            "PROCESSES": str(self.workers),
            "SUPERADMIN_PASSWORD": secrets.token_hex(16),
            "VENDURE_DISABLE_TELEMETRY": "true",
        }
        node, options = program("node"), {"cwd": self.shop, "env": environment}
        seeding = {"cwd": self.shop, "env": {**environment, "VENDURE_SEED": "1"}}
        self.processes.run("vendure-seed", [node, "seed.js", CATALOGUE, ON_HAND], **seeding)
        process, log = self.processes.start("vendure", [node, "server.js"], **options)
        ready = lambda: "All server processes are ready." in log.read_text()
        wait_for("Vendure", ready, process, log)
        self.url = f"http://127.0.0.1:{port}"
        expected = len(json.loads(CATALOGUE.read_text()))
        process, log = self.processes.start("vendure-worker", [node, "worker.js"], **options)
        wait_for("Vendure's worker", lambda: self.is_indexed(expected), process, log)
        query = "{ products(options: {take: 100}) { items { id variants { id } } } }"
        items = self.ask(query)["products"]["items"]
        self.products = [item["id"] for item in items]
        self.variants = [item["variants"][0]["id"] for item in items]
        [self.payment] = self.postgres.query("SELECT code FROM payment_method", "vendure").split()

    def ask(self, query):
        return send("POST", f"{self.url}/shop-api", {"query": query})["data"]

    def is_indexed(self, expected):
        waiting = "SELECT count(*) FROM job_record WHERE state IN ('PENDING', 'RUNNING', 'RETRYING')"
        query = "{ search(input: {groupByProduct: true}) { totalItems } }"
        found = self.ask(query)["search"]["totalItems"]
        return found == expected and self.postgres.query(waiting, "vendure") == "0"

    def plan(self, request, series):
        if request == "get-product":
            fields = "id name slug description variants { id name sku priceWithTax currencyCode stockLevel }"
            query = "query($id: ID) { product(id: $id) { %s } }" % fields
            return {"steps": [graphql(query, {"id": "{product}"})], "expect": '"sku"'}
        if request == "list-products":
            price = "priceWithTax { ... on SinglePrice { value } ... on PriceRange { min max } }"
            fields = f"productId productName slug description currencyCode {price}"
            query = "{ search(input: {take: 20, groupByProduct: true}) { items { %s } } }" % fields
            return {"steps": [graphql(query)], "expect": '"productId"'}
        return {
            "steps": self.order_steps(),
            "expect": '"state":"PaymentSettled"',
            "session": "vendure-auth-token",
            "products": self.variants,
        }

    def order_steps(self):
        """What a storefront sends for a guest who buys one thing."""
        order = "__typename ... on Order { id state code totalWithTax } ... on ErrorResult { errorCode message }"
        customer = {"emailAddress": "guest-{client}@example.com", "firstName": "Ada", "lastName": "Example"}
        address = {
            "fullName": ADDRESS["recipient"],
            "streetLine1": ADDRESS["line1"],
            "city": ADDRESS["city"],
            "postalCode": ADDRESS["postal_code"],
            "countryCode": ADDRESS["country"],
        }
        calls = [
            ("($v: ID!)", "addItemToOrder(productVariantId: $v, quantity: 1)", {"v": "{product}"}),
            ("($v: CreateCustomerInput!)", "setCustomerForOrder(input: $v)", {"v": customer}),
            ("($v: CreateAddressInput!)", "setOrderShippingAddress(input: $v)", {"v": address}),
            None,
            ("($v: [ID!]!)", "setOrderShippingMethod(shippingMethodId: $v)", {"v": ["1"]}),
            ("($v: String!)", "transitionOrderToState(state: $v)", {"v": "ArrangingPayment"}),
            ("($v: PaymentInput!)", "addPaymentToOrder(input: $v)", {"v": {"method": self.payment, "metadata": {}}}),
        ]
        bearer = {"Authorization": "Bearer {session}"}
        steps = []
        for call in calls:
            if call is None:
                step = graphql("{ eligibleShippingMethods { id name priceWithTax } }", None, bearer)
            else:
                names, mutation, variables = call
                query = "mutation%s { %s { %s } }" % (names, mutation, order)
                step = graphql(query, variables, bearer if steps else {})
            steps.append(step)
        return steps

    def check(self):
        sold = """SELECT coalesce(sum(l.quantity), 0) FROM order_line l
            JOIN "order" o ON o.id = l."orderId" WHERE o.state = 'PaymentSettled'"""
        taken = 'SELECT sum("stockAllocated") FROM stock_level'
        return [int(self.postgres.query(sql, "vendure")) for sql in (sold, taken)]


def get(path):
    return {"method": "GET", "path": path, "headers": {}}


def post(path, body, headers):
    text = json.dumps(body, separators=(",", ":"))
    return {"method": "POST", "path": path, "headers": {**JSON_BODY, **headers}, "body": text}


def graphql(query, variables=None, headers=None):
    return post("/shop-api", {"query": query, "variables": variables or {}}, headers or {})


def lua(value):
    """The value as Lua text."""
    if isinstance(value, dict):
        return "{" + ",".join(f"[ {lua(key)} ]={lua(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(lua(one) for one in value) + "}"
    if isinstance(value, str):
        return "[==[" + value + "]==]"
    return str(value)


def drive(shop, request, clients, seconds, folder, series):
    plan = {"clients": clients, "products": shop.products, **shop.plan(request, series)}
    file = folder / "plan.lua"
    file.write_text("return " + lua(plan), encoding="utf-8")
    command = [program("wrk"), "-t", clients, "-c", clients, "-d", f"{seconds}s", "--timeout", "30s"]
    command += ["-s", HERE / "load.lua", shop.url, "--", file]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    found = re.search(r"^RESULT (\d+) (\d+) (\d+) (\S+) (\d+) (\d+) (.*)$", done.stdout, re.MULTILINE)
    if not found:
        raise SystemExit(f"wrk failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return {
        "shop": shop.title,
        "request": request,
        "clients": clients,
        "calls_per_request": len(plan["steps"]),
        "requests": int(found[1]),
        "failed": int(found[2]),
        "socket_errors": int(found[3]),
        "requests_per_second": float(found[4]),
        "p50_us": int(found[5]),
        "p99_us": int(found[6]),
        "first_failure": found[7].strip() or None,
    }


def measure(shop, seconds, folder, processes):
    before = len(processes.running)
    figures = []
    try:
        print(f"{shop.title}: starting", flush=True)
        shop.start()
        for request, clients in LOADS:
            series = f"peers-{request}-{clients}"
            drive(shop, request, clients, WARM_UP_SECONDS, folder, f"{series}-before")
            processes.check(before)
            # What the warm-up set off, such as events and jobs, ends before the measurement.
            time.sleep(3)
            processes.check(before)
            figure = drive(shop, request, clients, seconds, folder, series)
            figures.append(figure)
            print("  {request}, {clients} clients: {requests_per_second:.1f}/s".format(**figure), flush=True)
            if figure["first_failure"]:
                print(f"  {figure['failed']} failed: {figure['first_failure']}", flush=True)
            time.sleep(3)
            processes.check(before)
        units = shop.check()
    finally:
        processes.stop_since(before)
    return figures, units


def machine():
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    git = ["git", "-C", str(REPOSITORY), "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(git, capture_output=True, text=True).stdout.strip()
    return {
        "cpu": cpu[1] if cpu else "unknown",
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "commit": commit,
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def versions():
    def first_line(*command):
        with contextlib.suppress(OSError):
            done = subprocess.run(command, capture_output=True, text=True)
            return (done.stdout or done.stderr).split("\n")[0].strip()
        return None

    postgres = program("postgres", "usr/lib/postgresql/*/bin")
    return {
        "python": sys.version.split()[0],
        "node": first_line("node", "--version"),
        "postgres": first_line(postgres, "--version"),
        "wrk": first_line("wrk", "--version"),
    }


def print_table(figures, shops):
    titles = [shop.title for shop in shops]
    print("\n" + " ".join(["| request | clients |", *(f"{title}, each s (p50, p99 in ms) |" for title in titles)]))
    print("|---" * (2 + len(titles)) + "|")
    for request, clients in LOADS:
        cells = []
        for title in titles:
            [one] = [f for f in figures if (f["shop"], f["request"], f["clients"]) == (title, request, clients)]
            times = f"{one['p50_us'] / 1000:.1f}, {one['p99_us'] / 1000:.1f}"
            failed = f"; {one['failed']} failed" if one["failed"] else ""
            done = f"{one['requests_per_second']:.1f} ({times})" if one["requests"] else "none was over in time"
            cells.append(done + failed)
        print(f"| {request} | {clients} | " + " | ".join(cells) + " |")


def leave(*_):
    """Ends the program in an orderly way; a second signal does not interrupt that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def main():
    shops = {"oxcart": Oxcart, "brief": Brief, "vendure": Vendure}
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=10, help="how long each load lasts (10)")
    parser.add_argument("--only", nargs="+", choices=list(shops), default=list(shops))
    parser.add_argument("--oxcart", default=target / "release/oxcart", help="the program; its functions stand beside it")
    parser.add_argument("--processes", type=int, default=2, help="server processes of each peer (2)")
    parser.add_argument("--fsync", choices=["on", "off"], default="on", help="whether PostgreSQL writes to disk before it confirms (on)")
    parser.add_argument("--json", type=Path, help="writes all figures to a file")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, leave)

    described = machine()
    report = {"machine": described, "versions": versions(), "fsync": arguments.fsync, "processes": arguments.processes}
    print(json.dumps(report), flush=True)
    with tempfile.TemporaryDirectory(prefix="oxcart-peers-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        # PostgreSQL runs as another user if this program runs as root.
        root.chmod(0o711)
        processes = Processes(root)
        try:
            chosen = []
            for name in arguments.only:
                own = root / name
                own.mkdir(mode=0o711)
                chosen.append(shops[name](processes, arguments, own))
            for shop in chosen:
                print(f"{shop.title}: installing", flush=True)
                shop.install()
            figures, units = [], {}
            for shop in chosen:
                own_figures, counted = measure(shop, arguments.seconds, root, processes)
                figures += own_figures
                if counted:
                    units[shop.title] = dict(zip(("sold", "taken_from_stock"), counted))
        finally:
            processes.stop_since(0)
    print_table(figures, chosen)
    for title, counted in units.items():
        print(f"{title}: {counted['sold']} units sold, {counted['taken_from_stock']} taken from stock")
    if arguments.json:
        arguments.json.write_text(json.dumps({**report, "figures": figures, "units": units}, indent=2) + "\n")


if __name__ == "__main__":
    main()
