"""The Python side of the interop test: hashes and verifies as the platform does.

Reads a JSON list of requests from standard input and writes the list of answers.
A request is {"do", "as", "hash", "text", "times", "then"}; the password is `text`
repeated `times` times and `then`.

  hash          the hash that the scheme named by `as` makes, or "refused"
  verify        "match", "mismatch" or "refused", asked of the platform's context
  needs_update  "yes" or "no": whether the platform would replace this hash
"""

import json
import sys

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

SCHEMES = {
    "platform": PLATFORM,
    "platform, 16-byte digest": PLATFORM.using(argon2__digest_size=16),
    "argon2 before 21.2": argon2.using(
        type="ID", memory_cost=102400, time_cost=2, parallelism=8, digest_size=16),
    "bcrypt": bcrypt,  # passlib's default cost, 12
    "2a": bcrypt.using(ident="2a", rounds=4),
    "2b": bcrypt.using(ident="2b", rounds=4),
    "2y": bcrypt.using(ident="2y", rounds=4),
}


def answer(request):
    password = request["text"] * request["times"] + request["then"]
    try:
        if request["do"] == "hash":
            return SCHEMES[request["as"]].hash(password)
        if request["do"] == "verify":
            return "match" if PLATFORM.verify(password, request["hash"]) else "mismatch"
    except ValueError:
        return "refused"
    return "yes" if PLATFORM.needs_update(request["hash"]) else "no"


json.dump([answer(request) for request in json.load(sys.stdin)], sys.stdout)
