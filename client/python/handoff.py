"""Hand-offs for a Python backend (FastAPI, httpx, PyJWT). Copy this file; it needs no other of ours.

Two things that a backend does:

* `Handoff.exchange(token)` asks the DAO half whom a token stands for, once, under the service token.
* `AccessTokens.verify(token)` checks an access token that the FOS half signed.

The service token and the signing key are secrets: read them from files or the environment, and
log neither them nor tokens. Nothing here logs.
"""

import asyncio
import re
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Optional

import httpx
import jwt

NO_ANSWER = "no_answer"  # ours: the connection broke, or what answered is not the service

_TOKEN = re.compile("[0-9a-f]{64}")

# An Idempotency-Key is good for ten seconds after the token was redeemed.
_TRIES, _PAUSE, _WINDOW = 3, 0.25, 8.0


class HandoffError(Exception):
    """What the service says is wrong. Go by `code` (the DAO half's /errors.json has all); the texts may change."""

    def __init__(self, code: str, status: int = 0, request_id: str = "", handoff_id: str = "", retry_after: float = 0):
        super().__init__(f"{status} {code} (request {request_id})")
        self.code, self.status = code, status
        self.request_id, self.handoff_id, self.retry_after = request_id, handoff_id, retry_after

    @property
    def passes(self) -> bool:
        """Whether it may go better later."""
        return self.code in (NO_ANSWER, "dependency_unavailable")


@dataclass(frozen=True)
class Claims:
    """Whom a token stands for. Times are milliseconds since 1970.

    Find accounts by `user_id`; by `email` only where `email_verified` is true.
    """

    user_id: str
    email: str = field(repr=False)
    display_name: Optional[str] = field(repr=False)
    ic_principal: Optional[str] = field(repr=False)
    roles: list
    entry_product: str
    target_domain: str
    issued_at: int
    expires_at: int
    email_verified: bool = False
    handoff_id: str = ""
    return_path: Optional[str] = None
    auth_time: int = 0
    amr: list = field(default_factory=list)


class Handoff:
    """The DAO half, as a server that people arrive at sees it. One for the whole application."""

    def __init__(self, base_url: str, service_token: str, target_domain: str, http: Optional[httpx.AsyncClient] = None):
        if len(service_token) < 32:
            raise ValueError("the service token has at least 32 characters")
        self._url = base_url.rstrip("/") + "/api/staging_token/exchange"
        self._token, self._target = service_token, target_domain
        # No proxy from the environment and no redirect: what is sent is worth stealing.
        self._http = http or httpx.AsyncClient(timeout=3.5, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def exchange(self, token: str, key: Optional[str] = None, verifier: Optional[str] = None) -> Claims:
        """Says whom the token stands for. `key` is the same for everything that is one arrival.

        A lost answer is asked for again under the same key; a refusal is not. Raises HandoffError.
        """
        if not _TOKEN.fullmatch(token):  # what is no token goes nowhere
            raise HandoffError("token_malformed")
        body = {"token": token, "target_domain": self._target}
        if verifier:
            body["verifier"] = verifier
        headers = {"Authorization": "Bearer " + self._token, "Idempotency-Key": key or secrets.token_hex(16)}
        until = time.monotonic() + _WINDOW
        for left in reversed(range(_TRIES)):
            try:
                return await self._once(body, headers)
            except HandoffError as problem:
                pause = max(problem.retry_after, _PAUSE)
                if not problem.passes or left == 0 or time.monotonic() + pause > until:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _once(self, body: dict, headers: dict) -> Claims:
        try:
            answer = await self._http.post(self._url, json=body, headers=headers)
        except httpx.HTTPError:
            raise HandoffError(NO_ANSWER) from None  # its text may quote what was sent
        said = _members(answer)
        if answer.status_code == 200 and "user_id" in said:
            known = {name: said[name] for name in Claims.__dataclass_fields__ if name in said}
            try:
                claims = Claims(**known)  # what is not known is ignored: more may come
            except TypeError:
                raise HandoffError(NO_ANSWER, 200) from None
            if claims.target_domain != self._target:  # an older service may not have looked
                raise HandoffError("token_wrong_target", 200, handoff_id=claims.handoff_id)
            return claims
        if answer.status_code >= 400 and isinstance(said.get("code"), str):
            wait = answer.headers.get("Retry-After", "0")
            raise HandoffError(
                said["code"], answer.status_code, said.get("request_id", ""), said.get("handoff_id", ""),
                float(wait) if wait.isascii() and wait.isdigit() else 0,
            )
        raise HandoffError(NO_ANSWER, answer.status_code)


def _members(answer: httpx.Response) -> dict:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


class AccessTokens:
    """Verifies access tokens of the FOS half: HS256, with the bytes of JWT_SECRET_KEY as they are.

    A token that is verified may be of a session that has ended since: it is good until `exp`, 30
    minutes at most. What must not wait asks `GET /api/v1/auth/me`.

    `keys` are JWT_SECRET_KEY and those of JWT_SECRET_KEY_PREVIOUS: a rotation of three steps needs
    both. `issuer` and `audience` are JWT_ISSUER and JWT_AUDIENCE, None where that is set to nothing.
    `leeway` is by how many seconds two machines' clocks may differ.
    """

    def __init__(self, keys: list, issuer: str = "founderyos", audience: Optional[str] = "founderyos-api", leeway: float = 2):
        if not keys or any(len(key.encode()) < 32 for key in keys):
            raise ValueError("there is no key, or one of fewer than 32 bytes")
        self._keys, self._issuer, self._audience, self._leeway = keys, issuer, audience, leeway
        self._require = ["iss", "sub", "sid", "role", "type", "iat", "nbf", "exp", "jti"] + (["aud"] if audience else [])

    def verify(self, token: str) -> dict:
        """The claims of a good access token. Raises jwt.InvalidTokenError for every other text."""
        refused: Exception = jwt.InvalidTokenError("no key fits")
        for key in self._keys:  # one of them signed; which, nothing in the token says
            try:
                claims: dict[str, Any] = jwt.decode(
                    token, key, algorithms=["HS256"], issuer=self._issuer, audience=self._audience or None,
                    leeway=self._leeway, options={"require": self._require},
                )
            except jwt.InvalidSignatureError as why:
                refused = why
                continue
            # A refresh token has another audience, and another type.
            if claims["type"] != "access":
                raise jwt.InvalidTokenError("not an access token")
            return claims
        raise refused
