# Runs localstripe on a free port of loopback, and prints the port. Its own program listens on all addresses of the machine,
# and keeps what it knows in a file that all of them share. It ends with its standard input, which ends with the test.
import socket, sys, threading, os
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda store: None
listener = socket.create_server(('127.0.0.1', 0), backlog=64)
print(listener.getsockname()[1], flush=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
web.run_app(server.app, sock=listener, print=None)
