// @ts-check
// Hand-offs for front ends: one ES module, no dependency, no build step. Types: handoff.d.ts. For
// browsers of 2023 on (Safari 17.4 where a call is given a signal: AbortSignal.any).
//
// A suite's page, where somebody is signed in at the DAO half:
//
//   import { navigateCrossDomain } from "./handoff.js";
//   button.onclick = () => navigateCrossDomain("founderyos.dev", "/projects/7", { entryProduct: "think-tank", dao });
//
// Only ever from a press: anybody can make a link to a page that leaves by itself.
//
// The landing page of the site where they arrive:
//
//   import { arrive, confirm, decline, HandoffError, takeToken } from "./handoff.js";
//   const token = takeToken(); // first of all, see there
//   async function land() {
//     retry.hidden = true;
//     let { user, handoffId, question } = await arrive(token, { fos });
//     if (question) {
//       const text = `Sign in here as ${question.as.email}?` + (question.links ? " That connects both accounts." : "");
//       if (window.confirm(text)) ({ user } = await confirm(handoffId, { fos }));
//       else await decline(handoffId, { fos });
//     }
//     show(user);
//   }
//
// Refusals are HandoffError with the service's code; its /errors.json (/api/v1/errors.json at
// the FOS half) has all of them. What passes is tried again on this very page: the token has
// left the address, and no reload finds it.
//
//   const lands = () => land().catch((error) => {
//     if (!(error instanceof HandoffError)) throw error;
//     say(error);
//     if (error.passes) setTimeout(() => { retry.hidden = false; }, 1000 * error.retryAfter);
//   });
//   retry.onclick = lands;
//
// Without a token, after a reload for one, it asks who is signed in, as any page does:
//
//   if (token !== null) lands();
//   else {
//     const answer = await fetch(`${fos}/api/v1/auth/me`, { credentials: "include" });
//     show(answer.ok ? (await answer.json()).user : null);
//   }

/** @typedef {typeof import("./handoff.js")} Said what handoff.d.ts says */
/** @typedef {import("./handoff.js").Landed} Landed */
/** @typedef {import("./handoff.js").Asked} Asked */

/** What went wrong, by `code`; its text is for people, and may change. Quotes nothing that was sent. */
export class HandoffError extends Error {
  /**
   * @param {import("./handoff.js").Code} code
   * @param {import("./handoff.js").Particulars} [more]
   */
  constructor(code, { status = 0, detail = "", requestId = "", handoffId = null, reason = null, retryAfter = 0, errors = [] } = {}) {
    super(detail || code);
    this.name = "HandoffError";
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.handoffId = handoffId;
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.errors = errors;
  }

  /** Whether the same may go better later: after retryAfter seconds, if that is not 0. */
  get passes() {
    return ["no_answer", "dependency_unavailable", "rate_limited"].includes(this.code);
  }
}

/**
 * Makes a token and leaves with it to `target`, where the person goes on at `path`.
 * Resolves once the browser is on its way; the page may live on for a moment.
 *
 * @type {Said["navigateCrossDomain"]}
 */
export async function navigateCrossDomain(target, path, options) {
  const { entryProduct, dao = "", challenge, responseMode, maxAge, signal, go = leave } = options;
  const body = defined({
    entry_product: entryProduct, target_domain: target, return_path: path, challenge, response_mode: responseMode, max_age: maxAge,
  });
  const minted = await unsafe(dao, "/api/staging_token/mint", body, signal);
  const url = address(minted.redirect_url);
  // A "javascript:" URL would run here, with this site's session.
  if (!url || !["https:", "http:"].includes(url.protocol)) throw new HandoffError("no_answer", { detail: "The answer leads nowhere." });
  go(url, responseMode === "form_post" ? minted.token : null);
  return { handoffId: minted.handoff_id };
}

/** @param {string} text */
function address(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** @type {(url: URL, token: string | null) => void} */
function leave(url, token) {
  if (token === null) return location.assign(url);
  const form = Object.assign(document.createElement("form"), { method: "post", action: url.href, hidden: true });
  form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "token", value: token }));
  document.body.append(form);
  form.submit();
  form.remove(); // "back" may bring this page out of the browser's memory
}

/**
 * Once more if another tab was given another value meanwhile.
 *
 * @type {(dao: string, path: string, body: object, signal?: AbortSignal, again?: boolean) => Promise<any>}
 */
async function unsafe(dao, path, body, signal, again = true) {
  const { csrf_token: csrf } = await call(dao, "GET", "/api/auth/csrf-token", { signal });
  try {
    return await call(dao, "POST", path, { body, headers: { "X-CSRF-Token": csrf }, signal });
  } catch (error) {
    if (!again || !(error instanceof HandoffError) || error.code !== "csrf_failed") throw error;
    return unsafe(dao, path, body, signal, false);
  }
}

/**
 * Takes the token out of the address ("?token=" or "#token=") and out of this tab's history.
 * What it returned is all that there is of it: keep that in a variable until arrive() is
 * through, and nowhere else.
 *
 * A module runs when the document has been read: error reporters and analytics that stand
 * before it have seen the address by then. Where there are any, take the token in a classic
 * script that the document names first, and hand what it took to arrive().
 *
 * @type {Said["takeToken"]}
 */
export function takeToken() {
  const tokens = [location.search, location.hash.slice(1)].flatMap((part) => new URLSearchParams(part).getAll("token"));
  if (tokens.length > 0) history.replaceState(history.state, "", location.pathname);
  // Two are none: which was meant is nobody's to guess.
  return tokens.length === 1 ? tokens[0] : null;
}

