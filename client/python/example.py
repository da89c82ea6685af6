"""A FastAPI backend that people arrive at by hand-off. Run: uvicorn example:app

Environment, with the FOS half's names and values:

* ORACLE_BRIDGE_URL, CROSS_DOMAIN_SERVICE_TOKEN, CROSS_DOMAIN_EXPECTED_TARGET, JWT_SECRET_KEY;
* JWT_SECRET_KEY_PREVIOUS: keys that only verify, with commas between them. Set it with the FOS half's, in each
  step of a rotation (docs/operations.md), or everybody is signed out here in the middle of one;
* JWT_ISSUER, JWT_AUDIENCE: where the FOS half's are not the usual ones; JWT_AUDIENCE= for tokens without one;
* ACCESS_COOKIE (ours): access_token in development over plain HTTP, and nowhere else.
"""

import logging
import math
import os

import jwt
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from handoff import AccessTokens, Handoff, HandoffError

app = FastAPI()
previous = [key.strip() for key in os.environ.get("JWT_SECRET_KEY_PREVIOUS", "").split(",") if key.strip()]
tokens = AccessTokens(
    [os.environ["JWT_SECRET_KEY"], *previous],
    issuer=os.environ.get("JWT_ISSUER", "founderyos"),
    audience=os.environ.get("JWT_AUDIENCE", "founderyos-api"),
)
# One name only. A browser keeps the prefix for what this very host has set over HTTPS: a cookie
# without it may be planted by a sibling's subdomain, and would sign people in as an attacker.
ACCESS_COOKIE = os.environ.get("ACCESS_COOKIE", "__Host-access_token")
peer = Handoff(os.environ["ORACLE_BRIDGE_URL"], os.environ["CROSS_DOMAIN_SERVICE_TOKEN"], os.environ["CROSS_DOMAIN_EXPECTED_TARGET"])


@app.on_event("shutdown")
async def leave() -> None:
    await peer.close()


class Arrival(BaseModel):
    token: str


# What the person did is told from what we did: a link that is no good is theirs to open again, a
# wrong service token is ours and none of their business.
THEIRS = {"token_malformed", "token_unknown", "token_expired", "token_used", "token_wrong_target", "token_binding_failed"}


@app.exception_handler(HandoffError)
async def refused(_: Request, problem: HandoffError) -> JSONResponse:
    if problem.code in THEIRS:
        return JSONResponse({"code": "handoff_invalid", "reason": problem.code}, 401)
    if problem.code == "invalid_request":  # all that is theirs in it is the key
        return JSONResponse({"code": "invalid_request"}, 400)
    if not problem.passes:  # ours to mend; its text is a status, a code and a request id
        logging.getLogger("handoff").error("exchange: %s", problem)
    wait = max(1, math.ceil(problem.retry_after))
    return JSONResponse({"code": "dependency_unavailable"}, 503, {"Retry-After": str(wait)})


@app.post("/arrive")
async def arrive(arrival: Arrival, idempotency_key: str = Header(min_length=16, max_length=128)) -> dict:
    # Here a backend finds or makes its user by user_id and begins its own session, in one
    # transaction; idempotency_key is the landing page's, one for one arrival.
    claims = await peer.exchange(arrival.token, key=idempotency_key)
    return {"user_id": claims.user_id, "roles": claims.roles, "return_path": claims.return_path, "handoff_id": claims.handoff_id}


def somebody(access: str = Cookie("", alias=ACCESS_COOKIE)) -> dict:
    try:
        return tokens.verify(access)
    except jwt.InvalidTokenError:
        raise HTTPException(401, "session_required") from None


@app.get("/me")
async def me(claims: dict = Depends(somebody)) -> dict:
    return {"id": claims["sub"], "role": claims["role"]}
