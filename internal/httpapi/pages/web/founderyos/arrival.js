// The landing page: from a token to a person who is signed in. take-token.js has
// run already; by now the address bar is clean.

import { byId, call, enter, onPress, say } from "./page.js";
import { arrivalCall, revive, showProblem, showUser, wireSignOut } from "./account.js";
import { productName } from "./products.js";
import { ask, openQuestion, wireQuestion } from "./question.js";
import { drawSteps, mark } from "./steps.js";

const arrival = globalThis.takeToken?.() ?? { token: null, takenAt: 0 };
let again; // what "Try again" does

async function start() {
  wireSignOut();
  wireQuestion((answer) => landed(answer), () => location.replace("./"));
  onPress(byId("retry"), () => again());
  if (arrival.token === null) return resume();

  mark("Link opened", 0); // performance.now() counts from the navigation
  mark("Token taken out of the address bar", arrival.takenAt);
  // A browser may load a page ahead of time, run its scripts and throw it away.
  // Only a page that somebody looks at uses up a token.
  if (document.prerendering) {
    await new Promise((seen) => document.addEventListener("prerenderingchange", seen, { once: true }));
  }
  return exchange();
}

/** Spends the token. Safe to repeat: the arrival key makes it one arrival. */
async function exchange() {
  again = exchange;
  // A damaged link is refused here, so that what is not a token goes nowhere.
  if (!/^[0-9a-f]{64}$/.test(arrival.token)) return refused({ body: { code: "token_malformed" }, wait: 0 });

  enter("working", "Signing you in", { focus: false });
  say("Checking your link…");
  arrival.key ??= await arrivalKey(arrival.token);
  underWay(true);
  const sentAt = performance.now();
  const answer = await arrivalCall(() => call("POST", "/api/v1/auth/cross-domain-login", {
    body: { token: arrival.token },
    // X-Requested-With: a header that a form on another site cannot send (CSRF).
    headers: { "X-Requested-With": "founderyos", "Idempotency-Key": arrival.key },
    // A reload meanwhile has no token to try again with: this post must do.
    keepalive: true,
  }));
  underWay(false);
  return landed(answer, performance.now() - sentAt, sentAt);
}

/** What an arrival, or the answer to the question, has led to. */
function landed(answer, waited, sentAt = 0) {
  if (!answer.ok || !(answer.body.user || answer.body.pending)) return refused(answer, waited);

  arrival.token = null; // spent; nothing keeps it longer than it is good for
  if (waited !== undefined) mark("Token exchanged and account found", sentAt + waited, waited);
  if (answer.body.pending) {
    again = resume; // the question stays, also where the answer to it was lost
    return ask(answer.body);
  }
  showUser(answer.body.user);
  showEntry(answer.body);
  enter("in", "You are signed in");
  say(`Signed in as ${byId("user-name").textContent}.`);
  mark("Signed in", performance.now());
  drawSteps();
}

function refused(answer, waited) {
  const code = answer.body.code ?? "internal";
  const passed = showProblem(answer); // true when a second try may succeed
  if (!passed) arrival.token = null;
  if (waited !== undefined) mark(code === "no_answer" ? "No answer" : "Refused", performance.now(), waited);
  drawSteps();
}

/** No token in the address: a reload, or somebody who came without a link. */
async function resume() {
  again = resume;
  enter("working", "Welcome back", { focus: false });
  say("Looking for your session…");
  const question = await openQuestion();
  if (question) return ask(question);
  let answer = await call("GET", "/api/v1/auth/me");
  while (isNobody(answer) && isUnderWay()) {
    await new Promise((later) => setTimeout(later, 250));
    answer = await call("GET", "/api/v1/auth/me");
  }
  if (answer.body.code === "session_required") answer = await revive();
  underWay(false);
  if (answer.ok && answer.body.user) {
    showUser(answer.body.user);
    enter("in", "You are signed in", { focus: false });
    say(`Signed in as ${byId("user-name").textContent}.`);
    return;
  }
  showProblem(isNobody(answer) ? { body: { code: "link_missing" }, wait: 0 } : answer);
}

const isNobody = ({ body }) => ["session_required", "session_revoked"].includes(body.code);

// Whether a post that began before a reload may still bring a session. The API
// answers within 3 s; after 4 s it brought none.
const postedAt = "arrival-posted-at";

function underWay(yes) {
  try {
    if (yes) sessionStorage.setItem(postedAt, String(Date.now()));
    else sessionStorage.removeItem(postedAt);
  } catch { /* storage is blocked: a reload asks once */ }
}

function isUnderWay() {
  try {
    return Date.now() - Number(sessionStorage.getItem(postedAt) ?? -Infinity) < 4000;
  } catch {
    return false;
  }
}

function showEntry({ entry_product: product, return_path: path, handoff_id: id }) {
  const from = byId("entry-product");
  from.textContent = productName(product);
  from.dataset.entryProduct = product ?? "";
  byId("entry").hidden = !product;
  byId("journey-id").textContent = id ? `Hand-off ${id}` : "";

  const onward = sameSite(path);
  byId("onward").hidden = !onward;
  if (onward) {
    byId("continue").href = onward.href;
    byId("continue-path").textContent = path;
  }
}

/**
 * The URL of a same-site path, else null. The API checks it too; a link that
 * leaves the site from a page that says "you are signed in" is an open redirect,
 * and browsers read "//host" and "/\host" as another host.
 */
function sameSite(path) {
  if (typeof path !== "string" || !/^\/(?![/\\])[^\\\p{Cc}]*$/u.test(path)) return null;
  const url = new URL(path, location.origin);
  return url.origin === location.origin ? url : null;
}

/**
 * A random key for this arrival (16 bytes, 32 hex characters), the same one again
 * after a reload of the same link in the same tab. It tells the server that two
 * posts of one token come from one browser: with the key it is a repeat, without
 * it somebody else's replay. Nobody has to press twice for that: when a connection
 * dies without an answer, Chromium repeats a post by itself, several times.
 */
async function arrivalKey(token) {
  const name = "arrival:" + await digest(token);
  const fresh = hex(crypto.getRandomValues(new Uint8Array(16)));
  try {
    const key = sessionStorage.getItem(name) ?? fresh;
    sessionStorage.setItem(name, key);
    return key;
  } catch {
    return fresh; // storage is blocked: the key lasts as long as this page, enough for "Try again"
  }
}

/** Names a token in storage without storing it. */
async function digest(token) {
  // Outside a secure context (plain HTTP on other than a loopback name) there is
  // no crypto.subtle. Then one name serves for all: the key is no secret of the
  // token, and the server reads it together with the token only.
  if (!crypto.subtle) return "current";
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token))));
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// A page that "back" brings out of the browser's memory may show somebody who has
// signed out since.
addEventListener("pageshow", (event) => { if (event.persisted && arrival.token === null) location.reload(); });
start();
