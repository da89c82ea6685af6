// What both pages of FounderyOS show: who is signed in, the way out, and what
// went wrong.

import { alertText, byId, call, enter, holdFor, inSeconds, onPress, say } from "./page.js";
import { wordsFor } from "./words.js";

/** Asks who is signed in. */
export async function whoAmI() {
  const answer = await call("GET", "/api/v1/auth/me");
  return answer.body.code === "session_required" ? revive() : answer;
}

/**
 * Asks again with a new pair: when the access token's half hour is over, the session
 * is not.
 */
export async function revive() {
  const refreshed = await alone(refresh);
  return refreshed.ok ? call("GET", "/api/v1/auth/me") : refreshed;
}

/**
 * An arrival. That a founder is here, and may be linked, is believed of a fresh pair only:
 * where that is wanting it is made, and the arrival repeated, which the API takes.
 */
export async function arrivalCall(send) {
  const answer = await send();
  return answer.body.code === "identity_conflict" && (await alone(refresh)).ok ? send() : answer;
}

/** A call of whoever is signed in, once more with a new pair where the old one's time is over. */
export async function signedInCall(method, path, { body, locked = false } = {}) {
  const once = () => call(method, path, { body, headers: { "X-Requested-With": "founderyos" } });
  const work = async () => {
    const answer = await once();
    return answer.body.code === "session_required" && (await (locked ? refresh() : alone(refresh))).ok ? once() : answer;
  };
  return locked ? alone(work) : work();
}

const refresh = () => call("POST", "/api/v1/auth/refresh", { headers: { "X-Requested-With": "founderyos" } });

// Whatever makes a new pair does so in one tab after the other (Web Locks). Without locks
// they all do at once, which the API takes as well.

function alone(work) {
  return navigator.locks ? navigator.locks.request("founderyos-refresh", work) : work();
}

export function showUser(user) {
  const name = user.display_name || user.email;
  byId("user-name").textContent = name;
  byId("user-email").textContent = user.email;
  byId("user-role").textContent = user.role;
  byId("initial").textContent = Array.from(name)[0]?.toUpperCase() ?? "";
}

/** Shows a problem in words. @returns {boolean} whether a second try may succeed. */
export function showProblem({ body, wait }) {
  const { code, title, text, again } = wordsFor(body);
  enter("problem", title);
  say("");
  alertText(wait > 0 && code === "rate_limited" ? `${text} It will be possible in ${inSeconds(wait)}.` : text);
  byId("error-code").textContent = code;
  showReference("request-id", body.request_id);
  showReference("handoff-id", body.handoff_id);
  byId("retry").hidden = !again;
  holdFor(byId("retry"), code === "rate_limited" ? wait : 0);
  return again;
}

// The numbers that support finds the journey by, in every log line of it.
function showReference(id, value) {
  byId(id).textContent = value ?? "";
  byId(id).parentElement.hidden = !value;
}

export function wireSignOut() {
  onPress(byId("sign-out"), async () => {
    say("Signing out…");
    alertText("");
    const answer = await call("POST", "/api/v1/auth/logout", { headers: { "X-Requested-With": "founderyos" } });
    // A session that had ended before is as good.
    if (answer.ok || ["session_required", "session_revoked"].includes(answer.body.code)) {
      showUser({ display_name: "", email: "", role: "" }); // hidden is not gone
      for (const form of document.forms) form.reset();
      for (const list of document.querySelectorAll(".entries")) list.replaceChildren();
      enter("out", "You are signed out");
      say("You are signed out of FounderyOS. You may still be signed in to Think Tank.");
      return;
    }
    // Never let somebody walk away from a session that is still open.
    say("");
    alertText("You are still signed in: FounderyOS did not answer. Please press “Sign out” again.");
  });
}
