#!/usr/bin/python3
"""Makes the test vectors of the Go package `password` with passlib.

How it is run, on Debian or Ubuntu, from this folder:

    apt-get install --no-install-recommends python3-passlib python3-argon2 python3-bcrypt
    /usr/bin/python3 make_vectors.py > passlib.json

The salts are derived from the vectors' names, so that the same versions of the
libraries give the same file. What each vector expects is not written here: it
is what passlib answers when it is asked to verify. `password/interop` runs this
script again and compares.

A password is `text` repeated `times` times and `then`, in UTF-8. Verdicts are `match`,
`mismatch`, and `refused` (passlib raised an error instead of answering).
"""

import hashlib
import json
import sys
import warnings

import argon2
import bcrypt
import passlib
from passlib.hash import argon2 as passlib_argon2
from passlib.hash import bcrypt as passlib_bcrypt

# Salts and digests with stray bits are wanted here; passlib warns of them.
warnings.simplefilter("ignore")

BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

# The platform's numbers, and numbers that take no time.
PLATFORM = {"memory_cost": 65536, "time_cost": 3, "parallelism": 4}
CHEAP = {"memory_cost": 64, "time_cost": 1, "parallelism": 1}

# Passwords that both sides must agree on: name, text, times.
PASSWORDS = [
    ("empty", "", 1),
    ("ascii", "correct horse battery staple", 1),
    ("spaces around", "  spaces matter  ", 1),
    ("line break", "two\r\nlines", 1),
    ("composed", "caf\u00e9", 1),
    ("decomposed", "cafe\u0301", 1),
    ("cyrillic", "\u043f\u0430\u0440\u043e\u043b\u044c", 1),
    ("han", "\u5bc6\u7801\u5b89\u5168", 1),
    ("right to left", "\u05e1\u05d9\u05e1\u05de\u05d4", 1),
    ("emoji with joiner", "\U0001f469\u200d\U0001f680", 1),
    ("kelvin sign", "\u212aelvin", 1),
    ("71 bytes", "a", 71),
    ("72 bytes", "a", 72),
    ("73 bytes", "a", 73),
    ("72nd byte splits a character", "a" * 71 + "\u00e9", 1),
    ("255 bytes", "0123456789" * 25 + "01234", 1),
    ("260 bytes", "0123456789", 26),
    ("NUL inside", "before\x00after", 1),
    ("1000 two-byte characters", "\u00e9", 1000),
    ("4096 bytes", "x", 4096),
    ("4096 two-byte characters", "\u00e9", 4096),
    ("4096 four-byte characters", "\U0001f511", 4096),
    ("4097 bytes", "x", 4097),
]

# Names of those that are also hashed with the platform's numbers (64 MiB each).
FULL_COST = ["empty", "composed"]


def salt_bytes(name, size):
    return hashlib.sha512(name.encode()).digest()[:size]


def salt_bcrypt(name):
    """22 characters, the last of which carries two bits."""
    raw = hashlib.sha512(name.encode()).digest()
    return "".join(BCRYPT_ALPHABET[b & 63] for b in raw[:21]) + ".Oeu"[raw[21] & 3]


def verdict(handler, password, encoded):
    try:
        return "match" if handler.verify(password, encoded) else "mismatch"
    except ValueError:
        return "refused"


class Vectors:
    def __init__(self):
        self.made = []

    def ask(self, name, encoded, text, times=1, then=""):
        """Adds a vector: what passlib says of this password against this hash."""
        handler = passlib_bcrypt if encoded.startswith("$2") else passlib_argon2
        says = verdict(handler, text * times + then, encoded)
        self.made.append({"name": name, "text": text, "times": times, "then": then,
                          "hash": encoded, "passlib": says})

    def hash_and_ask(self, name, handler, text, times):
        try:
            encoded = handler.hash(text * times)
        except ValueError:
            return  # passlib will not hash it; questions() asks the other way
        self.ask(name, encoded, text, times)
        self.ask(name + ", one character more", encoded, text, times, "!")


