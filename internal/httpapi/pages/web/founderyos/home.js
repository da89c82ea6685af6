// The front door of FounderyOS: who am I, and the way out.

import { byId, enter, onPress, say } from "./page.js";
import { showProblem, showUser, whoAmI, wireSignOut } from "./account.js";
import { wireSignIn, wireStepUp } from "./password.js";
import { showSessions } from "./sessions.js";

async function look() {
  enter("working", "FounderyOS", { focus: false });
  say("Looking for your session…");
  const answer = await whoAmI();
  if (answer.ok && answer.body.user) {
    showUser(answer.body.user);
    enter("in", "You are signed in", { focus: false });
    say(`Signed in as ${byId("user-name").textContent}.`);
    const { origin } = await showSessions();
    byId("step-up").hidden = !(origin === "handoff" && answer.body.user.role === "member");
  } else if (["session_required", "session_revoked"].includes(answer.body.code)) {
    enter("out", "Nobody is signed in", { focus: false });
    say("You come in through Think Tank.");
  } else {
    showProblem(answer);
  }
}

wireSignOut();
wireSignIn(look);
wireStepUp(look);
onPress(byId("retry"), look);
// A page that "back" brings out of the browser's memory may show somebody who has
// signed out since.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
look();
