// "Do you want to go on as …?" Both people are named in full, each in an element of
// its own: whatever a name contains, it is not taken for the page's own words.

import { arrivalCall } from "./account.js";
import { byId, call, enter, onPress, say } from "./page.js";

let open; // the hand-off that the question is about

/** Shows the question of a 202 answer. */
export function ask({ as, current, links: linking, handoff_id: id }) {
  open = id;
  const name = as.display_name || as.email;
  byId("as-name").textContent = name;
  byId("as-email").textContent = as.email;
  byId("as-initial").textContent = Array.from(name)[0]?.toUpperCase() ?? "";
  byId("confirm-email").textContent = as.email; // a name is what its owner likes it to be
  byId("linking").hidden = !linking;
  byId("current").hidden = !current || current.email === as.email;
  byId("current-name").textContent = current?.display_name || current?.email || "";
  byId("current-email").textContent = current?.email ?? "";
  byId("journey-id").textContent = `Hand-off ${id}`;
  enter("asked", linking ? "Connect the two accounts?" : "Is this you?");
  if (linking) return say("This link connects a Think Tank account with your FounderyOS account.");
  say(current ? "Somebody else is signed in to FounderyOS in this browser." : "Nobody is signed in to FounderyOS yet.");
}

/** Says what to do with the answers: yes gets the API's, no means that it was said. */
export function wireQuestion(yes, no) {
  onPress(byId("confirm"), async () => {
    say("Signing you in…");
    await yes(await arrivalCall(() => answer("confirm")));
  });
  onPress(byId("decline"), async () => {
    say("Leaving things as they are…");
    await answer("decline"); // unheard, the question ends by itself
    no();
  });
}

/** The question that is open in this browser, null for none. */
export async function openQuestion() {
  const { body } = await call("GET", "/api/v1/auth/cross-domain/pending");
  return body.pending ? body : null;
}

function answer(word) {
  const body = { handoff_id: open }; // another tab may have been asked something else since
  return call("POST", `/api/v1/auth/cross-domain/${word}`, { body, headers: { "X-Requested-With": "founderyos" } });
}
