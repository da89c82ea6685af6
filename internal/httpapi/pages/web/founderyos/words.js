// Every refusal in words for a person: what happened, and what to do now. The
// codes are the API's and stable; its own message is for developers and is not
// shown. "again" marks those where the same link may still work: the arrival key
// makes a second try safe, even when the first one went through and only its
// answer was lost.

const back = "Go back to Think Tank and press “Open in FounderyOS” again.";

const table = {
  token_malformed: ["This link is incomplete", `Part of it was lost on the way, perhaps when it was copied. ${back}`],
  handoff_expired: ["This link has expired", `A link is good for one minute, so that nobody can pick it up later. ${back}`],
  handoff_used: ["This link was used already", `Each link works once. If it was not you who used it, tell the people who run FounderyOS. ${back}`],
  handoff_invalid: ["This link is not valid", `FounderyOS does not know it, or you have signed out of Think Tank since it was made. ${back}`],
  handoff_unbound: ["This link is not for this browser", "It belongs to a journey that began in another browser, or somewhere else than here. It was not used. Go to FounderyOS and press “Sign in with Think Tank”."],
  link_missing: ["Nobody is signed in", "You came here without a link from Think Tank, or your session has ended. Go back to Think Tank and press “Open in FounderyOS”."],
  exchange_disabled: ["Arriving from Think Tank is switched off", "FounderyOS does not take visitors from Think Tank at the moment. Your link was not used. The people who run FounderyOS can switch it on."],
  identity_conflict: ["We cannot tell whether this account is yours", "FounderyOS has an account that matches you in part only, and it may be somebody else’s. Nothing was changed. Ask the people who run FounderyOS and give them what is under “For support”."],
  account_inactive: ["Your FounderyOS account is not active", "It is suspended, closed or not confirmed yet. The people who run FounderyOS can tell you more."],
  invalid_credentials: ["That did not match", "The password does not match, or this account has none. Please try again."],
  session_required: ["Your session has ended", "Go back to Think Tank and press “Open in FounderyOS” again."],
  session_revoked: ["Your session has ended", "Go back to Think Tank and press “Open in FounderyOS” again."],
  email_unverified: ["Your address is not confirmed", "Open the link in the message that FounderyOS sent you, then come back."],
  second_factor_required: ["A second step is needed", "Your account asks for a second factor, which this page does not have."],
  rate_limited: ["Too many tries", "There were too many tries from your network. Please wait a little, then try again.", "again"],
  dependency_unavailable: ["FounderyOS cannot answer just now", "Something it depends on is not reachable. Trying again is safe.", "again"],
  origin_not_allowed: ["This address is not allowed", "You opened FounderyOS under an address that it does not accept. Use the link from Think Tank as it is."],
  no_answer: ["No answer from FounderyOS", "Check your connection. Trying again is safe, even if the first try went through.", "again"],
  internal: ["Something went wrong in FounderyOS", "It is not your fault, and it was written down. Trying again is safe.", "again"],
};

/** @returns {{code: string, title: string, text: string, again: boolean}} */
export function wordsFor({ code = "internal", reason }) {
  const row = code === "handoff_invalid" && ["expired", "used", "unbound"].includes(reason) ? `handoff_${reason}` : code;
  const [title, text, again] = Object.hasOwn(table, row) ? table[row] : table.internal;
  return { code, title, text, again: again !== undefined };
}
