"""The Python side of the interop test: hashes and verifies as the platform does.

Reads a JSON list of requests from standard input and writes the list of answers.
A request is {"do", "by", "hash", "text", "times", "then"}; the password is `text`
repeated `times` times and `then`.

  hash          the hash that the program named by `by` makes, or "refused"
  verify        "match", "mismatch" or "refused"
  needs_update  "yes" or "no": whether that program would replace this hash
"""

import json
import sys

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from passlib.context import CryptContext
from passlib.hash import argon2, bcrypt

# The platform's settings. digest_size is the default of argon2-cffi 21.2 and later
# (RFC 9106), spelt out because Debian 12 carries an older one, which makes 16.
PLATFORM = CryptContext(
    schemes=["argon2", "bcrypt"],
    deprecated="auto",
    argon2__type="ID",
    argon2__memory_cost=65536,
    argon2__time_cost=3,
    argon2__parallelism=4,
    argon2__digest_size=32,
)


class Bare:
    """argon2-cffi's own hasher, as a program without passlib uses it."""

    hasher = PasswordHasher(memory_cost=65536, time_cost=3, parallelism=4, hash_len=32, salt_len=16)

    def hash(self, password):
        return self.hasher.hash(password)

    def verify(self, password, encoded):
        try:
            return self.hasher.verify(encoded, password)
        except VerifyMismatchError:
            return False

    def needs_update(self, encoded):
        return self.hasher.check_needs_rehash(encoded)


PROGRAMS = {
    "passlib": PLATFORM,
    "passlib, 16-byte digest": PLATFORM.using(argon2__digest_size=16),
    "passlib, argon2 before 21.2": argon2.using(
        type="ID", memory_cost=102400, time_cost=2, parallelism=8, digest_size=16),
    "passlib, bcrypt": bcrypt,  # its default cost, 12
    "passlib, 2a": bcrypt.using(ident="2a", rounds=4),
    "passlib, 2b": bcrypt.using(ident="2b", rounds=4),
    "passlib, 2y": bcrypt.using(ident="2y", rounds=4),
    "argon2-cffi": Bare(),
}


def answer(request):
    password = request["text"] * request["times"] + request["then"]
    program = PROGRAMS[request["by"]]
    try:
        if request["do"] == "hash":
            return program.hash(password)
        if request["do"] == "verify":
            return "match" if program.verify(password, request["hash"]) else "mismatch"
    except ValueError:
        return "refused"
    return "yes" if program.needs_update(request["hash"]) else "no"


json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
