// Two uses of a FounderyOS password: to sign in without Think Tank, and to act with
// one's own role after arriving from there.

import { alertText, byId, call, holdFor, onPress, say } from "./page.js";
import { wordsFor } from "./words.js";

/** Calls entered when somebody has signed in. */
export function wireSignIn(entered) {
  wire("sign-in-form", "sign-in", "Signing in…", "/api/v1/auth/login", (fields) => ({ email: fields.get("email"), password: fields.get("password") }), entered);
}

/** Calls proven when the password was right. */
export function wireStepUp(proven) {
  wire("step-up-form", "step-up-button", "Checking your password…", "/api/v1/auth/step-up", (fields) => ({ password: fields.get("password") }), proven);
}

function wire(formID, buttonID, saying, path, bodyOf, done) {
  const form = byId(formID);
  form.addEventListener("submit", (event) => event.preventDefault());
  onPress(byId(buttonID), async () => {
    alertText("");
    // The browser's own words for a field that is empty or no address.
    if (!form.reportValidity()) return;
    say(saying);
    const answer = await call("POST", path, { body: bodyOf(new FormData(form)), headers: { "X-Requested-With": "founderyos" } });
    form.elements.password.value = ""; // sent or refused, it does not stay in the page
    if (answer.ok) {
      form.closest("details").open = false;
      return done();
    }
    const { code, text } = wordsFor(answer.body);
    say("");
    alertText(text);
    if (code === "rate_limited") holdFor(byId(buttonID), answer.wait);
    form.elements.password.focus();
  });
}
