// What every page of both sites needs: one way to ask the API, one way to show
// a state. Text reaches the page by textContent only, so that no answer, however
// odd, can become markup.

export const byId = (id) => document.getElementById(id);

const site = document.title;

/**
 * Asks the API of this origin. Never throws: a lost connection, a timeout or an
 * answer that is no JSON comes back with ok:false and a code, as a problem does.
 * @returns {Promise<{ok: boolean, body: object, wait: number}>} wait: seconds
 *   from Retry-After, 0 when there is none.
 */
export async function call(method, path, { body, headers = {}, keepalive = false } = {}) {
  // The mode stays at its default, "cors", though the request is same-origin:
  // with "same-origin" and our Referrer-Policy: no-referrer a browser sends
  // "Origin: null", and the API refuses that origin always.
  const request = {
    method,
    headers,
    cache: "no-store",
    // The API never redirects. Followed, a 307 would carry the body, and with it
    // a token or a password, to wherever it points.
    redirect: "error",
    keepalive, // true: it is finished even if the page is left or reloaded meanwhile
    signal: AbortSignal.timeout(10_000), // the API answers within 3 s or says why not
  };
  if (body !== undefined) {
    request.headers = { "Content-Type": "application/json", ...headers };
    request.body = JSON.stringify(body);
  }
  try {
    const answer = await fetch(path, request);
    const wait = Number.parseInt(answer.headers.get("Retry-After") ?? "", 10) || 0;
    return { ok: answer.ok, body: await parse(answer), wait };
  } catch {
    return { ok: false, body: { code: "no_answer" }, wait: 0 };
  }
}

async function parse(answer) {
  const text = await answer.text(); // a connection that breaks here is no answer
  try {
    return JSON.parse(text) ?? {};
  } catch {
    // 204 has no body. An error that is no JSON is not the API's own, but that of
    // something between.
    return answer.ok ? {} : { code: "internal" };
  }
}

/**
 * Moves the page into a state: the parts whose data-when names it are shown, the
 * others hidden, an earlier problem is gone, and heading and tab say so. With focus, a keyboard or a screen
 * reader starts at the heading of what is new; without it, focus stays.
 */
export function enter(state, title, { focus = true } = {}) {
  document.documentElement.dataset.state = state;
  for (const part of document.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split(" ").includes(state);
  }
  alertText("");
  byId("main").setAttribute("aria-busy", String(state === "working"));
  byId("title").textContent = title;
  document.title = title === site ? site : `${title} · ${site}`;
  if (focus) byId("title").focus();
}

/** Says what is going on, in a polite live region. */
export function say(text) {
  byId("status").textContent = text;
}

/** Says what went wrong, as an alert; "" takes it back. */
export function alertText(text) {
  byId("error").textContent = text;
}

/**
 * Runs work when the button is pressed, once at a time. The button is not
 * disabled meanwhile, since that would take the focus away from under a keyboard.
 */
export function onPress(button, work) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    try {
      await work();
    } finally {
      if (!holds.has(button)) button.removeAttribute("aria-disabled");
    }
  });
}

const holds = new Map();

/** Keeps a button from being pressed for so many seconds, and counts them down on it. */
export function holdFor(button, seconds) {
  const label = holds.get(button)?.label ?? button.textContent;
  clearTimeout(holds.get(button)?.timer);
  if (seconds <= 0) {
    button.textContent = label;
    button.removeAttribute("aria-disabled");
    holds.delete(button);
    return;
  }
  button.setAttribute("aria-disabled", "true");
  button.textContent = `${label} (${seconds} s)`;
  holds.set(button, { label, timer: setTimeout(() => holdFor(button, seconds - 1), 1000) });
}

/** "1 second", "12 seconds". */
export const inSeconds = (n) => `${n} second${n === 1 ? "" : "s"}`;
