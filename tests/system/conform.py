#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""conform.py SOCKET [METHOD [PARAMETERS]]...: reads the interface that the socket serves by
the grammar of varlink.org, and holds each reply against it: every field is there, of its
type, and no other."""
import json
import re
import socket
import sys

TOKEN = re.compile(r"\s*(?:#[^\n]*\n\s*)*(->|[a-zA-Z][a-zA-Z0-9_.]*|[():,?]|\[string\]|\[\])?")
FIELD = re.compile(r"[a-z](_?[A-Za-z0-9])*$")
NAME = re.compile(r"[A-Z][A-Za-z0-9]*$")


class Interface:
    def __init__(self, text):
        self.text, self.at, self.members = text, 0, {}
        self.want("interface")
        self.name = self.next()
        while self.peek():
            kind, name = self.next(), self.next()
            if not NAME.match(name) or name in self.members:
                self.bad(f"{kind} {name} is no name, or not the only one of it")
            if kind == "method":
                taken = self.struct()
                self.want("->")
                self.members[name] = (kind, taken, self.struct())
            elif kind in ("type", "error"):
                self.members[name] = (kind, self.struct())
            else:
                self.bad(f"{kind} is no member")

    def bad(self, why):
        sys.exit(f"not Varlink, line {self.text.count(chr(10), 0, self.at) + 1}: {why}")

    def peek(self):
        return TOKEN.match(self.text, self.at).group(1)

    def next(self):
        m = TOKEN.match(self.text, self.at)
        if not m.group(1):
            self.bad("the end, or a sign that has no meaning")
        self.at = m.end()
        return m.group(1)

    def want(self, token):
        if self.next() != token:
            self.bad(f"wanted {token}")

    def struct(self):
        fields = {}
        self.want("(")
        while self.peek() != ")":
            name = self.next()
            if not FIELD.match(name) or name in fields:
                self.bad(f"{name} is no field, or not the only one of its name")
            self.want(":")
            fields[name] = self.type()
            if self.peek() != ")":
                self.want(",")
        self.next()
        return fields

    def type(self):
        token = self.next()
        if token in ("?", "[]", "[string]"):
            return (token, self.type())
        if token in ("bool", "int", "float", "string", "object") or NAME.match(token):
            return token
        return self.bad(f"{token} is no type")

    def fits(self, kind, value, where):
        """What is wrong, or nothing."""
        if isinstance(kind, tuple):
            if kind[0] == "?":
                return [] if value is None else self.fits(kind[1], value, where)
            if not isinstance(value, list):
                return [f"{where} is no list"]
            return [e for i, v in enumerate(value) for e in self.fits(kind[1], v, f"{where}[{i}]")]
        if kind in ("bool", "int", "float", "string", "object"):
            python = {"bool": bool, "int": int, "float": float, "string": str, "object": dict}[kind]
            return [] if type(value) is python else [f"{where} is no {kind}: {value!r}"]
        member = self.members.get(kind)
        return self.holds(member[1], value, where) if member else [f"{where}: type {kind} is not there"]

    def holds(self, fields, value, where):
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        wrong = [f"{where}.{f} is not in the interface" for f in value if f not in fields]
        for name, kind in fields.items():
            if name in value:
                wrong += self.fits(kind, value[name], f"{where}.{name}")
            elif not (isinstance(kind, tuple) and kind[0] == "?"):
                wrong.append(f"{where}.{name} is missing")
        return wrong


def call(sock, method, parameters):
    sock.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
    got = b""
    while not got.endswith(b"\0"):
        part = sock.recv(65536)
        if not part:
            sys.exit(f"{method}: the connection was closed")
        got += part
    return json.loads(got[:-1])


def main():
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(sys.argv[1])
    reply = call(sock, "org.varlink.service.GetInterfaceDescription", {"interface": "io.cowbell"})
    interface = Interface(reply["parameters"]["description"])
    print(f"{interface.name}: {len(interface.members)} members")
    wrong = []
    words = sys.argv[2:]
    while words:
        method = words.pop(0)
        parameters = json.loads(words.pop(0)) if words and words[0].startswith("{") else {}
        kind, taken, given = interface.members[method]
        reply = call(sock, f"io.cowbell.{method}", parameters)
        if "error" in reply:
            name = reply["error"].removeprefix("io.cowbell.")
            member = interface.members.get(name, ("",))
            wrong += interface.holds(member[1], reply["parameters"], name) if member[0] == "error" else [f"{name} is no error"]
            print(f"{method}: {name}")
        else:
            wrong += interface.holds(given, reply["parameters"], method)
            print(f"{method}: {len(json.dumps(reply))} bytes")
    for line in wrong[:40]:
        print(line)
    sys.exit(bool(wrong))


main()
