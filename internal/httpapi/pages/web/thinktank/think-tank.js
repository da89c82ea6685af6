// Think Tank: sign in, open FounderyOS, sign out. The session is a cookie that
// this script cannot read; it knows only what the API tells it.

import { alertText, byId, call, enter, holdFor, inSeconds, onPress, say } from "./page.js";

const field = { email: byId("email"), password: byId("password") };

/** Asks who is signed in and shows it. */
async function look({ focus = false } = {}) {
  enter("working", "Think Tank", { focus: false });
  quiet();
  say("Looking for your session…");
  let answer = await call("GET", "/api/auth/session");
  if (answer.ok && !answer.body.authenticated && await refreshed()) answer = await call("GET", "/api/auth/session");
  if (!answer.ok) return stuck(answer);
  if (!answer.body.authenticated) return askToSignIn("");
  remember(true);
  showMember(answer.body);
  enter("in", "Welcome back", { focus });
  say(journey ? "FounderyOS asks who you are. If you were not on your way there, leave this page." : "You are signed in.");
  if (journey) byId("open-founderyos").textContent = "Continue to FounderyOS";
  return showJourneys();
}

/** What was opened from here and is still open, each with a way to end it. */
async function showJourneys() {
  const answer = await call("GET", "/api/auth/handoffs");
  const open = (answer.body.handoffs ?? []).filter(({ state }) => state === "open");
  byId("journey-list").replaceChildren(...open.map(journeyRow));
  byId("journeys").hidden = open.length === 0;
}

function journeyRow({ handoff_id: id, target_domain: target, redeemed_at: since }) {
  const row = byId("journey").content.firstElementChild.cloneNode(true);
  const time = new Date(since).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  row.querySelector(".entry").textContent = `${target}, since ${time}`;
  const end = row.querySelector("button");
  end.textContent = "Sign out there";
  end.setAttribute("aria-label", `Sign out of ${target}, since ${time}`);
  onPress(end, async () => {
    quiet();
    say("Signing out there…");
    const answer = await unsafe(`/api/auth/handoffs/${encodeURIComponent(id)}`, { method: "DELETE" });
    if (!answer.ok) return refused(answer);
    say(`You are signed out of ${target}.`);
    await showJourneys();
    byId("title").focus(); // the button has gone, and the focus with it
  });
  return row;
}

// A journey that began at FounderyOS: what its start handed over goes to mint as it is,
// and the token is then good in the browser that began it only. Which need not be this
// one: anybody can make such a link, so nothing is minted before somebody presses.
const journey = journeyIn(new URLSearchParams(location.search));

function journeyIn(query) {
  if (!query.has("challenge")) return null;
  const fields = ["entry_product", "target_domain", "challenge", "return_path"];
  return Object.fromEntries(fields.filter((name) => query.has(name)).map((name) => [name, query.get(name)]));
}

/** Extends a session that nobody used for half an hour, where there was one. */
async function refreshed() {
  return remembered() && (await unsafe("/api/auth/refresh")).ok;
}

// Whether somebody was signed in in this tab and did not sign out. Not who; and where
// storage is blocked, whoever comes back after half an hour signs in again.
function remember(yes) {
  try {
    if (yes) sessionStorage.setItem("signed-in", "yes");
    else sessionStorage.removeItem("signed-in");
  } catch { /* see above */ }
}

function remembered() {
  try {
    return sessionStorage.getItem("signed-in") === "yes";
  } catch {
    return false;
  }
}

function showMember({ display_name: name, email }) {
  byId("signed-in-name").textContent = name || email;
  byId("signed-in-email").textContent = email;
}

function askToSignIn(status) {
  remember(false);
  showMember({ display_name: "", email: "" }); // hidden is not gone
  enter("out", "Sign in to Think Tank", { focus: false });
  say(status);
}

async function signIn() {
  quiet();
  // The browser's own words for a field that is empty or no address.
  if (!byId("sign-in-form").reportValidity()) return;
  say("Signing in…");
  const answer = await call("POST", "/api/auth/login", {
    body: { email: field.email.value, password: field.password.value },
  });
  field.password.value = ""; // sent or refused, it does not stay in the page
  if (answer.ok) return look({ focus: true });
  tell(answer, byId("sign-in"));
  field.password.focus();
}