def argon2_vectors(v):
    for name, text, times in PASSWORDS:
        named = "argon2id, " + name
        handler = passlib_argon2.using(type="ID", salt=salt_bytes(named, 16), digest_size=32, **CHEAP)
        v.hash_and_ask(named, handler, text, times)
    for name, text, times in PASSWORDS:
        if name in FULL_COST:
            named = "argon2id, platform numbers, " + name
            handler = passlib_argon2.using(type="ID", salt=salt_bytes(named, 16), digest_size=32, **PLATFORM)
            v.ask(named, handler.hash(text * times), text, times)
    # passlib takes salt and digest sizes from its settings, and its default digest
    # from the version of argon2-cffi: 16 bytes before 21.2, 32 since.
    for salt, digest in [(8, 16), (16, 16), (16, 20), (16, 64), (24, 24), (48, 32)]:
        named = "argon2id, salt %d, digest %d" % (salt, digest)
        handler = passlib_argon2.using(type="ID", salt=salt_bytes(named, salt), digest_size=digest, **CHEAP)
        v.hash_and_ask(named, handler, "sizes vary", 1)
    for m, t, p in [(8, 1, 1), (100, 3, 2), (1024, 16, 1), (2040, 1, 255), (1000, 2, 8), (61, 2, 7)]:
        named = "argon2id, m=%d,t=%d,p=%d" % (m, t, p)
        handler = passlib_argon2.using(type="ID", salt=salt_bytes(named, 16), digest_size=32,
                                       memory_cost=m, time_cost=t, parallelism=p)
        v.hash_and_ask(named, handler, "numbers vary", 1)


def bcrypt_vectors(v):
    for ident in ["2a", "2b", "2y"]:
        for name, text, times in PASSWORDS:
            named = ident + ", " + name
            handler = passlib_bcrypt.using(rounds=4, ident=ident, salt=salt_bcrypt(named))
            v.hash_and_ask(named, handler, text, times)
    for rounds in [5, 6]:
        named = "2b, cost %d" % rounds
        v.hash_and_ask(named, passlib_bcrypt.using(rounds=rounds, salt=salt_bcrypt(named)), "cost varies", 1)


def questions(v):
    """Passwords against hashes that were made of others, or spelt otherwise."""
    def of(text):
        return passlib_bcrypt.using(rounds=4, salt=salt_bcrypt("questions")).hash(text)

    v.ask("2b, only the first 72 bytes count", of("a" * 72 + "one"), "a" * 72 + "another")
    v.ask("2b, the 72nd byte counts", of("a" * 71 + "1"), "a" * 71 + "2")
    v.ask("2b, a character cut at byte 72 counts by half", of("a" * 71 + "\u00e9"), "a" * 71 + "\u00e8")
    v.ask("2b, the repetition behind a NUL is refused", of("a"), "a\x00a")
    v.ask("2b, text behind a NUL is refused", of("a"), "a\x00b")
    v.ask("2b, a NUL as the 72nd byte is refused", of("a" * 71), "a" * 71 + "\x00")
    v.ask("2b, a NUL behind the 72nd byte is refused", of("a" * 72), "a" * 72 + "\x00")
    v.ask("2b, a lone NUL is not the empty password", of(""), "\x00")
    v.ask("2b, 4097 bytes are refused though 72 decide", of("x" * 72), "x", 4097)
    v.ask("2b, 4096 two-byte characters are refused though 72 bytes decide", of("\u00e9" * 36), "\u00e9", 4096)
    good = of("stray bits")
    digest_end = BCRYPT_ALPHABET[BCRYPT_ALPHABET.index(good[59]) | 3]
    v.ask("2b, stray bits at the digest's end", good[:59] + digest_end, "stray bits")
    salt_end = BCRYPT_ALPHABET[BCRYPT_ALPHABET.index(good[28]) | 15]
    v.ask("2b, stray bits at the salt's end", good[:28] + salt_end + good[29:], "stray bits")
    v.ask("2b, stray bits, wrong password", good[:59] + digest_end, "stray bit")

    cheap = passlib_argon2.using(type="ID", salt=salt_bytes("questions", 16), digest_size=32, **CHEAP)
    v.ask("argon2id, composed is not decomposed", cheap.hash("caf\u00e9"), "cafe\u0301")
    v.ask("argon2id, kelvin sign is not K", cheap.hash("\u212aelvin"), "Kelvin")
    v.ask("argon2id, the 73rd byte counts", cheap.hash("a" * 72 + "one"), "a" * 72 + "two")
    v.ask("argon2id, text behind a NUL counts", cheap.hash("a\x00b"), "a\x00c")
    v.ask("argon2id, 4097 characters are refused", cheap.hash("x" * 4096), "x", 4097)


def main():
    v = Vectors()
    argon2_vectors(v)
    bcrypt_vectors(v)
    questions(v)
    made_by = {
        "program": "make_vectors.py",
        "python": "%d.%d.%d" % sys.version_info[:3],
        "passlib": passlib.__version__,
        "argon2_cffi": argon2.__version__,
        "bcrypt": bcrypt.__version__,
    }
    json.dump({"made_by": made_by, "vectors": v.made}, sys.stdout, indent=1)
    sys.stdout.write("\n")


main()
