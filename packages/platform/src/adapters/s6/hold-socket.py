#!/usr/bin/python3
"""hold-socket.py HOLDER NAME PORT: binds [::]:PORT and stores it with s6-fdholderd.

SO_REUSEPORT lets a second socket of the same port serve beside the first, after the holder was
restarted and while balancers still accept from the old one. The first time the port must be free.
Node can neither set the option before a bind nor hand a listening socket to another program.
"""
import os
import socket
import sys

BACKLOG = 4096


def open_socket():
    try:
        bound = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        return bound, "::"
    except OSError:  # no IPv6 in this kernel
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM), "0.0.0.0"


def bind(port, share):
    listening, address = open_socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if share:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((address, port))
    return listening


def main():
    holder, name, port = sys.argv[1:4]
    ours = f"{holder}.{name}"
    if not os.path.exists(ours):
        bind(int(port), share=False).close()
    listening = bind(int(port), share=True)
    listening.listen(BACKLOG)
    open(ours, "w").close()
    os.dup2(listening.fileno(), 0)
    os.execvp("s6-fdholder-store", ["s6-fdholder-store", "-t", "5000", holder, name])


try:
    main()
except OSError as error:
    sys.exit(f"port {sys.argv[3]}: {error.strerror}")
