// Where the user is signed in, with a way to end each, and what ended lately.

import { alertText, byId, onPress, say } from "./page.js";
import { signedInCall } from "./account.js";
import { productName } from "./products.js";

/** Shows the list. @returns {object} the session of this browser, if it can be told. */
export async function showSessions() {
  const { ok, body } = await signedInCall("GET", "/api/v1/auth/sessions");
  const { sessions = [], ended = [] } = body;
  byId("sessions-unknown").hidden = ok;
  byId("session-list").replaceChildren(...sessions.map(liveRow));
  byId("ended-list").replaceChildren(...ended.map(endedRow));
  byId("ended").hidden = ended.length === 0;
  return sessions.find(({ current }) => current) ?? {};
}

function row(text) {
  const one = byId("session").content.firstElementChild.cloneNode(true);
  one.querySelector(".entry").textContent = text;
  return one;
}

function how({ origin, entry_product: product }) {
  if (origin !== "handoff") return "By password";
  return `From ${productName(product) || "elsewhere"}`;
}

const at = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function liveRow(session) {
  const text = `${how(session)}, since ${at(session.created_at)}`;
  if (session.current) return row(`${text} (this browser)`);
  const one = row(text);
  const end = document.createElement("button");
  end.type = "button";
  end.textContent = "Sign out";
  end.setAttribute("aria-label", `Sign out: ${text}`);
  onPress(end, async () => {
    alertText("");
    say("Signing out there…");
    const answer = await signedInCall("DELETE", `/api/v1/auth/sessions/${encodeURIComponent(session.id)}`);
    if (["session_required", "session_revoked"].includes(answer.body.code)) return location.reload(); // this one has ended
    // The other one, if it had ended before, is as good.
    if (!answer.ok && answer.body.code !== "not_found") {
      say("");
      return alertText("That session is still open: FounderyOS did not answer. Please try again.");
    }
    say("You are signed out there.");
    await showSessions();
    byId("title").focus(); // the button has gone, and the focus with it
  });
  one.append(end);
  return one;
}

const whys = {
  logout: "signed out", logout_all: "signed out everywhere", ended_by_user: "ended from the list", source_ended: "signed out of Think Tank",
  replaced: "somebody arrived in the same browser", replayed: "the link was used in a second browser",
  restored: "everybody was signed out",
};

function endedRow(session) {
  const why = Object.hasOwn(whys, session.ended_as) ? whys[session.ended_as] : session.ended_as;
  return row(`${how(session)}, ended ${at(session.ended_at)}: ${why}`);
}