/** Mints a token and leaves with it. It lives in the URL, for a minute, and nowhere else. */
async function openFounderyOS() {
  quiet();
  say("Opening FounderyOS…");
  const answer = await unsafe("/api/staging_token/mint", { body: journey ?? { entry_product: "think-tank" } });
  if (!answer.ok) return refused(answer);
  const target = URL.canParse(answer.body.redirect_url) ? new URL(answer.body.redirect_url) : null;
  // A "javascript:" URL would run here, with this site's session.
  if (!target || !["http:", "https:"].includes(target.protocol)) return tell({ body: { code: "internal" }, wait: 0 });
  // "Back" shall come to this page, not begin the journey anew.
  if (journey) history.replaceState(null, "", "./");
  location.assign(target);
  return new Promise(() => {}); // the button stays held until the page is gone: one press, one token
}

async function signOut() {
  quiet();
  say("Signing out…");
  const answer = await unsafe("/api/auth/logout");
  if (!answer.ok && !ended(answer)) return refused(answer);
  askToSignIn("You are signed out of Think Tank, and of what you opened from here.");
  field.email.focus();
}

/**
 * A call that changes something: with the CSRF value that belongs to the session. Once
 * more if another tab was given another value meanwhile.
 */
async function unsafe(path, { method = "POST", body } = {}, again = true) {
  const csrf = await call("GET", "/api/auth/csrf-token");
  if (!csrf.ok) return csrf;
  const answer = await call(method, path, { body, headers: { "X-CSRF-Token": csrf.body.csrf_token ?? "" } });
  return again && answer.body.code === "csrf_failed" ? unsafe(path, { method, body }, false) : answer;
}

function refused(answer) {
  if (ended(answer)) askToSignIn("");
  tell(answer, byId("open-founderyos"));
}

function quiet() {
  alertText("");
  byId("reference").textContent = "";
}

const ended = ({ body }) => ["session_required", "session_revoked"].includes(body.code);

const words = {
  invalid_credentials: "Email address and password do not match. Please try again.",
  email_unverified: "Your email address is not confirmed yet. Open the link in the message that we sent you, then come back.",
  account_inactive: "Your membership is not active. The people who run Think Tank can tell you more.",
  rate_limited: "Too many tries.",
  session_required: "Your session has ended. Please sign in again.",
  session_revoked: "Your session has ended. Please sign in again.",
  csrf_failed: "This page and your session do not belong together. Allow cookies for this site, reload the page and try again.",
  origin_not_allowed: "You opened Think Tank under an address that it does not accept.",
  invalid_request: "Think Tank could not read this. Please check what you entered.",
  dependency_unavailable: "Think Tank cannot answer just now: something it depends on is not reachable. Please try again.",
  no_answer: "No answer from Think Tank. Check your connection and try again.",
  internal: "Something went wrong in Think Tank. It was written down. Please try again.",
};

/** Shows a problem in words; a limit holds the button for as long as the API says. */
function tell({ body, wait }, button) {
  const code = Object.hasOwn(words, body.code) ? body.code : "internal";
  say("");
  alertText(code === "rate_limited" && wait > 0 ? `${words[code]} Please wait ${inSeconds(wait)}.` : words[code]);
  byId("reference").textContent = body.request_id ? `Request ${body.request_id}` : "";
  if (code === "rate_limited" && button) holdFor(button, wait);
}

/** Whether somebody is signed in is not known: say so and offer to ask again. */
function stuck(answer) {
  enter("problem", "Think Tank", { focus: false });
  tell(answer);
}

byId("sign-in-form").addEventListener("submit", (event) => event.preventDefault());
onPress(byId("sign-in"), signIn);
onPress(byId("open-founderyos"), openFounderyOS);
onPress(byId("sign-out"), signOut);
onPress(byId("retry"), look);
// "Back" from FounderyOS may bring this page out of the browser's memory, with
// "Opening…" still on it and somebody's name who has signed out since.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
look();