/**
 * Signs in whom the token stands for. A lost answer and an outage are asked again, for some
 * seconds; the page may do it again after that. In this tab it is one arrival.
 *
 * @type {Said["arrive"]}
 */
export async function arrive(token, { fos = "", signal } = {}) {
  // What is no token goes nowhere.
  if (typeof token !== "string" || !/^[0-9a-f]{64}$/.test(token)) throw new HandoffError("token_malformed");
  return landed(await repeated(fos, "POST", "/api/v1/auth/cross-domain-login", {
    body: { token }, headers: { ...asked, "Idempotency-Key": await arrivalKey(token) }, keepalive: true, signal,
  }));
}

/**
 * "Yes, that is me", of the question that arrive() came back with.
 *
 * @type {Said["confirm"]}
 */
export async function confirm(handoffId, { fos = "", signal } = {}) {
  return landed(await repeated(fos, "POST", "/api/v1/auth/cross-domain/confirm", { body: { handoff_id: handoffId }, headers: asked, signal }));
}

/**
 * "No": who came is forgotten.
 *
 * @type {Said["decline"]}
 */
export async function decline(handoffId, { fos = "", signal } = {}) {
  await call(fos, "POST", "/api/v1/auth/cross-domain/decline", { body: { handoff_id: handoffId }, headers: asked, signal });
}

// A header that a form on another site cannot send (CSRF).
const asked = { "X-Requested-With": "handoff" };

/** @type {(body: any) => Landed | Asked} */
function landed(body) {
  if (body.pending) {
    return { user: null, returnPath: null, handoffId: body.handoff_id, question: { as: body.as, current: body.current, links: body.links, expiresAt: body.expires_at } };
  }
  if (!body.user || !body.session) throw new HandoffError("no_answer"); // JSON of somebody else's
  return { user: body.user, session: body.session, entryProduct: body.entry_product, returnPath: body.return_path, handoffId: body.handoff_id, question: null };
}

/**
 * One key for one token, kept in this tab under the token's digest: a double click, a second
 * try or the same link opened here again is the same arrival. Another key says that the token was in two browsers.
 *
 * @param {string} token
 */
async function arrivalKey(token) {
  // Plain HTTP on other than a loopback name has no crypto.subtle. One name does for all
  // then: the service reads a key together with its token only.
  const digest = crypto.subtle ? hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)))) : "current";
  const name = `handoff.arrival.${digest}`;
  const key = keys.get(name) ?? stored(name, hex(crypto.getRandomValues(new Uint8Array(16))));
  keys.set(name, key);
  return key;
}

// Where storage is blocked or full, keys live as long as the page: a double click is one
// arrival still, and only the link opened again is another.
/** @type {Map<string, string>} */
const keys = new Map();

/** @type {(name: string, fresh: string) => string} */
function stored(name, fresh) {
  try {
    const kept = sessionStorage.getItem(name);
    if (kept === null) sessionStorage.setItem(name, fresh);
    return kept ?? fresh;
  } catch {
    return fresh;
  }
}

/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
/** @param {object} object */
const defined = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));

/**
 * @param {string} base @param {"GET" | "POST"} method @param {string} path
 * @param {{ body?: object, headers?: Record<string, string>, keepalive?: boolean, signal?: AbortSignal }} more
 * @returns {Promise<any>} what the service said, which may be anything
 */
async function call(base, method, path, { body, headers = {}, keepalive = false, signal }) {
  const late = AbortSignal.timeout(10_000); // the service answers within 3 s or says why not
  /** @type {RequestInit} */
  const request = {
    method, keepalive, credentials: "include", cache: "no-store",
    redirect: "error", // the service never redirects; followed, one would carry the token along
    signal: signal ? AbortSignal.any([signal, late]) : late,
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  };
  let answer, text;
  try {
    answer = await fetch(base + path, request);
    text = await answer.text();
  } catch {
    if (signal?.aborted) throw signal.reason;
    throw new HandoffError("no_answer");
  }
  const said = parse(text);
  if (answer.ok && (said || answer.status === 204)) return said ?? {};
  throw new HandoffError(typeof said?.code === "string" ? said.code : "no_answer", {
    status: answer.status, detail: said?.detail, requestId: said?.request_id, handoffId: said?.handoff_id ?? null, reason: said?.reason ?? null,
    retryAfter: Number.parseInt(answer.headers.get("Retry-After") ?? "", 10) || 0, errors: said?.errors ?? [],
  });
}

// A key is good for ten seconds after the token was redeemed; as in the other clients.
const tries = 3, pause = 250, lasts = 8_000; // pause (where the service names none) and lasts in ms

/**
 * call(), and again where the connection broke or a dependency is away; what is refused once is
 * refused. For what may be repeated.
 *
 * @type {typeof call}
 */
async function repeated(base, method, path, more) {
  const until = performance.now() + lasts;
  for (let left = tries - 1; ; left--) {
    try {
      return await call(base, method, path, more);
    } catch (error) {
      if (!(error instanceof HandoffError) || !["no_answer", "dependency_unavailable"].includes(error.code)) throw error;
      const wait = Math.max(1000 * error.retryAfter, pause);
      if (left === 0 || performance.now() + wait > until) throw error;
      // Who gives up meanwhile is not kept: call() says why they did.
      await new Promise((go) => { setTimeout(go, wait); more.signal?.addEventListener("abort", go, { once: true }); });
    }
  }
}

/** @param {string} text */
function parse(text) {
  try {
    const said = JSON.parse(text);
    return typeof said === "object" && !Array.isArray(said) ? said : null;
  } catch {
    return null;
  }
}
