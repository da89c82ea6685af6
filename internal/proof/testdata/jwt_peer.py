"""The Python side of the proof with PyJWT: verifies and signs as the platform does.

Reads a JSON list of requests from standard input and writes the list of answers.

  {"do": "decode", "token", "key", "audience", "issuer"}   audience null: none passed
      {"header": ..., "claims": ...} or {"refused": name of PyJWT's error}
  {"do": "encode", "claims", "key", "algorithm"}            no "kid", as the platform
      {"token": ...}
"""

import json
import sys

import jwt

# Every claim that the FOS half documents for both kinds of token.
REQUIRED = ["iss", "sub", "sid", "role", "type", "amr", "auth_time", "iat", "nbf", "exp", "jti"]


def decode(request):
    expected = {"issuer": request["issuer"], "options": {"require": REQUIRED}}
    if request["audience"] is not None:
        expected["audience"] = request["audience"]
    try:
        claims = jwt.decode(request["token"], request["key"], algorithms=["HS256"], **expected)
    except jwt.PyJWTError as refused:
        return {"refused": type(refused).__name__}
    return {"header": jwt.get_unverified_header(request["token"]), "claims": claims}


def encode(request):
    return {"token": jwt.encode(request["claims"], request["key"], algorithm=request["algorithm"])}


DO = {"decode": decode, "encode": encode}

json.dump([DO[request["do"]](request) for request in json.load(sys.stdin)], sys.stdout)
