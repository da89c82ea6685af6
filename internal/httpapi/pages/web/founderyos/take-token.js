// Takes the token out of the address bar and out of the history of this tab.
//
// A classic script, not a module, and the first thing the document names: it
// blocks parsing, so it runs before any other script, before anything is drawn,
// and before a person can bookmark, share or screenshot the address. A front end
// that does this when its bundle has loaded does it seconds too late, after its
// error reporter and its analytics have read location.href.
(() => {
  "use strict";
  // "?token=", "#token=" or posted, as whoever minted it chose (response_mode).
  const tokens = [location.search, location.hash.slice(1)].flatMap((part) => new URLSearchParams(part).getAll("token"));
  const posted = document.documentElement.dataset;
  if (posted.token !== undefined) tokens.push(posted.token);
  delete posted.token;
  if (location.search || location.hash) {
    // replaceState, not an assignment to location: no second request, and the
    // entry with the token is overwritten instead of staying behind "back".
    history.replaceState(null, "", location.pathname);
  }
  const takenAt = performance.now();
  // null: none was there. Two tokens are no token: which one was meant is not
  // for this page to guess.
  let token = tokens.length === 0 ? null : tokens.length === 1 ? tokens[0] : "";

  // The one hand-over to arrival.js. It works once: whoever comes later, a
  // console or an extension in this page, finds nothing.
  globalThis.takeToken = () => {
    const taken = { token, takenAt };
    token = null;
    delete globalThis.takeToken;
    return taken;
  };
})();
