#!/usr/bin/env python3
"""Receives datagrams on ports of loopback and writes each as a line: sink.py PORT=FILE ... Until it is ended."""

import selectors
import socket
import sys


def main():
    waiting = selectors.DefaultSelector()
    for argument in sys.argv[1:]:
        port, _, path = argument.partition("=")
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", int(port)))
        waiting.register(receiver, selectors.EVENT_READ, open(path, "ab", buffering=0))
    while True:
        for ready, _ in waiting.select():
            # Syslog over UDP has no end of line; some senders add one.
            ready.data.write(ready.fileobj.recv(65536).rstrip(b"\n") + b"\n")


if __name__ == "__main__":
    main()
