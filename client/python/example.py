"""A FastAPI backend that people arrive at by hand-off. Run: uvicorn example:app

Environment: ORACLE_BRIDGE_URL, CROSS_DOMAIN_SERVICE_TOKEN, CROSS_DOMAIN_EXPECTED_TARGET, JWT_SECRET_KEY.
"""

import os

import jwt
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from handoff import AccessTokens, Handoff, HandoffError

app = FastAPI()
tokens = AccessTokens([os.environ["JWT_SECRET_KEY"]])
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
    return JSONResponse({"code": "dependency_unavailable"}, 503, {"Retry-After": "1"})


@app.post("/arrive")
async def arrive(arrival: Arrival, idempotency_key: str = Header(min_length=16, max_length=128)) -> dict:
    # Here a backend finds or makes its user by user_id and begins its own session, in one
    # transaction; idempotency_key is the landing page's, one for one arrival.
    claims = await peer.exchange(arrival.token, key=idempotency_key)
    return {"user_id": claims.user_id, "roles": claims.roles, "return_path": claims.return_path, "handoff_id": claims.handoff_id}


def somebody(
    secure: str = Cookie("", alias="__Host-access_token"),
    plain: str = Cookie("", alias="access_token"),  # development over plain HTTP only
) -> dict:
    try:
        return tokens.verify(secure or plain)
    except jwt.InvalidTokenError:
        raise HTTPException(401, "session_required") from None


@app.get("/me")
async def me(claims: dict = Depends(somebody)) -> dict:
    return {"id": claims["sub"], "role": claims["role"]}
