#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The smallest agent: what any user interface of Cowbell has to do, with nothing but
the socket (cowbell-socket(7)).

agent.py [--root DIR]   asks on standard output, reads the answer on standard input:
                        one of the words it names, or an empty line for later
"""
import json
import os
import socket
import sys


class Broker:
    """One connection: JSON objects, each ended by a NUL byte."""

    def __init__(self, root):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(os.path.join(root or "/", "run/cowbell/io.cowbell"))
        self.buffer = b""

    def send(self, method, parameters, more=False):
        call = {"method": "io.cowbell." + method, "parameters": parameters}
        if more:
            call["more"] = True
        self.sock.sendall(json.dumps(call).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.buffer:
            part = self.sock.recv(65536)
            if not part:
                sys.exit("agent: the broker went away")
            self.buffer += part
        text, self.buffer = self.buffer.split(b"\0", 1)
        reply = json.loads(text)
        if "error" in reply:
            raise RuntimeError(f'{reply["error"]}: {reply["parameters"].get("reason", "")}')
        return reply["parameters"]

    def call(self, method, **parameters):
        self.send(method, parameters)
        return self.receive()


def ask(root, prompt):
    """Who, what, and the app's own word as its word; an unknown answer gives nothing."""
    print(f'{prompt["app"]} wants {prompt["about"]} (it calls itself {prompt["program"]!r}): '
          f'{", ".join(prompt["answers"])}?', flush=True)
    word = sys.stdin.readline().strip()
    if word in prompt["answers"]:
        reply = Broker(root).call("Answer", id=prompt["id"], answer=word, **{"for": "run"})
        print(reply["says"], flush=True)
    else:
        Broker(root).call("Later", id=prompt["id"])
        print("later", flush=True)


def main():
    root = sys.argv[2] if sys.argv[1:2] == ["--root"] else os.environ.get("COWBELL_ROOT", "")
    agent = Broker(root)
    agent.send("Agent", {"name": "example"}, more=True)
    while True:
        for prompt in agent.receive()["prompts"]:
            if prompt["state"] != "waiting":
                continue
            try:
                ask(root, prompt)
            except RuntimeError as e:  # answered elsewhere meanwhile, or no answer for it
                print(e, flush=True)


main()
