// What happened on the way, with the times that this browser measured.

const steps = []; // {name, at, waited}: milliseconds since the link was opened

export function mark(name, at, waited) {
  steps.push({ name, at, waited });
}

/** Draws all steps so far, and the total. */
export function drawSteps() {
  if (steps.length === 0) return; // a reload, which went no way
  const total = steps.at(-1).at || 1;
  const rows = steps.map((step, i) => row(step, steps[i - 1]?.at ?? 0, total));
  document.getElementById("steps").replaceChildren(...rows);
  document.getElementById("total").textContent = milliseconds(steps.at(-1).at);
  document.getElementById("way").hidden = false;
}

function row({ name, at, waited }, from, total) {
  const item = document.getElementById("step").content.firstElementChild.cloneNode(true);
  const part = (name) => item.querySelector(`.step-${name}`);
  part("name").textContent = name;
  part("detail").textContent = waited === undefined ? "" : `${milliseconds(waited)} waiting for the server`;
  part("time").textContent = milliseconds(at);
  // Through the object model, which style-src allows; a style attribute in the
  // markup it would not.
  part("bar").style.setProperty("--from", (waited === undefined ? from : at - waited) / total);
  part("bar").style.setProperty("--to", at / total);
  return item;
}

function milliseconds(ms) {
  return `${ms > 0 && ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
