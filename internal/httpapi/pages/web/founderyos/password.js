// Two uses of a FounderyOS password: to sign in without Think Tank, and to act with
// one's own role after arriving from there.

import { alertText, byId, call, holdFor, onPress, say } from "./page.js";
import { signedInCall } from "./account.js";
import { wordsFor } from "./words.js";

/** Calls entered when somebody has signed in. */
export function wireSignIn(entered) {
  const send = ({ email, password }) => call("POST", "/api/v1/auth/login", { body: { email, password }, headers: { "X-Requested-With": "founderyos" } });
  wire({ form: byId("sign-in-form"), button: byId("sign-in"), saying: "Signing in…", send, done: entered });
}

/** Calls proven when the password was right. */
export function wireStepUp(proven) {
  // Locked: it makes a new pair, as refreshing in another tab does.
  const send = ({ password }) => signedInCall("POST", "/api/v1/auth/step-up", { body: { password }, locked: true });
  wire({ form: byId("step-up-form"), button: byId("step-up-button"), saying: "Checking your password…", send, done: proven });
}

function wire({ form, button, saying, send, done }) {
  form.addEventListener("submit", (event) => event.preventDefault());
  onPress(button, async () => {
    alertText("");
    // The browser's own words for a field that is empty or no address.
    if (!form.reportValidity()) return;
    say(saying);
    const answer = await send(Object.fromEntries(new FormData(form)));
    form.elements.password.value = ""; // sent or refused, it does not stay in the page
    if (answer.ok) {
      form.closest("details").open = false;
      return done();
    }
    const { code, text } = wordsFor(answer.body);
    say("");
    alertText(text);
    if (code === "rate_limited") holdFor(button, answer.wait);
    form.elements.password.focus();
  });
}
